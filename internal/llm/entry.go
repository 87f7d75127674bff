package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"hsnas/internal/seal"
)

// Entry is one line of a journal, or of a file of recorded answers: a request's
// key and the answer to it.
type Entry struct {
	Request          string   `json:"request"`          // Request.Key; in recorded files without a prompt, Request.PromptKey
	Prompt           string   `json:"prompt,omitempty"` // Request.PromptKey, by which a journal can be replayed
	CustomID         string   `json:"custom_id"`
	Sample           int      `json:"sample"`
	Ask              int      `json:"ask,omitempty"` // left out for the first
	Source           string   `json:"source,omitempty"`
	Model            string   `json:"model"`
	Fingerprint      string   `json:"fingerprint,omitempty"`
	Date             string   `json:"date"` // when the answer came, RFC 3339 or a part of it; "" where unknown
	PromptTokens     *int64   `json:"prompt_tokens,omitempty"`
	CompletionTokens *int64   `json:"completion_tokens,omitempty"`
	FinishReason     string   `json:"finish_reason,omitempty"`
	Fault            string   `json:"fault,omitempty"`
	Tries            int      `json:"tries,omitempty"`
	Seconds          *float64 `json:"seconds,omitempty"`
	Answer           string   `json:"answer"`
}

// response turns the entry back into what the client returned.
func (e Entry) response() Response {
	return Response{
		Key: e.Request, Source: e.Source, Model: e.Model, Fingerprint: e.Fingerprint, Answer: e.Answer,
		FinishReason: e.FinishReason, Fault: e.Fault,
		PromptTokens: e.PromptTokens, CompletionTokens: e.CompletionTokens, Tries: e.Tries, Seconds: e.Seconds,
	}
}

// newEntry takes the request's key too, as whoever asks has it at hand and a
// hash of a long prompt takes time.
func newEntry(key string, r Request, a Response, date string) Entry {
	e := Entry{
		Request: key, Prompt: r.PromptKey(), CustomID: r.CustomID, Sample: max(r.Sample, 1),
		Source: a.Source, Model: a.Model, Fingerprint: a.Fingerprint, Date: date,
		PromptTokens: a.PromptTokens, CompletionTokens: a.CompletionTokens,
		FinishReason: a.FinishReason, Fault: a.Fault, Tries: a.Tries, Seconds: a.Seconds, Answer: a.Answer,
	}
	if r.Ask > 1 {
		e.Ask = r.Ask
	}
	return e
}

// Line returns the entry as one line of sealed JSON, newline included.
func (e Entry) Line() []byte { return seal.JSON(encode(e)) }

// parseEntry reads one line of a journal strictly. A line without a seal, of an
// earlier version or of the user's own, is taken as it is.
func parseEntry(line []byte) (Entry, error) {
	var e Entry
	line, state := seal.OpenJSON(line)
	if state == seal.Broken {
		return Entry{}, fmt.Errorf("not a journal entry any more: %w", seal.ErrBroken)
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return Entry{}, fmt.Errorf("not a journal entry: %w", jsonFault(err))
	}
	if d.More() {
		return Entry{}, errors.New("not a journal entry: text after the JSON object")
	}
	if !isKey(e.Request) {
		return Entry{}, fmt.Errorf("not a journal entry: request key %q is not 64 hex digits", excerpt(e.Request))
	}
	if e.Prompt != "" && !isKey(e.Prompt) {
		return Entry{}, fmt.Errorf("not a journal entry: prompt key %q is not 64 hex digits", excerpt(e.Prompt))
	}
	return e, nil
}

func isKey(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// jsonFault words the decoder's complaint about a line that ends too soon.
func jsonFault(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the line ends in the middle of the JSON")
	}
	return err
}
