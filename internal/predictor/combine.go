package predictor

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Opinion is what one predictor says about n demonstrations, none of which it was
// shown when it was asked, and about the architectures of a test set.
type Opinion struct {
	Name    string
	Test    []float64   // with all demonstrations
	HeldOut []float64   // [n], about each demonstration without it
	Without [][]float64 // [n], the test set without demonstration i; nil where that is Test
}

// Combination is a weighted mean of opinions with an interval for each test
// architecture.
type Combination struct {
	Weights    []float64 // of the opinions, sum 1
	Prediction []float64
	Lo, Hi     []float64 // NaN where too few demonstrations are there for the level
}

// Combine weighs opinions by how right they were about demonstrations that they had
// not seen: by the inverse of their mean squared error, which is the best linear
// combination of unbiased opinions whose errors are independent (Bates and
// Granger, 1969). truth are the n measured scores.
//
// The intervals are made as those of the jackknife+ (Barber et al., 2021,
// Predictive inference with the jackknife+): demonstration i is left out of the
// weights and of every opinion that can be formed without it, and the residual it
// then has is laid around what the rest say about the test architecture. The
// guarantee of that method does not carry over: opinions about the other
// demonstrations were formed with i, and an opinion without Without stays as it is.
// What they cover has to be measured, and the scoreboard does.
func Combine(opinions []Opinion, truth []float64, level float64) (Combination, error) {
	n := len(truth)
	if len(opinions) == 0 || n < 3 {
		return Combination{}, fmt.Errorf("combining %d opinions by %d demonstrations: expected at least 1 and 3", len(opinions), n)
	}
	for _, o := range opinions {
		if len(o.HeldOut) != n || len(o.Test) != len(opinions[0].Test) || (o.Without != nil && len(o.Without) != n) {
			return Combination{}, fmt.Errorf("combining opinions: %s speaks of %d demonstrations and %d architectures, expected %d and %d",
				o.Name, len(o.HeldOut), len(o.Test), n, len(opinions[0].Test))
		}
	}
	all := combiner{opinions, truth, -1}
	out := Combination{Weights: all.weights()}
	if slices.ContainsFunc(out.Weights, math.IsNaN) {
		return Combination{}, errors.New("combining opinions: a held-out prediction is not a number")
	}
	lower, upper := make([][]float64, len(opinions[0].Test)), make([][]float64, len(opinions[0].Test))
	for i := range n {
		c := combiner{opinions, truth, i}
		w := c.weights()
		residual := math.Abs(truth[i] - weigh(w, func(k int) float64 { return opinions[k].HeldOut[i] }))
		for j := range lower {
			y := weigh(w, func(k int) float64 { return c.test(k, j) })
			lower[j], upper[j] = append(lower[j], y-residual), append(upper[j], y+residual)
		}
	}
	for j := range lower {
		out.Prediction = append(out.Prediction, weigh(out.Weights, func(k int) float64 { return all.test(k, j) }))
		out.Lo, out.Hi = append(out.Lo, lowest(lower[j], level)), append(out.Hi, highest(upper[j], level))
	}
	return out, nil
}

// combiner weighs opinions with one demonstration left out, none where it is -1.
type combiner struct {
	opinions []Opinion
	truth    []float64
	out      int
}

// weights are the inverse mean squared errors about the demonstrations that are
// not left out. An opinion that is always right gets all the weight.
func (c combiner) weights() []float64 {
	w := make([]float64, len(c.opinions))
	total := 0.0
	for k, o := range c.opinions {
		square := 0.0
		for i, y := range c.truth {
			if i != c.out {
				square += (o.HeldOut[i] - y) * (o.HeldOut[i] - y)
			}
		}
		w[k] = 1 / max(square, 1e-12)
		total += w[k]
	}
	for k := range w {
		w[k] /= total
	}
	return w
}

// test is opinion k about test architecture j without the demonstration.
func (c combiner) test(k, j int) float64 {
	o := c.opinions[k]
	if c.out < 0 || o.Without == nil {
		return o.Test[j]
	}
	return o.Without[c.out][j]
}

func weigh(weights []float64, value func(k int) float64) float64 {
	y := 0.0
	for k, w := range weights {
		y += w * value(k)
	}
	return y
}

// highest is the ceil(level (n+1))-th smallest of n values, NaN where that is more
// than n.
func highest(values []float64, level float64) float64 {
	k := int(math.Ceil(level*float64(len(values)+1) - 1e-9))
	if k > len(values) {
		return math.NaN()
	}
	return slices.Sorted(slices.Values(values))[max(k, 1)-1]
}

// lowest is the floor((1 - level)(n+1))-th smallest.
func lowest(values []float64, level float64) float64 {
	negative := make([]float64, len(values))
	for i, v := range values {
		negative[i] = -v
	}
	return -highest(negative, level)
}
