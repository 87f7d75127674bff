package predictor

import (
	"context"
	"fmt"
	"math"
	"slices"

	"hsnas/internal/autodiff"
	"hsnas/internal/onnx"
	"hsnas/internal/ort"
)

// trainer runs the training step of an MLP: forward pass, gradients and Adam in
// one graph. Two sets of buffers take turns, one read and one written.
type trainer struct {
	widths  []int // features, hidden layers, 1
	adam    autodiff.Adam
	layout  autodiff.Parameters
	session *ort.Session
	sets    [2]buffers
	current int

	x, y, loss               *ort.Tensor
	size, correction, shrink *ort.Tensor
}

// buffers are the parameters and the two moments of Adam; views are the
// parameters layer by layer, over the same memory.
type buffers struct {
	parameters, first, second *ort.Tensor
	views                     []*ort.Tensor
}

func newTrainer(rt *ort.Runtime, p MLPParams, features int) (*trainer, error) {
	t := &trainer{widths: slices.Concat([]int{features}, p.Hidden, []int{1}), adam: p.adam()}
	for i := range len(t.widths) - 1 {
		in, out := int64(t.widths[i]), int64(t.widths[i+1])
		if err := t.layout.Add(fmt.Sprintf("layer%d.weight", i), in, out); err != nil {
			return nil, err
		}
		if err := t.layout.Add(fmt.Sprintf("layer%d.bias", i), out); err != nil {
			return nil, err
		}
	}
	model, err := t.graph(p.Batch)
	if err != nil {
		return nil, err
	}
	t.session, err = rt.LoadBytes(model, ort.Options{Name: "mlp training step", Threads: p.Threads, Optimization: ort.OptimizeBasic})
	if err != nil {
		return nil, err
	}
	if err := t.allocate(p.Batch); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// graph is one training step for batches of a fixed size.
func (t *trainer) graph(batch int) ([]byte, error) {
	g := onnx.NewGraph("mlp_training_step")
	n := onnx.Fixed(int64(batch))
	x := g.Input("x", onnx.Float32, n, onnx.Fixed(int64(t.widths[0])))
	y := g.Input("y", onnx.Float32, n, onnx.Fixed(1))
	flat := func(name string) *onnx.Value {
		return g.Input(name, onnx.Float32, onnx.Fixed(int64(t.layout.Size())))
	}
	state := autodiff.State{Parameters: flat("parameters"), First: flat("first"), Second: flat("second")}
	rates := t.adam.Inputs(g)
	views := t.layout.Inputs(g)
	loss := autodiff.SquareLoss(g, network(g, x, views), y)
	gradients, err := autodiff.Gradients(g, loss, views...)
	if err != nil {
		return nil, err
	}
	next := t.adam.Update(g, state, t.layout.Flatten(g, gradients), rates)
	g.Output("loss", loss)
	g.Output("next_parameters", next.Parameters)
	g.Output("next_first", next.First)
	g.Output("next_second", next.Second)
	return g.Marshal()
}

// network is the forward pass; values are weight and bias of each layer.
func network(g *onnx.Graph, x *onnx.Value, values []*onnx.Value) *onnx.Value {
	for i := 0; i < len(values); i += 2 {
		x = dense(g, x, values[i], values[i+1], i+2 < len(values))
	}
	return x
}

func (t *trainer) allocate(batch int) error {
	var firstError error
	floats := func(shape ...int64) *ort.Tensor {
		n, _ := ort.Elements(shape)
		tensor, err := ort.NewFloats(shape, make([]float32, n))
		if err != nil && firstError == nil {
			firstError = err
		}
		return tensor
	}
	b := int64(batch)
	t.x, t.y, t.loss = floats(b, int64(t.widths[0])), floats(b, 1), floats(1)
	t.size, t.correction, t.shrink = floats(1), floats(1), floats(1)
	for i := range t.sets {
		size := int64(t.layout.Size())
		set := buffers{parameters: floats(size), first: floats(size), second: floats(size)}
		if firstError != nil {
			return firstError
		}
		var err error
		if set.views, err = t.layout.Tensors(set.parameters.Floats()); err != nil {
			return err
		}
		t.sets[i] = set
	}
	return nil
}

// parameters is the flat vector that the next step reads.
func (t *trainer) parameters() []float32 { return t.sets[t.current].parameters.Floats() }

// step takes one step of Adam, counted from 1, on the batch in t.x and t.y and
// returns the loss before it.
func (t *trainer) step(ctx context.Context, step int, learningRate float64) (float64, error) {
	from, to := t.sets[t.current], t.sets[1-t.current]
	t.size.Floats()[0], t.correction.Floats()[0], t.shrink.Floats()[0] = t.adam.Rates(step, learningRate)
	in := []*ort.Tensor{t.x, t.y, from.parameters, from.first, from.second, t.size, t.correction}
	if t.adam.WeightDecay != 0 {
		in = append(in, t.shrink)
	}
	in = append(in, from.views...)
	out := []*ort.Tensor{t.loss, to.parameters, to.first, to.second}
	if err := t.session.Run(ctx, in, out); err != nil {
		return 0, err
	}
	t.current = 1 - t.current
	return float64(t.loss.Floats()[0]), nil
}

func (t *trainer) close() {
	if t.session != nil {
		t.session.Close()
	}
	for _, tensor := range []*ort.Tensor{t.x, t.y, t.loss, t.size, t.correction, t.shrink} {
		tensor.Destroy()
	}
	for _, set := range t.sets {
		for _, tensor := range append(set.views, set.parameters, set.first, set.second) {
			tensor.Destroy()
		}
	}
}

// validation keeps the parameters of the epoch that does best on rows that are
// not trained on. A nil *validation has no rows.
type validation struct {
	session  *ort.Session
	x, y     *ort.Tensor
	loss     *ort.Tensor
	flat     []float32 // the parameters under test
	views    []*ort.Tensor
	best     []float32
	bestLoss float64
	waited   int
	patience int
}

func newValidation(rt *ort.Runtime, p MLPParams, m *MLP, t *trainer) (*validation, error) {
	if len(p.ValidX) == 0 {
		return nil, nil
	}
	rows := m.standardise(p.ValidX, p.ValidY)
	n := int64(len(rows.y))
	g := onnx.NewGraph("mlp_validation")
	x := g.Input("x", onnx.Float32, onnx.Fixed(n), onnx.Fixed(int64(rows.width)))
	y := g.Input("y", onnx.Float32, onnx.Fixed(n), onnx.Fixed(1))
	g.Output("loss", autodiff.SquareLoss(g, network(g, x, t.layout.Inputs(g)), y))
	model, err := g.Marshal()
	if err != nil {
		return nil, err
	}
	v := &validation{flat: make([]float32, t.layout.Size()), bestLoss: math.Inf(1), patience: p.Patience}
	if v.session, err = rt.LoadBytes(model, ort.Options{Name: "mlp validation", Threads: p.Threads}); err != nil {
		return nil, err
	}
	if v.views, err = t.layout.Tensors(v.flat); err == nil {
		if v.x, err = ort.NewFloats([]int64{n, int64(rows.width)}, rows.x); err == nil {
			if v.y, err = ort.NewFloats([]int64{n, 1}, rows.y); err == nil {
				v.loss, err = ort.NewFloats([]int64{1}, make([]float32, 1))
			}
		}
	}
	if err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

// epoch looks at the parameters after an epoch and says whether to stop.
func (v *validation) epoch(ctx context.Context, flat []float32) (stop bool, err error) {
	if v == nil {
		return false, nil
	}
	copy(v.flat, flat)
	in := append([]*ort.Tensor{v.x, v.y}, v.views...)
	if err := v.session.Run(ctx, in, []*ort.Tensor{v.loss}); err != nil {
		return false, err
	}
	if loss := float64(v.loss.Floats()[0]); loss < v.bestLoss {
		v.bestLoss, v.waited = loss, 0
		v.best = append(v.best[:0], flat...)
		return false, nil
	}
	v.waited++
	return v.patience > 0 && v.waited >= v.patience, nil
}

// choice is the best epoch's parameters, or the last ones where there was none
// to choose by.
func (v *validation) choice(last []float32) []float32 {
	if v == nil || v.best == nil {
		return last
	}
	return v.best
}

func (v *validation) close() {
	if v == nil {
		return
	}
	v.session.Close()
	for _, tensor := range append(v.views, v.x, v.y, v.loss) {
		tensor.Destroy()
	}
}
