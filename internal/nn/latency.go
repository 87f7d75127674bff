package nn

import (
	"context"
	"fmt"
	"math/rand/v2"
	osthread "runtime"
	"time"

	"hsnas/internal/machine"
)

// Protocol is how HAT measures latency (arXiv 2005.14187): one sentence, the encoder once,
// then a fixed number of incremental decoder steps of all hypotheses of a beam. Choosing
// tokens is no part of it, unless Search asks for it. The zero value of a field means the
// default. It is a closed loop: a repetition begins when the one before it has ended.
type Protocol struct {
	Sentences    int    // of one batch; default 1
	SourceTokens int    // default: the model's own
	TargetTokens int    // decoder steps; default: the model's own
	Beam         int    // default 5
	Seed         uint64 // of the tokens
	Search       bool   // then a translation by beam search, too, of as many tokens
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
	search  bool
}

// Times are those of one repetition: what passed, and what the calling thread computed,
// which on a busy machine is less. The latter is all of the work where a session has one
// thread.
type Times struct {
	Parts
	CPU Parts
}

// Parts are the times of the parts of a repetition.
type Parts struct {
	Encoder time.Duration
	Decoder time.Duration // all steps, with the cross-attention keys and values before them
	Step    time.Duration // the mean of the steps alone
	Search  time.Duration // the whole translation of the first sentence, 0 where not asked for
}

// NewStopwatch draws the tokens of a protocol; none is PAD or EOS, where the vocabulary
// has others.
func NewStopwatch(t *Translator, p Protocol) (*Stopwatch, error) {
	m := t.Model()
	for _, d := range []struct {
		field    *int
		standard int
	}{{&p.Sentences, 1}, {&p.SourceTokens, m.SourceTokens}, {&p.TargetTokens, m.TargetTokens}, {&p.Beam, DefaultBeam}} {
		if *d.field == 0 {
			*d.field = d.standard
		}
		if *d.field < 1 {
			return nil, fmt.Errorf("latency of %s: %d sentences, %d source tokens, %d steps and beam %d must be at least 1",
				m.Dir, p.Sentences, p.SourceTokens, p.TargetTokens, p.Beam)
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
	s := &Stopwatch{t: t, beam: p.Beam, search: p.Search}
	for range p.Sentences {
		s.src = append(s.src, draw(p.SourceTokens))
	}
	for range p.TargetTokens {
		s.tokens = append(s.tokens, draw(p.Sentences*p.Beam))
	}
	// Hypotheses of a sentence change places in every step, as they do in a real search.
	for i := range p.Sentences * p.Beam {
		s.parents = append(s.parents, int64(i/p.Beam*p.Beam+(i+1)%p.Beam))
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
	osthread.LockOSThread() // whose time is read
	defer osthread.UnlockOSThread()
	begin := now()
	encoded, err := s.t.Encode(ctx, s.src)
	if err != nil {
		return Times{}, err
	}
	defer encoded.Destroy()
	middle := now()
	first, err := s.decode(ctx, encoded, nil)
	if err != nil {
		return Times{}, err
	}
	end := now()
	if s.search {
		if _, err := s.t.translate(ctx, s.src[0], s.beam, len(s.tokens), len(s.tokens)); err != nil {
			return Times{}, err
		}
	}
	last := now()
	parts := func(since func(later, earlier instant) time.Duration) Parts {
		return Parts{
			Encoder: since(middle, begin), Decoder: since(end, middle),
			Step: since(end, first) / time.Duration(len(s.tokens)), Search: since(last, end),
		}
	}
	times := Times{parts(instant.since), parts(instant.computed)}
	if !s.search {
		times.Search, times.CPU.Search = 0, 0
	}
	return times, nil
}

// instant is a reading of both clocks.
type instant struct {
	wall time.Time
	cpu  time.Duration
}

func now() instant { return instant{time.Now(), machine.ThreadTime()} }

func (i instant) since(earlier instant) time.Duration { return i.wall.Sub(earlier.wall) }

func (i instant) computed(earlier instant) time.Duration { return i.cpu - earlier.cpu }

// decode runs all steps, gives each one's logits to see, and returns when the first began.
func (s *Stopwatch) decode(ctx context.Context, encoded Encoded, see func(logits []float32)) (first instant, err error) {
	d, err := s.t.Start(ctx, encoded, len(s.parents))
	if err != nil {
		return first, err
	}
	defer d.Close()
	first = now()
	for _, tokens := range s.tokens {
		logits, err := d.Step(ctx, tokens, s.parents)
		if err != nil {
			return first, err
		}
		if see != nil {
			see(logits)
		}
	}
	return first, nil
}

// Logits are those of all steps of one repetition, one after another.
func (s *Stopwatch) Logits(ctx context.Context) ([]float32, error) {
	encoded, err := s.t.Encode(ctx, s.src)
	if err != nil {
		return nil, err
	}
	defer encoded.Destroy()
	var all []float32
	_, err = s.decode(ctx, encoded, func(logits []float32) { all = append(all, logits...) })
	return all, err
}
