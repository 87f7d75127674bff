package evolve

import "slices"

// Hypervolume is the volume that points dominate up to a reference, lower being
// better in every coordinate (E. Zitzler, L. Thiele, "Multiobjective evolutionary
// algorithms: a comparative case study and the strength Pareto approach", IEEE
// Transactions on Evolutionary Computation 3(4), 1999), in the product of the
// coordinates' units. It is exact: a sweep in two dimensions, slices along the last
// coordinate in more (L. While, P. Hingston, L. Barone, S. Huband, "A faster
// algorithm for calculating hypervolume", same journal 10(1), 2006). A point that is
// not better than the reference in every coordinate adds nothing.
func Hypervolume(points [][]float64, reference []float64) float64 {
	var inside [][]float64
	for _, p := range points {
		if below(p, reference) {
			inside = append(inside, p)
		}
	}
	return volume(inside, reference)
}

// below says whether a is lower than b in every coordinate.
func below(a, b []float64) bool {
	for i, x := range a {
		if !(x < b[i]) {
			return false
		}
	}
	return true
}

// volume is that of points below the reference, in the coordinates of the reference;
// points may have more.
func volume(points [][]float64, reference []float64) float64 {
	last := len(reference) - 1
	sorted := slices.Clone(points)
	slices.SortStableFunc(sorted, func(a, b []float64) int { return rising(a[last], b[last]) })
	if last == 0 {
		if len(sorted) == 0 {
			return 0
		}
		return reference[0] - sorted[0][0]
	}
	if last == 1 {
		return area(sorted, reference)
	}
	total := 0.0
	for i, p := range sorted {
		upper := reference[last]
		if i+1 < len(sorted) {
			upper = sorted[i+1][last]
		}
		if thickness := upper - p[last]; thickness > 0 {
			total += thickness * volume(sorted[:i+1], reference[:last])
		}
	}
	return total
}

// area sweeps points that rise in the second coordinate.
func area(points [][]float64, reference []float64) float64 {
	total, left := 0.0, reference[0]
	for _, p := range points {
		if p[0] < left {
			total += (left - p[0]) * (reference[1] - p[1])
			left = p[0]
		}
	}
	return total
}

// front holds the points that no other dominates, in the order in which they came.
type front struct {
	points [][]float64
	seen   int // points offered, for the caller to keep
}

// add takes a point in, unless one that is there is as good.
func (f *front) add(p []float64) {
	for _, q := range f.points {
		if dominates(q, p) || slices.Equal(q, p) {
			return
		}
	}
	f.points = slices.DeleteFunc(f.points, func(q []float64) bool { return dominates(p, q) })
	f.points = append(f.points, p)
}
