package autodiff_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"hsnas/internal/autodiff"
	"hsnas/internal/onnx"
	"hsnas/internal/ort"
	"hsnas/internal/ort/orttest"
)

// operand is an input of a graph under test: its values, and its shape as the
// graph declares it (nil: as it is).
type operand struct {
	shape    []int64
	declared []onnx.Dim
	positive bool // values in [0.5, 2]: roots and divisors
}

func (o operand) dims() []onnx.Dim {
	if o.declared != nil {
		return o.declared
	}
	return onnx.Dims(o.shape...)
}

// project reduces y to one number that depends on each of its elements
// differently: the sum of squares of y plus its index-weighted sum would hide
// less, but a fixed random direction is linear and exact.
func project(g *onnx.Graph, y *onnx.Value, size int) *onnx.Value {
	r := rand.New(rand.NewPCG(7, 7))
	direction := make([]float32, size)
	for i := range direction {
		direction[i] = r.Float32()*2 - 1
	}
	flat := g.Op("Reshape", onnx.Dims(1, int64(size)), []*onnx.Value{y, g.Ints(1, -1)})
	return g.Op("MatMul", onnx.Dims(1, 1), []*onnx.Value{flat, g.Floats([]int64{int64(size), 1}, direction)})
}

// check compares the gradients of a graph by each operand with central
// differences of its loss.
func check(t *testing.T, threads int, operands []operand, build func(g *onnx.Graph, in []*onnx.Value) *onnx.Value) {
	t.Helper()
	composites = autodiff.Composites{}
	g := onnx.NewGraph("test")
	inputs := make([]*onnx.Value, len(operands))
	for i, o := range operands {
		inputs[i] = g.Input(fmt.Sprintf("in%d", i), onnx.Float32, o.dims()...)
	}
	loss := build(g, inputs)
	gradients, err := autodiff.Options{Composites: &composites, Threads: threads}.Gradients(g, loss, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	g.Output("loss", loss)
	for i, d := range gradients {
		g.Output(fmt.Sprintf("d%d", i), d)
	}
	run := runner(t, g, operands)
	exact := run()
	for i := range operands {
		analytic := exact[i+1].Floats()
		x := exact.input(i)
		for j := range x {
			at := func(h float32) float64 {
				was := x[j]
				defer func() { x[j] = was }()
				x[j] = was + h
				up := run()[0].Floats()[0]
				x[j] = was - h
				return float64(up-run()[0].Floats()[0]) / (2 * float64(h))
			}
			// Richardson's extrapolation: two steps cancel the error of second order.
			numeric := (4*at(1e-2) - at(2e-2)) / 3
			if diff := math.Abs(numeric - float64(analytic[j])); diff > 2e-3*(1+math.Abs(numeric)) {
				t.Errorf("d loss / d in%d[%d] = %v, central difference %v", i, j, analytic[j], numeric)
			}
		}
	}
}

var inputData = map[*ort.Tensor][]*ort.Tensor{}

// results are the outputs of one run: the loss, then the gradients.
type results []*ort.Tensor

// input returns the values of the i-th operand that the run read.
func (r results) input(i int) []float32 { return inputData[r[0]][i].Floats() }

// session opens a graph, for as long as the test runs.
func session(t *testing.T, g *onnx.Graph) *ort.Session {
	t.Helper()
	model, err := g.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	s, err := orttest.Open(t).LoadBytes(model, ort.Options{Name: t.Name(), Optimization: ort.OptimizeBasic})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func runner(t *testing.T, g *onnx.Graph, operands []operand) func() results {
	t.Helper()
	s := session(t, g)
	r := rand.New(rand.NewPCG(1, 2))
	in := make([]*ort.Tensor, len(operands))
	for i, o := range operands {
		n, err := ort.Elements(o.shape)
		if err != nil {
			t.Fatal(err)
		}
		data := make([]float32, n)
		for j := range data {
			// Away from zero, where rectifiers have no derivative.
			if data[j] = r.Float32() + 0.2; !o.positive && r.IntN(2) == 0 {
				data[j] = -data[j]
			}
		}
		if in[i], err = ort.NewFloats(o.shape, data); err != nil {
			t.Fatal(err)
		}
	}
	return func() results {
		out := make([]*ort.Tensor, len(operands)+1)
		if err := s.Run(context.Background(), in, out); err != nil {
			t.Fatal(err)
		}
		inputData[out[0]] = in
		return out
	}
}

func of(shape ...int64) operand { return operand{shape: shape} }

func batch(shape ...int64) operand {
	o := operand{shape: shape, declared: onnx.Dims(shape...)}
	o.declared[0] = onnx.Sym("n")
	return o
}

func TestGradientsAgainstDifferences(t *testing.T) {
	binary := func(op string, out ...int64) func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
		return func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
			return project(g, g.Op(op, onnx.Dims(out...), in), size(out))
		}
	}
	unary := binary
	with := func(op string, out []int64, attrs ...onnx.Attr) func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
		return func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
			return project(g, g.Op(op, onnx.Dims(out...), in, attrs...), size(out))
		}
	}
	reduce := func(out []int64, keep int64, axes ...int64) func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
		return func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
			y := g.Op("ReduceSum", onnx.Dims(out...), []*onnx.Value{in[0], g.Ints(axes...)}, onnx.Int("keepdims", keep))
			return project(g, y, size(out))
		}
	}
	positive := operand{shape: []int64{2, 3}, positive: true}
	for _, test := range []struct {
		name     string
		operands []operand
		build    func(g *onnx.Graph, in []*onnx.Value) *onnx.Value
	}{
		{"Add", []operand{of(2, 3), of(2, 3)}, binary("Add", 2, 3)},
		{"Add bias", []operand{of(2, 3), of(3)}, binary("Add", 2, 3)},
		{"Add outer", []operand{of(2, 1), of(1, 3)}, binary("Add", 2, 3)},
		{"Sub", []operand{of(2, 3), of(2, 3)}, binary("Sub", 2, 3)},
		{"Sub from row", []operand{of(1, 3), of(2, 3)}, binary("Sub", 2, 3)},
		{"Mul", []operand{of(2, 3), of(2, 3)}, binary("Mul", 2, 3)},
		{"Mul deep", []operand{of(2, 2, 3), of(2, 1)}, binary("Mul", 2, 2, 3)},
		{"Mul one", []operand{of(2, 3), of(1)}, binary("Mul", 2, 3)},
		{"Div", []operand{of(2, 3), positive}, binary("Div", 2, 3)},
		{"Neg", []operand{of(2, 3)}, unary("Neg", 2, 3)},
		{"Sqrt", []operand{positive}, unary("Sqrt", 2, 3)},
		{"Relu", []operand{of(3, 4)}, unary("Relu", 3, 4)},
		{"Identity", []operand{of(3)}, unary("Identity", 3)},
		{"MatMul", []operand{of(2, 3), of(3, 4)}, binary("MatMul", 2, 4)},
		{"MatMul batch", []operand{of(2, 2, 3), of(2, 3, 2)}, binary("MatMul", 2, 2, 2)},
		{"MatMul repeated", []operand{of(2, 2, 3), of(3, 2)}, binary("MatMul", 2, 2, 2)},
		{"Gemm", []operand{of(2, 3), of(3, 4), of(4)}, with("Gemm", []int64{2, 4})},
		{"Gemm no bias", []operand{of(2, 3), of(3, 4)}, with("Gemm", []int64{2, 4}, onnx.Float("alpha", 0.5))},
		{"Gemm transB", []operand{of(2, 3), of(4, 3), of(1, 4)}, with("Gemm", []int64{2, 4}, onnx.Int("transB", 1), onnx.Float("beta", 2))},
		{"Gemm transA", []operand{of(3, 2), of(3, 4), of(2, 1)}, with("Gemm", []int64{2, 4}, onnx.Int("transA", 1), onnx.Float("alpha", -1.5))},
		{"Gemm transAB", []operand{of(3, 2), of(4, 3), of(2, 4)}, with("Gemm", []int64{2, 4}, onnx.Int("transA", 1), onnx.Int("transB", 1))},
		{"ReduceSum", []operand{of(2, 3)}, reduce([]int64{2, 1}, 1, 1)},
		{"ReduceSum dropped", []operand{of(2, 3, 2)}, reduce([]int64{3}, 0, 0, -1)},
		{"ReduceMean", []operand{of(2, 3)}, with("ReduceMean", []int64{1, 3}, onnx.IntsAttr("axes", 0), onnx.Int("keepdims", 1))},
		{"ReduceMean dropped", []operand{of(2, 3)}, with("ReduceMean", []int64{2}, onnx.IntsAttr("axes", -1), onnx.Int("keepdims", 0))},
		{"Transpose", []operand{of(2, 3, 4)}, with("Transpose", []int64{4, 2, 3}, onnx.Perm(2, 0, 1))},
		{"Transpose plain", []operand{of(2, 3)}, with("Transpose", []int64{3, 2})},
		{"Reshape", []operand{of(2, 6)}, func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
			y := g.Op("Reshape", onnx.Dims(3, 4), []*onnx.Value{in[0], g.Ints(3, 4)})
			return project(g, g.Op("Mul", onnx.Dims(3, 4), []*onnx.Value{y, y}), 12)
		}},
		{"value used twice", []operand{of(2, 3)}, func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
			y := g.Op("Relu", onnx.Dims(2, 3), in)
			y = g.Op("Add", onnx.Dims(2, 3), []*onnx.Value{y, in[0]})
			return project(g, g.Op("Mul", onnx.Dims(2, 3), []*onnx.Value{y, in[0]}), 6)
		}},
		{"SquareLoss", []operand{of(4, 1), of(4, 1)}, func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
			return autodiff.SquareLoss(g, in[0], in[1])
		}},
		{"SquareLoss of any batch", []operand{batch(5, 2), batch(5, 2)}, func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
			return autodiff.SquareLoss(g, in[0], in[1])
		}},
		{"Softmax", []operand{of(2, 3, 4)}, with("Softmax", []int64{2, 3, 4}, onnx.Axis(-1))},
		{"FusedMatMul", []operand{of(2, 2, 3), of(2, 3, 2)}, with("com.microsoft:FusedMatMul", []int64{2, 2, 2}, onnx.Float("alpha", 0.5))},
		{"FusedMatMul transA", []operand{of(2, 3, 2), of(2, 3, 4)}, with("com.microsoft:FusedMatMul", []int64{2, 2, 4}, onnx.Int("transA", 1))},
		{"FusedMatMul transB", []operand{of(2, 2, 3), of(2, 4, 3)}, with("com.microsoft:FusedMatMul", []int64{2, 2, 4}, onnx.Int("transB", 1), onnx.Float("alpha", -2))},
		{"FusedMatMul transAB", []operand{of(2, 3, 2), of(2, 4, 3)}, with("com.microsoft:FusedMatMul", []int64{2, 2, 4}, onnx.Int("transA", 1), onnx.Int("transB", 1))},
		{"Gather", []operand{of(4, 3)}, func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
			return project(g, g.Op("Gather", onnx.Dims(5, 3), []*onnx.Value{in[0], g.Ints(1, 3, 1, 0, 1)}), 15)
		}},
		{"Concat", []operand{of(2, 3), of(2, 1)}, with("Concat", []int64{2, 4}, onnx.Axis(1))},
		{"Concat of any batch", []operand{batch(2, 3), batch(4, 3)}, with("Concat", []int64{6, 3}, onnx.Axis(0))},
		{"Split", []operand{of(2, 5)}, func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
			parts := g.OpN("Split", []onnx.Out{{Type: onnx.Float32, Shape: onnx.Dims(2, 2)}, {Type: onnx.Float32, Shape: onnx.Dims(2, 3)}},
				[]*onnx.Value{in[0], g.Ints(2, 3)}, onnx.Axis(1))
			return project(g, g.Op("Mul", onnx.Dims(2, 3), []*onnx.Value{parts[1], parts[1]}), 6) // the first part is not used
		}},
		{"Slice", []operand{of(4, 5)}, func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
			return project(g, g.Op("Slice", onnx.Dims(2, 3), []*onnx.Value{in[0], g.Ints(1, 0), g.Ints(3, 3)}), 6)
		}},
		{"Slice of one axis", []operand{of(4, 5)}, func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
			return project(g, g.Op("Slice", onnx.Dims(4, 2), []*onnx.Value{in[0], g.Ints(1), g.Ints(3), g.Ints(-1)}), 8)
		}},
		{"LayerNorm", []operand{of(3, 4), of(4), of(4)}, layerNorm},
		{"LayerNorm of any batch", []operand{batch(3, 4), of(4), of(4)}, layerNorm},
		{"SmoothedCrossEntropy", []operand{of(5, 3), of(4, 3)}, crossEntropy(0.1)},
		{"CrossEntropy of any batch", []operand{batch(5, 3), of(4, 3)}, crossEntropy(0)},
		{"two-layer model", []operand{batch(4, 3), of(3, 5), of(5), of(5, 1), of(1), batch(4, 1)}, twoLayers},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, 1, test.operands, test.build)
			check(t, 2, test.operands, test.build)
		})
	}
}

// composites of the graph under test.
var composites autodiff.Composites

func layerNorm(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
	return project(g, composites.LayerNorm(g, in[0], in[1], in[2], 1e-5), 12)
}

// crossEntropy of five rows over four classes, one row without weight.
func crossEntropy(smoothing float32) func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
	return func(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
		weights := g.Floats([]int64{5, 1}, []float32{0.5, 0.25, 0, 0.5, 1})
		return composites.SmoothedCrossEntropy(g, in[0], in[1], g.Ints(2, 0, 1, 3, 2), weights, 4, smoothing)
	}
}

// twoLayers is the loss of a small regressor: x, w1, b1, w2, b2, target.
func twoLayers(g *onnx.Graph, in []*onnx.Value) *onnx.Value {
	n := in[0].Shape()[0]
	h := g.Op("Gemm", []onnx.Dim{n, onnx.Fixed(5)}, []*onnx.Value{in[0], in[1], in[2]})
	h = g.Op("Relu", h.Shape(), []*onnx.Value{h})
	y := g.Op("Gemm", []onnx.Dim{n, onnx.Fixed(1)}, []*onnx.Value{h, in[3], in[4]})
	return autodiff.SquareLoss(g, y, in[5])
}

func size(shape []int64) int {
	n := 1
	for _, d := range shape {
		n *= int(d)
	}
	return n
}

func TestGradientErrors(t *testing.T) {
	g := onnx.NewGraph("test")
	x := g.Input("x", onnx.Float32, onnx.Dims(2)...)
	other := g.Input("other", onnx.Float32, onnx.Dims(2)...)
	erf := g.Op("Erf", onnx.Dims(2), []*onnx.Value{x})
	loss := g.Op("ReduceSum", onnx.Dims(1), []*onnx.Value{erf, g.Ints(0)})
	for _, test := range []struct {
		loss, by *onnx.Value
		want     string
	}{
		{erf, x, `autodiff: loss "erf_1" has shape [2], expected one element`},
		{loss, x, `autodiff: operator Erf, which computes "erf_1", has no gradient rule`},
		{loss, other, `autodiff: loss "` + loss.Name() + `" does not depend on "other"`},
	} {
		if _, err := autodiff.Gradients(g, test.loss, test.by); err == nil || err.Error() != test.want {
			t.Errorf("error %v, expected %s", err, test.want)
		}
	}
}

// TestAdam follows the three steps of Adam on f(x) = x^2 computed by hand in
// float64: the published algorithm, not this package's.
func TestAdam(t *testing.T) {
	for _, decay := range []float64{0, 0.1} {
		adam := autodiff.Adam{Beta2: 0.99, WeightDecay: decay}
		g := onnx.NewGraph("adam")
		in := func(name string) *onnx.Value { return g.Input(name, onnx.Float32, onnx.Fixed(2)) }
		state := autodiff.State{Parameters: in("p"), First: in("m"), Second: in("v")}
		gradient := in("g")
		next := adam.Update(g, state, gradient, adam.Inputs(g))
		g.Output("p2", next.Parameters)
		g.Output("m2", next.First)
		g.Output("v2", next.Second)
		s := session(t, g)

		p, m, v := []float32{1, -3}, []float32{0, 0}, []float32{0, 0}
		x, mean, square := []float64{1, -3}, []float64{0, 0}, []float64{0, 0}
		for step := 1; step <= 3; step++ {
			stepSize, correction, shrink := adam.Rates(step, 0.1)
			feeds := map[string]*ort.Tensor{}
			for name, data := range map[string][]float32{
				"p": p, "m": m, "v": v, "g": {2 * p[0], 2 * p[1]},
				"adam.step": {stepSize}, "adam.correction": {correction}, "adam.shrink": {shrink},
			} {
				if name == "adam.shrink" && decay == 0 {
					continue
				}
				var err error
				if feeds[name], err = ort.NewFloats([]int64{int64(len(data))}, data); err != nil {
					t.Fatal(err)
				}
			}
			out, err := s.RunNamed(context.Background(), feeds)
			if err != nil {
				t.Fatal(err)
			}
			p, m, v = out["p2"].Floats(), out["m2"].Floats(), out["v2"].Floats()
			for i := range x {
				d := 2 * x[i]
				mean[i] = 0.9*mean[i] + 0.1*d
				square[i] = 0.99*square[i] + 0.01*d*d
				unbiased, spread := mean[i]/(1-math.Pow(0.9, float64(step))), square[i]/(1-math.Pow(0.99, float64(step)))
				x[i] = x[i]*(1-0.1*decay) - 0.1*unbiased/(math.Sqrt(spread)+1e-8)
				if math.Abs(float64(p[i])-x[i]) > 1e-5 {
					t.Fatalf("decay %v, step %d: p[%d] = %v, expected %v", decay, step, i, p[i], x[i])
				}
			}
		}
	}
}

func TestParameters(t *testing.T) {
	var p autodiff.Parameters
	for name, shape := range map[string][]int64{"w": {2, 3}} {
		if err := p.Add(name, shape...); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Add("b", 3); err != nil {
		t.Fatal(err)
	}
	flat := make([]float32, p.Size())
	p.View(flat, 1)[2] = 5
	if p.Size() != 9 || p.Len() != 2 || flat[8] != 5 || cap(p.View(flat, 0)) != 6 {
		t.Errorf("size %d, flat %v", p.Size(), flat)
	}
	if err := p.Add("bad", 2, -1); err == nil || !strings.HasPrefix(err.Error(), "parameter bad: ") {
		t.Errorf("error %v", err)
	}
	if _, err := p.Tensors(flat[1:]); err == nil || err.Error() != "parameters: a vector of 8 elements, expected 9" {
		t.Errorf("error %v", err)
	}
}
