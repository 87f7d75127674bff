package predictor

import (
	"fmt"
	"math"

	"hsnas/internal/onnx"
)

// MLPParams configures TrainMLP. The zero value is the regressor of the paper
// (arXiv 2310.16712, after HAT): four hidden layers of 400 rectified units,
// mean squared error, Adam.
type MLPParams struct {
	Hidden       []int   // widths of the hidden layers; nil means 400, 400, 400, 400
	Steps        int     // steps of Adam at most; 0 means 3000
	Batch        int     // rows of a step, at most all rows; 0 means 128
	LearningRate float64 // at the first step, from where it falls to 0 along half a cosine; 0 means 1e-3
	WeightDecay  float64 // decoupled, as a fraction of the learning rate

	// ValidX and ValidY are rows to choose by: the parameters of the epoch with
	// the smallest loss on them are the ones kept. Without them the last step's
	// are.
	ValidX [][]float64
	ValidY []float64
	// Patience ends the training when the loss on the validation rows has not
	// fallen for so many epochs; 0 means never.
	Patience int

	Seed    uint64 // initial parameters and the order of the rows
	Threads int    // 0 means 1; more do not change the result
}

func (p MLPParams) defaults(rows int) MLPParams {
	if p.Hidden == nil {
		p.Hidden = []int{400, 400, 400, 400}
	}
	if p.Steps == 0 {
		p.Steps = 3000
	}
	if p.Batch == 0 {
		p.Batch = 128
	}
	p.Batch = min(p.Batch, rows)
	if p.LearningRate == 0 {
		p.LearningRate = 1e-3
	}
	return p
}

// check refuses parameters and rows that cannot be trained on.
func (p MLPParams) check(x [][]float64, y []float64) error {
	switch {
	case len(x) < 2:
		return fmt.Errorf("%d training rows, expected at least 2", len(x))
	case len(x[0]) == 0:
		return fmt.Errorf("the rows have no features")
	case p.Steps < 0, p.Batch < 0, p.Patience < 0, p.LearningRate < 0, p.WeightDecay < 0:
		return fmt.Errorf("steps, batch, patience, learning rate and weight decay must not be negative")
	}
	for i, width := range p.Hidden {
		if width < 1 {
			return fmt.Errorf("hidden layer %d has width %d, expected at least 1", i+1, width)
		}
	}
	if err := checkRows("training", x, y, len(x[0])); err != nil {
		return err
	}
	return checkRows("validation", p.ValidX, p.ValidY, len(x[0]))
}

func checkRows(what string, x [][]float64, y []float64, width int) error {
	if len(x) != len(y) {
		return fmt.Errorf("%d %s rows, but %d targets", len(x), what, len(y))
	}
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	for i, row := range x {
		if len(row) != width {
			return fmt.Errorf("%s row %d has %d features, expected %d", what, i, len(row), width)
		}
		for j, v := range row {
			if !finite(v) {
				return fmt.Errorf("%s row %d: feature %d is %v, expected a finite number", what, i, j, v)
			}
		}
		if !finite(y[i]) {
			return fmt.Errorf("%s row %d: target is %v, expected a finite number", what, i, y[i])
		}
	}
	return nil
}

// MLP is a trained regressor: rows are standardised, pass the layers, and the
// result is brought back to the target's units.
type MLP struct {
	layers []layer
	inputs []scale // of each feature
	target scale
}

// layer is y = x w + b with w [in, out] in row-major order; all but the last
// are rectified.
type layer struct {
	in, out int
	w, b    []float32
}

// scale takes mean off and divides by std.
type scale struct{ mean, std float32 }

// scaleOf returns the mean and population standard deviation of n values; a
// constant is left at its distance from the mean, which is 0.
func scaleOf(n int, value func(i int) float64) scale {
	var sum, squares float64
	for i := range n {
		sum += value(i)
	}
	mean := sum / float64(n)
	for i := range n {
		d := value(i) - mean
		squares += d * d
	}
	std := math.Sqrt(squares / float64(n))
	if std <= 1e-12*math.Abs(mean) || std == 0 {
		std = 1
	}
	return scale{float32(mean), float32(std)}
}

func (s scale) apply(x float64) float32 { return (float32(x) - s.mean) / s.std }

// Regress returns the prediction for one row of raw features, in plain Go. It
// equals the exported model to 1e-5 of the target's spread.
func (m *MLP) Regress(row []float64) float64 {
	h := make([]float64, len(row))
	for i, x := range row {
		h[i] = float64(m.inputs[i].apply(x))
	}
	for i, l := range m.layers {
		h = l.forward(h, i < len(m.layers)-1)
	}
	return h[0]*float64(m.target.std) + float64(m.target.mean)
}

func (l layer) forward(x []float64, rectify bool) []float64 {
	y := make([]float64, l.out)
	for j := range y {
		y[j] = float64(l.b[j])
	}
	for i, v := range x {
		if v == 0 {
			continue
		}
		for j, w := range l.w[i*l.out : (i+1)*l.out] {
			y[j] += v * float64(w)
		}
	}
	if rectify {
		for j, v := range y {
			y[j] = max(v, 0)
		}
	}
	return y
}

func (m *MLP) kind() string { return "mlp" }
func (m *MLP) width() int   { return len(m.inputs) }

func (m *MLP) onto(g *onnx.Graph, h *onnx.Value) *onnx.Value {
	k := int64(len(m.inputs))
	mean, std := make([]float32, k), make([]float32, k)
	for i, s := range m.inputs {
		mean[i], std[i] = s.mean, s.std
	}
	h = g.Op("Sub", h.Shape(), []*onnx.Value{h, g.Init("feature_mean", []int64{k}, mean)})
	h = g.Op("Div", h.Shape(), []*onnx.Value{h, g.Init("feature_std", []int64{k}, std)})
	for i, l := range m.layers {
		w := g.Init(fmt.Sprintf("layer%d.weight", i), []int64{int64(l.in), int64(l.out)}, l.w)
		b := g.Init(fmt.Sprintf("layer%d.bias", i), []int64{int64(l.out)}, l.b)
		h = dense(g, h, w, b, i < len(m.layers)-1)
	}
	h = g.Op("Mul", h.Shape(), []*onnx.Value{h, g.Init("target_std", []int64{1}, []float32{m.target.std})})
	return g.Op("Add", h.Shape(), []*onnx.Value{h, g.Init("target_mean", []int64{1}, []float32{m.target.mean})})
}

// dense appends a layer.
func dense(g *onnx.Graph, x, w, b *onnx.Value, rectify bool) *onnx.Value {
	shape := []onnx.Dim{x.Shape()[0], w.Shape()[1]}
	y := g.Op("Gemm", shape, []*onnx.Value{x, w, b})
	if rectify {
		y = g.Op("Relu", shape, []*onnx.Value{y})
	}
	return y
}
