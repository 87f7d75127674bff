package benchmark

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"hsnas/internal/nn"
)

// stopwatch is what a block repeats: one repetition of the protocol on one model.
type stopwatch interface {
	Once(ctx context.Context) (nn.Times, error)
}

// contestant is a model that is timed in turns with others.
type contestant interface {
	// Name says in errors which one it is.
	Name() string
	// Open makes the model ready; close gives it back.
	Open(ctx context.Context) (w stopwatch, close func() error, err error)
}

// controlRuns is how often the control runs each time; the median counts.
const controlRuns = 3

// result is what was measured of one contestant.
type result struct {
	times     []nn.Times
	blocks    []int32 // in which block each was
	discarded int     // attempts at blocks that the control's drift spoiled
	disturbed int     // blocks that counted all the same, as there were no attempts left
}

// protocol times contestants in blocks. Each block has an order of its own and is
// bracketed by the control, the first contestant: it runs before the first and after each.
// Where its times in a block differ by more than the bound, the machine did something else
// meanwhile, and the block is measured again.
type protocol struct {
	p      Params
	all    []contestant
	done   func() // called after each contestant of a block that counts
	random *rand.Rand
}

// run returns a result for each contestant.
func (x *protocol) run(ctx context.Context) ([]result, error) {
	var control stopwatch
	if len(x.all) > 1 { // a single one has nobody to be compared with
		w, shut, err := x.open(ctx, x.all[0])
		if err != nil {
			return nil, err
		}
		defer shut()
		control = w
	}
	out := make([]result, len(x.all))
	for round := range x.p.Rounds {
		n := x.p.Repetitions*(round+1)/x.p.Rounds - x.p.Repetitions*round/x.p.Rounds
		if err := x.block(ctx, control, int32(round), n, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// block adds one block to the results.
func (x *protocol) block(ctx context.Context, control stopwatch, round int32, n int, out []result) error {
	order := x.random.Perm(len(x.all))
	for attempt := 0; ; attempt++ {
		times, drift, err := x.attempt(ctx, control, order, n)
		if err != nil {
			return err
		}
		spoilt := drift > x.p.Drift
		for i := range out {
			switch {
			case spoilt && attempt < x.p.Retries:
				out[i].discarded++
				continue
			case spoilt:
				out[i].disturbed++
			}
			out[i].times = append(out[i].times, times[i]...)
			for range times[i] {
				out[i].blocks = append(out[i].blocks, round)
			}
		}
		if !spoilt || attempt == x.p.Retries {
			return nil
		}
	}
}

// attempt measures one block and how far the control drifted in it.
func (x *protocol) attempt(ctx context.Context, control stopwatch, order []int, n int) ([][]nn.Times, float64, error) {
	times := make([][]nn.Times, len(x.all))
	first, err := x.control(ctx, control)
	if err != nil {
		return nil, 0, err
	}
	low, high := first, first
	for _, i := range order {
		if times[i], err = x.one(ctx, x.all[i], n); err != nil {
			return nil, 0, err
		}
		again, err := x.control(ctx, control)
		if err != nil {
			return nil, 0, err
		}
		low, high = min(low, again), max(high, again)
		x.done()
	}
	return times, float64(high)/float64(low) - 1, nil
}

// control is the median of some of the control's times, the same always without a control.
func (x *protocol) control(ctx context.Context, w stopwatch) (time.Duration, error) {
	if w == nil {
		return 1, nil
	}
	var all []time.Duration
	for range controlRuns {
		t, err := w.Once(ctx)
		if err != nil {
			return 0, fmt.Errorf("%s, the control: %w", x.all[0].Name(), err)
		}
		all = append(all, total(t))
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

// one opens a contestant and times it n times.
func (x *protocol) one(ctx context.Context, c contestant, n int) ([]nn.Times, error) {
	w, shut, err := x.open(ctx, c)
	if err != nil {
		return nil, err
	}
	defer shut()
	times := make([]nn.Times, n)
	for i := range times {
		if times[i], err = w.Once(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name(), err)
		}
	}
	return times, nil
}

// open opens and warms up.
func (x *protocol) open(ctx context.Context, c contestant) (stopwatch, func() error, error) {
	w, shut, err := c.Open(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", c.Name(), err)
	}
	if err := warm(ctx, w, x.p.Warmup); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", c.Name(), joinClose(err, shut))
	}
	return w, shut, nil
}

// steady is how close together the last three repetitions must be for a warm-up to end.
const steady = 0.05

// warm repeats until the model is warm: at least least repetitions, and then until three in
// a row lie within 5 % of one another, but no more than 4*least+3.
func warm(ctx context.Context, w stopwatch, least int) error {
	var last []time.Duration
	for i := 0; i < 4*least+3 && least > 0; i++ {
		t, err := w.Once(ctx)
		if err != nil {
			return err
		}
		if last = append(last, total(t)); len(last) > 3 {
			last = last[1:]
		}
		if i+1 >= least && len(last) == 3 && float64(slices.Max(last)) <= (1+steady)*float64(slices.Min(last)) {
			break
		}
	}
	return nil
}

func total(t nn.Times) time.Duration { return t.Encoder + t.Decoder }
