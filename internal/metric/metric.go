// Package metric measures predictions against the truth and says how sure it is.
//
// It holds the field's measures of a performance predictor (mean absolute
// error and Kendall's tau-b, as in arXiv 2310.16712), those of a latency
// predictor (RMSE, MAPE), that of translations (BLEU), the summary statistics of
// repeated timings, and bootstrap intervals.
//
// Conventions, the same for every function here:
//
//   - Slices are never changed and never kept.
//   - Two slices that describe the same items must have the same length; a
//     mismatch is a programmer's error and panics, as does a quantile outside
//     [0, 1] or a bootstrap without draws.
//   - What the data leave undefined is NaN, never an error: the mean of
//     nothing, the spread of one value, the correlation with a constant.
//   - A NaN among the inputs makes the result NaN.
package metric

import (
	"fmt"
	"math"
)

// MAE is the mean absolute error of pred against truth, in their own unit
// (BLEU points, milliseconds). NaN for no values. It panics on lengths that
// differ.
func MAE(pred, truth []float64) float64 {
	mustPair("MAE", pred, truth)
	sum := 0.0
	for i, p := range pred {
		sum += math.Abs(p - truth[i])
	}
	return sum / float64(len(pred))
}

// RMSE is the root of the mean squared error of pred against truth, in their
// own unit. NaN for no values. It panics on lengths that differ.
func RMSE(pred, truth []float64) float64 {
	mustPair("RMSE", pred, truth)
	sum := 0.0
	for i, p := range pred {
		sum += (p - truth[i]) * (p - truth[i])
	}
	return math.Sqrt(sum / float64(len(pred)))
}

// MAPE is the mean absolute error relative to the truth, as a fraction: 0.26
// means 26 %. It is meant for quantities that are never zero, such as
// latencies: a truth of zero gives +Inf, or NaN where the prediction is zero
// too. NaN for no values. It panics on lengths that differ.
func MAPE(pred, truth []float64) float64 {
	mustPair("MAPE", pred, truth)
	sum := 0.0
	for i, p := range pred {
		sum += math.Abs(p-truth[i]) / math.Abs(truth[i])
	}
	return sum / float64(len(pred))
}

func mustPair(what string, a, b []float64) {
	if len(a) != len(b) {
		panic(fmt.Sprintf("metric.%s: %d values against %d", what, len(a), len(b)))
	}
}
