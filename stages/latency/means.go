package latency

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"hsnas/internal/config"
	"hsnas/internal/cost"
	"hsnas/internal/predictor"
	"hsnas/internal/published"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Datasets hold the ten means of HAT's features and no architectures, but the sums
// and products of the feature set hat-work follow from the means: a sum is a mean
// times the number of layers, and a Transformer has one width for all layers of a
// side.

// places of the means in published.LatencyRow.
const (
	encoderDim = iota
	encoderLayers
	encoderFFN
	encoderHeads
	decoderDim
	decoderLayers
	decoderFFN
	decoderHeads
	crossHeads
	crossSpan
)

// workOf are the raw columns of the feature set hat-work, in its order.
func workOf(m [10]float64) []float64 {
	encoder, decoder := m[encoderLayers], m[decoderLayers]
	return []float64{
		encoder, encoder * m[encoderDim], encoder * m[encoderHeads], encoder * m[encoderFFN] * m[encoderDim],
		decoder, decoder * m[decoderDim], m[decoderDim], decoder * m[decoderHeads], decoder * m[crossHeads],
		decoder * m[decoderFFN] * m[decoderDim], decoder * m[crossSpan], decoder * m[crossSpan] * m[encoderDim],
	}
}

// inputs are the rows of a dataset as a feature set of a task has them.
func inputs(rows []published.LatencyRow, f predictor.Features) ([][]float64, error) {
	out := make([][]float64, len(rows))
	for i, r := range rows {
		raw := r.Features[:]
		switch f.Name {
		case predictor.HATMeans:
		case predictor.HATWork:
			raw = workOf(r.Features)
		default:
			return nil, fmt.Errorf("the features %s do not follow from the means of a latency dataset", f.Name)
		}
		out[i] = make([]float64, len(raw))
		for j, v := range raw {
			out[i][j] = v / f.Scales[j]
		}
	}
	return out, nil
}

// flopsOf returns what makes FLOPs without the last layer of a row of hat-work: a
// line, which is exact, as the cost model of a Transformer is linear in these
// columns. A task whose model is not gets an error.
func flopsOf(t *task.Task, f predictor.Features) (func(work []float64) float64, error) {
	const n = 200
	r := rand.New(rand.NewPCG(1, 0x666c6f7073))
	archs := []space.Architecture{t.Space.Smallest(), t.Space.Largest()}
	for len(archs) < n {
		archs = append(archs, t.Space.Sample(r))
	}
	x, err := f.Rows(archs)
	if err != nil {
		return nil, err
	}
	flops := make([]float64, n)
	for i, a := range archs {
		c, err := cost.Of(t, a)
		if err != nil {
			return nil, err
		}
		flops[i] = float64(c.FLOPsWithoutLastLayer)
	}
	line, err := exactLine(x, flops)
	if err != nil {
		return nil, err
	}
	for i := range x {
		if math.Abs(line(x[i])-flops[i]) > 1e-6*flops[i] {
			return nil, config.Errorf("", 0, "the FLOPs of the task %s are not linear in the features %s", t.Name, f.Name)
		}
	}
	return line, nil
}

// exactLine solves y = a + w x by the singular value decomposition, for columns
// that may be constant or follow from others.
func exactLine(x [][]float64, y []float64) (func([]float64) float64, error) {
	k := len(x[0]) + 1
	a := mat.NewDense(len(x), k, nil)
	for i, row := range x {
		a.SetRow(i, append([]float64{1}, row...))
	}
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDThin) {
		return nil, fmt.Errorf("the singular value decomposition failed")
	}
	var w mat.Dense
	svd.SolveTo(&w, mat.NewDense(len(y), 1, y), svd.Rank(1e-10))
	return func(row []float64) float64 {
		sum := w.At(0, 0)
		for j, v := range row {
			sum += w.At(j+1, 0) * v
		}
		return sum
	}, nil
}
