package llm

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// Preparer is implemented by clients that want to see the requests of a round
// together before they are asked for the first of them, as a batch is bought as
// a whole. Requests that Prepare was not shown have no answer.
type Preparer interface {
	Prepare(ctx context.Context, requests []Request) error
}

// appenders is how many answers are on their way to the journal at once: they
// share its flushes.
const appenders = 64

// Prepare implements Preparer: the client is shown what the journal does not
// answer. Whatever it has afterwards, though it failed half-way, goes into the
// journal before anything is made of it.
func (c *Journaled) Prepare(ctx context.Context, requests []Request) error {
	p, ok := c.client.(Preparer)
	if !ok {
		return nil
	}
	left := c.unanswered(requests)
	if len(left) == 0 {
		return nil
	}
	err := p.Prepare(ctx, left)
	c.take(ctx, left)
	return err
}

// Resumer is implemented by clients that may have bought answers in an earlier run
// without having fetched them. Resume fetches what is there, buys nothing, and
// returns the keys of requests that need not be bought.
type Resumer interface {
	Resume(ctx context.Context, requests []Request) (held map[string]bool, err error)
}

// Resume implements Resumer: what the client has afterwards goes into the journal.
func (c *Journaled) Resume(ctx context.Context, requests []Request) (held map[string]bool, err error) {
	p, ok := c.client.(Resumer)
	left := c.unanswered(requests)
	if !ok || len(left) == 0 {
		return nil, nil
	}
	held, err = p.Resume(ctx, left)
	c.take(ctx, left)
	return held, err
}

// unanswered returns the requests that the journal does not answer.
func (c *Journaled) unanswered(requests []Request) []Request {
	var left []Request
	for _, r := range requests {
		if _, ok := c.journal.Lookup(r.Key()); !ok {
			left = append(left, r)
		}
	}
	return left
}

// take brings what the client has to the journal.
func (c *Journaled) take(ctx context.Context, requests []Request) {
	var group errgroup.Group
	group.SetLimit(appenders)
	for _, r := range requests {
		group.Go(func() error {
			_, _ = c.Do(context.WithoutCancel(ctx), r) // a fault is one again when the answer is asked for
			return nil
		})
	}
	_ = group.Wait()
}
