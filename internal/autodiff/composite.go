package autodiff

import (
	"slices"

	"hsnas/internal/onnx"
)

// Composites are values of a graph that take several nodes to compute and whose
// gradient is known in closed form, with fewer and cheaper nodes than the chain
// rule through each of them gives. Their methods append the forward nodes; pass
// the Composites to [Options.Gradients]. The zero value is ready for use.
type Composites struct{ byNode map[*onnx.Node]composite }

// composite is differentiated from its output straight to its inputs.
type composite struct {
	inputs   []*onnx.Value
	gradient func(t *tape, dy *onnx.Value) []*onnx.Value // one for each input
}

// of returns the composite whose output the node computes.
func (c *Composites) of(n *onnx.Node) (composite, bool) {
	if c == nil {
		return composite{}, false
	}
	found, ok := c.byNode[n]
	return found, ok
}

func (c *Composites) define(out *onnx.Value, k composite) *onnx.Value {
	if c.byNode == nil {
		c.byNode = map[*onnx.Node]composite{}
	}
	c.byNode[out.Node()] = k
	return out
}

// LayerNorm appends (x - mean) / sqrt(variance + epsilon) * gain + bias along the
// last axis, x of shape [n, d], gain and bias [d] (Ba et al., 2016). ONNX's own
// operator of that name takes three times as long on the CPU.
//
// With h the normalised x and s = dy * gain, the gradient by x is
// (s - mean(s) - h mean(s h)) / sqrt(variance + epsilon).
func (c *Composites) LayerNorm(g *onnx.Graph, x, gain, bias *onnx.Value, epsilon float32) *onnx.Value {
	t := newTape(g)
	centred := t.op("Sub", x, t.meanLast(x))
	squares := g.Op("ReduceSumSquare", t.lastReduced(x), []*onnx.Value{centred}, onnx.IntsAttr("axes", -1), onnx.Int("keepdims", 1))
	variance := t.op("Div", squares, t.size(gain))
	inverse := t.op("Reciprocal", t.op("Sqrt", t.op("Add", variance, g.Scalar(epsilon))))
	h := t.op("Mul", centred, inverse)
	y := t.op("Add", t.op("Mul", h, gain), bias)
	return c.define(y, composite{
		inputs: []*onnx.Value{x, gain, bias},
		gradient: func(t *tape, dy *onnx.Value) []*onnx.Value {
			weighted := t.op("Mul", dy, h)
			// A mean over the last axis of a product with gain is a product with a column.
			column := t.gainColumn(gain)
			s := t.op("Mul", dy, gain)
			projection := t.op("Mul", h, t.matMul(weighted, column))
			dx := t.op("Sub", t.op("Sub", s, t.matMul(dy, column)), projection)
			return []*onnx.Value{
				t.op("Mul", dx, inverse), t.unbroadcast(weighted, gain.Shape()), t.unbroadcast(dy, bias.Shape()),
			}
		},
	})
}

// meanLast is the mean along the last axis, which stays as 1.
func (t *tape) meanLast(v *onnx.Value) *onnx.Value {
	return t.g.Op("ReduceMean", t.lastReduced(v), []*onnx.Value{v}, onnx.IntsAttr("axes", -1), onnx.Int("keepdims", 1))
}

// lastReduced is the shape of v with the last axis reduced to 1.
func (t *tape) lastReduced(v *onnx.Value) []onnx.Dim {
	shape := slices.Clone(v.Shape())
	shape[len(shape)-1] = onnx.Fixed(1)
	return shape
}

// gainColumn is gain / d as a column [d, 1].
func (t *tape) gainColumn(gain *onnx.Value) *onnx.Value {
	share := t.op("Div", gain, t.size(gain))
	return t.g.Op("Reshape", []onnx.Dim{gain.Shape()[0], onnx.Fixed(1)}, []*onnx.Value{share, t.g.Ints(-1, 1)})
}

// SmoothedCrossEntropy appends the cross entropy of the softmax over x table^T
// with smoothed targets (Szegedy et al., 2016), summed over the rows with their
// weights: a value of shape [1]. x is [n, d], table [v, d] one row for each class,
// targets int64 [n], weights float32 [n, 1]. The target distribution is
// 1 - smoothing on the target plus smoothing spread over all classes.
//
// With p the softmax, w the weights and T the rows of table that the targets
// name, the gradient by x is w (p table - smoothing/v sum(table) - (1 - smoothing) T).
// Only the two matrix products and the softmax itself touch all n v numbers: the
// log-probabilities are never written out.
func (c *Composites) SmoothedCrossEntropy(g *onnx.Graph, x, table, targets, weights *onnx.Value, classes int, smoothing float32) *onnx.Value {
	t := newTape(g)
	n, width := x.Shape()[0], x.Shape()[1]
	logits := g.Op("Gemm", []onnx.Dim{n, table.Shape()[0]}, []*onnx.Value{x, table}, onnx.Int("transB", 1))
	p := g.Op("Softmax", logits.Shape(), []*onnx.Value{logits}, onnx.Axis(-1))
	highest := func(v *onnx.Value) *onnx.Value {
		return g.Op("ReduceMax", []onnx.Dim{n, onnx.Fixed(1)}, []*onnx.Value{v}, onnx.IntsAttr("axes", -1), onnx.Int("keepdims", 1))
	}
	// The largest probability is exp(largest logit - log-sum-exp).
	logSum := t.op("Sub", highest(logits), g.Op("Log", []onnx.Dim{n, onnx.Fixed(1)}, []*onnx.Value{highest(p)}))
	rows := g.Op("Gather", []onnx.Dim{n, width}, []*onnx.Value{table, targets}, onnx.Axis(0))
	spread, kept := g.Scalar(smoothing/float32(classes)), g.Scalar(1-smoothing)
	total := g.Op("ReduceSum", []onnx.Dim{width}, []*onnx.Value{table, g.Ints(0)}, onnx.Int("keepdims", 0))
	// What the target distribution weighs the rows of the table with.
	expected := t.op("Add", t.op("Mul", rows, kept), t.op("Mul", total, spread))
	entropy := t.op("Mul", t.op("Sub", logSum, t.sumLast(t.op("Mul", x, expected))), weights)
	loss := g.Op("ReduceSum", onnx.Dims(1), []*onnx.Value{entropy, g.Ints(0)}, onnx.Int("keepdims", 0))
	return c.define(loss, composite{
		inputs: []*onnx.Value{x, table},
		gradient: func(t *tape, dy *onnx.Value) []*onnx.Value {
			scaled := t.op("Mul", weights, dy)
			predicted := g.Op("Gemm", x.Shape(), []*onnx.Value{p, table})
			dx := t.op("Mul", t.op("Sub", predicted, expected), scaled)

			weighted := t.op("Mul", x, scaled)
			sum := g.Op("ReduceSum", []onnx.Dim{width}, []*onnx.Value{weighted, g.Ints(0)}, onnx.Int("keepdims", 0))
			bias := t.op("Neg", t.op("Mul", sum, spread))
			dtable := g.Op("Gemm", table.Shape(), []*onnx.Value{p, weighted, bias}, onnx.Int("transA", 1))
			dtable = t.addRows(dtable, targets, t.op("Neg", t.op("Mul", weighted, kept)))
			return []*onnx.Value{dx, dtable}
		},
	})
}
