package nn

import (
	"fmt"

	"hsnas/internal/onnx"
)

// lowestHalf masks a key in half precision: exp of it is 0 whatever it is added to, and
// the sum with any score is finite, as that with the lowest number would not be.
const lowestHalf = -1 << 15

// floats is a constant of the model's activations, in their precision. A number that half
// precision does not have is an error.
func (b *builder) floats(name string, shape []int64, data []float32) value {
	if !b.half {
		return b.g.Init(name, shape, data)
	}
	for _, x := range data {
		if x > onnx.MaxHalf || x < -onnx.MaxHalf {
			b.fail(fmt.Errorf("export: %s holds %g, and precision %s ends at %d", name, x, Float16, onnx.MaxHalf))
			break
		}
	}
	return b.g.Halfs(name, shape, data)
}

// scalar is one number in the precision of the activations.
func (b *builder) scalar(x float32) value { return b.floats("", nil, []float32{x}) }

// narrowed is a float32 in the precision of the activations.
func (b *builder) narrowed(x value) value {
	if !b.half {
		return x
	}
	return b.g.OpT("Cast", onnx.Float16, nil, []value{x}, onnx.To(onnx.Float16))
}

// output makes v a float32 output.
func (b *builder) output(name string, v value, shape ...onnx.Dim) {
	if b.half {
		v = b.op("Cast", []value{v}, onnx.To(onnx.Float32))
	}
	b.g.OutputAs(name, v, onnx.Float32, shape...)
}

// input declares a float32 input and returns it in the precision of the activations.
func (b *builder) input(name string, shape ...onnx.Dim) value {
	return b.narrowed(b.g.Input(name, onnx.Float32, shape...))
}

// fail keeps the first error of the weights.
func (b *builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}
