package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"hsnas/internal/config"
)

// Batch answers from the response file of an OpenAI Batch, found by custom_id;
// the lines may stand in any order.
type Batch struct {
	name    string
	ids     []string // in the order of the file
	answers map[string]batchLine
}

// batchLine is a line of the output file or of the error file of a batch.
type batchLine struct {
	CustomID string `json:"custom_id"`
	Response *struct {
		StatusCode int             `json:"status_code"`
		Body       json.RawMessage `json:"body"`
	} `json:"response"`
	Error *batchFault `json:"error"`
	line  int
}

type batchFault struct {
	Code    any    `json:"code"`
	Type    string `json:"type"`
	Message string `json:"message"`
}

// completion is the part of a chat completion that matters here.
type completion struct {
	Model       string `json:"model"`
	Fingerprint string `json:"system_fingerprint"`
	Choices     []struct {
		Message      struct{ Content string } `json:"message"`
		FinishReason string                   `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		PromptTokens     int64 `json:"prompt_tokens"`
		CompletionTokens int64 `json:"completion_tokens"`
	} `json:"usage"`
	Error *batchFault `json:"error"`
}

// NewBatch reads a response file, or its concatenation with the error file of
// the batch. name stands for the file in messages.
func NewBatch(name string, r io.Reader) (*Batch, error) {
	b := &Batch{name: name, answers: map[string]batchLine{}}
	err := eachLine(name, r, b.add)
	return b, err
}

func (b *Batch) add(number int, text []byte) error {
	l, err := parseBatchLine(b.name, number, text)
	if err != nil {
		return err
	}
	if first, ok := b.answers[l.CustomID]; ok && !sameAnswer(first, l) {
		return config.Errorf(b.name, number, "%s is answered twice, and differently (first on line %d); keep one of them", l.CustomID, first.line)
	} else if ok {
		return nil
	}
	b.ids = append(b.ids, l.CustomID)
	b.answers[l.CustomID] = l
	return nil
}

// parseBatchLine reads a line of an output file or an error file.
func parseBatchLine(name string, number int, text []byte) (batchLine, error) {
	l := batchLine{line: number}
	if err := json.Unmarshal(text, &l); err != nil {
		return l, config.Errorf(name, number, "not a line of a batch response file: %s", err)
	}
	switch {
	case l.CustomID == "":
		return l, config.Errorf(name, number, `"custom_id" is missing; expected a line of a batch response file`)
	case l.Response == nil && l.Error == nil:
		return l, config.Errorf(name, number, `%s has neither "response" nor "error"; is this the request file?`, l.CustomID)
	}
	return l, nil
}

func sameAnswer(a, b batchLine) bool {
	return a.Response != nil && b.Response != nil && bytes.Equal(a.Response.Body, b.Response.Body)
}

// IDs returns the custom_id of every request that the file answers, in its order.
func (b *Batch) IDs() []string { return b.ids }

// Do implements Client. A request that the file does not answer is an *Error of
// kind Missing, one that the service failed on an *Error of kind Refused.
func (b *Batch) Do(_ context.Context, r Request) (Response, error) {
	none := Response{Key: r.Key()}
	l, ok := b.answers[r.CustomID]
	if !ok {
		return none, &Error{Kind: Missing, CustomID: r.CustomID, Msg: b.name + " holds no answer"}
	}
	if l.Error != nil {
		return none, b.refused(r, l, 0, l.Error)
	}
	var c completion
	if err := json.Unmarshal(l.Response.Body, &c); err != nil {
		return none, &Error{Kind: Refused, CustomID: r.CustomID, Msg: fmt.Sprintf("%s:%d: the body is not a chat completion: %s", b.name, l.line, err)}
	}
	if c.Error != nil || l.Response.StatusCode != http.StatusOK {
		return none, b.refused(r, l, l.Response.StatusCode, c.Error)
	}
	a := c.response()
	a.Key, a.Source = none.Key, "batch"
	return a.check(r.CustomID)
}

func (b *Batch) refused(r Request, l batchLine, status int, f *batchFault) error {
	msg := fmt.Sprintf("%s:%d: the service failed", b.name, l.line)
	if status != 0 {
		msg += fmt.Sprintf(" with status %d", status)
	}
	if f != nil {
		msg += ": " + excerpt(f.Message)
	}
	return &Error{Kind: Refused, CustomID: r.CustomID, Status: status, Msg: redactor("")(msg)}
}

func (c completion) response() Response {
	a := Response{Model: c.Model, Fingerprint: c.Fingerprint}
	if len(c.Choices) > 0 {
		a.Answer, a.FinishReason = c.Choices[0].Message.Content, c.Choices[0].FinishReason
	}
	if c.Usage != nil {
		a.PromptTokens, a.CompletionTokens = &c.Usage.PromptTokens, &c.Usage.CompletionTokens
	}
	a.Fault = fault(len(c.Choices), a.Answer, a.FinishReason)
	return a
}
