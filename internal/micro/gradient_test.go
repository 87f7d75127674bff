package micro

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hsnas/internal/autodiff"
	"hsnas/internal/corpus"
	"hsnas/internal/onnx"
	"hsnas/internal/ort"
	"hsnas/internal/ort/orttest"
)

// tiny is a model small enough to be differentiated by hand.
var (
	tinyDims  = Dims{SourceWords: 9, TargetWords: 8, QKV: 4, Ladder: 6}
	tinyShape = Shape{
		Encoder:    Side{Dim: 4, FFN: []int{5, 6}, Heads: []int{1, 2}},
		Decoder:    Side{Dim: 6, FFN: []int{5, 4}, Heads: []int{2, 1}},
		CrossHeads: []int{2, 4}, Spans: []int{2, 1},
	}
	tinyBatch = NewBatch([]corpus.Example{
		{Source: []int64{4, 5, 6, corpus.EOS}, Target: []int64{4, 7, corpus.EOS}},
		{Source: []int64{8, corpus.EOS}, Target: []int64{5, 6, 4, corpus.EOS}},
	})
)

// TestModelGradient holds the gradient of a whole small model by each of its
// parameters against central differences of its loss, in a static graph and in
// the sampled one of a larger supernet.
func TestModelGradient(t *testing.T) {
	rt := orttest.Open(t)
	for name, test := range map[string]struct {
		layout  Shape
		sampled bool
	}{"static": {tinyShape, false}, "sampled": {larger(tinyShape), true}} {
		t.Run(name, func(t *testing.T) {
			l, err := NewLayout(tinyDims, test.layout)
			if err != nil {
				t.Fatal(err)
			}
			b := newBuilder("gradient", tinyDims, tinyShape)
			b.sampled = test.sampled
			views := b.bind(&l.Parameters)
			loss := b.loss(0.1)
			gradients, err := autodiff.Options{Composites: &b.composites}.Gradients(b.g, loss, views...)
			if err != nil {
				t.Fatal(err)
			}
			b.g.Output("loss", loss)
			b.g.Output("gradient", l.Flatten(b.g, gradients))
			session, err := open(rt, b, "gradient", 1)
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			checkGradient(t, session, b, l)
		})
	}
}

// larger is a supernet that holds s as a proper part.
func larger(s Shape) Shape {
	s.Encoder.Dim, s.Decoder.Dim = 6, 8
	s.Encoder.FFN, s.Decoder.FFN = []int{7, 7}, []int{6, 6}
	return s
}

func checkGradient(t *testing.T, session *ort.Session, b *builder, l *Layout) {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	flat := make([]float32, l.Size())
	for i := range flat {
		flat[i] = float32(r.NormFloat64()) * 0.5
	}
	views, err := l.Tensors(flat)
	if err != nil {
		t.Fatal(err)
	}
	fed, release, err := tensors(b.feeds, &call{shape: tinyShape, batch: tinyBatch, tables: newTables(tinyDims.Ladder)})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	in := append(views, fed...)
	run := func() (float64, []float32) {
		out := make([]*ort.Tensor, 2)
		if err := session.Run(context.Background(), in, out); err != nil {
			t.Fatal(err)
		}
		return float64(out[0].Floats()[0]), out[1].Floats()
	}
	_, gradient := run()
	var worst float64
	for i := range flat {
		at := func(h float32) float64 {
			was := flat[i]
			defer func() { flat[i] = was }()
			flat[i] = was + h
			up, _ := run()
			flat[i] = was - h
			down, _ := run()
			return (up - down) / (2 * float64(h))
		}
		numeric := (4*at(4e-3) - at(8e-3)) / 3
		worst = max(worst, math.Abs(numeric-float64(gradient[i])))
	}
	// A loss near 3 in float32 is good to 2e-7, its difference over 1e-2 to 1e-4.
	if worst > 1e-3 {
		t.Errorf("the gradient strays by up to %.1e from central differences", worst)
	}
}

// TestCachedDecoding: decoding a token at a time with caches says what the
// decoder says of the whole translation at once.
func TestCachedDecoding(t *testing.T) {
	rt := orttest.Open(t)
	l, err := NewLayout(tinyDims, tinyShape)
	if err != nil {
		t.Fatal(err)
	}
	sources := [][]int64{{4, 5, 6, 7, corpus.EOS}, {8, corpus.EOS}, {5, 4, corpus.EOS}}
	varied := 0
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 9))
		flat := make([]float32, l.Size())
		for i := range flat {
			flat[i] = float32(r.NormFloat64())
		}
		n, err := NewNetwork(rt, tinyDims, tinyShape, flat, ort.Options{})
		if err != nil {
			t.Fatal(err)
		}
		translated, err := n.Translate(context.Background(), sources)
		n.Close()
		if err != nil {
			t.Fatal(err)
		}
		for i, ids := range translated {
			if len(ids) == 0 {
				continue
			}
			want := likeliest(t, rt, l, flat, corpus.Example{Source: sources[i], Target: ids})
			if !slices.Equal(want, ids) {
				t.Fatalf("seed %d, sentence %d: decoded %v, the whole decoder says %v", seed, i, ids, want)
			}
			if len(slices.Compact(want)) > 2 {
				varied++
			}
		}
	}
	if varied < 5 {
		t.Errorf("only %d translations say more than two words: the test sees nothing", varied)
	}
}

// likeliest is what the whole decoder says at every place of a target.
func likeliest(t *testing.T, rt *ort.Runtime, l *Layout, flat []float32, e corpus.Example) []int64 {
	t.Helper()
	b := newBuilder("whole", tinyDims, tinyShape)
	b.layout, b.flat = l, flat
	x := b.decode(b.encode())
	logits := b.g.Op("Gemm", []onnx.Dim{x.Shape()[0], onnx.Fixed(int64(tinyDims.TargetWords))}, []value{x, b.targetTable()}, onnx.Int("transB", 1))
	b.g.Output("next", b.g.OpT("ArgMax", onnx.Int64, []onnx.Dim{x.Shape()[0]}, []value{logits}, onnx.Axis(-1), onnx.Int("keepdims", 0)))
	session, err := open(rt, b, "whole", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	in, release, err := tensors(b.feeds, &call{shape: tinyShape, batch: NewBatch([]corpus.Example{e}), tables: newTables(tinyDims.Ladder)})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	out := make([]*ort.Tensor, 1)
	if err := session.Run(context.Background(), in, out); err != nil {
		t.Fatal(err)
	}
	return out[0].Ints()
}
