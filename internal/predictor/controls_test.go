package predictor

import (
	"fmt"
	"math"
	"testing"

	"hsnas/internal/metric"
	"hsnas/internal/published"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// split is one published split of a task, read for a test.
type split struct {
	on         *task.Task
	demos      Demonstrations
	test       []space.Architecture
	truth      []float64
	supernets  map[string]map[string]float64 // by architecture key, then supernet
	supernetOf func(name string) Column
}

// published tasks by the authors' names, in the order of the paper's table.
var datasets = []struct{ dataset, task string }{
	{"wmt14ende", "wmt14.en-de"}, {"wmt14enfr", "wmt14.en-fr"}, {"wmt19ende", "wmt19.en-de"},
}

// publishedSplit reads a split or skips the test.
func publishedSplit(t *testing.T, dataset, name, seed string) split {
	t.Helper()
	root, err := published.Root()
	if err != nil {
		t.Skipf("published figures: %v", err)
	}
	on, err := task.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	s := split{on: on, supernets: map[string]map[string]float64{}}
	for _, part := range []published.Part{published.Demonstrations, published.Test} {
		seeds, err := published.Seeds(root, dataset, seed, part)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range seeds {
			a, err := on.Space.ParseArchitecture([]byte(row.Architecture))
			if err != nil {
				t.Fatal(err)
			}
			if part == published.Demonstrations {
				s.demos.Archs, s.demos.Truth = append(s.demos.Archs, a), append(s.demos.Truth, row.Valid)
			} else {
				s.test, s.truth = append(s.test, a), append(s.truth, row.Valid)
			}
			s.supernets[a.Key()] = map[string]float64{}
			for supernet, b := range row.Supernets {
				s.supernets[a.Key()][supernet] = b.Valid
			}
		}
	}
	s.supernetOf = func(name string) Column {
		return Column{name, func(a space.Architecture) (float64, error) { return s.supernets[a.Key()][name], nil }}
	}
	return s
}

// The controls that were computed independently, on the same published figures:
// MAE and tau-b, mean over the three splits.
func TestControlsReproduceTheTable(t *testing.T) {
	want := map[string][3][2]float64{
		"control:constant":           {{0.568, math.NaN()}, {0.595, math.NaN()}, {0.706, math.NaN()}},
		"control:flops":              {{0.346, 0.580}, {0.263, 0.709}, {0.277, 0.707}},
		"control:params":             {{0.346, 0.583}, {0.281, 0.693}, {0.261, 0.691}},
		"control:log-decoder-layers": {{0.162, 0.806}, {0.194, 0.810}, {0.245, 0.741}},
		"control:ridge":              {{0.286, 0.685}, {0.208, 0.814}, {0.307, 0.668}},
		"control:size":               {{0.185, 0.689}, {0.166, 0.807}, {0.204, 0.763}},
		"control:hat-offset":         {{0.268, 0.706}, {0.250, 0.793}, {0.200, 0.723}},
	}
	for k, d := range datasets {
		mae, tau := map[string]float64{}, map[string]float64{}
		for _, seed := range published.Splits() {
			s := publishedSplit(t, d.dataset, d.task, seed)
			controls, err := Controls(s.on, s.demos, nil, []Column{s.supernetOf("hat")})
			if err != nil {
				t.Fatal(err)
			}
			if len(controls) != len(want) {
				t.Errorf("%d controls, want %d", len(controls), len(want))
			}
			for _, c := range controls {
				out := make([]float64, len(s.test))
				if err := c.Predict(t.Context(), s.test, out); err != nil {
					t.Fatal(err)
				}
				mae[c.Name()] += metric.MAE(out, s.truth) / 3
				tau[c.Name()] += metric.KendallTauB(out, s.truth) / 3
			}
		}
		for name, w := range want {
			near := 0.00051
			if name == "control:ridge" {
				near = 0.005
			}
			if math.Abs(mae[name]-w[k][0]) > near || !sameTau(tau[name], w[k][1], near) {
				t.Errorf("%s %s: %.4f / %.4f, want %.3f / %.3f", d.task, name, mae[name], tau[name], w[k][0], w[k][1])
			}
		}
	}
}

func sameTau(got, want, near float64) bool {
	if math.IsNaN(want) {
		return math.IsNaN(got)
	}
	return math.Abs(got-want) <= near
}

// The paper's four supernets, to two decimals.
func TestSupernetsReproduceTheTable(t *testing.T) {
	want := map[string][3]string{
		"hat":        {"1.14 / 0.71", "1.59 / 0.79", "0.91 / 0.72"},
		"sandwich":   {"1.05 / 0.81", "1.27 / 0.78", "0.91 / 0.72"},
		"mos-layer":  {"0.97 / 0.56", "1.16 / 0.79", "0.96 / 0.74"},
		"mos-neuron": {"0.87 / 0.79", "1.18 / 0.87", "0.87 / 0.67"},
	}
	for k, d := range datasets {
		mae, tau := map[string]float64{}, map[string]float64{}
		for _, seed := range published.Splits() {
			s := publishedSplit(t, d.dataset, d.task, seed)
			for _, name := range published.Supernets() {
				out := make([]float64, len(s.test))
				for i, a := range s.test {
					out[i] = s.supernets[a.Key()][name]
				}
				mae[name] += metric.MAE(out, s.truth) / 3
				tau[name] += metric.KendallTauB(out, s.truth) / 3
			}
		}
		for name, w := range want {
			if got := fmt.Sprintf("%.2f / %.2f", mae[name], tau[name]); got != w[k] {
				t.Errorf("%s supernet %s: %s, want %s", d.task, name, got, w[k])
			}
		}
	}
}
