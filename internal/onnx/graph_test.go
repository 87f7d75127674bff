package onnx

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// linear is y = relu(x W + b), with a fused operator of ONNX Runtime's on request.
func linear(microsoft bool) *Graph {
	g := NewGraph("linear")
	x := g.Input("x", Float32, Sym("n"), Fixed(2))
	w := g.Init("w", []int64{2, 3}, []float32{1, 2, 3, 4, 5, 6})
	b := g.Floats([]int64{3}, []float32{-1, 0, 1})
	out := []Dim{Sym("n"), Fixed(3)}
	h := g.Op("Add", out, []*Value{g.Op("MatMul", out, []*Value{x, w}), b})
	if microsoft {
		h = g.Op("com.microsoft:Gelu", out, []*Value{h})
	}
	g.Output("y", g.Op("Relu", out, []*Value{h}))
	g.Metadata("hsnas.kind", "old")
	g.Metadata("hsnas.kind", "test")
	return g
}

func marshal(t testing.TB, g *Graph) []byte {
	t.Helper()
	b, err := g.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMarshalReadsBack(t *testing.T) {
	for _, microsoft := range []bool{false, true} {
		b := marshal(t, linear(microsoft))
		if !bytes.Equal(b, marshal(t, linear(microsoft))) {
			t.Error("two builds of one graph differ")
		}
		m, err := Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if m.Meta("hsnas.kind") != "test" || m.Meta("absent") != "" {
			t.Errorf("metadata: %v", m.GetMetadataProps())
		}
		w, err := m.Graph.Initializer[0].Float32s()
		if err != nil || len(w) != 6 || w[5] != 6 {
			t.Errorf("weights %v, %v", w, err)
		}
		if got := m.Graph.Output[0].Name; got != "y" {
			t.Errorf("output %q", got)
		}
		if d := m.Graph.Input[0].Type.GetTensorType().Shape.Dim; d[0].GetDimParam() != "n" || d[1].GetDimValue() != 2 {
			t.Errorf("input shape %v", d)
		}
	}
}

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := linear(false).WriteFile(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(b, marshal(t, linear(false))) {
		t.Errorf("file differs: %v", err)
	}
}

func TestOutputOfInputAndRepeated(t *testing.T) {
	g := NewGraph("identity")
	x := g.Input("x", Int64, Fixed(1))
	g.Output("a", x)
	y := g.OpT("Neg", Int64, Dims(1), []*Value{x})
	g.Output("b", y)
	g.Output("c", y)
	m, err := Read(marshal(t, g))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range m.Graph.Output {
		names = append(names, o.Name)
	}
	if got := strings.Join(names, " "); got != "a b c" || len(m.Graph.Node) != 3 {
		t.Errorf("outputs %q, %d nodes", got, len(m.Graph.Node))
	}
}

func TestExternalWeightsAreSharedAndAligned(t *testing.T) {
	var file bytes.Buffer
	w := NewWeights("weights.bin", &file)
	big, other := make([]float32, 2000), make([]float32, 1500)
	for i := range big {
		big[i] = float32(i)
	}
	var models []*ModelProto
	for range 2 {
		g := NewGraph("g")
		g.External(w)
		a := g.Init("big", []int64{2000}, big)
		g.Init("other", []int64{1500}, other)
		g.Init("small", []int64{1}, []float32{7})
		g.Output("y", g.Op("Relu", Dims(2000), []*Value{a}))
		m, err := Read(marshal(t, g))
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, m)
	}
	if w.Size() != int64(file.Len()) || w.Size() != 8192+6000 {
		t.Errorf("external file of %d bytes, counted %d", file.Len(), w.Size())
	}
	for _, m := range models {
		x, err := m.Graph.Initializer[1].External()
		if err != nil || x != (Extent{"weights.bin", 8192, 6000}) {
			t.Errorf("extent %+v, %v", x, err)
		}
		if m.Graph.Initializer[2].DataLocation != TensorProto_DEFAULT {
			t.Error("a small tensor went to the external file")
		}
	}
}

func TestBuildingMistakes(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(g *Graph)
		want  string
	}{
		{"name twice", func(g *Graph) { g.Input("x", Float32); g.Input("x", Float32) }, `onnx graph g: the name "x" is used twice`},
		{"short data", func(g *Graph) { g.Init("w", []int64{2, 2}, []float32{1}) }, `onnx graph g: constant "w": shape [2 2] of float32 needs 16 bytes, found 4`},
		{"negative", func(g *Graph) { g.Init("w", []int64{-1}, nil) }, `onnx graph g: constant "w": negative dimension in shape [-1]`},
		{"type", func(g *Graph) { g.Raw("w", 14, nil, nil) }, `onnx graph g: constant "w": cannot write data type 14`},
		{"domain", func(g *Graph) { g.Op("acme:Foo", nil, nil) }, `onnx graph g: operator Foo: unknown domain "acme"`},
		{"foreign value", func(g *Graph) {
			g.Output("y", g.Op("Relu", nil, []*Value{NewGraph("h").Input("x", Float32)}))
		}, `onnx graph g: Relu "y" takes "x", which is not a value of this graph`},
		{"no outputs", func(*Graph) {}, `onnx graph g: no outputs`},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewGraph("g")
			c.build(g)
			if _, err := g.Marshal(); err == nil || err.Error() != c.want {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestElements(t *testing.T) {
	for _, c := range []struct {
		shape []int64
		want  int64
		ok    bool
	}{
		{nil, 1, true},
		{[]int64{2, 3}, 6, true},
		{[]int64{0, 5}, 0, true},
		{[]int64{math.MaxInt64, 2}, 0, false},
		{[]int64{-2}, 0, false},
	} {
		if n, err := Elements(c.shape); n != c.want && c.ok || (err == nil) != c.ok {
			t.Errorf("%v: %d, %v", c.shape, n, err)
		}
	}
}
