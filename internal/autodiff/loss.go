package autodiff

import "hsnas/internal/onnx"

// SquareLoss appends the mean of the squared differences of two values of the
// same shape, as a value of shape [1].
func SquareLoss(g *onnx.Graph, prediction, target *onnx.Value) *onnx.Value {
	difference := g.Op("Sub", prediction.Shape(), []*onnx.Value{prediction, target})
	square := g.Op("Mul", prediction.Shape(), []*onnx.Value{difference, difference})
	mean := g.Op("ReduceMean", nil, []*onnx.Value{square}, onnx.Int("keepdims", 0))
	// Tensors without dimensions cannot be read back.
	return g.Op("Reshape", onnx.Dims(1), []*onnx.Value{mean, g.Ints(1)})
}
