package micro

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"hsnas/internal/corpus"
	"hsnas/internal/ort"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Stopwatch times an architecture as HAT's protocol (arXiv 2005.14187) times its
// models: one sentence, the encoder once, then a fixed number of decoder steps
// with cached keys and values; EOS does not end them. Unlike HAT's it decodes
// greedily, as a Network does, and on one thread.
type Stopwatch struct {
	// Now is what times are read from; nil is the wall clock.
	Now func() time.Duration

	network *Network
	source  [][]int64
	steps   int
}

// Times are how long one sentence took. The projections to the keys and values
// that the decoder attends to are in the encoder's time.
type Times struct{ Encoder, Decoder time.Duration }

// NewStopwatch opens an architecture with random parameters, for a source of as
// many random words as the task's sentences have tokens, and a translation of
// the same length. Times do not depend on what was drawn.
func NewStopwatch(rt *ort.Runtime, t *task.Task, a space.Architecture, seed uint64) (*Stopwatch, error) {
	// The graphs are written fused: the four levels are within 2 % of each other.
	return newStopwatch(rt, t, a, seed, ort.OptimizeAll)
}

func newStopwatch(rt *ort.Runtime, t *task.Task, a space.Architecture, seed uint64, level ort.Optimization) (*Stopwatch, error) {
	d, err := DimsOf(t)
	if err != nil {
		return nil, err
	}
	s, err := ShapeOf(d, a)
	if err != nil {
		return nil, err
	}
	layout, err := NewLayout(d, s)
	if err != nil {
		return nil, err
	}
	n, err := NewNetwork(rt, d, s, layout.Initialise(d, seed), ort.Options{Threads: 1, Optimization: level})
	if err != nil {
		return nil, fmt.Errorf("opening architecture %s: %w", a.ID(), err)
	}
	source := [][]int64{randomWords(t.Model.SourceTokens, d.SourceWords, seed)}
	return &Stopwatch{network: n, source: source, steps: t.Model.TargetTokens}, nil
}

// randomWords draws n of a vocabulary's words, no special symbol where it has
// others.
func randomWords(n, vocabulary int, seed uint64) []int64 {
	r := rand.New(rand.NewPCG(seed, 0x776f726473))
	first := min(corpus.UNK+1, int64(vocabulary)-1)
	out := make([]int64, n)
	for i := range out {
		out[i] = first + r.Int64N(int64(vocabulary)-first)
	}
	return out
}

// Once translates the sentence once.
func (w *Stopwatch) Once(ctx context.Context) (Times, error) {
	now := w.Now
	if now == nil {
		begin := time.Now()
		now = func() time.Duration { return time.Since(begin) }
	}
	start := now()
	e, err := w.network.Encode(ctx, w.source)
	if err != nil {
		return Times{}, err
	}
	times := Times{Encoder: now() - start}
	defer e.Destroy()
	start = now()
	d := w.network.Start(e)
	defer d.Close()
	last := []int64{corpus.BOS}
	for range w.steps {
		if last, err = d.Step(ctx, last); err != nil {
			return Times{}, err
		}
	}
	times.Decoder = now() - start
	return times, nil
}

// Close gives the network back.
func (w *Stopwatch) Close() { w.network.Close() }
