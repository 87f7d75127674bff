package nn

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Protocol is how HAT measures latency (arXiv 2005.14187): one sentence, the encoder once,
// then a fixed number of incremental decoder steps of all hypotheses of a beam. Choosing
// tokens is no part of it. The zero value of a field means the default.
type Protocol struct {
	SourceTokens int    // default: the model's own
	TargetTokens int    // decoder steps; default: the model's own
	Beam         int    // default 5
	Seed         uint64 // of the tokens
}

// DefaultBeam is HAT's beam width.
const DefaultBeam = 5

// Stopwatch repeats the protocol on a model.
type Stopwatch struct {
	t       *Translator
	src     [][]int64
	tokens  [][]int64 // each step's
	parents []int64
	beam    int
}

// Times are the seconds of one repetition: the encoder's, and the decoder's steps with the
// cross-attention keys and values that come before the first.
type Times struct{ Encoder, Decoder time.Duration }

// NewStopwatch draws the tokens of a protocol; none is PAD or EOS, where the vocabulary
// has others.
func NewStopwatch(t *Translator, p Protocol) (*Stopwatch, error) {
	m := t.Model()
	for _, d := range []struct {
		field    *int
		standard int
	}{{&p.SourceTokens, m.SourceTokens}, {&p.TargetTokens, m.TargetTokens}, {&p.Beam, DefaultBeam}} {
		if *d.field == 0 {
			*d.field = d.standard
		}
		if *d.field < 1 {
			return nil, fmt.Errorf("latency of %s: %d source tokens, %d steps and beam %d must be at least 1", m.Dir, p.SourceTokens, p.TargetTokens, p.Beam)
		}
	}
	r := rand.New(rand.NewPCG(p.Seed, 0x686173))
	draw := func(n int) []int64 {
		out := make([]int64, n)
		for i := range out {
			out[i] = EOS
			if m.Vocabulary > EOS+1 {
				out[i] = EOS + 1 + r.Int64N(int64(m.Vocabulary)-EOS-1)
			}
		}
		return out
	}
	s := &Stopwatch{t: t, src: [][]int64{draw(p.SourceTokens)}, beam: p.Beam}
	for range p.TargetTokens {
		s.tokens = append(s.tokens, draw(p.Beam))
	}
	// Hypotheses change places in every step, as they do in a real search.
	for i := range p.Beam {
		s.parents = append(s.parents, int64((i+1)%p.Beam))
	}
	return s, nil
}

// Beam is the number of hypotheses.
func (s *Stopwatch) Beam() int { return s.beam }

// SourceTokens is the length of the sentence.
func (s *Stopwatch) SourceTokens() int { return len(s.src[0]) }

// Steps is the number of decoder steps.
func (s *Stopwatch) Steps() int { return len(s.tokens) }

// Once runs one repetition.
func (s *Stopwatch) Once(ctx context.Context) (Times, error) {
	start := time.Now()
	encoded, err := s.t.Encode(ctx, s.src)
	if err != nil {
		return Times{}, err
	}
	times := Times{Encoder: time.Since(start)}
	defer encoded.Destroy()
	start = time.Now()
	d, err := s.t.Start(ctx, encoded, s.beam)
	if err != nil {
		return Times{}, err
	}
	defer d.Close()
	for _, tokens := range s.tokens {
		if _, err := d.Step(ctx, tokens, s.parents); err != nil {
			return Times{}, err
		}
	}
	times.Decoder = time.Since(start)
	return times, nil
}
