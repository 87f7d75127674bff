package autodiff

import (
	"fmt"

	"hsnas/internal/onnx"
)

// fusedMatMulRule: Y = alpha A' B', where A' and B' are A and B with their last
// two dimensions swapped where transA and transB say so.
func fusedMatMulRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	if n.IntAttr("transBatchA", 0)+n.IntAttr("transBatchB", 0) != 0 {
		return nil, fmt.Errorf("its batch dimensions are swapped")
	}
	alpha := onnx.Float("alpha", floatAttr(n, "alpha"))
	return t.factors(n, dy[0], func(x, y *onnx.Value, tx, ty int64, like *onnx.Value) *onnx.Value {
		return t.g.Op(onnx.MicrosoftDomain+":FusedMatMul", like.Shape(), []*onnx.Value{x, y}, alpha, onnx.Int("transA", tx), onnx.Int("transB", ty))
	}), nil
}

// softmaxRule, along the last axis: dx = y (dy - sum(y dy)).
func softmaxRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	y := n.Outputs[0]
	if axis := n.IntAttr("axis", -1); axis != -1 && axis != int64(len(y.Shape())-1) {
		return nil, fmt.Errorf("its axis %d is not the last", axis)
	}
	weighted := t.op("Mul", dy[0], y)
	return []*onnx.Value{t.op("Sub", weighted, t.op("Mul", y, t.sumLast(weighted)))}, nil
}

// sumLast is the sum along the last axis, which stays as 1.
func (t *tape) sumLast(v *onnx.Value) *onnx.Value {
	last := t.once("axis -1", func() *onnx.Value { return t.g.Ints(-1) })
	return t.g.Op("ReduceSum", t.lastReduced(v), []*onnx.Value{v, last}, onnx.Int("keepdims", 1))
}

// gatherRule, along the first axis: rows that were taken several times get the
// sum of their gradients.
func gatherRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	table, ids := n.Inputs[0], n.Inputs[1]
	if n.IntAttr("axis", 0) != 0 || len(table.Shape()) != 2 {
		return nil, fmt.Errorf("only rows of a matrix can be gathered")
	}
	zero := t.g.Op("ConstantOfShape", table.Shape(), []*onnx.Value{t.like(table)})
	return []*onnx.Value{t.addRows(zero, ids, dy[0]), nil}, nil
}

// addRows adds row i of rows [..., d] to row ids[i] of table [v, d].
func (t *tape) addRows(table, ids, rows *onnx.Value) *onnx.Value {
	add := onnx.String("reduction", "add")
	width := table.Shape()[1]
	flat := t.g.Op("Reshape", []onnx.Dim{onnx.Sym("rows"), width}, []*onnx.Value{rows, t.rowsOf(table)})
	column := t.g.OpT("Reshape", onnx.Int64, nil, []*onnx.Value{ids, t.g.Ints(-1, 1)})
	if t.options.Threads <= 1 {
		return t.g.Op("ScatterND", table.Shape(), []*onnx.Value{table, column, flat}, add)
	}
	each := t.g.OpT("Expand", onnx.Int64, nil, []*onnx.Value{column, t.g.OpT("Shape", onnx.Int64, nil, []*onnx.Value{flat})})
	return t.g.Op("ScatterElements", table.Shape(), []*onnx.Value{table, each, flat}, onnx.Axis(0), add)
}

// rowsOf is the shape of any number of rows like those of a matrix.
func (t *tape) rowsOf(matrix *onnx.Value) *onnx.Value {
	if width, ok := matrix.Shape()[1].Value(); ok {
		return t.once(fmt.Sprint("rows ", width), func() *onnx.Value { return t.g.Ints(-1, width) })
	}
	width := t.g.OpT("Shape", onnx.Int64, onnx.Dims(1), []*onnx.Value{matrix}, onnx.Int("start", 1))
	return t.g.OpT("Concat", onnx.Int64, onnx.Dims(2), []*onnx.Value{t.g.Ints(-1), width}, onnx.Axis(0))
}

// concatRule cuts the gradient at the joints.
func concatRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	axis := n.IntAttr("axis", 0)
	if axis < 0 {
		axis += int64(len(n.Outputs[0].Shape()))
	}
	outs := make([]onnx.Out, len(n.Inputs))
	constants, known := make([]int64, len(n.Inputs)), true
	for i, in := range n.Inputs {
		outs[i] = onnx.Out{Type: onnx.Float32, Shape: in.Shape()}
		size, ok := in.Shape()[axis].Value()
		constants[i], known = size, known && ok
	}
	if known {
		return t.g.OpN("Split", outs, []*onnx.Value{dy[0], t.g.Ints(constants...)}, onnx.Axis(axis)), nil
	}
	sizes := make([]*onnx.Value, len(n.Inputs))
	for i, in := range n.Inputs {
		sizes[i] = t.g.OpT("Shape", onnx.Int64, onnx.Dims(1), []*onnx.Value{in}, onnx.Int("start", axis), onnx.Int("end", axis+1))
	}
	all := t.g.OpT("Concat", onnx.Int64, onnx.Dims(int64(len(sizes))), sizes, onnx.Axis(0))
	return t.g.OpN("Split", outs, []*onnx.Value{dy[0], all}, onnx.Axis(axis)), nil
}

// splitRule joins the gradients of the parts, zeros where the loss does not
// depend on one.
func splitRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	parts := make([]*onnx.Value, len(dy))
	for i, d := range dy {
		if parts[i] = d; d == nil {
			out := n.Outputs[i]
			parts[i] = t.g.Op("ConstantOfShape", out.Shape(), []*onnx.Value{t.like(out)})
		}
	}
	dx := make([]*onnx.Value, len(n.Inputs))
	dx[0] = t.g.Op("Concat", n.Inputs[0].Shape(), parts, onnx.Axis(n.IntAttr("axis", 0)))
	return dx, nil
}

// sliceRule puts the gradient back where it was cut out, zeros around it.
func sliceRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	x, y := n.Inputs[0], n.Outputs[0]
	before, err := startsOf(n)
	if err != nil {
		return nil, err
	}
	rank := int64(len(x.Shape()))
	key := fmt.Sprint("pads ", n.Inputs[2].Name(), before, x.Shape(), y.Shape())
	pads := t.once(key, func() *onnx.Value {
		first := t.g.Ints(before...)
		after := t.g.OpT("Sub", onnx.Int64, onnx.Dims(rank), []*onnx.Value{t.like(x), t.like(y)})
		after = t.g.OpT("Sub", onnx.Int64, onnx.Dims(rank), []*onnx.Value{after, first})
		return t.g.OpT("Concat", onnx.Int64, onnx.Dims(2*rank), []*onnx.Value{first, after}, onnx.Axis(0))
	})
	dx := make([]*onnx.Value, len(n.Inputs))
	dx[0] = t.g.Op("Pad", x.Shape(), []*onnx.Value{dy[0], pads})
	return dx, nil
}

// startsOf is where a slice begins on each axis of its input. Starts and axes
// are constants; ends may be computed.
func startsOf(n *onnx.Node) ([]int64, error) {
	if len(n.Inputs) > 4 {
		return nil, fmt.Errorf("it has steps")
	}
	rank := len(n.Inputs[0].Shape())
	starts, err := constantInts(n, 1)
	if err != nil {
		return nil, fmt.Errorf("its starts: %w", err)
	}
	if len(n.Inputs) < 4 {
		return starts, nil
	}
	list, err := constantInts(n, 3)
	if err != nil {
		return nil, fmt.Errorf("its axes: %w", err)
	}
	out := make([]int64, rank)
	for i, axis := range list {
		if axis < 0 {
			axis += int64(rank)
		}
		out[axis] = starts[i]
	}
	return out, nil
}

func constantInts(n *onnx.Node, input int) ([]int64, error) {
	c := n.Inputs[input].Constant()
	if c == nil {
		return nil, fmt.Errorf("expected a constant, found %q", n.Inputs[input].Name())
	}
	return c.Int64s()
}
