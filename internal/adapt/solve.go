// Package adapt carries a linear predictor over to another device by a few
// measurements there.
//
// What is measured is relative: a millisecond is much of a fast model and little of
// a slow one. All fits here minimise squared relative errors, which is least
// squares with the weight 1/y^2 on a row of target y.
package adapt

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"hsnas/internal/metric"
)

// Design is a linear model to be fitted: y = a + b f + w x, with columns f that
// are free and columns x whose weights are penalised.
type Design struct {
	Free      [][]float64 // a row for each of Y; nil for none
	Penalised [][]float64 // the same
	Y         []float64   // all above 0
}

// Solution is a fitted Design.
type Solution struct {
	Intercept float64
	Free      []float64
	Weights   []float64 // of raw columns; 0 for one that was constant
	Lambda    float64   // penalty on the weights of standardised columns; +Inf for no weights at all
	LOO       float64   // mean squared relative error of each row predicted from the others
	LOOError  float64   // standard error of that mean
}

// lambdas are the penalties that are tried, the largest first: no penalised
// columns at all, then 10^4 to 10^-2 in half decades.
func lambdas() []float64 {
	out := []float64{math.Inf(1)}
	for half := 8; half >= -4; half-- {
		out = append(out, math.Pow(10, float64(half)/2))
	}
	return out
}

// Fit fits the design with the penalty that leave-one-out chooses: the largest
// whose error is within one standard error of the least (Breiman, Friedman, Olshen
// and Stone, Classification and Regression Trees, 1984, section 3.4.3), where Free
// has columns, and that of the least error where all weights hang on the penalty.
// Columns are standardised on all rows; the error of a row left out is its
// residual over one minus its leverage, as in ridge regression.
func (d Design) Fit() (*Solution, error) {
	n := len(d.Y)
	if d.Free != nil && len(d.Free) != n || d.Penalised != nil && len(d.Penalised) != n {
		return nil, fmt.Errorf("adapting: %d targets for %d and %d rows", n, len(d.Free), len(d.Penalised))
	}
	free := width(d.Free)
	if n < free+2 {
		return nil, fmt.Errorf("adapting: %d rows, expected at least %d", n, free+2)
	}
	c := newColumns(d)
	var tried []*Solution
	for _, lambda := range lambdas() {
		s, err := c.solve(lambda)
		if err != nil {
			return nil, err
		}
		if tried = append(tried, s); c.penalised == 0 {
			break
		}
	}
	return choose(tried, free > 0), nil
}

// choose returns the first of the solutions that are as good as the best, within
// a standard error if simple is asked for.
func choose(tried []*Solution, simple bool) *Solution {
	best := slices.MinFunc(tried, func(a, b *Solution) int { return cmp.Compare(a.LOO, b.LOO) })
	bound := best.LOO
	if simple {
		bound += best.LOOError
	}
	return tried[slices.IndexFunc(tried, func(s *Solution) bool { return s.LOO <= bound })]
}

// Predict returns the prediction for a row.
func (s *Solution) Predict(free, penalised []float64) float64 {
	y := s.Intercept
	for j, b := range s.Free {
		y += b * free[j]
	}
	for j, w := range s.Weights {
		y += w * penalised[j]
	}
	return y
}

// columns is a design with its weights in it: row i is multiplied by mean(y)/y_i.
type columns struct {
	z               *mat.Dense // 1, standardised free, standardised penalised
	y               []float64  // mean(y), multiplied out
	center, scale   []float64  // of the columns after the first
	free, penalised int
}

func newColumns(d Design) *columns {
	n := len(d.Y)
	c := &columns{free: width(d.Free), penalised: width(d.Penalised)}
	mean := 0.0
	for _, y := range d.Y {
		mean += y / float64(n)
	}
	c.z = mat.NewDense(n, 1+c.free+c.penalised, nil)
	c.center, c.scale = make([]float64, c.free+c.penalised), make([]float64, c.free+c.penalised)
	for j := range c.center {
		c.center[j], c.scale[j] = spread(n, func(i int) float64 { return d.value(i, j) })
	}
	for i, y := range d.Y {
		c.y = append(c.y, mean)
		c.z.Set(i, 0, mean/y)
		for j := range c.center {
			c.z.Set(i, 1+j, (d.value(i, j)-c.center[j])/c.scale[j]*mean/y)
		}
	}
	return c
}

// value is that of column j, the free ones first.
func (d Design) value(i, j int) float64 {
	if free := width(d.Free); j >= free {
		return d.Penalised[i][j-free]
	}
	return d.Free[i][j]
}

func width(rows [][]float64) int {
	if len(rows) == 0 {
		return 0
	}
	return len(rows[0])
}

// spread is the mean and the population standard deviation of n values; the
// deviation is +Inf for values that are all the same, which makes their column 0.
func spread(n int, value func(int) float64) (mean, deviation float64) {
	for i := range n {
		mean += value(i) / float64(n)
	}
	square := 0.0
	for i := range n {
		square += (value(i) - mean) * (value(i) - mean) / float64(n)
	}
	if deviation = math.Sqrt(square); deviation <= 1e-12*math.Abs(mean) {
		return mean, math.Inf(1)
	}
	return mean, deviation
}

// negligible is a penalty on the slopes of free columns, of which one may be
// constant: it moves nothing that is determined.
const negligible = 1e-9

// solve fits with one penalty.
func (c *columns) solve(lambda float64) (*Solution, error) {
	n, p := c.z.Dims()
	used := p
	if math.IsInf(lambda, 1) {
		used = 1 + c.free
	}
	z := c.z.Slice(0, n, 0, used).(*mat.Dense)
	normal := mat.NewSymDense(used, nil)
	normal.SymOuterK(1, z.T())
	for j := 1; j < used; j++ {
		penalty := negligible
		if j > c.free {
			penalty = lambda
		}
		normal.SetSym(j, j, normal.At(j, j)+penalty)
	}
	var cholesky mat.Cholesky
	if !cholesky.Factorize(normal) {
		return nil, fmt.Errorf("adapting: %d rows do not determine the %d columns", n, used)
	}
	var right, beta mat.VecDense
	right.MulVec(z.T(), mat.NewVecDense(n, c.y))
	if err := cholesky.SolveVecTo(&beta, &right); err != nil {
		return nil, fmt.Errorf("adapting: %w", err)
	}
	var leverages mat.Dense // of which the diagonal of z times it is
	if err := cholesky.SolveTo(&leverages, z.T()); err != nil {
		return nil, fmt.Errorf("adapting: %w", err)
	}
	return c.solution(lambda, z, &beta, &leverages), nil
}

// solution brings the coefficients back to raw columns.
func (c *columns) solution(lambda float64, z *mat.Dense, beta *mat.VecDense, inverse *mat.Dense) *Solution {
	n, used := z.Dims()
	s := &Solution{Intercept: beta.AtVec(0), Free: make([]float64, c.free), Weights: make([]float64, c.penalised), Lambda: lambda}
	for j := 1; j < used; j++ {
		w := beta.AtVec(j) / c.scale[j-1]
		s.Intercept -= w * c.center[j-1]
		if j <= c.free {
			s.Free[j-1] = w
		} else {
			s.Weights[j-1-c.free] = w
		}
	}
	errors := make([]float64, n)
	for i := range n {
		fitted, leverage := 0.0, 0.0
		for j := range used {
			fitted += z.At(i, j) * beta.AtVec(j)
			leverage += z.At(i, j) * inverse.At(j, i)
		}
		r := (c.y[i] - fitted) / (1 - leverage) / c.y[i]
		errors[i] = r * r
	}
	s.LOO, s.LOOError = metric.Mean(errors), metric.Std(errors)/math.Sqrt(float64(n))
	return s
}
