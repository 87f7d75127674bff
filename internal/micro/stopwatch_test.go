package micro

import (
	"context"
	"testing"

	"hsnas/internal/ort"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/task"
)

func TestStopwatch(t *testing.T) {
	rt := orttest.Open(t)
	on, err := task.Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewStopwatch(rt, on, on.Space.Smallest(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if len(w.source[0]) != 15 || w.steps != 15 {
		t.Errorf("%d words and %d steps, expected 15 of each", len(w.source[0]), w.steps)
	}
	for _, word := range w.source[0] {
		if word < 4 || word >= 350 {
			t.Errorf("the source has word %d, expected 4 to 349", word)
		}
	}
	for range 2 {
		times, err := w.Once(context.Background())
		if err != nil || times.Encoder <= 0 || times.Decoder <= 0 {
			t.Errorf("%+v, %v", times, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.Once(ctx); err == nil {
		t.Error("an ended context was not noticed")
	}
	on.Family = task.HAT
	if _, err := NewStopwatch(rt, on, on.Space.Smallest(), 1); err == nil {
		t.Error("a task of another family was accepted")
	}
}

// BenchmarkStopwatch is one sentence of the smallest and the largest architecture
// at each level of graph optimisation.
func BenchmarkStopwatch(b *testing.B) {
	rt := orttest.Open(b)
	on, err := task.Load("micro.en-de")
	if err != nil {
		b.Fatal(err)
	}
	for _, level := range []struct {
		name string
		o    ort.Optimization
	}{{"none", ort.OptimizeNone}, {"basic", ort.OptimizeBasic}, {"extended", ort.OptimizeExtended}, {"all", ort.OptimizeAll}} {
		for _, size := range []string{"smallest", "largest"} {
			b.Run("optimisation="+level.name+"/architecture="+size, func(b *testing.B) {
				a := on.Space.Smallest()
				if size == "largest" {
					a = on.Space.Largest()
				}
				w, err := newStopwatch(rt, on, a, 1, level.o)
				if err != nil {
					b.Fatal(err)
				}
				defer w.Close()
				for b.Loop() {
					if _, err := w.Once(context.Background()); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
