package search

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/mutationtest"
	"hsnas/internal/progress"
	"hsnas/internal/seal"
)

// TestMutatedStates: a search goes on from a state as it was written, or from the start.
func TestMutatedStates(t *testing.T) {
	p, dir := small(), t.TempDir()
	p.Seeds, p.Limits = []int64{1}, []float64{150}
	states := newStates(dir, "k")
	states.every = 0
	m, err := assemble(p, Inputs{Task: wmt(t)}, wmtScorers())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := searchAll(context.Background(), p, wmt(t), m, states, progress.Discard); err != nil {
		t.Fatal(err)
	}
	path := states.path(setting{HSNAS, 150, 1, nil})
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole, _, err := states.load(setting{HSNAS, 150, 1, nil})
	if err != nil {
		t.Fatal(err)
	}
	kind := mutationtest.Kind{Name: "state of a search", Way: "stage search, as it goes on", Files: map[string][]byte{filepath.Base(path): text}}
	mutationtest.Run(t, kind, func(t *testing.T, _ string, damaged []byte) (mutationtest.Outcome, string) {
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		fault, err := seal.CheckFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := states.load(setting{HSNAS, 150, 1, nil})
		switch {
		case err != nil:
			return mutationtest.Wrong, "the search ends: " + err.Error()
		case got == nil && fault != "":
			aside, err := os.ReadFile(path + ".damaged")
			if err != nil || !bytes.Equal(aside, damaged) {
				t.Errorf("the damaged state was not moved aside: %v", err)
			}
			return mutationtest.Detected, fault
		case bytes.Equal(got, whole):
			return mutationtest.Harmless, ""
		}
		return mutationtest.Wrong, "another state"
	})
}
