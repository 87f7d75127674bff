package predictor

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"hsnas/internal/onnx"
)

// Ridge is a linear regressor: Bias + sum of Weights * (x - Center).
type Ridge struct {
	Weights []float64 // for raw features; 0 for one that was constant
	Center  []float64 // means of the fit rows
	Bias    float64   // mean of the fit targets: the prediction at Center
	Lambda  float64   // penalty on the standardised weights
	LOO     float64   // mean squared leave-one-out error at Lambda, in the target's unit squared
}

// Regress implements Regressor.
func (r *Ridge) Regress(x []float64) float64 {
	y := r.Bias
	for i, w := range r.Weights {
		y += w * (x[i] - r.Center[i])
	}
	return y
}

// Lambdas returns the penalties that FitRidge tries: 10^-3 to 10^3 in half
// decades.
func Lambdas() []float64 {
	var out []float64
	for half := -6; half <= 6; half++ {
		out = append(out, math.Pow(10, float64(half)/2))
	}
	return out
}

// FitRidge fits a ridge regression to rows x of features and targets y. The
// features are standardised on these rows (population standard deviation; a
// constant one gets no weight), the intercept is not penalised, and the penalty
// is the one of Lambdas with the least leave-one-out error, in closed form: the
// residual of row i left out is its residual over one minus its leverage.
func FitRidge(x [][]float64, y []float64) (*Ridge, error) {
	return FitRidgeWith(x, y, Lambdas())
}

// FitRidgeWith is FitRidge with other penalties, all above 0.
func FitRidgeWith(x [][]float64, y []float64, lambdas []float64) (*Ridge, error) {
	if len(x) < 2 || len(x) != len(y) {
		return nil, fmt.Errorf("fitting a ridge: %d rows and %d targets, expected as many of each and at least 2", len(x), len(y))
	}
	z, center, scale := standardise(x)
	bias := sum(y) / float64(len(y))
	residual := make([]float64, len(y))
	for i := range y {
		residual[i] = y[i] - bias
	}
	s, err := decompose(z, residual)
	if err != nil {
		return nil, err
	}
	best := math.Inf(1)
	lambda := lambdas[0]
	for _, l := range lambdas {
		if e := s.leaveOneOut(l); e < best {
			best, lambda = e, l
		}
	}
	weights := s.weights(lambda)
	for i := range weights {
		weights[i] /= scale[i]
	}
	return &Ridge{Weights: weights, Center: center, Bias: bias, Lambda: lambda, LOO: best}, nil
}

// standardise returns x with mean 0 and deviation 1 in every column that is not
// constant, with what was subtracted and divided by.
func standardise(x [][]float64) (z *mat.Dense, center, scale []float64) {
	rows, columns := len(x), len(x[0])
	z = mat.NewDense(rows, columns, nil)
	center, scale = make([]float64, columns), make([]float64, columns)
	column := make([]float64, rows)
	for j := range columns {
		for i := range x {
			column[i] = x[i][j]
		}
		center[j] = sum(column) / float64(rows)
		square := 0.0
		for _, v := range column {
			square += (v - center[j]) * (v - center[j])
		}
		scale[j] = math.Sqrt(square / float64(rows))
		if scale[j] <= 1e-12*math.Abs(center[j]) || scale[j] == 0 {
			scale[j] = 1
			continue // the column of z stays 0
		}
		for i, v := range column {
			z.Set(i, j, (v-center[j])/scale[j])
		}
	}
	return z, center, scale
}

// decomposition is Z = U S V' with U'y, from which every penalty's solution
// follows without another factorisation.
type decomposition struct {
	u, v    mat.Dense
	s       []float64
	uy      []float64
	targets []float64
}

func decompose(z *mat.Dense, targets []float64) (*decomposition, error) {
	var svd mat.SVD
	if !svd.Factorize(z, mat.SVDThin) {
		return nil, errors.New("fitting a ridge: the singular value decomposition of the features failed")
	}
	d := &decomposition{s: svd.Values(nil), targets: targets}
	svd.UTo(&d.u)
	svd.VTo(&d.v)
	d.uy = make([]float64, len(d.s))
	for k := range d.s {
		for i, y := range targets {
			d.uy[k] += d.u.At(i, k) * y
		}
	}
	return d, nil
}

// weights solves for the penalty lambda.
func (d *decomposition) weights(lambda float64) []float64 {
	rows, _ := d.v.Dims()
	out := make([]float64, rows)
	for k, s := range d.s {
		f := s / (s*s + lambda) * d.uy[k]
		for j := range out {
			out[j] += f * d.v.At(j, k)
		}
	}
	return out
}

// leaveOneOut returns the mean squared error of predicting each row from the
// others, the intercept's leverage 1/n included.
func (d *decomposition) leaveOneOut(lambda float64) float64 {
	n := float64(len(d.targets))
	total := 0.0
	for i, y := range d.targets {
		fitted, leverage := 0.0, 1/n
		for k, s := range d.s {
			u, shrink := d.u.At(i, k), s*s/(s*s+lambda)
			fitted += u * shrink * d.uy[k]
			leverage += u * u * shrink
		}
		r := (y - fitted) / (1 - leverage)
		total += r * r
	}
	return total / n
}

func (r *Ridge) kind() string { return "ridge" }
func (r *Ridge) width() int   { return len(r.Weights) }

func (r *Ridge) onto(g *onnx.Graph, x *onnx.Value) *onnx.Value {
	k := int64(len(r.Weights))
	centred := g.Op("Sub", x.Shape(), []*onnx.Value{x, g.Init("center", []int64{1, k}, float32s(r.Center))})
	product := g.Op("MatMul", one(x), []*onnx.Value{centred, g.Init("weights", []int64{k, 1}, float32s(r.Weights))})
	return g.Op("Add", one(x), []*onnx.Value{product, g.Init("bias", []int64{1}, []float32{float32(r.Bias)})})
}

func float32s(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}
