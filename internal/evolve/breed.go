package evolve

import (
	"context"

	"hsnas/internal/space"
)

// sample draws the first generation: n different feasible architectures, or as
// many as can be found.
func (s *search) sample(ctx context.Context, n int, scorer *memory) ([]member, error) {
	draw := func() space.Architecture { return s.problem.Space.Sample(s.r) }
	b := brood{search: s, scorer: scorer, taken: map[string]bool{}}
	if err := b.fill(ctx, n, s.tries, OriginSample, draw); err != nil {
		return nil, err
	}
	if len(b.members) == 0 {
		return nil, b.infeasible()
	}
	s.missing += n - len(b.members)
	return b.members, nil
}

// breed makes a generation of the last one, the best first: its best as
// parents, mutants of them, crossovers of pairs of them. The children are new
// to the scorer, which is the one in charge of the new generation. Parents that
// have grown alike soon have no new crossover left: mutants take the places.
func (s *search) breed(ctx context.Context, p Params, last []member, scorer *memory) ([]member, error) {
	parents := last[:min(p.Parents, len(last))]
	b := brood{search: s, scorer: scorer, taken: map[string]bool{}}
	for _, m := range parents {
		m.origin = OriginParent
		b.add(m)
	}
	mutate := func() space.Architecture {
		parent := parents[s.r.IntN(len(parents))]
		return s.problem.Space.Mutate(s.r, parent.arch, p.MutationProbability)
	}
	cross := func() space.Architecture {
		first, second := s.r.IntN(len(parents)), s.r.IntN(len(parents)-1)
		if second >= first {
			second++
		}
		return s.problem.Space.Crossover(s.r, parents[first].arch, parents[second].arch)
	}
	want := p.Parents + p.Mutation + p.Crossover
	steps := []struct {
		n       int
		origin  Origin
		propose func() space.Architecture
		able    bool
	}{
		{p.Mutation, OriginMutation, mutate, true},
		{p.Crossover, OriginCrossover, cross, len(parents) > 1},
		{want, OriginMutation, mutate, p.Mutation > 0}, // the places that crossover could not fill
	}
	for _, step := range steps {
		if n := min(step.n, want-len(b.members)); step.able {
			if err := b.fill(ctx, n, max(1, s.tries/10), step.origin, step.propose); err != nil {
				return nil, err
			}
		}
	}
	s.missing += want - len(b.members)
	return b.members, nil
}

// brood is a generation in the making.
type brood struct {
	*search
	scorer  *memory
	members []member
	taken   map[string]bool // keys of members
	refused int             // candidates refused since the last one admitted
	closest []float64       // costs of the candidate that missed the limits by least
}

func (b *brood) add(m member) {
	b.members = append(b.members, m)
	b.taken[m.key] = true
	b.refused = 0
}

// fill adds n feasible members that propose offers, fewer when so many tries in
// a row are refused. Offers are drawn in batches, so that costs are computed
// in batches too; what is left of a batch is dropped.
func (b *brood) fill(ctx context.Context, n, tries int, origin Origin, propose func() space.Architecture) error {
	b.refused = 0
	want := len(b.members) + n
	for len(b.members) < want && b.refused < tries {
		size := min(max(want-len(b.members), minBatch), tries-b.refused)
		offers := make([]member, size)
		for i := range offers {
			arch := propose()
			offers[i] = member{arch: arch, key: arch.Key(), origin: origin}
		}
		if err := b.admit(ctx, offers, want); err != nil {
			return err
		}
	}
	return nil
}

// minBatch keeps the last few places of a generation from being filled one
// predictor call at a time.
const minBatch = 16

// admit adds the offers that are new and feasible until the generation is full.
func (b *brood) admit(ctx context.Context, offers []member, want int) error {
	fresh := make([]member, 0, len(offers))
	for _, o := range offers {
		if !b.seen(o.key) {
			fresh = append(fresh, o)
		}
	}
	for _, c := range b.costs {
		if err := c.learn(ctx, fresh); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, o := range offers {
		if len(b.members) == want {
			return nil
		}
		if b.seen(o.key) || !b.feasible(o.key) {
			b.refused++
			continue
		}
		b.add(o)
	}
	return nil
}

// seen says whether an architecture is in the generation, or known to the
// scorer in charge of it.
func (b *brood) seen(key string) bool { return b.taken[key] || b.scorer.knows(key) }

// feasible says whether the costs of key are within every limit, and keeps
// track of the closest miss.
func (b *brood) feasible(key string) bool {
	costs := b.costsOf(key)
	if within(b.problem.Constraints, costs) {
		return true
	}
	if b.closest == nil || excess(b.problem.Constraints, costs) < excess(b.problem.Constraints, b.closest) {
		b.closest = costs
	}
	return false
}

func (s *search) costsOf(key string) []float64 {
	if len(s.costs) == 0 {
		return nil
	}
	costs := make([]float64, len(s.costs))
	for i, c := range s.costs {
		costs[i] = c.value[key]
	}
	return costs
}

func (b *brood) infeasible() error {
	return &InfeasibleError{Constraints: b.problem.Constraints, Closest: b.closest, Samples: b.tries}
}
