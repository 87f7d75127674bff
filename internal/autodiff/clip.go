package autodiff

import "hsnas/internal/onnx"

// ClipNorm scales a flat gradient [n] down to the Euclidean norm limit where it
// is longer (Pascanu et al., 2013), and returns it with its norm before, [1].
func ClipNorm(g *onnx.Graph, gradient *onnx.Value, limit float32) (clipped, norm *onnx.Value) {
	one := onnx.Dims(1)
	square := g.Op("ReduceSumSquare", one, []*onnx.Value{gradient}, onnx.IntsAttr("axes", 0), onnx.Int("keepdims", 1))
	norm = g.Op("Sqrt", one, []*onnx.Value{square})
	// The same guard against a norm of zero as in PyTorch's clip_grad_norm_.
	guarded := g.Op("Add", one, []*onnx.Value{norm, g.Scalar(1e-6)})
	scale := g.Op("Min", one, []*onnx.Value{g.Op("Div", one, []*onnx.Value{g.Floats([]int64{1}, []float32{limit}), guarded}), g.Scalar(1)})
	return g.Op("Mul", gradient.Shape(), []*onnx.Value{gradient, scale}), norm
}
