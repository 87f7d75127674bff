package autodiff_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"hsnas/internal/autodiff"
	"hsnas/internal/onnx"
	"hsnas/internal/ort"
)

// TestClipNorm: a gradient within the limit stays, a longer one is shortened to
// it, and one of zeros stays zero.
func TestClipNorm(t *testing.T) {
	g := onnx.NewGraph("clip")
	clipped, norm := autodiff.ClipNorm(g, g.Input("x", onnx.Float32, onnx.Fixed(2)), 5)
	g.Output("clipped", clipped)
	g.Output("norm", norm)
	s := session(t, g)
	for _, test := range []struct {
		in, want [2]float32
		norm     float32
	}{
		{[2]float32{0.3, -0.4}, [2]float32{0.3, -0.4}, 0.5},
		{[2]float32{30, -40}, [2]float32{3, -4}, 50},
		{[2]float32{0, 0}, [2]float32{0, 0}, 0},
	} {
		x, err := ort.NewFloats([]int64{2}, test.in[:])
		if err != nil {
			t.Fatal(err)
		}
		out := make([]*ort.Tensor, 2)
		if err := s.Run(context.Background(), []*ort.Tensor{x}, out); err != nil {
			t.Fatal(err)
		}
		got := out[0].Floats()
		for i := range got {
			if math.Abs(float64(got[i]-test.want[i])) > 1e-5 || math.Abs(float64(out[1].Floats()[0]-test.norm)) > 1e-5 {
				t.Errorf("%v clipped to %v with norm %v, want %v and %v", test.in, got, out[1].Floats()[0], test.want, test.norm)
			}
		}
	}
}

func TestPrefix(t *testing.T) {
	var p autodiff.Parameters
	if err := errors.Join(p.Add("w", 2, 3), p.Add("b", 3)); err != nil {
		t.Fatal(err)
	}
	first, none := p.Prefix(1), p.Prefix(0)
	if first.Len() != 1 || first.Size() != 6 || first.Name(0) != "w" || none.Size() != 0 || none.Len() != 0 || p.Size() != 9 {
		t.Errorf("prefix of %d arrays and %d numbers, of nothing %d, whole %d", first.Len(), first.Size(), none.Size(), p.Size())
	}
	flat := make([]float32, 9)
	if view := first.View(flat[:6], 0); len(view) != 6 || cap(view) != 6 {
		t.Errorf("the view has %d of %d numbers", len(view), cap(view))
	}
}
