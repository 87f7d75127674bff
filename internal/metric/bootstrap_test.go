package metric_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"hsnas/internal/metric"
)

func TestBootstrapOfAMeanIsTheNormalInterval(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	v := make([]float64, 400)
	for i := range v {
		v[i] = 10 + 2*r.NormFloat64()
	}
	got := metric.Bootstrap(len(v), 4000, r, func(items []int) float64 { return metric.Mean(metric.Pick(v, items)) })
	half := 1.959964 * metric.PopulationStd(v) / math.Sqrt(float64(len(v)))
	near(t, "Lo", got.Lo, metric.Mean(v)-half, 0.02)
	near(t, "Hi", got.Hi, metric.Mean(v)+half, 0.02)
	if got.Draws != 4000 || got.Dropped != 0 {
		t.Errorf("%d draws kept, %d dropped; want 4000, 0", got.Draws, got.Dropped)
	}
}

func TestBootstrapDropsUndefinedDraws(t *testing.T) {
	x, y := []float64{1, 2}, []float64{1, 2}
	tau := func(items []int) float64 { return metric.KendallTauB(metric.Pick(x, items), metric.Pick(y, items)) }
	got := metric.Bootstrap(2, 1000, rand.New(rand.NewPCG(5, 6)), tau)
	if got.Draws+got.Dropped != 1000 || got.Dropped < 400 || got.Dropped > 600 {
		t.Errorf("%d kept and %d dropped; half of 1000 resamples of two items are constant", got.Draws, got.Dropped)
	}
	near(t, "Lo", got.Lo, 1, 0)
	near(t, "Hi", got.Hi, 1, 0)
	nothing := func([]int) float64 { return math.NaN() }
	none := metric.PairedBootstrap(2, 10, rand.New(rand.NewPCG(5, 6)), nothing, nothing)
	for _, v := range []float64{none.Lo, none.Hi, none.P, none.Value} {
		near(t, "an interval of no draws", v, math.NaN(), 0)
	}
}

func TestPairedBootstrap(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	truth, good, poor := make([]float64, 30), make([]float64, 30), make([]float64, 30)
	for i := range truth {
		truth[i] = r.NormFloat64()
		good[i], poor[i] = truth[i]+0.1*r.NormFloat64(), truth[i]+r.NormFloat64()
	}
	mae := func(pred []float64) func([]int) float64 {
		return func(items []int) float64 { return metric.MAE(metric.Pick(pred, items), metric.Pick(truth, items)) }
	}
	got := metric.PairedBootstrap(30, 999, r, mae(good), mae(poor))
	near(t, "Value", got.Value, metric.MAE(good, truth)-metric.MAE(poor, truth), 0)
	if !(got.Lo < got.Value && got.Value < got.Hi && got.Hi < 0) {
		t.Errorf("interval [%v, %v] around %v; want it below zero", got.Lo, got.Hi, got.Value)
	}
	near(t, "P of a clear difference", got.P, 2.0/1000, 0)
	if back := metric.PairedBootstrap(30, 999, r, mae(poor), mae(good)); back.Value != -got.Value || back.P != got.P {
		t.Errorf("swapped: %v with p %v, want %v with p %v", back.Value, back.P, -got.Value, got.P)
	}
	same := metric.PairedBootstrap(30, 99, r, mae(good), mae(good))
	if same.P != 1 || same.Value != 0 || same.Lo != 0 || same.Hi != 0 {
		t.Errorf("a statistic against itself: %+v", same)
	}
}

// Under the null hypothesis p must be roughly uniform: a 5 % test may not
// reject much more often than that.
func TestPairedBootstrapKeepsItsLevel(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	rejected, trials := 0, 400
	for range trials {
		a, b := make([]float64, 40), make([]float64, 40)
		for i := range a {
			a[i], b[i] = r.NormFloat64(), r.NormFloat64()
		}
		got := metric.PairedBootstrap(40, 199, r,
			func(items []int) float64 { return metric.Mean(metric.Pick(a, items)) },
			func(items []int) float64 { return metric.Mean(metric.Pick(b, items)) })
		if got.P <= 0.05 {
			rejected++
		}
	}
	if rate := float64(rejected) / float64(trials); rate > 0.09 {
		t.Errorf("a 5 %% test rejected %.1f %% of true null hypotheses", 100*rate)
	}
}

func TestBootstrapIsReproducible(t *testing.T) {
	v := []float64{3, 1, 4, 1, 5, 9, 2, 6}
	run := func(seed uint64) metric.Interval {
		return metric.Bootstrap(len(v), 200, rand.New(rand.NewPCG(seed, 0)), func(items []int) float64 { return metric.Mean(metric.Pick(v, items)) })
	}
	if run(1) != run(1) {
		t.Error("equal seeds gave different intervals")
	}
}

func ExampleKendallTauB() {
	bleu, predicted := []float64{25.1, 26.3, 26.3, 27.0}, []float64{25.4, 26.1, 26.2, 27.2}
	fmt.Printf("%.3f\n", metric.KendallTauB(predicted, bleu))
	// Output: 0.913
}
