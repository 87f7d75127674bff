package micro_test

import (
	"context"
	"math"
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

// TestSupernetIsItsSubNetworks: the sampled graph of a supernet computes what
// the static graph of the sub-network does, loss and gradient.
func TestSupernetIsItsSubNetworks(t *testing.T) {
	rt := orttest.Open(t)
	tk, err := task.Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	set := corpus.Micro(corpus.Sizes{Train: 640, Valid: 10, Test: 10})
	c := corpus.New(set.Train, set.Valid, set.Test)
	batches := micro.NewBatches(c.Encode(c.Train), 64, 1)
	shape, err := micro.ShapeOf(dims, tk.Space.Largest())
	if err != nil {
		t.Fatal(err)
	}
	super, err := micro.NewSupernet(rt, dims, shape, micro.SettingA(), 3, micro.TrainerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer super.Close()
	static, err := micro.NewTrainer(rt, dims, shape, micro.SettingA(), 3, micro.TrainerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer static.Close()
	for range 5 {
		a, err := super.Step(context.Background(), shape, batches.At(super.Steps()))
		if err != nil {
			t.Fatal(err)
		}
		b, err := static.Step(context.Background(), shape, batches.At(static.Steps()))
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(a.Loss/b.Loss-1) > 1e-6 || math.Abs(a.Norm/b.Norm-1) > 1e-5 {
			t.Errorf("step %d: %+v, the static graph %+v", super.Steps(), a, b)
		}
	}
}
