package search

import (
	"context"
	"math"
	"slices"

	"hsnas/internal/evolve"
	"hsnas/internal/space"
)

// shared is a scorer whose work all searches of a run share: what one of them had
// scored is not computed again for another. It is for scores that are worth it
// and that do not depend on the batch they are computed in. What a search is
// charged with stays what it asks for; the ledger says how much of it was shared.
type shared struct {
	evolve.Scorer
	known map[string]float64 // by architecture key
	hits  int64              // answers from known, since begin
}

func share(s evolve.Scorer) *shared { return &shared{Scorer: s, known: map[string]float64{}} }

// begin starts the count for the next search, which may go on from where it had so
// many. No search asks twice: its hits are the work of others.
func (s *shared) begin(hits int64) { s.hits = hits }

// keep takes in an evaluation that an earlier attempt has paid for.
func (s *shared) keep(e evolve.Evaluation) {
	if s.Scorer != nil && e.Scorer == s.Name() {
		s.known[e.Architecture.Key()] = e.Score
	}
}

// Score implements evolve.Scorer.
func (s *shared) Score(ctx context.Context, archs []space.Architecture, out []float64) error {
	var fresh []space.Architecture
	var places []int
	for i, a := range archs {
		score, ok := s.known[a.Key()]
		if !ok {
			fresh, places = append(fresh, a), append(places, i)
			continue
		}
		out[i] = score
		s.hits++
	}
	if len(fresh) == 0 {
		return nil
	}
	scores := slices.Repeat([]float64{math.NaN()}, len(fresh))
	if err := s.Scorer.Score(ctx, fresh, scores); err != nil {
		return err
	}
	for k, i := range places {
		out[i] = scores[k]
		s.known[fresh[k].Key()] = scores[k]
	}
	return nil
}
