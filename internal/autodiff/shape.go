package autodiff

import (
	"fmt"
	"slices"

	"hsnas/internal/onnx"
)

// op appends an elementwise operator with broadcasting.
func (t *tape) op(name string, in ...*onnx.Value) *onnx.Value {
	shape := in[0].Shape()
	for _, v := range in[1:] {
		shape = broadcast(shape, v.Shape())
	}
	return t.g.Op(name, shape, in)
}

// ones is a constant of ones; shape holds one element.
func (t *tape) ones(shape []onnx.Dim) *onnx.Value {
	sizes := make([]int64, len(shape))
	for i := range sizes {
		sizes[i] = 1
	}
	return t.g.Floats(sizes, []float32{1})
}

// broadcast is the shape of an elementwise operator's output.
func broadcast(a, b []onnx.Dim) []onnx.Dim {
	out := make([]onnx.Dim, max(len(a), len(b)))
	for i := range out {
		x, y := dimFromEnd(a, len(out)-i), dimFromEnd(b, len(out)-i)
		if out[i] = x; x == onnx.Fixed(1) {
			out[i] = y
		}
	}
	return out
}

// dimFromEnd is the k-th dimension counted from the end (1 is the last); missing
// leading dimensions are 1.
func dimFromEnd(shape []onnx.Dim, k int) onnx.Dim {
	if k > len(shape) {
		return onnx.Fixed(1)
	}
	return shape[len(shape)-k]
}

// unbroadcast sums dy over the dimensions along which a value of shape was
// repeated.
func (t *tape) unbroadcast(dy *onnx.Value, shape []onnx.Dim) *onnx.Value {
	if slices.Equal(dy.Shape(), shape) {
		return dy
	}
	extra := len(dy.Shape()) - len(shape)
	var leading, repeated []int64
	for i, d := range dy.Shape() {
		switch {
		case i < extra:
			leading = append(leading, int64(i))
		case shape[i-extra] == onnx.Fixed(1) && d != onnx.Fixed(1):
			repeated = append(repeated, int64(i))
		}
	}
	if len(repeated) > 0 {
		summed := slices.Clone(dy.Shape())
		for _, axis := range repeated {
			summed[axis] = onnx.Fixed(1)
		}
		dy = t.g.Op("ReduceSum", summed, []*onnx.Value{dy, t.g.Ints(repeated...)}, onnx.Int("keepdims", 1))
	}
	if len(leading) > 0 {
		dy = t.g.Op("ReduceSum", shape, []*onnx.Value{dy, t.g.Ints(leading...)}, onnx.Int("keepdims", 0))
	}
	return dy
}

// like returns the shape of v as an int64 vector: a constant where all its
// dimensions are fixed, else a Shape node.
func (t *tape) like(v *onnx.Value) *onnx.Value {
	if sizes, ok := fixed(v.Shape()); ok {
		return t.g.Ints(sizes...)
	}
	return t.g.OpT("Shape", onnx.Int64, onnx.Dims(int64(len(v.Shape()))), []*onnx.Value{v})
}

// reshapeTo is like for the second input of Reshape, which can find one dimension
// by itself.
func (t *tape) reshapeTo(v *onnx.Value) *onnx.Value {
	sizes, unknown := make([]int64, len(v.Shape())), 0
	for i, d := range v.Shape() {
		size, ok := d.Value()
		if sizes[i] = size; !ok {
			sizes[i] = -1
			unknown++
		}
	}
	if unknown > 1 {
		return t.like(v)
	}
	return t.once(fmt.Sprint("reshape ", sizes), func() *onnx.Value { return t.g.Ints(sizes...) })
}

func fixed(shape []onnx.Dim) ([]int64, bool) {
	sizes := make([]int64, len(shape))
	for i, d := range shape {
		size, ok := d.Value()
		if !ok {
			return nil, false
		}
		sizes[i] = size
	}
	return sizes, true
}

// axes reads the reduced axes of a node, from its attribute (ReduceMean in
// opset 17) or its constant second input (ReduceSum), as 0 <= axis < rank.
func axes(n *onnx.Node) ([]int64, error) {
	rank := int64(len(n.Inputs[0].Shape()))
	var list []int64
	if a := n.Attr("axes"); a != nil {
		list = slices.Clone(a.GetInts())
	} else if len(n.Inputs) > 1 && n.Inputs[1] != nil {
		constant := n.Inputs[1].Constant()
		if constant == nil {
			return nil, fmt.Errorf("its axes are no constant")
		}
		var err error
		if list, err = constant.Int64s(); err != nil {
			return nil, err
		}
		list = slices.Clone(list)
	}
	if len(list) == 0 {
		for axis := range rank {
			list = append(list, axis)
		}
	}
	for i, axis := range list {
		if axis < 0 {
			list[i] = axis + rank
		}
	}
	return list, nil
}
