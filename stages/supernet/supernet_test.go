package supernet_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/atomicfile"
	"hsnas/internal/corpus"
	"hsnas/internal/micro"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/supernet"
)

var prov = schemas.Provenance{Stage: "test", StageVersion: 1, Key: "k", Task: "micro.en-de"}

// prepared is the embedded task with a small corpus, two architectures of
// made-up truth and a recipe of thirty steps.
func prepared(t *testing.T) (p supernet.Params, in supernet.Inputs) {
	t.Helper()
	orttest.Open(t)
	on, err := task.Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	in = supernet.Inputs{Task: on, Corpus: filepath.Join(dir, "c.parquet"), Architectures: filepath.Join(dir, "a.parquet"), TFS: filepath.Join(dir, "t.parquet")}
	set := corpus.Micro(corpus.Sizes{Train: 640, Valid: 10, Test: 10})
	var archs []schemas.Architecture
	var truth []schemas.TFS
	for i, arch := range []space.Architecture{on.Space.Smallest(), on.Space.Largest()} {
		archs = append(archs, schemas.Architecture{ID: arch.ID(), Set: schemas.SetExtra, Architecture: arch.String()})
		truth = append(truth, schemas.TFS{ID: arch.ID(), Score: float64(i), TestScore: float64(-i), Metric: "BLEU", Source: schemas.SourceTable})
	}
	for _, err := range []error{
		schemas.WriteCorpus(in.Corpus, schemas.CorpusRows(set), prov),
		schemas.WriteArchitectures(in.Architectures, archs, prov), schemas.WriteTFS(in.TFS, truth, prov),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p = supernet.Defaults()
	p.Recipe.Steps, p.Recipe.Batch = 30, 16
	return p, in
}

func outputs(dir string) supernet.Outputs {
	file := func(name string) string { return filepath.Join(dir, name) }
	return supernet.Outputs{Weights: file("w.safetensors"), Scores: file("s.parquet"), Training: file("t.parquet"), Checkpoint: file("checkpoint.safetensors")}
}

// stopper interrupts a run once a number of steps were taken.
type stopper struct {
	progress.Reporter
	after int
	stop  func()
}

func (s *stopper) Add(n int) {
	if s.after -= n; s.after <= 0 {
		s.stop()
	}
}

// TestRun: the artifacts agree with each other, and a run that was interrupted
// ends with the same weights, bit for bit.
func TestRun(t *testing.T) {
	p, in := prepared(t)
	whole, parts := outputs(t.TempDir()), outputs(t.TempDir())
	if err := supernet.Run(t.Context(), p, in, whole, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	if err := supernet.Run(ctx, p, in, parts, prov, &stopper{progress.Discard, 10, stop}); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, expected the interruption", err)
	}
	if _, err := os.Stat(parts.Checkpoint); err != nil {
		t.Fatalf("no checkpoint: %v", err)
	}
	if err := supernet.Run(t.Context(), p, in, parts, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	a, errA := atomicfile.SHA256(whole.Weights)
	b, errB := atomicfile.SHA256(parts.Weights)
	if a != b || errA != nil || errB != nil {
		t.Errorf("weights of the interrupted run %s, %v; of the other %s, %v", b, errB, a, errA)
	}
	row, err := schemas.ReadSupernetTraining(parts.Training)
	if err != nil {
		t.Fatal(err)
	}
	if row.N != 2 || row.Steps != 30 || len(row.LossCurve) != 3 || row.LossCurve[2] >= row.LossCurve[0] || row.Tau != -row.TestTau || math.Abs(row.Tau) != 1 {
		t.Errorf("training %+v", row)
	}
	scores, err := schemas.ReadSupernetScores(parts.Scores)
	if err != nil || len(scores) != 2 || scores[0].Supernet != supernet.Trained || scores[0].Score >= 0 || (scores[1].Score > scores[0].Score) != (row.Tau > 0) {
		t.Errorf("scores %+v, %v, tau %v", scores, err, row.Tau)
	}
	if _, err := os.Stat(parts.Checkpoint); err == nil {
		t.Error("the checkpoint of a finished training is still there")
	}
}

// TestForeignCheckpoint: a checkpoint of another rule is not taken up, nor in the way.
func TestForeignCheckpoint(t *testing.T) {
	p, in := prepared(t)
	out := outputs(t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	if err := supernet.Run(ctx, p, in, out, prov, &stopper{progress.Discard, 10, stop}); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, expected the interruption", err)
	}
	p.Rule = micro.Sandwich
	fresh := outputs(t.TempDir())
	if err := errors.Join(supernet.Run(t.Context(), p, in, out, prov, progress.Discard), supernet.Run(t.Context(), p, in, fresh, prov, progress.Discard)); err != nil {
		t.Fatal(err)
	}
	a, errA := atomicfile.SHA256(out.Weights)
	b, errB := atomicfile.SHA256(fresh.Weights)
	if a != b || errA != nil || errB != nil {
		t.Errorf("weights beside the checkpoint %s, %v; without it %s, %v", a, errA, b, errB)
	}
}

func TestBatchLargerThanTheCorpus(t *testing.T) {
	p, in := prepared(t)
	p.Recipe.Batch = 1000
	want := "640 training pairs, fewer than one batch of 1000"
	if err := supernet.Run(t.Context(), p, in, outputs(t.TempDir()), prov, progress.Discard); err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

func TestParams(t *testing.T) {
	for want, change := range map[string]func(p *supernet.Params){
		`rule: "fair", expected uniform or sandwich`: func(p *supernet.Params) { p.Rule = "fair" },
		"seed: -1, expected 0 or more":               func(p *supernet.Params) { p.Seed = -1 },
	} {
		p := supernet.Defaults()
		change(&p)
		if err := p.Validate(); err == nil || err.Error() != want {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}
