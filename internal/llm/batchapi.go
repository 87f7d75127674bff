package llm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sashabaranov/go-openai"
)

// BatchOptions are what a BatchAPI needs beside the options of a live client.
type BatchOptions struct {
	Options
	State string                           // file in which it notes what it sends; it outlives the run
	Poll  time.Duration                    // between two looks at a batch; 30 seconds
	Logf  func(format string, args ...any) // nil for silence
	// FetchOnly buys nothing: Prepare waits for what noted batches hold, and is an
	// ErrFetchOnly where that is not all.
	FetchOnly bool
}

// ErrFetchOnly says that answers would have to be bought.
var ErrFetchOnly = errors.New("no batch holds all of the requests, and none may be bought")

// BatchAPI has requests answered by batches of a service that speaks OpenAI's
// Batch API: it uploads them, waits, and fetches the answers. Prepare does all of
// that for a round of requests, Do returns what it fetched.
//
// No request is bought twice: what a batch will hold is noted before the batch is
// made, its id afterwards, and a batch between the two, or whose note was lost, is
// found at the service by the checksum of its input. A run that is ended leaves its
// batches at the service, and the next one waits for them.
type BatchAPI struct {
	options  BatchOptions
	live     *Live
	calls    *batchCalls
	state    *batchState
	outcomes map[string]outcome // by request key, since the last Prepare
	taken    map[string]bool    // ids of batches that ended and have been read
	held     map[string]bool    // keys of requests for which the budget holds tokens back
	refused  map[string]outcome // by request key, what the service will not answer, however often it is asked
}

// outcome is what a batch made of a request.
type outcome struct {
	response Response
	err      error
}

// NewBatchAPI makes a client from the environment, as NewLive does. The caller
// closes it.
func NewBatchAPI(getenv func(string) string, o BatchOptions) (*BatchAPI, error) {
	live, err := NewLive(getenv, o.Options)
	if err != nil {
		return nil, err
	}
	o.Options = live.options
	if o.Poll == 0 {
		o.Poll = 30 * time.Second
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	state, err := openBatchState(o.State)
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(live.endpoint, "/chat/completions")
	return &BatchAPI{
		options: o, live: live, calls: newBatchCalls(live, base, getenv(KeyVariable)), state: state,
		taken: map[string]bool{}, held: map[string]bool{}, refused: map[string]outcome{},
	}, nil
}

// String names the type alone: a client is never printed with what is in it.
func (b *BatchAPI) String() string { return "llm.BatchAPI" }

// GoString is String.
func (b *BatchAPI) GoString() string { return b.String() }

// Endpoint returns the URL that is part of the requests' keys: that of a live
// client, so that neither asks for what the other has bought.
func (b *BatchAPI) Endpoint() string { return b.live.Endpoint() }

// Close closes the file of notes.
func (b *BatchAPI) Close() error { return b.state.close() }

// Do implements Client for requests that Prepare was shown. A fault of the service
// that may pass is an *Error of kind Exhausted: the next Prepare buys it anew.
func (b *BatchAPI) Do(_ context.Context, r Request) (Response, error) {
	key := r.Key()
	o, ok := b.outcomes[key]
	if !ok {
		return Response{Key: key}, &Error{Kind: Missing, CustomID: r.CustomID, Msg: "no batch holds it"}
	}
	if o.err != nil {
		return Response{Key: key}, o.err
	}
	return o.response.check(r.CustomID)
}

// round is the requests of one Prepare.
type round struct {
	requests map[string]Request // by key, those without an outcome yet
	order    []string
}

// begin starts a round of requests, but for those that were refused already.
func (b *BatchAPI) begin(requests []Request) *round {
	b.outcomes = maps.Clone(b.refused)
	r := &round{requests: map[string]Request{}}
	for _, q := range requests {
		key := q.Key()
		if _, ok := b.refused[key]; ok {
			continue
		}
		if _, ok := r.requests[key]; !ok {
			r.order = append(r.order, key)
		}
		r.requests[key] = q
	}
	return r
}

// Resume implements Resumer for the batches that are noted: it takes the answers of
// those that have ended, and looks for those whose id is missing.
func (b *BatchAPI) Resume(ctx context.Context, requests []Request) (held map[string]bool, err error) {
	r := b.begin(requests)
	batches, err := b.attach(ctx, r)
	if err != nil {
		return nil, err
	}
	if b.lost(r) {
		found, err := b.recover(ctx, nil)
		if err != nil {
			return nil, err
		}
		if found {
			if batches, err = b.attach(ctx, r); err != nil {
				return nil, err
			}
		}
	}
	held = map[string]bool{}
	for key := range b.refused {
		held[key] = true
	}
	for _, at := range batches {
		for key := range b.reserve(r, at.keys) {
			held[key] = true
		}
	}
	return held, nil
}

// lost says whether a request of the round is in an input of which a batch may have
// been made that was never noted.
func (b *BatchAPI) lost(r *round) bool {
	for sum, open := range b.state.open {
		if open && r.wants(b.state.inputs[sum]) {
			return true
		}
	}
	return false
}

// reserve holds back what the round's requests in a batch may take, which is bought
// already: whatever the budget says, and once, however often the batch is looked at.
// It returns their keys.
func (b *BatchAPI) reserve(r *round, keys map[string]string) map[string]bool {
	out := map[string]bool{}
	for _, key := range keys {
		q, ok := r.requests[key]
		if !ok {
			continue
		}
		if out[key] = true; !b.held[key] {
			b.held[key] = true
			b.options.Budget.hold(q.Estimate())
		}
	}
	return out
}

// Prepare implements Preparer. It returns when every batch with one of the requests
// has ended, or with an error; what was fetched until then can be had from Do.
func (b *BatchAPI) Prepare(ctx context.Context, requests []Request) error {
	r := b.begin(requests)
	running, err := b.attach(ctx, r)
	if err != nil {
		return err
	}
	for {
		parts, err := split(b.uncovered(r, running), batchRequests, batchBytes)
		if err != nil {
			return err
		}
		found, err := b.recover(ctx, parts)
		if err != nil {
			return err
		}
		if found {
			if running, err = b.attach(ctx, r); err != nil {
				return err
			}
			continue
		}
		if b.options.FetchOnly && len(parts) > 0 {
			return ErrFetchOnly
		}
		return b.buy(ctx, r, running, parts)
	}
}

// running is a batch that has not ended, as far as is known.
type running struct {
	id     string
	keys   map[string]string // custom_id to request key
	status string            // as it was last told
}

// attach looks at the noted batches that hold requests of the round: of those that
// have ended it takes the answers, and it returns the others.
func (b *BatchAPI) attach(ctx context.Context, r *round) ([]*running, error) {
	var out []*running
	for _, k := range b.state.batches {
		keys := k.requests
		if b.taken[k.id] || !r.wants(keys) {
			continue
		}
		batch, err := b.calls.retrieve(ctx, k.id)
		if err != nil {
			return nil, fmt.Errorf("%w (%s names that batch)", err, b.state.path)
		}
		at := &running{id: k.id, keys: keys}
		b.tell(at, batch)
		if !ended(batch.Status) {
			out = append(out, at)
			continue
		}
		if err := b.collect(ctx, r, batch, keys, false); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// wants says whether the round still needs one of the requests of a batch.
func (r *round) wants(keys map[string]string) bool {
	for _, key := range keys {
		if _, ok := r.requests[key]; ok {
			return true
		}
	}
	return false
}

// uncovered returns the requests that no running batch holds.
func (b *BatchAPI) uncovered(r *round, batches []*running) []Request {
	covered := map[string]bool{}
	for _, at := range batches {
		for _, key := range at.keys {
			covered[key] = true
		}
	}
	var out []Request
	for _, key := range r.order {
		if q, ok := r.requests[key]; ok && !covered[key] {
			out = append(out, q)
		}
	}
	return out
}

// recover looks at the service for batches whose id was never noted: those of
// inputs that were about to be sent, and those that would be bought now. It notes
// what it finds.
func (b *BatchAPI) recover(ctx context.Context, parts []*part) (found bool, err error) {
	wanted := map[string]map[string]string{}
	for sum, open := range b.state.open {
		if open {
			wanted[sum] = b.state.inputs[sum]
		}
	}
	for _, p := range parts {
		wanted[p.sum] = p.requests
	}
	if len(wanted) == 0 {
		return false, nil
	}
	var lost []batchNote
	err = b.calls.list(ctx, func(batch openai.Batch) {
		sum, _ := batch.Metadata[inputMark].(string)
		if requests, ok := wanted[sum]; ok && batch.Status != "failed" && !b.state.known(batch.ID) {
			lost = append(lost, batchNote{Input: sum, Requests: requests, Batch: batch.ID, Date: date()})
		}
	})
	if err != nil {
		return false, err
	}
	clear(b.state.open) // what was not found was not made
	for _, n := range lost {
		b.options.Logf("batch %s: found at the service, where an earlier run left it; nothing is bought again", n.Batch)
		if err := b.state.note(n); err != nil {
			return false, err
		}
	}
	return len(lost) > 0, nil
}

func date() string { return time.Now().UTC().Format(time.RFC3339) }

// buy submits the parts and waits for all batches.
func (b *BatchAPI) buy(ctx context.Context, r *round, batches []*running, parts []*part) error {
	for _, at := range batches {
		b.reserve(r, at.keys)
	}
	for i, p := range parts {
		what := fmt.Sprintf("a batch of %d requests", len(p.requests))
		if err := b.options.Budget.reserveFor(what, p.prompt, p.completion); err != nil {
			return err
		}
		at, err := b.submit(ctx, p)
		if err != nil {
			b.options.Budget.settle(p.prompt, p.completion, nil)
			return b.interrupted(ctx, batches, err)
		}
		for _, key := range p.requests {
			b.held[key] = true
		}
		b.options.Logf("batch %s: %d requests are with the service (batch %d of %d)", at.id, len(p.requests), i+1, len(parts))
		batches = append(batches, at)
	}
	return b.interrupted(ctx, batches, b.await(ctx, r, batches))
}

// submit makes the batch of a part.
func (b *BatchAPI) submit(ctx context.Context, p *part) (*running, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	file, err := b.calls.upload(ctx, "hsnas-"+p.sum[:12]+".jsonl", p.input)
	if err != nil {
		return nil, err
	}
	if err := b.state.note(batchNote{Input: p.sum, Requests: p.requests, Date: date()}); err != nil {
		return nil, err
	}
	batch, err := b.calls.create(ctx, file, p.sum, func(ctx context.Context) (batch openai.Batch, ok bool, err error) {
		err = b.calls.list(ctx, func(l openai.Batch) {
			if l.Metadata[inputMark] == p.sum && l.Status != "failed" && !b.state.known(l.ID) {
				batch, ok = l, true
			}
		})
		return batch, ok, err
	})
	if err != nil {
		return nil, err
	}
	return &running{id: batch.ID, keys: p.requests}, b.state.note(batchNote{Input: p.sum, Batch: batch.ID, Date: date()})
}

// interrupted says on an interrupt that the batches go on.
func (b *BatchAPI) interrupted(ctx context.Context, batches []*running, err error) error {
	if ctx.Err() == nil || err == nil {
		return err
	}
	for _, at := range batches {
		if !b.taken[at.id] {
			b.options.Logf("batch %s goes on at the service, which bills it; run again to fetch its answers", at.id)
		}
	}
	return err
}

// await looks at the batches until the last has ended.
func (b *BatchAPI) await(ctx context.Context, r *round, batches []*running) error {
	for {
		var left []*running
		for _, at := range batches {
			batch, err := b.calls.retrieve(ctx, at.id)
			if err != nil {
				return err
			}
			b.tell(at, batch)
			if !ended(batch.Status) {
				left = append(left, at)
				continue
			}
			if err := b.collect(ctx, r, batch, at.keys, true); err != nil {
				return err
			}
		}
		if batches = left; len(batches) == 0 {
			return nil
		}
		select {
		case <-time.After(b.options.Pause(b.options.Poll)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ended says whether a batch of that status stays as it is. A status that is not
// known may pass.
func ended(status string) bool {
	return slices.Contains([]string{"completed", "failed", "expired", "cancelled"}, status)
}

// tell reports a batch whose status has changed.
func (b *BatchAPI) tell(at *running, batch openai.Batch) {
	counts := batch.RequestCounts
	now := fmt.Sprintf("%s, %d of %d answered", batch.Status, counts.Completed, len(at.keys))
	if counts.Failed > 0 {
		now += fmt.Sprintf(", %d failed", counts.Failed)
	}
	if now != at.status {
		at.status = now
		b.options.Logf("batch %s: %s", at.id, b.live.redact(now))
	}
}
