package metric

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Interval is a 95 % percentile bootstrap interval, in the statistic's unit.
type Interval struct {
	// Lo and Hi are the 2.5 % and 97.5 % quantiles of the statistic over the
	// draws; NaN when every draw was dropped.
	Lo, Hi float64
	// Draws is how many draws the interval rests on, Dropped how many gave NaN
	// (a tau over a resample that happens to be constant) and were left out.
	Draws, Dropped int
}

// Bootstrap draws n of n items with replacement, draws times, and returns the
// 95 % percentile interval of the statistic (B. Efron, "Bootstrap methods:
// another look at the jackknife", Annals of Statistics 7, 1979). stat gets the
// drawn item numbers, 0..n-1, in a slice that is reused: it must not be kept. A
// draw whose statistic is NaN is dropped and counted. Equal seeds give equal
// intervals, bit for bit. It panics unless n and draws are positive.
func Bootstrap(n, draws int, r *rand.Rand, stat func(items []int) float64) Interval {
	mustDraw("Bootstrap", n, draws)
	values := make([]float64, 0, draws)
	items := make([]int, n)
	for range draws {
		resample(items, r)
		if v := stat(items); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	return interval(values, draws-len(values))
}

// Difference is a paired comparison of two statistics over the same items.
type Difference struct {
	// Value is a minus b on the items as they are, in the statistics' unit.
	Value float64
	// Interval is the 95 % percentile interval of a minus b.
	Interval
	// P is the two-sided p-value of "a and b are equal"; see PairedBootstrap.
	// NaN when every draw was dropped.
	P float64
}

// PairedBootstrap compares two statistics of the same n items, say the MAE of
// two predictors on one test set: both are computed on the same resample, so
// that what the items have in common cancels out. a and b get the drawn item
// numbers as in Bootstrap; a draw in which either is NaN is dropped and counted.
//
// The p-value inverts the percentile interval: with B draws kept, of which L
// have a-b <= 0 and G have a-b >= 0,
//
//	p = min(1, 2 (min(L, G) + 1) / (B + 1)),
//
// the ones added so that p is never below what B draws can resolve (B. Efron
// and R. Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and
// 15; A. Davison and D. Hinkley, Bootstrap Methods and their Application, 1997,
// section 4.2). Two statistics that never differ have p = 1. It panics unless n
// and draws are positive.
func PairedBootstrap(n, draws int, r *rand.Rand, a, b func(items []int) float64) Difference {
	mustDraw("PairedBootstrap", n, draws)
	items := make([]int, n)
	for i := range items {
		items[i] = i
	}
	observed := a(items) - b(items)
	values := make([]float64, 0, draws)
	less, greater := 0, 0
	for range draws {
		resample(items, r)
		d := a(items) - b(items)
		if math.IsNaN(d) {
			continue
		}
		values = append(values, d)
		if d <= 0 {
			less++
		}
		if d >= 0 {
			greater++
		}
	}
	out := Difference{Value: observed, Interval: interval(values, draws-len(values)), P: math.NaN()}
	if len(values) > 0 {
		out.P = min(1, 2*float64(min(less, greater)+1)/float64(len(values)+1))
	}
	return out
}

// Pick returns the chosen items of v in the order given: the resample of a
// bootstrap draw.
func Pick(v []float64, items []int) []float64 {
	out := make([]float64, len(items))
	for i, item := range items {
		out[i] = v[item]
	}
	return out
}

func interval(values []float64, dropped int) Interval {
	out := Interval{Lo: math.NaN(), Hi: math.NaN(), Draws: len(values), Dropped: dropped}
	if len(values) > 0 {
		slices.Sort(values)
		out.Lo, out.Hi = sortedQuantile(values, 0.025), sortedQuantile(values, 0.975)
	}
	return out
}

func resample(items []int, r *rand.Rand) {
	for i := range items {
		items[i] = r.IntN(len(items))
	}
}

func mustDraw(what string, n, draws int) {
	if n < 1 || draws < 1 {
		panic(fmt.Sprintf("metric.%s: %d draws of %d items; both must be positive", what, draws, n))
	}
}
