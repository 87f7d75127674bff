package nn

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// Hypothesis is a translation.
type Hypothesis struct {
	Tokens []int64 // ends with EOS unless it was cut at the limit
	Score  float64 // log-probability of all tokens divided by their number
}

// Translate decodes one sentence by beam search and returns up to beam hypotheses, best
// first, of at most limit tokens each. A beam of 1 is greedy decoding. As in fairseq, a
// hypothesis ends where EOS is among the best beam continuations, scores are divided by
// lengths, and the search ends with the first beam hypotheses that did.
func (t *Translator) Translate(ctx context.Context, src []int64, beam, limit int) ([]Hypothesis, error) {
	if beam < 1 || limit < 1 || 2*beam > t.model.Vocabulary {
		return nil, fmt.Errorf("translate: beam %d and limit %d make no sense for a vocabulary of %d", beam, limit, t.model.Vocabulary)
	}
	encoded, err := t.Encode(ctx, [][]int64{src})
	if err != nil {
		return nil, err
	}
	defer encoded.Destroy()
	d, err := t.Start(ctx, encoded, beam)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	s := search{beam: beam, limit: limit, live: []branch{{last: EOS}}}
	for len(s.live) > 0 && len(s.done) < beam {
		tokens, parents := s.arguments()
		logits, err := d.Step(ctx, tokens, parents)
		if err != nil {
			return nil, err
		}
		s.advance(logits, t.model.Vocabulary)
	}
	slices.SortStableFunc(s.done, func(a, b Hypothesis) int { return cmp.Compare(b.Score, a.Score) })
	return s.done, nil
}

// branch is a hypothesis that goes on.
type branch struct {
	tokens []int64
	last   int64
	parent int64   // row of the step before
	sum    float64 // log-probability
}

type search struct {
	beam, limit int
	live        []branch
	done        []Hypothesis
}

func (s *search) arguments() (tokens, parents []int64) {
	for _, b := range s.live {
		tokens, parents = append(tokens, b.last), append(parents, b.parent)
	}
	return tokens, parents
}

// advance takes the best 2*beam continuations: those that end among the first beam of them
// are done, the first beam of the others live on.
func (s *search) advance(logits []float32, vocabulary int) {
	var all []branch
	for row, b := range s.live {
		for _, c := range best(logits[row*vocabulary:][:vocabulary], 2*s.beam) {
			all = append(all, branch{tokens: b.tokens, last: int64(c.token), parent: int64(row), sum: b.sum + c.logp})
		}
	}
	slices.SortStableFunc(all, func(a, b branch) int { return cmp.Compare(b.sum, a.sum) })
	var live []branch
	for i, b := range all[:min(len(all), 2*s.beam)] {
		b.tokens = append(slices.Clip(b.tokens), b.last)
		switch {
		case b.last == EOS:
			if i < s.beam && len(s.done) < s.beam {
				s.finish(b)
			}
		case len(live) < s.beam:
			live = append(live, b)
		}
	}
	s.live = live
	if len(live) > 0 && len(live[0].tokens) == s.limit {
		for _, b := range live[:min(len(live), s.beam-len(s.done))] {
			s.finish(b)
		}
		s.live = nil
	}
}

func (s *search) finish(b branch) {
	s.done = append(s.done, Hypothesis{Tokens: b.tokens, Score: b.sum / float64(len(b.tokens))})
}

type continuation struct {
	token int
	logp  float64
}

// best are the n likeliest tokens of a row of logits, likeliest first. PAD never follows.
func best(logits []float32, n int) []continuation {
	top := make([]continuation, 0, n+1)
	highest := slices.Max(logits)
	var sum float64
	for token, x := range logits {
		sum += math.Exp(float64(x - highest))
		if token == PAD || len(top) == n && float64(x) <= top[n-1].logp {
			continue
		}
		i := len(top)
		for i > 0 && top[i-1].logp < float64(x) {
			i--
		}
		top = slices.Insert(top, i, continuation{token, float64(x)})
		top = top[:min(len(top), n)]
	}
	norm := float64(highest) + math.Log(sum)
	for i := range top {
		top[i].logp -= norm
	}
	return top
}
