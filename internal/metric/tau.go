package metric

import (
	"math"
	"slices"
)

// KendallTauB is the rank correlation of x and y with ties taken into account,
//
//	tau_b = (C - D) / sqrt((n0 - n1) (n0 - n2)),
//
// C and D the concordant and discordant pairs, n0 = n(n-1)/2 all pairs, n1 and
// n2 the pairs tied in x and in y (M. G. Kendall, "The treatment of ties in
// ranking problems", Biometrika 33, 1945). It is what scipy.stats.kendalltau
// returns. In [-1, 1]; NaN when x or y is constant, shorter than two values, or
// holds a NaN. It panics on lengths that differ.
//
// The discordant pairs are counted by merge sort in O(n log n) (W. R. Knight,
// "A computer method for calculating Kendall's tau with ungrouped data", JASA
// 61, 1966).
func KendallTauB(x, y []float64) float64 {
	mustPair("KendallTauB", x, y)
	if hasNaN(x) || hasNaN(y) {
		return math.NaN()
	}
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if c := compare(x[a], x[b]); c != 0 {
			return c
		}
		return compare(y[a], y[b])
	})
	sx, sy := Pick(x, order), Pick(y, order)
	tiedX := tiedPairs(sx, func(i int) bool { return sx[i] == sx[i-1] })
	tiedBoth := tiedPairs(sx, func(i int) bool { return sx[i] == sx[i-1] && sy[i] == sy[i-1] })
	discordant := countSwaps(sy, make([]float64, len(sy))) // leaves sy sorted
	tiedY := tiedPairs(sy, func(i int) bool { return sy[i] == sy[i-1] })

	all := pairs(len(x))
	if tiedX == all || tiedY == all {
		return math.NaN()
	}
	// all = C + D + (tied in x) + (tied in y) - (tied in both)
	excess := float64(all - tiedX - tiedY + tiedBoth - 2*discordant)
	// One root each keeps the product of two large counts from losing digits.
	tau := excess / math.Sqrt(float64(all-tiedX)) / math.Sqrt(float64(all-tiedY))
	return min(1, max(-1, tau))
}

// countSwaps sorts v by merging and returns the number of pairs that stood in
// falling order; equal values do not count.
func countSwaps(v, scratch []float64) int64 {
	if len(v) < 2 {
		return 0
	}
	half := len(v) / 2
	swaps := countSwaps(v[:half], scratch[:half]) + countSwaps(v[half:], scratch[half:])
	left, right, out := v[:half], v[half:], scratch[:0]
	for len(left) > 0 && len(right) > 0 {
		if left[0] <= right[0] {
			out, left = append(out, left[0]), left[1:]
			continue
		}
		swaps += int64(len(left))
		out, right = append(out, right[0]), right[1:]
	}
	out = append(append(out, left...), right...)
	copy(v, out)
	return swaps
}

// tiedPairs counts the pairs inside runs of v in which same(i) says that the
// i-th value equals the one before it.
func tiedPairs(v []float64, same func(i int) bool) int64 {
	var total int64
	run := 1
	for i := 1; i < len(v); i++ {
		if same(i) {
			run++
			continue
		}
		total += pairs(run)
		run = 1
	}
	return total + pairs(run)
}

func pairs(n int) int64 { return int64(n) * int64(n-1) / 2 }

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func hasNaN(v []float64) bool {
	return slices.ContainsFunc(v, math.IsNaN)
}
