package predictor

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/ort/orttest"
)

// TestTrainingAgainstNumpy takes 20 steps on given parameters and one batch and
// compares the losses with testdata/mlp_golden.py.
func TestTrainingAgainstNumpy(t *testing.T) {
	want := []float64{
		0.5588475, 0.441783, 0.3896179, 0.3672007, 0.3542488, 0.3439793, 0.3377258, 0.3311201, 0.3280203, 0.3221755,
		0.3139215, 0.3040355, 0.291584, 0.2801977, 0.2691842, 0.2592699, 0.2485417, 0.23852, 0.2275893, 0.2166344,
	}
	rt := orttest.Open(t)
	for _, threads := range []int{1, 2} {
		tr, err := newTrainer(rt, MLPParams{Hidden: []int{40, 40}, Batch: 16, WeightDecay: 0.1, Threads: threads}, 10)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.close()
		k := 0
		for i := range tr.layout.Len() {
			view := tr.layout.View(tr.parameters(), i)
			for j := range view {
				view[j] = float32(math.Sin(0.7*float64(k)) / math.Sqrt(float64(tr.widths[i/2])))
				k++
			}
		}
		for i := range 16 {
			for j := range 10 {
				tr.x.Floats()[10*i+j] = float32(math.Sin(float64(1 + 3*i + 7*j)))
			}
			tr.y.Floats()[i] = float32(math.Cos(float64(i * i)))
		}
		for i, w := range want {
			loss, err := tr.step(context.Background(), i+1, 1e-2)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(loss-w) > 1e-4*w {
				t.Errorf("%d threads, step %d: loss %v, expected %v", threads, i+1, loss, w)
			}
		}
	}
}

// curved is a set of rows of a function that no line follows, with a feature
// that never varies.
func curved(n int, seed uint64) (x [][]float64, y []float64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for range n {
		a, b := r.Float64(), r.Float64()
		x = append(x, []float64{a, 100 + 10*b, 0.75})
		y = append(y, 30+5*math.Abs(a-0.5)+2*b*b)
	}
	return x, y
}

func small(seed uint64) MLPParams {
	return MLPParams{Hidden: []int{32, 32}, Steps: 600, Batch: 64, LearningRate: 1e-2, Seed: seed}
}

func TestTrainMLP(t *testing.T) {
	rt := orttest.Open(t)
	x, y := curved(300, 1)
	testX, testY := curved(100, 2)
	p := small(3)
	p.ValidX, p.ValidY = curved(60, 4)
	m, curve, err := TrainMLP(context.Background(), rt, p, x, y)
	if err != nil {
		t.Fatal(err)
	}
	if len(curve) != 150 || curve[0] < 0.3 || curve[149] > 0.01 {
		t.Errorf("%d epochs, loss from %v to %v", len(curve), curve[0], curve[len(curve)-1])
	}
	var worst float64
	for i, row := range testX {
		worst = max(worst, math.Abs(m.Regress(row)-testY[i]))
	}
	if worst > 0.3 {
		t.Errorf("largest error on new rows %v", worst)
	}
}

func TestTrainMLPIsReproducible(t *testing.T) {
	rt := orttest.Open(t)
	x, y := curved(200, 1)
	train := func(seed uint64, threads int) ([]byte, []float64) {
		p := small(seed)
		p.Threads = threads
		p.ValidX, p.ValidY = curved(20, 9)
		m, curve, err := TrainMLP(context.Background(), rt, p, x, y)
		if err != nil {
			t.Fatal(err)
		}
		model, err := m.Export(Meta{Columns: make([]string, 3)})
		if err != nil {
			t.Fatal(err)
		}
		return model, curve
	}
	model, curve := train(1, 1)
	again, curveAgain := train(1, 2)
	if !slices.Equal(model, again) || !slices.Equal(curve, curveAgain) {
		t.Error("the same seed gave another model")
	}
	other, _ := train(2, 1)
	if slices.Equal(model, other) {
		t.Error("another seed gave the same model")
	}
}

func TestTrainMLPStopsEarly(t *testing.T) {
	x, y := curved(64, 1)
	p := small(1)
	p.Patience = 3
	// Targets that have nothing to do with the rows: the first epochs are best.
	for i := range 64 {
		p.ValidX, p.ValidY = append(p.ValidX, x[i]), append(p.ValidY, y[63-i])
	}
	_, curve, err := TrainMLP(context.Background(), orttest.Open(t), p, x, y)
	if err != nil {
		t.Fatal(err)
	}
	if len(curve) >= 600 {
		t.Errorf("%d epochs", len(curve))
	}
}

func TestTrainMLPErrors(t *testing.T) {
	rt := orttest.Open(t)
	x, y := curved(8, 1)
	nan := slices.Clone(y)
	nan[2] = math.NaN()
	ragged := slices.Clone(x)
	ragged[3] = []float64{1}
	for _, test := range []struct {
		name string
		p    MLPParams
		x    [][]float64
		y    []float64
		want string
	}{
		{"few rows", MLPParams{}, x[:1], y[:1], "mlp training: 1 training rows, expected at least 2"},
		{"targets", MLPParams{}, x, y[:7], "mlp training: 8 training rows, but 7 targets"},
		{"ragged", MLPParams{}, ragged, y, "mlp training: training row 3 has 1 features, expected 3"},
		{"target not finite", MLPParams{}, x, nan, "mlp training: training row 2: target is NaN, expected a finite number"},
		{"feature not finite", MLPParams{}, append([][]float64{{math.Inf(1), 0, 0}}, x[1:]...), y, "mlp training: training row 0: feature 0 is +Inf, expected a finite number"},
		{"validation", MLPParams{ValidX: x, ValidY: y[1:]}, x, y, "mlp training: 8 validation rows, but 7 targets"},
		{"width", MLPParams{Hidden: []int{4, 0}}, x, y, "mlp training: hidden layer 2 has width 0, expected at least 1"},
		{"negative", MLPParams{Steps: -1}, x, y, "mlp training: steps, batch, patience, learning rate and weight decay must not be negative"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, _, err := TrainMLP(context.Background(), rt, test.p, test.x, test.y); err == nil || err.Error() != test.want {
				t.Errorf("error %v, expected %s", err, test.want)
			}
		})
	}
	p := small(1)
	p.LearningRate = 1e30
	_, _, err := TrainMLP(context.Background(), rt, p, x, y)
	if err == nil || !strings.HasPrefix(err.Error(), "mlp training: the loss is ") || !strings.Contains(err.Error(), " in epoch ") {
		t.Errorf("diverging: error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := TrainMLP(ctx, rt, small(1), x, y); err == nil {
		t.Error("cancelled: no error")
	}
}

func BenchmarkTrainingStep(b *testing.B) {
	rt := orttest.Open(b)
	p := MLPParams{}.defaults(128)
	tr, err := newTrainer(rt, p, 10)
	if err != nil {
		b.Fatal(err)
	}
	defer tr.close()
	tr.initialise(rand.New(rand.NewPCG(1, 1)))
	step := 0
	for b.Loop() {
		step++
		if _, err := tr.step(context.Background(), step, 1e-3); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
}
