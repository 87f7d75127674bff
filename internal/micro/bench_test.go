package micro_test

import (
	"context"
	"testing"

	"hsnas/internal/corpus"
	"hsnas/internal/micro"
	"hsnas/internal/ort/orttest"
)

var dims = micro.Dims{SourceWords: 350, TargetWords: 502, QKV: 64, Ladder: 96}

func shapes() map[string]micro.Shape {
	return map[string]micro.Shape{
		"13": {
			Encoder:    micro.Side{Dim: 64, FFN: []int{128, 256, 64}, Heads: []int{2, 2, 4}},
			Decoder:    micro.Side{Dim: 64, FFN: []int{256, 256}, Heads: []int{4, 2}},
			CrossHeads: []int{2, 2}, Spans: []int{1, 3},
		},
		"6": {
			Encoder:    micro.Side{Dim: 96, FFN: []int{128, 256, 256}, Heads: []int{4, 2, 2}},
			Decoder:    micro.Side{Dim: 96, FFN: []int{128, 256, 128}, Heads: []int{4, 2, 2}},
			CrossHeads: []int{2, 2, 2}, Spans: []int{3, 2, 3},
		},
	}
}

// BenchmarkStep is the training step of two architectures of results.csv at
// setting A, on one thread.
func BenchmarkStep(b *testing.B) {
	rt := orttest.Open(b)
	set := corpus.Micro(corpus.Sizes{Train: 2000, Valid: 10, Test: 10})
	c := corpus.New(set.Train, set.Valid, set.Test)
	examples := c.Encode(c.Train)
	for name, shape := range shapes() {
		b.Run("architecture="+name, func(b *testing.B) {
			r := micro.SettingA()
			t, err := micro.NewTrainer(rt, dims, shape, r, 1, micro.TrainerOptions{})
			if err != nil {
				b.Fatal(err)
			}
			defer t.Close()
			batches := micro.NewBatches(examples, r.Batch, 1)
			for b.Loop() {
				if _, err := t.Step(context.Background(), shape, batches.At(t.Steps())); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
