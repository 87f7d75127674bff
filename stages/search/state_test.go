package search

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/evolve"
	"hsnas/internal/progress"
	"hsnas/internal/seal"
	"hsnas/internal/space"
	"hsnas/schemas"
)

// interrupting is a scorer that cancels at a call.
func interrupting(s evolve.Scorer, at int, cancel func()) evolve.Scorer {
	calls := 0
	return evolve.Func(s.Name(), func(ctx context.Context, archs []space.Architecture, out []float64) error {
		if calls++; calls == at {
			cancel()
			return ctx.Err()
		}
		return s.Score(ctx, archs, out)
	})
}

// artifacts writes what a search has found, but for measured seconds, and returns
// the bytes.
func artifacts(t *testing.T, r *rows) []byte {
	t.Helper()
	dir := t.TempDir()
	for i := range r.ledger {
		r.ledger[i].Seconds = 0
	}
	out := outputs(dir)
	if err := r.write(out, schemas.Provenance{Stage: Name}); err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, path := range []string{out.Candidates, out.Front, out.Ledger, out.Progress, out.Pareto} {
		all = append(all, read(t, path)...)
	}
	return all
}

// Interrupted anywhere and started again, the searches of a run come to the same
// artifacts, bit for bit, and a trained supernet is asked about nothing again that an
// earlier attempt had finished a generation with.
func TestInterruptedSearchesGoOn(t *testing.T) {
	for _, front := range []bool{false, true} {
		p := forFronts()
		p.Baseline = TrainedSupernet
		if !front {
			p.Objectives = nil
		}
		asked := map[string]int{}
		scorers := func() map[string]evolve.Scorer {
			out := wavy()
			out["baseline"] = counted(linear(TrainedSupernet, 21, 2e-4), asked)
			return out
		}
		want := artifacts(t, search(t, p, wmt(t), scorers()))
		once := len(asked)
		for _, at := range []int{2, 17} {
			clear(asked)
			dir := t.TempDir()
			ctx, cancel := context.WithCancel(context.Background())
			broken := scorers()
			broken["student"] = interrupting(broken["student"], at, cancel)
			if _, err := attempt(t, ctx, p, broken, dir, "k"); !errors.Is(err, context.Canceled) {
				t.Fatalf("interrupted at %d: %v", at, err)
			}
			cancel()
			got, err := attempt(t, context.Background(), p, scorers(), dir, "k")
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(artifacts(t, got), want) {
				t.Errorf("front %v: interrupted at %d, the artifacts are others", front, at)
			}
			again := 0
			for _, n := range asked {
				again += n - 1
			}
			// What may be asked again: the reference of hypervolumes, and the winners of
			// finished searches by one scorer alone.
			if most := 1 + 4*p.Top*len(p.Limits); len(asked) != once || again > most {
				t.Errorf("front %v: interrupted at %d: %d architectures asked about, %d again; want %d, and up to %d", front, at, len(asked), again, once, most)
			}
		}
	}
}

func attempt(t *testing.T, ctx context.Context, p Params, scorers map[string]evolve.Scorer, dir, key string) (*rows, error) {
	t.Helper()
	m, err := assemble(p, Inputs{Task: wmt(t)}, scorers)
	if err != nil {
		t.Fatal(err)
	}
	return searchAll(ctx, p, wmt(t), m, newStates(dir, key), progress.Discard)
}

// A finished search is not searched again: nobody is asked.
func TestFinishedSearchesAreNotSearchedAgain(t *testing.T) {
	p, dir := forFronts(), t.TempDir()
	p.Searches, p.Schedules = []string{HSNAS, BaselineOnly}, nil
	states := newStates(dir, "k")
	states.every = 0 // as if each generation took its second
	m, err := assemble(p, Inputs{Task: wmt(t)}, wavy())
	if err != nil {
		t.Fatal(err)
	}
	want, err := searchAll(context.Background(), p, wmt(t), m, states, progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	mute := wavy()
	asked := map[string]int{}
	mute[Latency] = counted(mute[Latency], asked)
	got, err := attempt(t, context.Background(), p, mute, dir, "k")
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) != 0 {
		t.Errorf("the latency of %d architectures was asked for again", len(asked))
	}
	if !bytes.Equal(artifacts(t, got), artifacts(t, want)) {
		t.Error("finished searches came to something else")
	}
	if _, err := attempt(t, context.Background(), p, mute, dir, "another key"); err != nil || len(asked) == 0 {
		t.Errorf("a state of another key was taken, %v", err)
	}
}

func TestDamagedState(t *testing.T) {
	p, dir := small(), t.TempDir()
	path := filepath.Join(dir, "hs-nas_limit-100_seed-1.json")
	if err := os.WriteFile(path, []byte(`{"key":"k","state":{"generations`), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := assemble(p, Inputs{Task: wmt(t)}, wmtScorers())
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	states := newStates(dir, "k")
	states.rep = progress.New(&log)
	got, err := searchAll(context.Background(), p, wmt(t), m, states, progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if want := search(t, p, wmt(t), wmtScorers()); !bytes.Equal(artifacts(t, got), artifacts(t, want)) {
		t.Error("searched from the start, it comes to something else")
	}
	if want := path + " is damaged (it has no seal): moved to hs-nas_limit-100_seed-1.json.damaged; hs-nas, limit 100, seed 1 is searched from the start\n"; log.String() != want {
		t.Errorf("reported %swant     %s", log.String(), want)
	}
	if err := os.WriteFile(path, seal.JSON([]byte(`{"key":"k","state":{"generations":99}}`)), 0o644); err != nil {
		t.Fatal(err)
	}
	want := `search hs-nas, limit 100, seed 1: going on from a state: it is of another search: 99 generations in the space ""`
	if _, err := attempt(t, context.Background(), p, wmtScorers(), dir, "k"); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
