package llm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Bounds of a batch: requests, and bytes of its input.
const (
	batchRequests = 50_000
	batchBytes    = 200_000_000
)

// part is the input of one batch.
type part struct {
	input    []byte
	sum      string            // SHA-256 of the input
	requests map[string]string // custom_id to request key

	prompt, completion int64 // tokens that it may take
}

// split makes inputs of requests, of at most so many each and so many bytes.
func split(requests []Request, most, bytes int) ([]*part, error) {
	var out []*part
	var p *part
	for _, q := range requests {
		line := q.BatchLine()
		if p == nil || len(p.requests) == most || len(p.input)+len(line) > bytes {
			p = &part{requests: map[string]string{}}
			out = append(out, p)
		}
		if _, ok := p.requests[q.CustomID]; ok {
			return nil, fmt.Errorf("two requests of a batch are named %s", q.CustomID)
		}
		p.requests[q.CustomID] = q.Key()
		p.input = append(p.input, line...)
		prompt, completion := q.Estimate()
		p.prompt, p.completion = p.prompt+prompt, p.completion+completion
	}
	for _, p := range out {
		sum := sha256.Sum256(p.input)
		p.sum = hex.EncodeToString(sum[:])
	}
	return out, nil
}
