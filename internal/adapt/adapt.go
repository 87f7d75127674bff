package adapt

import (
	"fmt"
	"math"

	"hsnas/internal/predictor"
)

// MinRows is the least number of measurements that a source is adapted with: a
// slope and an intercept, and as many rows more that can say how good they are.
const MinRows = 5

// Source predicts the latency of a device of which there are many measurements.
type Source struct {
	Name string
	fit  *Solution
}

// NewSource fits a source to rows x of features and their latencies.
func NewSource(name string, x [][]float64, y []float64) (Source, error) {
	s, err := Design{Penalised: x, Y: y}.Fit()
	if err != nil {
		return Source{}, fmt.Errorf("source %s: %w", name, err)
	}
	return Source{name, s}, nil
}

// Predict is the source's latency of a row.
func (s Source) Predict(x []float64) float64 { return s.fit.Predict(nil, x) }

// Adapted is a predictor of a device that was made of few measurements there.
type Adapted struct {
	Source string  // "" where it was fitted from nothing
	Slope  float64 // what a source's latency is multiplied by; 0 without one
	Lambda float64 // penalty of the ridge on what the source leaves over; +Inf for no such ridge
	LOO    float64 // mean squared relative leave-one-out error on the measurements

	intercept float64
	weights   []float64
}

// Fit adapts each of the sources to rows x and their latencies y, and returns the
// one with the least leave-one-out error on these rows. A source is adapted by
//
//	y = a + b s(x) + w x,  b > 0,
//
// s being its prediction: a and b are free, for a device is faster or slower as a
// whole and has its own overhead; w, what this device does otherwise, is a ridge
// whose penalty leave-one-out chooses, the largest that is good enough. A source
// that would have to be turned round is passed over; where none is left, the ridge
// alone is fitted, from nothing. The result is linear in x.
func Fit(sources []Source, x [][]float64, y []float64) (*Adapted, error) {
	if len(y) < MinRows {
		return nil, fmt.Errorf("adapting: %d measurements, expected at least %d", len(y), MinRows)
	}
	var best *Adapted
	for _, s := range sources {
		free := make([][]float64, len(x))
		for i, row := range x {
			free[i] = []float64{s.Predict(row)}
		}
		fit, err := Design{Free: free, Penalised: x, Y: y}.Fit()
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", s.Name, err)
		}
		if fit.Free[0] > 0 && (best == nil || fit.LOO < best.LOO) {
			best = s.adapted(fit)
		}
	}
	if best != nil {
		return best, nil
	}
	return FromNothing(x, y)
}

// adapted adds up the source and what was fitted on it.
func (s Source) adapted(fit *Solution) *Adapted {
	slope := fit.Free[0]
	a := &Adapted{Source: s.Name, Slope: slope, Lambda: fit.Lambda, LOO: fit.LOO, intercept: fit.Intercept + slope*s.fit.Intercept}
	for j, w := range fit.Weights {
		a.weights = append(a.weights, w+slope*s.fit.Weights[j])
	}
	return a
}

// FromNothing fits the ridge without a source.
func FromNothing(x [][]float64, y []float64) (*Adapted, error) {
	fit, err := Design{Penalised: x, Y: y}.Fit()
	if err != nil {
		return nil, err
	}
	return &Adapted{Lambda: fit.Lambda, LOO: fit.LOO, intercept: fit.Intercept, weights: fit.Weights}, nil
}

// Line fits y = a + b f to one column, the simplest control.
func Line(f, y []float64) (*Solution, error) {
	free := make([][]float64, len(f))
	for i, v := range f {
		free[i] = []float64{v}
	}
	return Design{Free: free, Y: y}.Fit()
}

// Regress implements predictor.Regressor.
func (a *Adapted) Regress(x []float64) float64 {
	y := a.intercept
	for j, w := range a.weights {
		y += w * x[j]
	}
	return y
}

// Ridge is the same as a regressor that has an ONNX form.
func (a *Adapted) Ridge() *predictor.Ridge {
	lambda := a.Lambda
	if math.IsInf(lambda, 1) {
		lambda = 0
	}
	return &predictor.Ridge{Weights: a.weights, Center: make([]float64, len(a.weights)), Bias: a.intercept, Lambda: lambda, LOO: a.LOO}
}
