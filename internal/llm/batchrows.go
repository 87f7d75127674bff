package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/sashabaranov/go-openai"
)

// collect takes the answers of a batch that has ended. awaited says that this run
// has waited for it: then what it left unanswered is a fault of this round, else it
// is bought anew.
func (b *BatchAPI) collect(ctx context.Context, r *round, batch openai.Batch, keys map[string]string, awaited bool) error {
	strange, again := 0, 0
	var unread []string
	seen := map[string]bool{}
	take := func(l batchLine) {
		key, ok := keys[l.CustomID]
		switch {
		case !ok:
			strange++
		case seen[key]:
			again++
		default:
			seen[key] = true
			if q, ok := r.requests[key]; ok {
				b.outcomes[key] = b.outcome(q, key, l)
			}
		}
	}
	for _, file := range []*string{batch.OutputFileID, batch.ErrorFileID} {
		if file == nil || *file == "" {
			continue
		}
		read := map[int]bool{} // lines, as a transfer that broke off starts again
		lines, err := b.calls.rows(ctx, *file, func(l batchLine) {
			if !read[l.line] {
				read[l.line] = true
				take(l)
			}
		})
		if err != nil {
			return err
		}
		unread = append(unread, lines...)
	}
	if len(unread) > 0 {
		b.options.Logf("batch %s: %d lines cannot be read; left out: %s", batch.ID, len(unread), firstOf(unread))
	}
	if strange > 0 {
		b.options.Logf("batch %s: %d rows answer no request of it; left out", batch.ID, strange)
	}
	if again > 0 {
		b.options.Logf("batch %s: %d rows answer a request again; left out, the first counts", batch.ID, again)
	}
	b.taken[batch.ID] = true
	b.close(r, batch, keys, len(unread), awaited)
	return b.verdict(batch, awaited)
}

// close settles what a batch took, and decides what becomes of its requests that
// have no answer. As many of these as it has unread lines were paid for all the same.
func (b *BatchAPI) close(r *round, batch openai.Batch, keys map[string]string, unread int, awaited bool) {
	b.reserve(r, keys)
	for _, id := range slices.Sorted(maps.Keys(keys)) {
		key := keys[id]
		q, ok := r.requests[key]
		if !ok {
			continue
		}
		prompt, completion := q.Estimate()
		o, answered := b.outcomes[key]
		if !answered {
			o = outcome{err: &Error{Kind: Exhausted, CustomID: q.CustomID, Msg: fmt.Sprintf("batch %s ended without an answer to it (%s)", batch.ID, b.live.redact(batch.Status))}}
		}
		var paid *Response
		switch {
		case o.err == nil:
			paid = &o.response
		case !answered && unread > 0:
			unread--
			paid = &Response{} // taken at the estimate
		}
		b.options.Budget.settle(prompt, completion, paid)
		delete(b.held, key)
		var fault *Error
		refused := errors.As(o.err, &fault) && fault.Kind == Refused
		if o.err != nil && !refused && !awaited {
			delete(b.outcomes, key) // bought anew
			continue
		}
		if refused {
			b.refused[key] = o
		}
		b.outcomes[key] = o
		delete(r.requests, key)
	}
}

// verdict is the error of a batch that ended as a whole.
func (b *BatchAPI) verdict(batch openai.Batch, awaited bool) error {
	switch {
	case !awaited:
		return nil
	case batch.Status == "failed":
		return fmt.Errorf("the service refused the batch %s: %s", batch.ID, b.faults(batch))
	case batch.Status == "cancelled":
		return fmt.Errorf("the batch %s was cancelled at the service; what it had answered is kept, run again to buy the rest", batch.ID)
	}
	return nil
}

// faults lists the first faults that the service found in an input.
func (b *BatchAPI) faults(batch openai.Batch) string {
	if batch.Errors == nil || len(batch.Errors.Data) == 0 {
		return "it does not say why"
	}
	var out []string
	for _, e := range batch.Errors.Data {
		text := excerpt(b.live.redact(e.Code)) + ": " + excerpt(b.live.redact(e.Message))
		if e.Line != nil {
			text = fmt.Sprintf("line %d: %s", *e.Line, text)
		}
		out = append(out, text)
	}
	return firstOf(out)
}

// firstOf lists the first of several faults.
func firstOf(faults []string) string {
	const shown = 3
	if more := len(faults) - shown; more > 0 {
		faults = append(slices.Clone(faults[:shown]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(faults, "; ")
}

// outcome reads a row.
func (b *BatchAPI) outcome(q Request, key string, l batchLine) outcome {
	failed := func(kind Kind, status int, msg string) outcome {
		return outcome{err: &Error{Kind: kind, CustomID: q.CustomID, Status: status, Msg: msg}}
	}
	if l.Response == nil {
		return failed(Exhausted, 0, "the batch holds no answer: "+b.words(l.Error))
	}
	var c completion
	status := l.Response.StatusCode
	err := json.Unmarshal(l.Response.Body, &c)
	if c.Error == nil {
		c.Error = l.Error
	}
	if status != http.StatusOK || c.Error != nil {
		kind := map[verdict]Kind{again: Exhausted, refused: Refused, fatal: Fatal}[judge(status, c.Error.codes(), b.options.QuotaIsRate)]
		return failed(kind, status, fmt.Sprintf("status %d: %s", status, b.words(c.Error)))
	}
	a := c.response()
	a.Key, a.Source = key, "batch-api"
	if err != nil && a.Fault != "" { // it is an answer, and charged, but no more was read of it
		a.Fault = "the body is no chat completion: " + excerpt(b.live.redact(err.Error()))
	}
	a.Model, a.Fingerprint = b.live.redact(a.Model), b.live.redact(a.Fingerprint)
	a.Answer, a.FinishReason = b.live.redact(a.Answer), b.live.redact(a.FinishReason)
	return outcome{response: a}
}

// words is a fault of the service in one line, without the key.
func (b *BatchAPI) words(f *batchFault) string {
	if f == nil {
		return "it does not say why"
	}
	text := excerpt(b.live.redact(f.Message))
	if code, _ := f.Code.(string); code != "" {
		text = excerpt(b.live.redact(code)) + ": " + text
	}
	return text
}

// codes are what judge knows faults by.
func (f *batchFault) codes() []string {
	if f == nil {
		return nil
	}
	code, _ := f.Code.(string)
	return []string{code, f.Type}
}
