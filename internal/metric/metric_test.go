package metric_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hsnas/internal/metric"
)

// The golden values are numpy 2 and scipy 1.17's answers on the same numbers:
// scipy.stats.kendalltau (tau-b), numpy.quantile, numpy.std with ddof 1 and 0,
// scipy.stats.trim_mean(x, 0.1).
var (
	predicted = []float64{25.1, 26.3, 26.35, 27.0, 27.5, 24.9, 26.8}
	actual    = []float64{25.4, 26.1, 26.2, 27.2, 27.1, 25.45, 26.9}
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func TestErrorsAgainstNumpy(t *testing.T) {
	near(t, "MAE", metric.MAE(predicted, actual), 0.27142857142857074, 1e-14)
	near(t, "RMSE", metric.RMSE(predicted, actual), 0.30822070014844827, 1e-14)
	near(t, "MAPE", metric.MAPE(predicted, actual), 0.010377230367475159, 1e-15)
	for name, f := range map[string]func(a, b []float64) float64{"MAE": metric.MAE, "RMSE": metric.RMSE, "MAPE": metric.MAPE, "tau": metric.KendallTauB} {
		near(t, name+" of nothing", f(nil, nil), math.NaN(), 0)
		near(t, name+" with a NaN", f([]float64{1, math.NaN(), 3}, []float64{1, 2, 3}), math.NaN(), 0)
	}
}

func TestSummaryAgainstNumpy(t *testing.T) {
	near(t, "Mean", metric.Mean(predicted), 26.278571428571432, 1e-14)
	near(t, "Std", metric.Std(predicted), 0.9643033508087342, 1e-14)
	near(t, "PopulationStd", metric.PopulationStd(predicted), 0.892771424456748, 1e-14)
	near(t, "Std of one", metric.Std([]float64{3}), math.NaN(), 0)
	near(t, "PopulationStd of one", metric.PopulationStd([]float64{3}), 0, 0)
	near(t, "Mean of nothing", metric.Mean(nil), math.NaN(), 0)
	for q, want := range map[float64]float64{0: 24.9, 0.025: 24.93, 0.1: 25.02, 0.25: 25.700000000000003, 0.5: 26.35, 0.9: 27.2, 0.99: 27.47, 1: 27.5} {
		near(t, "Quantile", metric.Quantile(predicted, q), want, 1e-13)
	}
	near(t, "Quantile of nothing", metric.Quantile(nil, 0.5), math.NaN(), 0)
	near(t, "Quantile of one", metric.Quantile([]float64{7}, 0.9), 7, 0)
	near(t, "Quantile of infinities", metric.Quantile([]float64{math.Inf(1), math.Inf(1)}, 0.5), math.Inf(1), math.NaN())
	timings := []float64{11.23, 8.25, 8.26, 30.89, 15.27, 17.5, 17.67, 3.61, 18.26, 58.13, 5.48, 25.28, 27.13, 26.85, 9.38, 11.37, 5.56, 14.26, 36.25, 8.37, 1.91, 15.44, 27.25, 12.35, 45.09}
	kept := slices.Clone(timings)
	near(t, "TrimmedMean", metric.TrimmedMean(timings), 16.776190476190475, 1e-13)
	if !slices.Equal(kept, timings) {
		t.Error("TrimmedMean reordered its input")
	}
	near(t, "TrimmedMean of nine", metric.TrimmedMean([]float64{1, 2, 3, 4, 5, 6, 7, 8, 99}), 15, 0)
	near(t, "TrimmedMean of nothing", metric.TrimmedMean(nil), math.NaN(), 0)
}

func TestKendallTauBAgainstScipy(t *testing.T) {
	cases := []struct {
		name string
		x, y []float64
		want float64
	}{
		{"no ties", []float64{0.001, 0.299, -0.274, -0.891, -0.455, -0.992, 0.06, 1.34}, []float64{-0.492, -0.62, 0.49, 0.357, 0.105, -0.93, -0.029, 0.695}, 0.14285714285714285},
		{"same order", []float64{1, 2, 3, 4}, []float64{10, 20, 30, 31}, 1},
		{"reversed", []float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, -1},
		{"ties in x", []float64{1, 1, 2, 3, 3, 3}, []float64{2, 1, 4, 3, 6, 5}, 0.7006490497453707},
		{"ties in y", []float64{6, 5, 4, 3, 2, 1}, []float64{1, 1, 1, 2, 2, 3}, -0.8563488385776752},
		{"ties in both", []float64{2, 3, 3, 3, 2, 2, 1, 3, 1, 0, 3, 0, 3, 2, 0}, []float64{0, 1, 0, 0, 2, 3, 1, 3, 3, 3, 2, 1, 2, 1, 1}, -0.1349921907602994},
		{"tied pairs coincide", []float64{1, 1, 2, 2, 3}, []float64{5, 5, 4, 4, 9}, 0},
		{"two values", []float64{0, 1}, []float64{1, 0}, -1},
		{"like BLEU", []float64{25.1, 26.3, 26.3, 27.0, 27.5, 24.9, 26.8, 27.1, 26.3, 25.0}, []float64{25.4, 26.1, 26.2, 27.2, 27.2, 25.4, 26.9, 26.9, 26.0, 25.1}, 0.8333333333333333},
		{"constant x", []float64{5, 5, 5}, []float64{1, 2, 3}, math.NaN()},
		{"constant y", []float64{1, 2, 3}, []float64{5, 5, 5}, math.NaN()},
		{"one value", []float64{1}, []float64{2}, math.NaN()},
		{"infinities", []float64{math.Inf(-1), 0, math.Inf(1)}, []float64{1, 2, 3}, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { near(t, "tau-b", metric.KendallTauB(c.x, c.y), c.want, 1e-15) })
	}
	var a, b, linked []float64
	for i := range 1000 {
		x, y := float64(i*7919%1009%97), float64(i*104729%1013%89)
		a, b, linked = append(a, x), append(b, y), append(linked, 3*x+y)
	}
	near(t, "a thousand, unrelated", metric.KendallTauB(a, b), -0.01676725589247995, 1e-14)
	near(t, "a thousand, related", metric.KendallTauB(a, linked), 0.8147594937790665, 1e-14)
}

// The definition, pair by pair, is slow and obviously right.
func TestKendallTauBIsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n, levels := 2+r.IntN(40), 1+r.IntN(12)
		x, y := make([]float64, n), make([]float64, n)
		for i := range x {
			x[i], y[i] = float64(r.IntN(levels)), float64(r.IntN(levels))
		}
		excess, untiedX, untiedY := 0.0, 0.0, 0.0
		for i := range x {
			for j := range i {
				dx, dy := x[i]-x[j], y[i]-y[j]
				excess += sign(dx * dy)
				untiedX += math.Abs(sign(dx))
				untiedY += math.Abs(sign(dy))
			}
		}
		want := excess / math.Sqrt(untiedX*untiedY)
		near(t, "tau-b", metric.KendallTauB(x, y), want, 1e-14)
		near(t, "tau-b swapped", metric.KendallTauB(y, x), want, 1e-14)
	}
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

func TestMisusePanics(t *testing.T) {
	cases := []struct {
		want string
		call func()
	}{
		{"metric.MAE: 1 values against 2", func() { metric.MAE([]float64{1}, []float64{1, 2}) }},
		{"metric.KendallTauB: 0 values against 2", func() { metric.KendallTauB(nil, []float64{1, 2}) }},
		{"metric.Quantile: 1.5 is outside [0, 1]", func() { metric.Quantile([]float64{1}, 1.5) }},
		{"metric.Quantile: NaN is outside [0, 1]", func() { metric.Quantile([]float64{1}, math.NaN()) }},
		{"metric.Bootstrap: 0 draws of 3 items; both must be positive", func() { metric.Bootstrap(3, 0, nil, nil) }},
		{"metric.PairedBootstrap: 5 draws of 0 items; both must be positive", func() { metric.PairedBootstrap(0, 5, nil, nil, nil) }},
	}
	for _, c := range cases {
		t.Run(c.want, func(t *testing.T) {
			defer func() {
				if got := recover(); got != c.want {
					t.Errorf("panic %v, want %q", got, c.want)
				}
			}()
			c.call()
		})
	}
}
