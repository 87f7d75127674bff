package benchmark

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// candidate is an architecture to be timed under a name.
type candidate struct {
	name string
	arch space.Architecture
}

// choose picks the winners and the extremes, each architecture once.
func choose(p Params, t *task.Task, front []schemas.Winner) ([]candidate, error) {
	var out []candidate
	add := func(name string, a space.Architecture) {
		if !slices.ContainsFunc(out, func(c candidate) bool { return c.arch.Equal(a) }) {
			out = append(out, candidate{name, a})
		}
	}
	if p.IncludeExtremes {
		add("smallest", t.Space.Smallest())
	}
	for _, group := range groups(p, front) {
		for i, w := range bestOf(group, p.Top, t.Metric.Minimize()) {
			a, err := t.Space.ParseArchitecture([]byte(w.Architecture))
			if err != nil {
				return nil, fmt.Errorf("benchmark: winner %s of search %s: %w", w.ID, w.Search, err)
			}
			add(winnerName(w, i), a)
		}
	}
	if p.IncludeExtremes {
		add("largest", t.Space.Largest())
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("benchmark: nothing to time: the front has no winners of the searches %q", p.Searches)
	}
	return out, nil
}

// winnerName is "hs-nas 100 ms", from the second winner on with its place.
func winnerName(w schemas.Winner, i int) string {
	name := w.Search
	if !math.IsNaN(w.Limit) {
		name = fmt.Sprintf("%s %v %s", w.Search, w.Limit, w.Unit)
	}
	if i > 0 {
		name = fmt.Sprintf("%s #%d", name, i+1)
	}
	return name
}

// groups are the winners of one search and limit, in the order of the settings and of the
// front.
func groups(p Params, front []schemas.Winner) [][]schemas.Winner {
	var out [][]schemas.Winner
	for _, search := range p.Searches {
		var limits []float64
		byLimit := map[uint64][]schemas.Winner{}
		for _, w := range front {
			if w.Search != search {
				continue
			}
			key := math.Float64bits(w.Limit)
			if byLimit[key] == nil {
				limits = append(limits, w.Limit)
			}
			byLimit[key] = append(byLimit[key], w)
		}
		for _, l := range limits {
			out = append(out, byLimit[math.Float64bits(l)])
		}
	}
	return out
}

// bestOf are the n best different architectures.
func bestOf(winners []schemas.Winner, n int, minimize bool) []schemas.Winner {
	sorted := slices.Clone(winners)
	slices.SortStableFunc(sorted, func(a, b schemas.Winner) int {
		if minimize {
			a, b = b, a
		}
		return cmp.Compare(b.Score, a.Score)
	})
	var out []schemas.Winner
	for _, w := range sorted {
		if len(out) < n && !slices.ContainsFunc(out, func(o schemas.Winner) bool { return o.ID == w.ID }) {
			out = append(out, w)
		}
	}
	return out
}
