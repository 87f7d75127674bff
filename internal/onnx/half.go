package onnx

import (
	"encoding/binary"
	"math"
)

// MaxHalf is the largest finite number of half precision.
const MaxHalf = 65504

// Half is the nearest number of half precision (IEEE 754 binary16), of two equally
// near ones the even; beyond the largest finite one it is an infinity.
func Half(x float32) uint16 {
	bits := math.Float32bits(x)
	sign, magnitude := uint16(bits>>16)&0x8000, bits&0x7fffffff
	switch {
	case magnitude > 0x7f800000: // not a number
		return sign | 0x7e00
	case magnitude >= 0x477ff000: // half-way between the largest and 65536, and above
		return sign | 0x7c00
	case magnitude >= 0x38800000: // normal from 2^-14 on: 10 of the fraction's 23 bits, the exponent's bias 15
		return sign | uint16(roundShift(magnitude-(127-15)<<23, 13))
	case magnitude < 0x33000000: // below half of the smallest, 2^-24
		return sign
	}
	// A multiple of 2^-24: the fraction with its leading one, shifted by what the
	// exponent lacks.
	exponent := magnitude >> 23
	return sign | uint16(roundShift(magnitude&0x7fffff|0x800000, 126-exponent))
}

// roundShift is x / 2^n, rounded to nearest, ties to even.
func roundShift(x, n uint32) uint32 {
	half, rest, whole := uint32(1)<<(n-1), x&(1<<n-1), x>>n
	if rest > half || rest == half && whole&1 == 1 {
		whole++ // into the exponent where the fraction is all ones, as it should
	}
	return whole
}

// Halfs is a named constant of half precision, of the nearest numbers.
func (g *Graph) Halfs(name string, shape []int64, data []float32) *Value {
	b := make([]byte, 2*len(data))
	for i, x := range data {
		binary.LittleEndian.PutUint16(b[2*i:], Half(x))
	}
	return g.Raw(name, Float16, shape, b)
}
