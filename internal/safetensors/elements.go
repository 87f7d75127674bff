package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"hsnas/internal/config"
)

// width is the size of an element in bytes, 0 for a type that cannot be read.
func width(dtype string) int64 {
	switch dtype {
	case "F32":
		return 4
	case "F16", "BF16":
		return 2
	}
	return 0
}

// Rows reads rows first to first+rows of a matrix, the first cols columns of each, as
// float32; a vector counts as a matrix of one column. The part must lie in the tensor.
func (f *File) Rows(name string, first, rows, cols int64) ([]float32, error) {
	t, ok := f.tensors[name]
	if !ok {
		return nil, config.Errorf(f.name, 0, "no tensor %q", name)
	}
	w := width(t.DType)
	if w == 0 {
		return nil, config.Errorf(f.name, 0, "tensor %q: dtype %s, expected F32, F16 or BF16", name, t.DType)
	}
	stride := int64(1)
	if len(t.Shape) == 2 {
		stride = t.Shape[1]
	}
	if len(t.Shape) < 1 || len(t.Shape) > 2 || first < 0 || rows < 0 || cols < 0 || cols > stride || rows > t.Shape[0]-first {
		return nil, fmt.Errorf("%s: tensor %q of shape %v has no rows %d to %d of %d columns", f.name, name, t.Shape, first, first+rows, cols)
	}
	if rows == 0 || cols == 0 {
		return nil, nil
	}
	out := make([]float32, 0, rows*cols)
	const block = 1 << 20 // bytes read at once
	chunk := max(1, block/max(1, stride*w))
	buffer := make([]byte, min(chunk, rows)*stride*w)
	for done := int64(0); done < rows; done += chunk {
		n := min(chunk, rows-done)
		b := buffer[:n*stride*w]
		if _, err := f.r.ReadAt(b, f.data+t.begin+(first+done)*stride*w); err != nil {
			return nil, fmt.Errorf("%s: tensor %q: %w", f.name, name, err)
		}
		for r := range n {
			out = appendFloats(out, b[r*stride*w:][:cols*w], t.DType)
		}
	}
	return out, nil
}

func appendFloats(out []float32, b []byte, dtype string) []float32 {
	out = slices.Grow(out, len(b)/int(width(dtype)))
	switch dtype {
	case "F32":
		for i := 0; i < len(b); i += 4 {
			out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(b[i:])))
		}
	case "BF16":
		for i := 0; i < len(b); i += 2 {
			out = append(out, math.Float32frombits(uint32(binary.LittleEndian.Uint16(b[i:]))<<16))
		}
	case "F16":
		for i := 0; i < len(b); i += 2 {
			out = append(out, half(binary.LittleEndian.Uint16(b[i:])))
		}
	}
	return out
}

// half is the value of an IEEE 754 binary16.
func half(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, mantissa := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0: // zero and subnormal numbers: mantissa * 2^-24
		x := float32(mantissa) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(x) | sign)
	case 31: // infinities and NaN
		return math.Float32frombits(sign | 0x7f800000 | mantissa<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | mantissa<<13)
}
