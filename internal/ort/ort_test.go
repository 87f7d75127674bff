package ort_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/onnx"
	"hsnas/internal/ort"
	"hsnas/internal/ort/orttest"
)

// affine is y = x w + b for x [n, 3] and w [3, 2], with an integer input that
// passes through.
func affine(tb testing.TB) []byte {
	tb.Helper()
	g := onnx.NewGraph("affine")
	x := g.Input("x", onnx.Float32, onnx.Sym("n"), onnx.Fixed(3))
	ids := g.Input("ids", onnx.Int64, onnx.Sym("n"))
	w := g.Init("w", []int64{3, 2}, []float32{1, 2, 3, 4, 5, 6})
	b := g.Init("b", []int64{2}, []float32{0.5, -0.5})
	g.Output("y", g.Op("Gemm", []onnx.Dim{onnx.Sym("n"), onnx.Fixed(2)}, []*onnx.Value{x, w, b}))
	g.Output("same", ids)
	g.Metadata("hsnas.kind", "test")
	model, err := g.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return model
}

func load(tb testing.TB, o ort.Options) *ort.Session {
	tb.Helper()
	o.Name = "affine"
	s, err := orttest.Open(tb).LoadBytes(affine(tb), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

func floats(tb testing.TB, shape []int64, data ...float32) *ort.Tensor {
	tb.Helper()
	t, err := ort.NewFloats(shape, data)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(t.Destroy)
	return t
}

func ints(tb testing.TB, shape []int64, data ...int64) *ort.Tensor {
	tb.Helper()
	t, err := ort.NewInts(shape, data)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(t.Destroy)
	return t
}

func TestRunWritesIntoGoMemory(t *testing.T) {
	s := load(t, ort.Options{})
	data := []float32{1, 0, 0, 0, 1, 1}
	x := floats(t, []int64{2, 3}, data...)
	y := floats(t, []int64{2, 2}, make([]float32, 4)...)
	same := ints(t, []int64{2}, 0, 0)
	run := func(want ...float32) {
		t.Helper()
		if err := s.Run(context.Background(), []*ort.Tensor{x, ints(t, []int64{2}, 7, 8)}, []*ort.Tensor{y, same}); err != nil {
			t.Fatal(err)
		}
		for i, v := range y.Floats() {
			if v != want[i] {
				t.Fatalf("y = %v, expected %v", y.Floats(), want)
			}
		}
	}
	run(1.5, 1.5, 8.5, 9.5)
	if same.Ints()[1] != 8 {
		t.Errorf("same = %v", same.Ints())
	}
	x.Floats()[0] = 2 // the next run reads what Go wrote
	run(2.5, 3.5, 8.5, 9.5)
}

func TestRunNamedAllocates(t *testing.T) {
	s := load(t, ort.Options{Threads: 2, Optimization: ort.OptimizeNone, NoMemoryPattern: true})
	out, err := s.RunNamed(context.Background(), map[string]*ort.Tensor{
		"x": floats(t, []int64{1, 3}, 1, 1, 1), "ids": ints(t, []int64{1}, 3),
	})
	if err != nil {
		t.Fatal(err)
	}
	y := out["y"]
	if y.Floats()[0] != 9.5 || y.Floats()[1] != 11.5 || y.Shape()[0] != 1 || y.Ints() != nil {
		t.Errorf("y = %v %v", y.Shape(), y.Floats())
	}
}

func TestSignature(t *testing.T) {
	s := load(t, ort.Options{})
	if got := s.Metadata()["hsnas.kind"]; got != "test" {
		t.Errorf("metadata hsnas.kind = %q", got)
	}
	in := s.Inputs()
	if len(in) != 2 || in[0].Name != "x" || in[0].Type != ort.Float32 || in[0].Shape[0] != -1 ||
		in[0].Symbols[0] != "n" || in[0].Shape[1] != 3 || in[1].Type != ort.Int64 {
		t.Errorf("inputs = %+v", in)
	}
}

func TestWrongInputs(t *testing.T) {
	s := load(t, ort.Options{})
	ids := ints(t, []int64{1}, 1)
	x := floats(t, []int64{1, 3}, 1, 2, 3)
	gone, err := ort.NewFloats([]int64{1, 3}, make([]float32, 3))
	if err != nil {
		t.Fatal(err)
	}
	gone.Destroy()
	gone.Destroy()
	for _, test := range []struct {
		name string
		in   map[string]*ort.Tensor
		want string
	}{
		{"missing", map[string]*ort.Tensor{"x": x}, `model affine: input "ids" is missing`},
		{"unknown", map[string]*ort.Tensor{"x": x, "ids": ids, "z": x}, `model affine: no input "z"; it has x, ids`},
		{"width", map[string]*ort.Tensor{"x": floats(t, []int64{1, 4}, 1, 2, 3, 4), "ids": ids}, `model affine: input "x": shape [1, 4], expected [n, 3]`},
		{"rank", map[string]*ort.Tensor{"x": floats(t, []int64{3}, 1, 2, 3), "ids": ids}, `model affine: input "x": shape [3], expected [n, 3]`},
		{"type", map[string]*ort.Tensor{"x": x, "ids": x}, `model affine: input "ids": element type float32, expected int64`},
		{"destroyed", map[string]*ort.Tensor{"x": gone, "ids": ids}, `model affine: input "x": the tensor was destroyed`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := s.RunNamed(context.Background(), test.in); err == nil || err.Error() != test.want {
				t.Errorf("error %v\nexpected %s", err, test.want)
			}
		})
	}
}

func TestTensorErrors(t *testing.T) {
	orttest.Open(t)
	for _, test := range []struct {
		shape []int64
		n     int
		want  string
	}{
		{nil, 1, "tensor without dimensions: use shape [1] for a single number"},
		{[]int64{2, -1}, 2, "tensor shape [2 -1] has a negative dimension"},
		{[]int64{2, 3}, 5, "tensor shape [2 3] has 6 elements, its data has 5"},
		{[]int64{1 << 40, 1 << 40}, 0, "tensor shape [1099511627776 1099511627776] is too large"},
	} {
		if _, err := ort.NewFloats(test.shape, make([]float32, test.n)); err == nil || err.Error() != test.want {
			t.Errorf("%v: error %v, expected %s", test.shape, err, test.want)
		}
	}
}

func TestSessionOptionErrors(t *testing.T) {
	rt := orttest.Open(t)
	for _, test := range []struct {
		o    ort.Options
		want string
	}{
		{ort.Options{Device: "gpu"}, `unknown device "gpu"; known: cpu, webgpu, cuda, cuda:N`},
		{ort.Options{Device: "cuda:-1"}, `unknown device "cuda:-1"; did you mean "cuda"?`},
		{ort.Options{Device: "cpu:0"}, `unknown device "cpu:0"; did you mean "cpu"?`},
		{ort.Options{Device: "wegbpu"}, `unknown device "wegbpu"; did you mean "webgpu"?`},
		{ort.Options{Threads: -2}, `threads must not be negative, found -2`},
	} {
		_, err := rt.LoadBytes(affine(t), test.o)
		var fault *config.Error
		if !errors.As(err, &fault) || err.Error() != test.want {
			t.Errorf("%+v: error %v, expected %s", test.o, err, test.want)
		}
	}
}

func TestDamagedModels(t *testing.T) {
	rt := orttest.Open(t)
	model := affine(t)
	for name, bytes := range map[string][]byte{
		"empty": {}, "text": []byte("hello, world"), "truncated": model[:len(model)/2],
	} {
		if _, err := rt.LoadBytes(bytes, ort.Options{Name: name}); err == nil || !strings.HasPrefix(err.Error(), "model "+name+": ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := rt.LoadFile(filepath.Join(t.TempDir(), "none.onnx"), ort.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: error %v", err)
	}
}

func TestCloseAndCancel(t *testing.T) {
	s := load(t, ort.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	in := []*ort.Tensor{floats(t, []int64{1, 3}, 1, 2, 3), ints(t, []int64{1}, 1)}
	if err := s.Run(ctx, in, make([]*ort.Tensor, 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Run(context.Background(), in, make([]*ort.Tensor, 2)); err == nil || err.Error() != "model affine: run after close" {
		t.Errorf("closed: %v", err)
	}
}

func BenchmarkRun(b *testing.B) {
	s := load(b, ort.Options{})
	in := []*ort.Tensor{floats(b, []int64{1, 3}, 1, 2, 3), ints(b, []int64{1}, 1)}
	out := []*ort.Tensor{floats(b, []int64{1, 2}, 0, 0), ints(b, []int64{1}, 0)}
	for b.Loop() {
		if err := s.Run(context.Background(), in, out); err != nil {
			b.Fatal(err)
		}
	}
}
