package nn

import (
	"cmp"
	"context"
	"fmt"
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
	return t.translate(ctx, src, beam, 1, limit)
}

// translate is Translate with hypotheses of least tokens at least.
func (t *Translator) translate(ctx context.Context, src []int64, beam, least, limit int) ([]Hypothesis, error) {
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
	s := search{beam: beam, least: least, limit: limit, live: []branch{{last: EOS}}}
	if err := s.run(ctx, d); err != nil {
		return nil, err
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
	beam         int
	least, limit int // tokens of a hypothesis
	live         []branch
	done         []Hypothesis
}

func (s *search) run(ctx context.Context, d *Decoding) error {
	for len(s.live) > 0 && len(s.done) < s.beam {
		tokens, parents := s.arguments()
		if _, err := d.Step(ctx, tokens, parents); err != nil {
			return err
		}
		best, err := d.best(ctx, len(tokens), 2*s.beam)
		if err != nil {
			return err
		}
		s.advance(best)
	}
	return nil
}

func (s *search) arguments() (tokens, parents []int64) {
	for _, b := range s.live {
		tokens, parents = append(tokens, b.last), append(parents, b.parent)
	}
	return tokens, parents
}

// advance takes the best 2*beam continuations: those that end among the first beam of them
// are done, the first beam of the others live on.
func (s *search) advance(best [][]continuation) {
	var all []branch
	for row, b := range s.live {
		for _, c := range best[row] {
			if c.token == EOS && len(b.tokens)+1 < s.least {
				continue
			}
			all = append(all, branch{tokens: b.tokens, last: c.token, parent: int64(row), sum: b.sum + c.logp})
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
