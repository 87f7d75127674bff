package evolve

import (
	"context"
	"slices"

	"hsnas/internal/space"
)

// first draws the first generation: different feasible architectures, or as many as
// can be found.
func (s *search) first(ctx context.Context, scorer *memory) ([]member, error) {
	want := s.p.Population
	if s.p.Stratify > 0 {
		want *= strataPool
	}
	draw := func() space.Architecture { return s.problem.Space.Sample(s.r) }
	b := brood{search: s, scorer: scorer, taken: map[string]bool{}}
	if err := b.fill(ctx, want, s.p.Tries, OriginSample, draw); err != nil {
		return nil, err
	}
	if len(b.members) == 0 {
		return nil, b.infeasible()
	}
	members := b.members
	if s.p.Stratify > 0 {
		var err error
		if members, err = s.stratified(members); err != nil {
			return nil, err
		}
	}
	s.missing += s.p.Population - len(members)
	return members, nil
}

// strataPool is how many architectures are drawn for each place of a stratified
// generation: the quantiles are of these. They cost predictions of costs alone.
const strataPool = 4

// stratified takes a population from a pool so that each of Params.Stratify
// quantile ranges of the complexity is represented alike, in each the first drawn.
// The order of the pool stays.
func (s *search) stratified(pool []member) ([]member, error) {
	complexity, order := make([]float64, len(pool)), make([]int, len(pool))
	for i, m := range pool {
		var err error
		if complexity[i], err = s.problem.Complexity(m.arch); err != nil {
			return nil, err
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return rising(complexity[a], complexity[b]) })
	n, want := s.p.Stratify, min(s.p.Population, len(pool))
	var picked []int
	for k := range n {
		stratum := slices.Clone(order[k*len(pool)/n : (k+1)*len(pool)/n])
		slices.Sort(stratum)
		places := (k+1)*want/n - k*want/n
		picked = append(picked, stratum[:min(places, len(stratum))]...)
	}
	slices.Sort(picked)
	out := make([]member, len(picked))
	for i, at := range picked {
		out[i] = pool[at]
	}
	return out, nil
}

// breed makes a generation of parents, the best first: themselves, mutants of them,
// crossovers of pairs of them. The children are new to the scorer, which is the
// one in charge of the new generation. Parents that have grown alike soon have no
// new crossover left: mutants take the places.
func (s *search) breed(ctx context.Context, parents []member, scorer *memory) ([]member, error) {
	p := s.p
	b := brood{search: s, scorer: scorer, taken: map[string]bool{}}
	for _, m := range parents {
		m.origin = OriginParent
		b.add(m)
	}
	mutate := func() space.Architecture {
		return s.problem.Space.Mutate(s.r, parents[s.pick(len(parents))].arch, p.MutationProbability)
	}
	cross := func() space.Architecture {
		first := s.pick(len(parents))
		second := s.pick(len(parents) - 1)
		if second >= first {
			second++
		}
		return s.problem.Space.Crossover(s.r, parents[first].arch, parents[second].arch)
	}
	want := p.Parents + p.Mutation + p.Crossover
	if len(s.problem.Objectives) > 0 {
		want = len(parents) + p.Mutation + p.Crossover
	}
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
			if err := b.fill(ctx, n, max(1, p.Tries/10), step.origin, step.propose); err != nil {
				return nil, err
			}
		}
	}
	s.missing += want - len(b.members)
	return b.members, nil
}

// pick draws one of n parents, which stand in order, the best first: any of them, or
// in a search for a front the better of two, a binary tournament.
func (s *search) pick(n int) int {
	i := s.r.IntN(n)
	if len(s.problem.Objectives) > 0 {
		i = min(i, s.r.IntN(n))
	}
	return i
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
	for _, c := range b.costs[:len(b.problem.Constraints)] {
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

// costsOf returns what key costs, in the order of the constraints.
func (s *search) costsOf(key string) []float64 {
	if len(s.problem.Constraints) == 0 {
		return nil
	}
	costs := make([]float64, len(s.problem.Constraints))
	for i := range costs {
		costs[i] = s.costs[i].value[key]
	}
	return costs
}

func (b *brood) infeasible() error {
	return &InfeasibleError{Constraints: b.problem.Constraints, Closest: b.closest, Samples: b.p.Tries}
}
