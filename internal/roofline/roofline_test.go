package roofline

import (
	"math"
	"testing"

	"hsnas/internal/onnx"
	"hsnas/internal/ort"
)

func TestBound(t *testing.T) {
	l := Limits{GFLOPsPerS: 100, GBPerS: 20}
	for _, c := range []struct {
		flop, bytes int64
		want        Bound
	}{
		{1e9, 1e6, Bound{10, 0.05, 10, Compute}},
		{1e9, 1e9, Bound{10, 50, 50, Memory}},
		{0, 0, Bound{0, 0, 0, Compute}},
	} {
		if got := l.BoundOf(c.flop, c.bytes); math.Abs(got.MS-c.want.MS) > 1e-9 || got.Binds != c.want.Binds ||
			math.Abs(got.ComputeMS-c.want.ComputeMS) > 1e-9 || math.Abs(got.MemoryMS-c.want.MemoryMS) > 1e-9 {
			t.Errorf("%d FLOP, %d bytes: %+v, want %+v", c.flop, c.bytes, got, c.want)
		}
	}
}

// TestGraphs holds both to the file format, and their constants to the work that is claimed.
func TestGraphs(t *testing.T) {
	for _, c := range []struct {
		build    func() ([]byte, error)
		elements int64
	}{{PeakGraph, PeakSize * PeakSize}, {StreamGraph, StreamRows * StreamColumns}} {
		data, err := c.build()
		if err != nil {
			t.Fatal(err)
		}
		m, err := onnx.Read(data)
		if err != nil {
			t.Fatal(err)
		}
		n, err := onnx.Elements(m.GetGraph().GetInitializer()[0].GetDims())
		if err != nil || n != c.elements {
			t.Errorf("%d elements, want %d, %v", n, c.elements, err)
		}
	}
}

func TestMeasure(t *testing.T) {
	rt, err := ort.Open()
	if err != nil {
		t.Skip(err)
	}
	l, err := Measure(t.Context(), rt, ort.Options{})
	if err != nil || !(l.GFLOPsPerS > 0) || !(l.GBPerS > 0) {
		t.Errorf("%+v, %v", l, err)
	}
	t.Logf("%+v", l)
}
