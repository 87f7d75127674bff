package micro_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/micro"
	"hsnas/internal/mutationtest"
	"hsnas/internal/ort/orttest"
)

// TestMutatedCheckpoints: a training goes on from a checkpoint as it was written, or
// begins anew.
func TestMutatedCheckpoints(t *testing.T) {
	rt := orttest.Open(t)
	a := parse(t, smallArch)
	shape, err := micro.ShapeOf(dims, a)
	if err != nil {
		t.Fatal(err)
	}
	trainer, err := micro.NewTrainer(rt, dims, shape, micro.SettingA(), 1, micro.TrainerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Close()
	origin := micro.Origin{Task: "micro.en-de", Architecture: a.String(), Seed: 1, Recipe: "a"}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := trainer.Save(path, origin, 7); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kind := mutationtest.Kind{Name: "safetensors, checkpoints", Way: "trainings as they go on", Files: map[string][]byte{"x.safetensors": text}}
	mutationtest.Run(t, kind, func(t *testing.T, file string, damaged []byte) (mutationtest.Outcome, string) {
		place := filepath.Join(filepath.Dir(path), "damaged-"+file)
		if err := os.WriteFile(place, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		if fault, err := micro.CheckCheckpoint(place); fault == "" || err != nil {
			t.Errorf("the check says %q, %v", fault, err)
		}
		var beside int
		_, err := trainer.Restore(place, origin, &beside)
		var fault *micro.DamagedError
		if errors.As(err, &fault) {
			return mutationtest.Detected, err.Error()
		}
		return mutationtest.Wrong, fmt.Sprint(err)
	})
}

// TestMutatedResults: the result of a training counts as it was written, or the
// training is done again.
func TestMutatedResults(t *testing.T) {
	dir := t.TempDir()
	s := scratch(t, dir, 10)
	job := micro.Job{Arch: parse(t, smallArch), Seed: 1}
	whole, err := s.Train(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, job.Arch.ID()+"-1.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kind := mutationtest.Kind{Name: "results of trainings", Way: "stages tfs and winners, as they go on", Files: map[string][]byte{filepath.Base(path): text}}
	mutationtest.Run(t, kind, func(t *testing.T, _ string, damaged []byte) (mutationtest.Outcome, string) {
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		var warned []string
		s.Warn = func(format string, args ...any) { warned = append(warned, fmt.Sprintf(format, args...)) }
		if !s.Known(job) {
			if _, err := os.Stat(path + ".damaged"); err != nil || len(warned) != 1 {
				t.Errorf("not moved aside: %v, %q", err, warned)
			}
			return mutationtest.Detected, strings.Join(warned, "")
		}
		if got, err := s.Train(context.Background(), job); err != nil || fmt.Sprint(got) != fmt.Sprint(whole) {
			return mutationtest.Wrong, fmt.Sprintf("%+v, %v", got, err)
		}
		return mutationtest.Harmless, ""
	})
}

// TestDamagedCheckpointBeginsAnew: the training comes to what it comes to without one.
func TestDamagedCheckpointBeginsAnew(t *testing.T) {
	job := micro.Job{Arch: parse(t, smallArch), Seed: 1}
	want, err := scratch(t, "", 20).Train(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := scratch(t, dir, 20)
	path := filepath.Join(dir, job.Arch.ID()+"-1.safetensors")
	if err := os.WriteFile(path, []byte("no checkpoint at all"), 0o666); err != nil {
		t.Fatal(err)
	}
	var warned string
	s.Warn = func(format string, args ...any) { warned = fmt.Sprintf(format, args...) }
	got, err := s.Train(context.Background(), job)
	if err != nil || fmt.Sprint(got.Losses) != fmt.Sprint(want.Losses) || got.Valid != want.Valid {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
	if begin := path + " is damaged: damaged safetensors file: header of "; !strings.HasPrefix(warned, begin) || !strings.HasSuffix(warned, ": moved to "+filepath.Base(path)+".damaged, the training begins anew") {
		t.Errorf("warned %q", warned)
	}
}
