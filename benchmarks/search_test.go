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
	"syscall"
	"testing"
	"time"

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
func network(b testing.TB, rt *ort.Runtime, t *task.Task, target string, centre float64, seed uint64, dir string) *predictor.ONNX {
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
	path := filepath.Join(dir, target+".onnx")
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

// problem leaves the files of the baseline and of the latency in dir.
func problem(b testing.TB, dir string) evolve.Problem {
	b.Helper()
	rt := orttest.Open(b)
	t, err := task.Load("wmt14.en-de")
	if err != nil {
		b.Fatal(err)
	}
	return evolve.Problem{
		Space:    t.Space,
		Student:  evolve.Func("student", network(b, rt, t, "BLEU", 25, 1, b.TempDir()).Predict),
		Baseline: evolve.Func("baseline", network(b, rt, t, "BLEU", 25, 2, dir).Predict),
		Constraints: []evolve.Constraint{{
			Name: "latency_ms", Unit: "ms", Max: 150,
			Cost: evolve.Func("latency", network(b, rt, t, "latency_ms", 150, 3, dir).Predict),
		}},
	}
}

// BenchmarkSearch is a whole HS-NAS of the paper's settings: 30 generations,
// 125 candidates each, three networks in ONNX Runtime on one thread; for the best
// within a latency, and for the front of quality and latency.
func BenchmarkSearch(b *testing.B) {
	p := problem(b, b.TempDir())
	for name, p := range map[string]evolve.Problem{"best": p, "front": frontOf(p)} {
		b.Run(name, func(b *testing.B) {
			predictions := int64(0)
			before := processor()
			for b.Loop() {
				predictions = searched(b, p, evolve.Defaults(), 1).predictions
			}
			b.ReportMetric(float64(predictions), "predictions/op")
			b.ReportMetric(1e3*(processor()-before)/float64(b.N), "processor-ms/op")
		})
	}
}

// frontOf makes a search for the front of quality and latency of a problem, without
// its limit.
func frontOf(p evolve.Problem) evolve.Problem {
	p.Objectives = []evolve.Objective{{Name: "quality"}, {Name: "latency_ms", Cost: p.Constraints[0].Cost}}
	p.Constraints = nil
	p.Reference = []float64{0, 400}
	return p
}

// outcome is a search and what it took.
type outcome struct {
	predictions        int64
	seconds, processor float64
	hypervolume        float64
}

func searched(b testing.TB, p evolve.Problem, params evolve.Params, seed uint64) outcome {
	b.Helper()
	var out outcome
	began, before := time.Now(), processor()
	result, err := evolve.Search(context.Background(), p, params, evolve.Options{
		Source: rand.NewPCG(seed, 0), Progress: func(g evolve.Generation) { out.hypervolume = g.Hypervolume },
	})
	out.seconds, out.processor = time.Since(began).Seconds(), processor()-before
	if err != nil {
		b.Fatal(err)
	}
	for _, a := range append(result.Scorers, result.Costs...) {
		out.predictions += a.Evaluations
	}
	return out
}

// processor is the processor time of this process so far, in seconds.
func processor() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// BenchmarkScoring scores one generation of 125 in one call, and one at a time.
func BenchmarkScoring(b *testing.B) {
	p := problem(b, b.TempDir())
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
