package nn

import (
	"fmt"

	"hsnas/internal/onnx"
)

// A decoder step multiplies a handful of rows with every weight of the decoder, so that
// reading the weights is what takes the time. A convolution with a kernel of one pixel is
// the same product, and ONNX Runtime's reads four blocks of weights side by side where its
// Gemm reads two: a step of five rows takes 0.85 of the time. The rows are the pixels of one
// image; the transpositions around a convolution are those that ONNX Runtime puts into its
// own change of layout.

// image is a matrix [rows, n] as an image [1, n, 1, rows].
func (b *builder) image(x value, n int) value {
	shape := b.once(fmt.Sprint("image ", n), func() value { return b.g.Ints(1, 1, -1, int64(n)) })
	return b.op("Transpose", []value{b.reshape(x, shape)}, onnx.Perm(0, 3, 1, 2))
}

// pixels is an image [1, n, 1, rows] as a matrix [rows, n].
func (b *builder) pixels(x value, n int) value {
	return b.rows(b.op("Transpose", []value{x}, onnx.Perm(0, 2, 3, 1)), n)
}

// conv is linear for an image; the weights are [out, in, 1, 1].
func (b *builder) conv(x, w, bias value) value {
	in := []value{x, w}
	if bias != nil {
		in = append(in, bias)
	}
	return b.op("Conv", in, onnx.IntsAttr("kernel_shape", 1, 1))
}

// size is the number of rows or columns of a constant matrix.
func size(w value, axis int) int {
	n, _ := w.Shape()[axis].Value()
	return int(n)
}
