package search

import (
	"context"
	"math"
	"slices"

	"hsnas/internal/cost"
	"hsnas/internal/evolve"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// objectives are those of the problem.
func (m models) objectives(p Params) []evolve.Objective {
	var out []evolve.Objective
	for _, name := range p.Objectives {
		o := evolve.Objective{Name: name}
		if name != Quality {
			o.Cost = m.costs[name]
		}
		out = append(out, o)
	}
	return out
}

// reference is what hypervolumes within a limit are measured from, the same for
// every search and seed: of a cost its limit, or what the largest architecture of the
// space costs, of the quality what the baseline says of the smallest. That one
// evaluation is in no ledger.
func (m models) reference(ctx context.Context, p Params, t *task.Task, limit float64) ([]float64, error) {
	var out []float64
	for _, name := range p.Objectives {
		scorer, arch := evolve.Scorer(m.baseline), t.Space.Smallest()
		if name != Quality {
			if limit, ok := p.limitOf(name, limit); ok {
				out = append(out, limit)
				continue
			}
			scorer, arch = m.costs[name], t.Space.Largest()
		}
		value := []float64{math.NaN()}
		if err := scorer.Score(ctx, []space.Architecture{arch}, value); err != nil {
			return nil, err
		}
		out = append(out, value[0])
	}
	return out, nil
}

// limitOf returns the limit of a cost, false where it has none.
func (p Params) limitOf(name string, limit float64) (float64, bool) {
	if name == p.Constraint {
		return limit, true
	}
	i := slices.IndexFunc(p.Also, func(a Also) bool { return a.Constraint == name })
	if i < 0 {
		return 0, false
	}
	return p.Also[i].Limit, true
}

// complexity is what first generations are stratified by: the FLOPs.
func complexity(t *task.Task) func(space.Architecture) (float64, error) {
	return func(a space.Architecture) (float64, error) {
		c, err := cost.Of(t, a)
		return c.GFLOPs(), err
	}
}

// addFront adds what a search for a front has found.
func (r *rows) addFront(s setting, result evolve.Result) {
	for _, p := range result.Front {
		name := r.identify(p.Architecture)
		crowding := p.Crowding
		if math.IsInf(crowding, 1) {
			crowding = math.NaN()
		}
		r.pareto = append(r.pareto, schemas.ParetoPoint{
			Search: s.search, Constraint: r.params.Constraint, Limit: s.limit, Seed: s.seed, ID: name.id, Architecture: name.json,
			Objectives: r.objectives, Values: r.values(p.Values), Rank: int32(p.Rank + 1), Crowding: crowding,
			Scorer: result.Scorer, Reference: r.values(s.reference),
		})
	}
}

// values are those of the objectives with the quality as its scorer says it.
func (r *rows) values(values []float64) []float64 {
	out := slices.Clone(values)
	if i := slices.Index(r.params.Objectives, Quality); i >= 0 {
		out[i] *= r.models.baseline.sign
	}
	return out
}
