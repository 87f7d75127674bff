package micro_test

import (
	"context"
	"math"
	"reflect"
	"slices"
	"testing"

	"hsnas/internal/corpus"
	"hsnas/internal/micro"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/task"
)

// BenchmarkSupernetStep is a step of the supernet's training at batch 64 on one
// thread, sub-networks drawn uniformly.
func BenchmarkSupernetStep(b *testing.B) {
	rt := orttest.Open(b)
	tk, err := task.Load("micro.en-de")
	if err != nil {
		b.Fatal(err)
	}
	set := corpus.Micro(corpus.Sizes{Train: 2000, Valid: 10, Test: 10})
	c := corpus.New(set.Train, set.Valid, set.Test)
	largest, err := micro.ShapeOf(dims, tk.Space.Largest())
	if err != nil {
		b.Fatal(err)
	}
	r := micro.SupernetRecipe()
	t, err := micro.NewSupernet(rt, dims, largest, r, 1, micro.TrainerOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	batches, sampler := micro.NewBatches(c.Encode(c.Train), r.Batch, 1), micro.NewSampler(dims, tk.Space, micro.Uniform, 1)
	step := func() {
		s, err := sampler.At(t.Steps())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := t.Step(context.Background(), s, batches.At(t.Steps())); err != nil {
			b.Fatal(err)
		}
	}
	for range 10 { // opens the three sessions
		step()
	}
	for b.Loop() {
		step()
	}
}

// cut takes the part of a supernet's parameters that a sub-network inherits: the
// first rows and columns of each, queries, keys and values each for themselves.
func cut(super, sub *micro.Layout, flat []float32) []float32 {
	views := map[string][]float32{}
	columns := map[string]int{}
	for i := range super.Len() {
		views[super.Name(i)] = super.View(flat, i)
		shape := super.Shape(i)
		columns[super.Name(i)] = int(shape[len(shape)-1])
	}
	out := make([]float32, sub.Size())
	for i := range sub.Len() {
		to, shape := sub.View(out, i), sub.Shape(i)
		from, wide := views[sub.Name(i)], columns[sub.Name(i)]
		if len(shape) == 1 {
			copy(to, from)
			continue
		}
		narrow := int(shape[1])
		for row := range int(shape[0]) {
			copy(to[row*narrow:(row+1)*narrow], from[row*wide:])
		}
	}
	return out
}

// TestSupernetIsItsSubNetworks: a step of a supernet on a sampled sub-network
// does to the inherited weights what a step of that network alone does, and
// nothing to the layers that were not sampled.
func TestSupernetIsItsSubNetworks(t *testing.T) {
	rt, c, on := orttest.Open(t), smallCorpus(), loadTask(t)
	batch := micro.NewBatches(c.Encode(c.Train), 64, 1).At(0)
	largest, err := micro.ShapeOf(dims, on.Space.Largest())
	if err != nil {
		t.Fatal(err)
	}
	for name, shape := range map[string]micro.Shape{"largest": largest, "13": shapes()["13"]} {
		t.Run(name, func(t *testing.T) {
			super, err := micro.NewSupernet(rt, dims, largest, micro.SettingA(), 3, micro.TrainerOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer super.Close()
			alone, err := micro.NewTrainer(rt, dims, shape, micro.SettingA(), 3, micro.TrainerOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer alone.Close()
			before := slices.Clone(super.Parameters())
			copy(alone.Parameters(), cut(super.Layout(), alone.Layout(), before))
			a, err := super.Step(t.Context(), shape, batch)
			if err != nil {
				t.Fatal(err)
			}
			b, err := alone.Step(t.Context(), shape, batch)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(a.Loss/b.Loss-1) > 1e-6 || math.Abs(a.Norm/b.Norm-1) > 1e-5 {
				t.Errorf("%+v, alone %+v", a, b)
			}
			inherited, own := cut(super.Layout(), alone.Layout(), super.Parameters()), alone.Parameters()
			far := 0
			for i := range own {
				if math.Abs(float64(inherited[i]-own[i])) > 1e-6 {
					far++ // Adam makes whole steps of rounding errors where a gradient is zero: of key biases
				}
			}
			if far > len(own)/200 {
				t.Errorf("%d of %d inherited weights differ from those of the network alone", far, len(own))
			}
			last := super.Layout().Size()
			layers := len(shape.Decoder.FFN)
			if layers < 3 && !slices.Equal(super.Parameters()[last-1000:], before[last-1000:]) {
				t.Error("a layer that was not sampled has changed")
			}
		})
	}
}

// TestSampler: the sandwich rule shows the largest and the smallest in turns, and
// every step has its sub-network whenever it is asked for.
func TestSampler(t *testing.T) {
	on := loadTask(t)
	largest, _ := micro.ShapeOf(dims, on.Space.Largest())
	smallest, _ := micro.ShapeOf(dims, on.Space.Smallest())
	sandwich := micro.NewSampler(dims, on.Space, micro.Sandwich, 1)
	for i, want := range map[int]micro.Shape{0: largest, 1: smallest, 8: largest, 9: smallest} {
		if got, err := sandwich.At(i); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("step %d: %+v, %v", i, got, err)
		}
	}
	uniform := micro.NewSampler(dims, on.Space, micro.Uniform, 1)
	first, _ := uniform.At(3)
	uniform.At(7)
	if again, _ := uniform.At(3); !reflect.DeepEqual(again, first) {
		t.Error("the sub-network of a step depends on what was asked for before")
	}
}
