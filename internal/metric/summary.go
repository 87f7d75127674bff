package metric

import (
	"fmt"
	"math"
	"slices"
)

// Mean is the arithmetic mean of v, in v's unit; NaN for no values.
func Mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// Std is the *sample* standard deviation of v (divisor n-1), in v's unit: the
// spread over seeds, splits and repetitions, which are samples. NaN for fewer
// than two values.
func Std(v []float64) float64 {
	if len(v) < 2 {
		return math.NaN()
	}
	return math.Sqrt(squares(v) / float64(len(v)-1))
}

// PopulationStd is the standard deviation of v as a whole population (divisor
// n, numpy's default), in v's unit: what features are standardised with. Zero
// for one value, NaN for none.
func PopulationStd(v []float64) float64 {
	return math.Sqrt(squares(v) / float64(len(v)))
}

// squares is the sum of squared distances from the mean, computed in two
// passes so that a large mean does not swallow a small spread.
func squares(v []float64) float64 {
	mean, sum := Mean(v), 0.0
	for _, x := range v {
		sum += (x - mean) * (x - mean)
	}
	return sum
}

// Quantile is the q-quantile of v (0.5 the median), in v's unit, interpolated
// linearly between the order statistics: numpy's default method "linear", type
// 7 of Hyndman and Fan, "Sample quantiles in statistical packages", The
// American Statistician 50, 1996. NaN for no values. It panics unless q is in
// [0, 1].
func Quantile(v []float64, q float64) float64 {
	if !(q >= 0 && q <= 1) {
		panic(fmt.Sprintf("metric.Quantile: %v is outside [0, 1]", q))
	}
	if len(v) == 0 || hasNaN(v) {
		return math.NaN()
	}
	sorted := slices.Clone(v)
	slices.Sort(sorted)
	return sortedQuantile(sorted, q)
}

// sortedQuantile is Quantile of a sorted slice with at least one value.
func sortedQuantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := int(at)
	low, high := sorted[below], sorted[min(below+1, len(sorted)-1)]
	if low == high { // also keeps Inf-Inf from making a NaN
		return low
	}
	return low + (at-float64(below))*(high-low)
}

// TrimmedMean is the mean of the middle 80 % of v, in v's unit: HAT's latency
// protocol (arXiv 2005.14187), which drops the fastest and the slowest tenth of
// the repetitions. A tenth is rounded down, so fewer than ten values are all
// kept. NaN for no values.
func TrimmedMean(v []float64) float64 {
	if hasNaN(v) {
		return math.NaN()
	}
	sorted := slices.Clone(v)
	slices.Sort(sorted)
	cut := len(sorted) / 10
	return Mean(sorted[cut : len(sorted)-cut])
}
