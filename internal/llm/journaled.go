package llm

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Journaled answers from the journal what the journal holds, asks the client
// for the rest, and journals every answer before it returns it, those that
// cannot be used included: they were paid for too.
type Journaled struct {
	client  Client
	journal *Journal
	now     func() time.Time

	mu       sync.Mutex
	inFlight map[string]chan struct{} // closed when the request of that key is done
}

// NewJournaled puts the journal in front of the client. now dates the entries;
// nil means time.Now.
func NewJournaled(c Client, j *Journal, now func() time.Time) *Journaled {
	if now == nil {
		now = time.Now
	}
	return &Journaled{client: c, journal: j, now: now, inFlight: map[string]chan struct{}{}}
}

// Do implements Client. Of several calls with the same key at the same time one
// asks and the others wait for its answer.
func (c *Journaled) Do(ctx context.Context, r Request) (Response, error) {
	r.body = r.Body() // for the key and for sending
	key := r.Key()
	done, err := c.enter(ctx, key)
	if err != nil {
		return Response{Key: key}, &Error{Kind: Fatal, CustomID: r.CustomID, Msg: err.Error(), cause: err}
	}
	defer done()
	if e, ok := c.journal.Lookup(key); ok {
		return e.response().check(r.CustomID)
	}
	a, err := c.client.Do(ctx, r)
	var unusable *AnswerError
	if err != nil && !errors.As(err, &unusable) {
		return a, err
	}
	if jerr := c.journal.Append(newEntry(key, r, a, c.now().UTC().Format(time.RFC3339))); jerr != nil {
		return a, &Error{Kind: Fatal, CustomID: r.CustomID, Msg: jerr.Error()}
	}
	return a, err
}

// enter waits until nobody else asks for key.
func (c *Journaled) enter(ctx context.Context, key string) (done func(), err error) {
	for {
		c.mu.Lock()
		busy, ok := c.inFlight[key]
		if !ok {
			mine := make(chan struct{})
			c.inFlight[key] = mine
			c.mu.Unlock()
			return func() {
				c.mu.Lock()
				delete(c.inFlight, key)
				c.mu.Unlock()
				close(mine)
			}, nil
		}
		c.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
