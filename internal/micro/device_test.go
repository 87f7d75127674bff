package micro_test

import (
	"math/rand/v2"
	"testing"

	"hsnas/internal/micro"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/space"
)

// TestDeviceSupernetScores: a supernet, a few steps old, gives sub-networks of every
// depth the scores that they have on the CPU.
func TestDeviceSupernetScores(t *testing.T) {
	rt, device := orttest.Device(t)
	on, c := loadTask(t), smallCorpus()
	largest, err := micro.ShapeOf(dims, on.Space.Largest())
	if err != nil {
		t.Fatal(err)
	}
	super, err := micro.NewSupernet(rt, dims, largest, micro.SettingA(), 3, micro.TrainerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer super.Close()
	batches := micro.NewBatches(c.Encode(c.Train), 64, 1)
	for i := range 10 {
		if _, err := super.Step(t.Context(), largest, batches.At(i)); err != nil {
			t.Fatal(err)
		}
	}
	archs := []space.Architecture{on.Space.Largest(), on.Space.Smallest()}
	for r := rand.New(rand.NewPCG(1, 2)); len(archs) < 3; {
		archs = append(archs, on.Space.Sample(r))
	}
	scores := func(device string) []float32 {
		s, err := micro.NewSupernetScorer(rt, dims, on.Space.Largest(), super.Parameters(), c.Encode(c.Valid[:4]), micro.ScorerOptions{Device: device})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		losses := make([]float64, len(archs))
		if err := s.Losses(t.Context(), archs, losses); err != nil {
			t.Fatal(err)
		}
		out := make([]float32, len(losses))
		for i, l := range losses {
			out[i] = float32(l)
		}
		return out
	}
	orttest.Near(t, "losses of a supernet", scores(device), scores("cpu"), 1e-3)
}
