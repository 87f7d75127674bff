// Package llm asks chat models. One interface stands before four sources of
// answers: a live service (Live), its batches (BatchAPI), the response file of an
// OpenAI Batch (Batch) and answers recorded earlier (Replay). Journaled puts a
// journal in front of any of them, so that no answer is ever paid for twice.
//
// A request's key is the SHA-256 of its endpoint, its sample index and its
// canonical body; see Request.Key and Request.PromptKey.
package llm

import (
	"context"
	"fmt"
)

// Client answers chat requests. Implementations may be used by several
// goroutines at once.
//
// Do returns the answer, or an *Error where there is none. Beside an
// *AnswerError the response is filled too: the service answered, and charged
// for it, but what it sent cannot be used.
type Client interface {
	Do(ctx context.Context, r Request) (Response, error)
}

// Message is one message of a chat.
type Message struct {
	Role    string `json:"role"` // "system" or "user"
	Content string `json:"content"`
}

// Request is one chat request.
type Request struct {
	CustomID string    // joins batch responses; part of messages to the user, not of the key
	Endpoint string    // URL that live requests go to; "" means the path of the OpenAI API, as in batch files
	Messages []Message // at least one
	Sampling           // what the model is told besides the messages
	Sample   int       // 1, 2, ...: independent answers to the same prompt; 0 means 1
	Ask      int       // 1, 2, ...: how often this sample has been asked for, as answers that cannot be used are asked for again; 0 means 1

	body []byte // Body, once Journaled has made it; nil where nobody has
}

// Sampling is the part of a request's body that is not the prompt. The zero
// value sends nothing but the messages, as in the recorded request files.
type Sampling struct {
	Model               string
	Temperature         *float64 // nil leaves it to the service; 0 is sent as 0
	MaxTokens           int      // "max_tokens", the name that older servers know; 0 leaves it out
	MaxCompletionTokens int      // "max_completion_tokens"; 0 leaves it out
}

// Response is the answer to one request.
type Response struct {
	Key              string // key of the request that was answered
	Source           string // "live", "batch-api", "batch" or "replay"
	Model            string // the model that the service says it served
	Fingerprint      string // system_fingerprint, "" where the service gives none
	Answer           string // content of the first choice
	FinishReason     string
	Fault            string // why the answer cannot be used, "" where it can
	PromptTokens     *int64 // nil where the service does not say
	CompletionTokens *int64
	Tries            int      // HTTP requests that this answer took; 0 where none were sent
	Seconds          *float64 // time that the last of them took
}

// AnswerError is an answer that cannot be used: cut at the token limit,
// filtered, or empty.
type AnswerError struct{ CustomID, Fault string }

func (e *AnswerError) Error() string {
	return fmt.Sprintf("request %s: %s", e.CustomID, e.Fault)
}

// check returns r, and an *AnswerError where it carries a fault.
func (r Response) check(customID string) (Response, error) {
	if r.Fault != "" {
		return r, &AnswerError{CustomID: customID, Fault: r.Fault}
	}
	return r, nil
}

// fault names what is wrong with a choice, "" where nothing is.
func fault(choices int, content, finishReason string) string {
	switch {
	case choices == 0:
		return "the service sent no choices"
	case finishReason == "length":
		return `the answer was cut at the token limit (finish_reason "length"); set a higher max_tokens or max_completion_tokens`
	case finishReason == "content_filter":
		return `the answer was filtered (finish_reason "content_filter")`
	case content == "":
		return "the answer is empty"
	}
	return ""
}
