package label

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"hsnas/internal/llm"
	"hsnas/internal/progress"
)

// answer is what has come back for a question so far.
type answer struct {
	key         string         // of the last ask
	responses   []llm.Response // one an ask that was answered, usable or not: all were paid for
	predictions []float64      // one a query, nil where gap says why
	gap         string
	tries       int  // HTTP requests of asks that came to nothing
	done        bool // there is nothing to ask any more
}

// outage is how many requests in a row may exhaust their tries before the run
// ends: one that fails is a gap, a service that is down is an error.
const outage = 3

// refusals is how many requests may be refused before any is answered: one that is
// refused is a gap, a service that refuses all has another reason than the request.
const refusals = 8

// asking asks the questions of a run, in rounds: each asks what is unread by then.
type asking struct {
	params   Params
	client   llm.Client
	recorded func(key string) bool // says that an answer is in the journal
	rep      progress.Reporter
	offer    func() error // says what would have to be bought, where nobody has agreed to that

	mu       sync.Mutex
	failures int // requests in a row that exhausted their tries
	refused  int // requests that were refused before any was answered; -1 once one was
}

func newAsking(p Params, from *source, rep progress.Reporter) *asking {
	return &asking{params: p, client: from.client, recorded: from.recorded, rep: rep}
}

// all asks every question, in at most Params.Asks rounds where a further ask can
// differ from the first. An error that no further request can mend ends it; what
// was answered until then is in the journal.
func (a *asking) all(ctx context.Context, questions []question) ([]answer, error) {
	if a.params.Source == Live {
		stop := context.AfterFunc(ctx, func() {
			a.rep.Logf("interrupted: waiting for the answers that are under way; nothing that was paid for is lost")
		})
		defer stop()
	}
	answers := make([]answer, len(questions))
	for round := 1; round <= a.params.asks(); round++ {
		open, err := a.unread(ctx, questions, answers)
		if err != nil {
			return nil, err
		}
		if len(open) == 0 {
			break
		}
		if err := a.prepare(ctx, questions, answers, open); err != nil {
			return nil, err
		}
		if err := a.round(ctx, round, questions, answers, open); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// unread reads what the journal holds, and returns the numbers of the questions
// that have to be asked.
func (a *asking) unread(ctx context.Context, questions []question, answers []answer) (open []int, err error) {
	for i, q := range questions {
		for !answers[i].done && a.recorded(a.next(q, &answers[i]).Key()) {
			if err := a.once(ctx, q, &answers[i]); err != nil {
				return nil, err
			}
		}
		if !answers[i].done {
			open = append(open, i)
		}
	}
	return open, nil
}

// next is what to ask about a question now.
func (a *asking) next(q question, so *answer) llm.Request {
	return a.params.ask(q, len(so.responses)+1)
}

// ask is a question asked for the n-th time. A batch is known by its input, so that
// there a further ask has a name of its own: the input would be that of the ask before,
// whose answers nobody wants again.
func (p Params) ask(q question, n int) llm.Request {
	request := q.request
	request.Ask = n
	if n > 1 && p.Source == BatchAPI {
		request.CustomID += "-ask" + strconv.Itoa(n)
	}
	return request
}

// prepare shows the client the requests of a round where it wants to see them.
func (a *asking) prepare(ctx context.Context, questions []question, answers []answer, open []int) error {
	p, ok := a.client.(llm.Preparer)
	if !ok {
		return nil
	}
	var requests []llm.Request
	for _, i := range open {
		requests = append(requests, a.next(questions[i], &answers[i]))
	}
	err := p.Prepare(ctx, requests)
	if errors.Is(err, llm.ErrFetchOnly) {
		return a.offer()
	}
	if err != nil {
		return fmt.Errorf("label: %w", err)
	}
	return nil
}

// round asks the open questions once, several at a time.
func (a *asking) round(ctx context.Context, number int, questions []question, answers []answer, open []int) error {
	what := "asking the LLM (" + a.params.Source + ")"
	if number > 1 {
		what = fmt.Sprintf("asking the LLM again (%s, round %d)", a.params.Source, number)
	}
	a.rep.Start(what, len(open))
	defer a.rep.Done()
	a.answered() // one request that always fails is no outage, however often it is asked
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(a.params.workers())
	for _, i := range open {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := a.once(ctx, questions[i], &answers[i])
			a.rep.Add(1)
			return err
		})
	}
	return group.Wait()
}

// once asks a question one time more. What cannot be read is asked for again in the
// next round, a bounded number of times.
func (a *asking) once(ctx context.Context, q question, so *answer) error {
	request := a.next(q, so)
	r, err := a.client.Do(ctx, request)
	if so.key = r.Key; so.key == "" { // a hash of all of the prompt
		so.key = request.Key()
	}
	var unusable *llm.AnswerError
	if err != nil && !errors.As(err, &unusable) {
		return a.unanswered(ctx, err, so)
	}
	a.answered()
	a.welcome()
	so.responses = append(so.responses, r)
	if err == nil {
		so.predictions, err = q.read(r.Answer)
	}
	so.gap, so.done = "", true
	if err != nil {
		so.gap, so.done = err.Error(), len(so.responses) >= a.params.asks()
	}
	return nil
}

// unanswered decides whether a request without an answer is a gap, for good or
// until the next round, or the end of the run.
func (a *asking) unanswered(ctx context.Context, err error, so *answer) error {
	var fault *llm.Error
	if !errors.As(err, &fault) || ctx.Err() != nil {
		return err
	}
	so.tries += fault.Tries
	so.gap = fault.Error()
	switch fault.Kind {
	case llm.Refused:
		so.done = true
		return a.refusal(err)
	case llm.Missing:
		if so.done = a.params.Source == Batch || a.params.AllowMissing; so.done {
			return nil
		}
	case llm.Exhausted:
		if a.params.Source != Live {
			return nil
		}
		return a.failed(err)
	}
	return fmt.Errorf("label: %w", err)
}

// failed counts a failure that may pass.
func (a *asking) failed(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failures++; a.failures < outage {
		return nil
	}
	return fmt.Errorf("label: %d requests in a row failed, the service seems to be down; run again to go on: what was answered is kept: %w", a.failures, err)
}

// refusal counts a request that the service will not answer.
func (a *asking) refusal(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.params.Source != Live || a.refused < 0 {
		return nil
	}
	if a.refused++; a.refused < refusals {
		return nil
	}
	return fmt.Errorf("label: the first %d requests were all refused, nothing was bought; mend what the service complains of and run again: %w", a.refused, err)
}

// welcome ends the count of refusals for good: the service answers.
func (a *asking) welcome() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refused = -1
}

// answered ends a row of failures.
func (a *asking) answered() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failures = 0
}
