// Package benchmarks holds what is measured across packages; those of a single
// package stand beside its code. Run with
//
//	go test -bench . -count 6 ./benchmarks
package benchmarks

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/evolve"
	"hsnas/internal/ort"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/predictor"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// network is an exported predictor of the paper's size, 10 features through
// four layers of 400, on the task's space; its weights are those of a few steps,
// which cost as much to run as good ones. Its predictions lie around centre.
func network(b *testing.B, rt *ort.Runtime, t *task.Task, target string, centre float64, seed uint64) *predictor.ONNX {
	b.Helper()
	features, err := predictor.FeatureSet(t, predictor.HATMeans)
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	archs := make([]space.Architecture, 128)
	y := make([]float64, len(archs))
	for i := range archs {
		archs[i] = t.Space.Sample(r)
		y[i] = centre * (0.5 + 0.15*float64(archs[i].Depth("decoder_layers")) + 0.1*r.Float64())
	}
	x, err := features.Rows(archs)
	if err != nil {
		b.Fatal(err)
	}
	m, _, err := predictor.TrainMLP(context.Background(), rt, predictor.MLPParams{Steps: 50, Seed: seed}, x, y)
	if err != nil {
		b.Fatal(err)
	}
	model, err := m.Export(predictor.MetaOf(features, t.Name, target, "a benchmark"))
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), target+".onnx")
	if err := os.WriteFile(path, model, 0o600); err != nil {
		b.Fatal(err)
	}
	p, err := predictor.Load(rt, path, t)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Close() })
	return p
}

func problem(b *testing.B) evolve.Problem {
	b.Helper()
	rt := orttest.Open(b)
	t, err := task.Load("wmt14.en-de")
	if err != nil {
		b.Fatal(err)
	}
	return evolve.Problem{
		Space:    t.Space,
		Student:  evolve.Func("student", network(b, rt, t, "BLEU", 25, 1).Predict),
		Baseline: evolve.Func("baseline", network(b, rt, t, "BLEU", 25, 2).Predict),
		Constraints: []evolve.Constraint{{
			Name: "latency_ms", Unit: "ms", Max: 150,
			Cost: evolve.Func("latency", network(b, rt, t, "latency_ms", 150, 3).Predict),
		}},
	}
}

// BenchmarkSearch is a whole HS-NAS of the paper's settings: 30 generations,
// 125 candidates each, three networks in ONNX Runtime on one thread.
func BenchmarkSearch(b *testing.B) {
	p := problem(b)
	evaluations := int64(0)
	for b.Loop() {
		result, err := evolve.Search(context.Background(), p, evolve.Defaults(), rand.New(rand.NewPCG(1, 0)), nil)
		if err != nil {
			b.Fatal(err)
		}
		evaluations = 0
		for _, a := range append(result.Scorers, result.Costs...) {
			evaluations += a.Evaluations
		}
	}
	b.ReportMetric(float64(evaluations), "predictions/op")
}

// BenchmarkScoring scores one generation of 125 in one call, and one at a time.
func BenchmarkScoring(b *testing.B) {
	p := problem(b)
	r := rand.New(rand.NewPCG(1, 0))
	archs := make([]space.Architecture, 125)
	for i := range archs {
		archs[i] = p.Space.Sample(r)
	}
	out := make([]float64, len(archs))
	for _, size := range []int{len(archs), 1} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			for b.Loop() {
				for i := 0; i < len(archs); i += size {
					if err := p.Student.Score(context.Background(), archs[i:i+size], out[i:i+size]); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(archs)), "ns/architecture")
		})
	}
}
