package autodiff

import (
	"fmt"
	"math"
	"slices"

	"hsnas/internal/onnx"
)

func addRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	return t.binary(n,
		func() *onnx.Value { return dy[0] },
		func() *onnx.Value { return dy[0] }), nil
}

func subRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	return t.binary(n,
		func() *onnx.Value { return dy[0] },
		func() *onnx.Value { return t.op("Neg", dy[0]) }), nil
}

func mulRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	return t.binary(n,
		func() *onnx.Value { return t.op("Mul", dy[0], n.Inputs[1]) },
		func() *onnx.Value { return t.op("Mul", dy[0], n.Inputs[0]) }), nil
}

// divRule: y = a/b, dy/da = 1/b, dy/db = -y/b.
func divRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	b := n.Inputs[1]
	return t.binary(n,
		func() *onnx.Value { return t.op("Div", dy[0], b) },
		func() *onnx.Value { return t.op("Neg", t.op("Div", t.op("Mul", dy[0], n.Outputs[0]), b)) }), nil
}

// binary makes the gradients of a broadcasting operator's inputs that need one.
func (t *tape) binary(n *onnx.Node, a, b func() *onnx.Value) []*onnx.Value {
	dx := make([]*onnx.Value, 2)
	for i, gradient := range []func() *onnx.Value{a, b} {
		if t.needs[n.Inputs[i]] {
			dx[i] = t.unbroadcast(gradient(), n.Inputs[i].Shape())
		}
	}
	return dx
}

func negRule(t *tape, _ *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	return []*onnx.Value{t.op("Neg", dy[0])}, nil
}

func identityRule(_ *tape, _ *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	return dy, nil
}

// sqrtRule: dy/dx = 1/(2 y).
func sqrtRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	half := t.op("Mul", dy[0], t.g.Scalar(0.5))
	return []*onnx.Value{t.op("Div", half, n.Outputs[0])}, nil
}

// reluRule: the gradient passes where the rectified value is positive. A steep
// HardSigmoid is 1 there and 0 elsewhere, in less than half the time of Sign.
func reluRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	y := n.Outputs[0]
	passed := t.g.Op("HardSigmoid", y.Shape(), []*onnx.Value{y}, onnx.Float("alpha", math.MaxFloat32), onnx.Float("beta", 0))
	return []*onnx.Value{t.op("Mul", dy[0], passed)}, nil
}

func reshapeRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	x := n.Inputs[0]
	return []*onnx.Value{t.g.Op("Reshape", x.Shape(), []*onnx.Value{dy[0], t.reshapeTo(x)}), nil}, nil
}

func transposeRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	x := n.Inputs[0]
	rank := len(x.Shape())
	inverse := make([]int64, rank)
	for i := range inverse {
		inverse[i] = int64(rank - 1 - i)
	}
	if a := n.Attr("perm"); a != nil {
		for i, p := range a.GetInts() {
			inverse[p] = int64(i)
		}
	}
	return []*onnx.Value{t.g.Op("Transpose", x.Shape(), []*onnx.Value{dy[0]}, onnx.Perm(inverse...))}, nil
}

// matMulRule: dA = dY B^T, dB = A^T dY, summed over batch dimensions that were
// repeated.
func matMulRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	a, b := n.Inputs[0], n.Inputs[1]
	if len(a.Shape()) < 2 || len(b.Shape()) < 2 {
		return nil, fmt.Errorf("an operand has fewer than two dimensions")
	}
	return t.binary(n,
		func() *onnx.Value { return t.matMul(dy[0], t.swap(b)) },
		func() *onnx.Value { return t.matMul(t.swap(a), dy[0]) }), nil
}

// matMul appends a matrix product, its batch dimensions broadcast.
func (t *tape) matMul(a, b *onnx.Value) *onnx.Value {
	x, y := a.Shape(), b.Shape()
	shape := slices.Concat(broadcast(x[:len(x)-2], y[:len(y)-2]), []onnx.Dim{x[len(x)-2], y[len(y)-1]})
	return t.g.Op("MatMul", shape, []*onnx.Value{a, b})
}

// swap transposes the last two dimensions.
func (t *tape) swap(v *onnx.Value) *onnx.Value {
	rank := len(v.Shape())
	perm, shape := make([]int64, rank), slices.Clone(v.Shape())
	for i := range perm {
		perm[i] = int64(i)
	}
	perm[rank-2], perm[rank-1] = perm[rank-1], perm[rank-2]
	shape[rank-2], shape[rank-1] = shape[rank-1], shape[rank-2]
	return t.g.Op("Transpose", shape, []*onnx.Value{v}, onnx.Perm(perm...))
}

// gemmRule: Y = alpha A' B' + beta C, where A' and B' are A and B, transposed
// where transA and transB say so.
func gemmRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	alpha := onnx.Float("alpha", floatAttr(n, "alpha"))
	gemm := func(x, y *onnx.Value, tx, ty int64, like *onnx.Value) *onnx.Value {
		return t.g.Op("Gemm", like.Shape(), []*onnx.Value{x, y}, alpha, onnx.Int("transA", tx), onnx.Int("transB", ty))
	}
	dx := append(t.factors(n, dy[0], gemm), make([]*onnx.Value, len(n.Inputs)-2)...)
	if len(n.Inputs) > 2 && n.Inputs[2] != nil && t.needs[n.Inputs[2]] {
		dc := t.unbroadcast(dy[0], n.Inputs[2].Shape())
		if beta := floatAttr(n, "beta"); beta != 1 {
			dc = t.op("Mul", dc, t.g.Scalar(beta))
		}
		dx[2] = dc
	}
	return dx, nil
}

// factors makes the gradients of the two factors of a product A' B', where A' and
// B' are A and B, transposed where transA and transB say so. product appends one
// such product in the shape of like.
func (t *tape) factors(n *onnx.Node, dy *onnx.Value, product func(x, y *onnx.Value, tx, ty int64, like *onnx.Value) *onnx.Value) []*onnx.Value {
	a, b := n.Inputs[0], n.Inputs[1]
	ta, tb := n.IntAttr("transA", 0), n.IntAttr("transB", 0)
	dx := make([]*onnx.Value, 2)
	if t.needs[a] {
		if ta == 0 {
			dx[0] = product(dy, b, 0, 1-tb, a)
		} else {
			dx[0] = product(b, dy, tb, 1, a)
		}
	}
	if t.needs[b] {
		if tb == 0 {
			dx[1] = product(a, dy, 1-ta, 0, b)
		} else {
			dx[1] = product(dy, a, 1, ta, b)
		}
	}
	return dx
}

// floatAttr is the named attribute, or 1, the default of Gemm's.
func floatAttr(n *onnx.Node, name string) float32 {
	if a := n.Attr(name); a != nil {
		return a.GetF()
	}
	return 1
}

func reduceSumRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	list, err := axes(n)
	if err != nil {
		return nil, err
	}
	dx := make([]*onnx.Value, len(n.Inputs))
	dx[0] = t.expand(n, dy[0], list)
	return dx, nil
}

// reduceMeanRule divides by the number of elements in a mean: a constant where
// the shape is known, else the quotient of the sizes at run time.
func reduceMeanRule(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error) {
	list, err := axes(n)
	if err != nil {
		return nil, err
	}
	count, known := int64(1), true
	for _, axis := range list {
		size, ok := n.Inputs[0].Shape()[axis].Value()
		count, known = count*size, known && ok
	}
	scaled := dy[0]
	if known {
		scaled = t.op("Mul", scaled, t.g.Scalar(1/float32(count)))
	} else {
		scaled = t.op("Div", t.op("Mul", scaled, t.size(n.Outputs[0])), t.size(n.Inputs[0]))
	}
	return []*onnx.Value{t.expand(n, scaled, list)}, nil
}

// size is the number of elements of v, as a float.
func (t *tape) size(v *onnx.Value) *onnx.Value {
	if sizes, ok := fixed(v.Shape()); ok {
		n, _ := onnx.Elements(sizes)
		return t.g.Scalar(float32(n))
	}
	return t.once("size "+v.Name(), func() *onnx.Value {
		size := t.g.OpT("Size", onnx.Int64, nil, []*onnx.Value{v})
		return t.g.Op("Cast", nil, []*onnx.Value{size}, onnx.To(onnx.Float32))
	})
}

// expand repeats the gradient of a reduction along the axes it reduced.
func (t *tape) expand(n *onnx.Node, dy *onnx.Value, list []int64) *onnx.Value {
	x := n.Inputs[0]
	if n.IntAttr("keepdims", 1) == 0 {
		kept := slices.Clone(x.Shape())
		for _, axis := range list {
			kept[axis] = onnx.Fixed(1)
		}
		dy = t.g.Op("Unsqueeze", kept, []*onnx.Value{dy, t.g.Ints(list...)})
	}
	return t.g.Op("Expand", x.Shape(), []*onnx.Value{dy, t.like(x)})
}
