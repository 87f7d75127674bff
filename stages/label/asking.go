package label

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"hsnas/internal/llm"
	"hsnas/internal/progress"
)

// answer is what came back for a question.
type answer struct {
	key         string         // of the last ask
	responses   []llm.Response // one an ask that was answered, usable or not: all were paid for
	predictions []float64      // one a query, nil where gap says why
	gap         string
}

// outage is how many requests in a row may exhaust their tries before the run
// ends: one that fails is a gap, a service that is down is an error.
const outage = 3

// asking asks the questions of a run.
type asking struct {
	params Params
	client llm.Client
	rep    progress.Reporter

	mu       sync.Mutex
	failures int // requests in a row that exhausted their tries
}

func newAsking(p Params, client llm.Client, rep progress.Reporter) *asking {
	return &asking{params: p, client: client, rep: rep}
}

// all asks every question, several at a time. An error that no further request
// can mend ends it; what was answered until then is in the journal.
func (a *asking) all(ctx context.Context, questions []question) ([]answer, error) {
	a.rep.Start("asking the LLM ("+a.params.Source+")", len(questions))
	defer a.rep.Done()
	if a.params.Source == Live {
		stop := context.AfterFunc(ctx, func() {
			a.rep.Logf("interrupted: waiting for the answers that are under way; nothing that was paid for is lost")
		})
		defer stop()
	}
	answers := make([]answer, len(questions))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(a.params.Concurrency)
	for i, q := range questions {
		group.Go(func() error {
			if err := groupCtx.Err(); err != nil {
				return err
			}
			var err error
			answers[i], err = a.one(groupCtx, q)
			a.rep.Add(1)
			return err
		})
	}
	return answers, group.Wait()
}

// one asks until the answer can be read, at most Params.Asks times where a
// further ask can differ from the first.
func (a *asking) one(ctx context.Context, q question) (answer, error) {
	asks := a.params.Asks
	if a.params.Source != Live {
		asks = 1
	}
	var out answer
	for n := 1; n <= asks; n++ {
		request := q.request
		request.Ask = n
		out.key = request.Key()
		r, err := a.client.Do(ctx, request)
		if r.Key != "" {
			out.key = r.Key
		}
		var unusable *llm.AnswerError
		if err != nil && !errors.As(err, &unusable) {
			out.gap, err = a.unanswered(ctx, err)
			return out, err
		}
		a.answered()
		out.responses = append(out.responses, r)
		if err == nil {
			out.predictions, err = q.read(r.Answer)
		}
		if err == nil {
			out.gap = ""
			return out, nil
		}
		out.gap = err.Error()
	}
	return out, nil
}

// unanswered decides whether a request without an answer is a gap or the end of
// the run.
func (a *asking) unanswered(ctx context.Context, err error) (gap string, end error) {
	var fault *llm.Error
	if !errors.As(err, &fault) || ctx.Err() != nil {
		return "", err
	}
	switch fault.Kind {
	case llm.Refused:
		return fault.Error(), nil
	case llm.Missing:
		if a.params.Source == Batch || a.params.AllowMissing {
			return fault.Error(), nil
		}
	case llm.Exhausted:
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.failures++; a.failures < outage {
			return fault.Error(), nil
		}
		return "", fmt.Errorf("label: %d requests in a row failed, the service seems to be down; run again to go on: what was answered is kept: %w", a.failures, err)
	}
	return "", fmt.Errorf("label: %w", err)
}

// answered ends a row of failures.
func (a *asking) answered() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failures = 0
}

// announce says what a live run will buy.
func (s *source) announce(questions []question, rep progress.Reporter) {
	if s.journal == nil {
		return
	}
	var kept int
	var prompt, completion int64
	for _, q := range questions {
		if _, ok := s.journal.Lookup(q.request.Key()); ok {
			kept++
			continue
		}
		p, c := q.request.Estimate()
		prompt, completion = prompt+p, completion+c
	}
	rep.Logf("%d requests, %d of them answered in the journal; the rest takes at most about %d prompt and %d completion tokens%s",
		len(questions), kept, prompt, completion, s.dollars(prompt, completion))
}

// account says what the journal's answers took.
func (s *source) account(rep progress.Reporter) {
	if s.journal == nil {
		return
	}
	prompt, completion := s.journal.Tokens()
	rep.Logf("the journal holds %d answers for %d prompt and %d completion tokens%s", s.journal.Len(), prompt, completion, s.dollars(prompt, completion))
}

// dollars words a price, "" where no prices are set.
func (s *source) dollars(prompt, completion int64) string {
	if s.budget.Prices == (llm.Prices{}) {
		return ""
	}
	return fmt.Sprintf(", $%.2f", s.budget.Prices.Dollars(prompt, completion))
}
