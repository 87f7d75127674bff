package onnx

import (
	"math"
	"testing"
)

// TestHalf: values and ties from IEEE 754's definition of binary16.
func TestHalf(t *testing.T) {
	const ulp = 1.0 / (1 << 10) // of numbers from 1 to 2
	for _, c := range []struct {
		x    float64
		want uint16
	}{
		{0, 0},
		{math.Copysign(0, -1), 0x8000},
		{1, 0x3c00},
		{-2, 0xc000},
		{0.5, 0x3800},
		{1.0 / 3, 0x3555},
		{math.Pi, 0x4248},
		{-0.1, 0xae66},
		{1 + ulp/2, 0x3c00},
		{1 + 3*ulp/2, 0x3c02},
		{1 + ulp/2 + 1e-7, 0x3c01},
		{1 + ulp, 0x3c01},   // ties to even
		{2 - ulp/2, 0x4000}, // up into the next exponent
		{65504, 0x7bff},
		{65519.99, 0x7bff},
		{65520, 0x7c00},
		{1e30, 0x7c00},
		{-65520, 0xfc00}, // overflow
		{0x1p-14, 0x0400},
		{0x1p-14 - 0x1p-24, 0x03ff},
		{0x1p-14 - 0x1p-25, 0x0400}, // the largest subnormal, and half-way from it
		{0x1p-24, 0x0001},
		{0x1.8p-24, 0x0002},
		{0x1p-25, 0x0000},
		{0x1.000002p-25, 0x0001},
		{-0x1p-24, 0x8001},
		{0x1.4p-22, 0x0005},
		{1e-10, 0}, // subnormals
		{math.Inf(1), 0x7c00},
		{math.Inf(-1), 0xfc00},
	} {
		if got := Half(float32(c.x)); got != c.want {
			t.Errorf("%g: %#04x, want %#04x", c.x, got, c.want)
		}
	}
	if got := Half(float32(math.NaN())); got&0x7c00 != 0x7c00 || got&0x3ff == 0 {
		t.Errorf("NaN is %#04x", got)
	}
}

// TestHalfIsNearest: every number of half precision is its own, and none is nearer to
// the number half-way to the next but that with the even fraction.
func TestHalfIsNearest(t *testing.T) {
	for h := range uint16(0x7c00) {
		x := fromHalf(h)
		if got := Half(float32(x)); got != h {
			t.Fatalf("%#04x, %g, becomes %#04x", h, x, got)
		}
		next := fromHalf(h + 1)
		if h == 0x7bff {
			next = 65536
		}
		middle := (x + next) / 2 // has at most 12 bits
		if got, even := Half(float32(middle)), h+h&1; got != even {
			t.Fatalf("%g, half-way between %#04x and the next: %#04x, want %#04x", middle, h, got, even)
		}
		if got := Half(float32(middle * (1 - 1e-6))); got != h {
			t.Fatalf("just below %g: %#04x, want %#04x", middle, got, h)
		}
	}
}

// fromHalf is a finite number of half precision by its definition.
func fromHalf(h uint16) float64 {
	exponent, fraction := int(h>>10&0x1f), float64(h&0x3ff)
	if exponent == 0 {
		return fraction * 0x1p-24
	}
	return math.Ldexp(1+fraction/1024, exponent-15)
}
