package finalists

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"hsnas/internal/space"
	"hsnas/schemas"
)

// read returns the finalists: the best of every search, limit and seed, and points
// of the fronts.
func read(p Params, in Inputs) ([]schemas.Finalist, error) {
	front, err := schemas.ReadFront(in.Front)
	if err != nil {
		return nil, err
	}
	points, err := schemas.ReadPareto(in.Pareto)
	if err != nil {
		return nil, err
	}
	var rows []schemas.Finalist
	for _, w := range front {
		if w.Rank == 1 {
			rows = append(rows, in.row(schemas.Finalist{
				Search: w.Search, Constraint: w.Constraint, Limit: w.Limit, Seed: w.Seed, Kind: schemas.FinalistBest, Place: 1, ID: w.ID, Architecture: w.Architecture,
			}))
		}
	}
	for _, group := range fronts(points) {
		for i, x := range roomiest(group, p.Front) {
			rows = append(rows, in.row(schemas.Finalist{
				Search: x.Search, Constraint: x.Constraint, Limit: x.Limit, Seed: x.Seed, Kind: schemas.FinalistFront, Place: int32(i + 1), ID: x.ID, Architecture: x.Architecture,
			}))
		}
	}
	return rows, nil
}

// row adds the limit of the latency; nothing is measured yet.
func (in Inputs) row(r schemas.Finalist) schemas.Finalist {
	nan := math.NaN()
	r.EncoderMS, r.DecoderMS, r.MeasuredMS, r.MeasuredHiMS, r.ExcessMS, r.ControlMS, r.ControlCV, r.ControlThen = nan, nan, nan, nan, nan, nan, nan, nan
	if r.LimitMS = in.Limit; r.Constraint == in.Target {
		r.LimitMS = r.Limit
	}
	return r
}

// fronts groups the points that nothing dominates by search, limit and seed, in the
// order of the artifact.
func fronts(points []schemas.ParetoPoint) [][]schemas.ParetoPoint {
	var out [][]schemas.ParetoPoint
	at := map[string]int{}
	for _, x := range points {
		if x.Rank != 1 {
			continue
		}
		key := fmt.Sprint(x.Search, " ", x.Limit, " ", x.Seed)
		i, known := at[key]
		if !known {
			i, at[key] = len(out), len(out)
			out = append(out, nil)
		}
		out[i] = append(out[i], x)
	}
	return out
}

// roomiest are the n points of a front with the largest crowding distances, its ends
// first: those that NSGA-II would keep.
func roomiest(front []schemas.ParetoPoint, n int) []schemas.ParetoPoint {
	room := func(x schemas.ParetoPoint) float64 {
		if math.IsNaN(x.Crowding) {
			return math.Inf(1)
		}
		return x.Crowding
	}
	out := slices.Clone(front)
	slices.SortStableFunc(out, func(a, b schemas.ParetoPoint) int { return cmp.Compare(room(b), room(a)) })
	return out[:min(n, len(out))]
}

// different returns the architectures of the rows, each once, and where each row's is.
func different(in Inputs, rows []schemas.Finalist) (archs []space.Architecture, at []int, err error) {
	place := map[string]int{}
	for _, r := range rows {
		i, known := place[r.ID]
		if !known {
			a, err := in.Task.Space.ParseArchitecture([]byte(r.Architecture))
			if err != nil {
				return nil, nil, fmt.Errorf("finalists: architecture %s: %w", r.ID, err)
			}
			i, place[r.ID] = len(archs), len(archs)
			archs = append(archs, a)
		}
		at = append(at, i)
	}
	return archs, at, nil
}
