package evolve_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"hsnas/internal/evolve"
)

// told is everything that a search says, as lines.
type told struct {
	evaluations, progress []string
	result                string
}

func (w *told) options(seed uint64) evolve.Options {
	return evolve.Options{
		Source:   seeded(seed),
		Observe:  func(e evolve.Evaluation) { w.evaluations = append(w.evaluations, fmt.Sprint(e)) },
		Progress: func(g evolve.Generation) { w.progress = append(w.progress, fmt.Sprintf("%+v", g)) },
	}
}

// finish notes the result without the measured seconds.
func (w *told) finish(r evolve.Result) {
	for _, list := range [][]evolve.Account{r.Scorers, r.Costs} {
		for i := range list {
			list[i].Seconds = 0
		}
	}
	w.result = fmt.Sprintf("%+v", r)
}

// Stopped after any generation and gone on from the state of it, a search of every
// schedule, for the best and for a front, tells and finds what it does
// without a stop, and asks nobody anything twice.
func TestResumedIsUninterrupted(t *testing.T) {
	for _, schedule := range evolve.Schedules() {
		for _, forFront := range []bool{false, true} {
			for stop := 1; stop <= 8; stop++ {
				resumed(t, evolve.Schedule(schedule), forFront, stop)
			}
		}
	}
}

func resumed(t *testing.T, schedule evolve.Schedule, forFront bool, stop int) {
	t.Helper()
	p, student, baseline := bargain(t, 150)
	if !forFront {
		p.Objectives, p.Reference = nil, nil
	}
	params := small()
	params.Schedule, params.StudentIterations, params.MinTau = schedule, 4, 0.9
	var want told
	result, err := evolve.Search(context.Background(), p, params, want.options(3))
	if err != nil {
		t.Fatal(err)
	}
	want.finish(result)
	clear(student.seen)
	clear(baseline.seen)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var state []byte
	var kept evolve.State
	options := evolve.Options{Source: seeded(3), Checkpoint: func(s evolve.State) error {
		if s.Done() == stop {
			kept = s
			cancel()
		}
		return nil
	}}
	if _, err := evolve.Search(ctx, p, params, options); stop < params.Iterations && !errors.Is(err, context.Canceled) {
		t.Fatalf("%s: stopped after %d generations with %v", schedule, stop, err)
	}
	if state, err = json.Marshal(kept); err != nil { // not before the search has gone on
		t.Fatal(err)
	}
	var got told
	o := got.options(99)
	o.From = state
	if result, err = evolve.Search(context.Background(), p, params, o); err != nil {
		t.Fatalf("%s: going on after %d generations: %v", schedule, stop, err)
	}
	got.finish(result)
	if !slices.Equal(got.evaluations, want.evaluations) || !slices.Equal(got.progress, want.progress) || got.result != want.result {
		t.Errorf("%s, front %v: gone on after %d generations, it tells or finds something else", schedule, forFront, stop)
	}
	for _, s := range []*pointwise{student, baseline} {
		for key, n := range s.seen {
			if n != 1 {
				t.Errorf("%s: %s asked %d times for %x", schedule, s.name, n, key)
			}
		}
	}
}

func TestFailingCheckpointEndsTheSearch(t *testing.T) {
	full := errors.New("the disk is full")
	p, student, _, _ := endless(t)
	_, err := evolve.Search(context.Background(), p, small(), evolve.Options{Checkpoint: func(evolve.State) error { return full }})
	if !errors.Is(err, full) || len(student.sizes) > 1 {
		t.Errorf("%v after %d batches", err, len(student.sizes))
	}
}

func TestDamagedStates(t *testing.T) {
	p, _, _, _ := endless(t)
	params := small()
	params.StudentIterations = 2
	var state []byte
	_, err := evolve.Search(context.Background(), p, params, evolve.Options{Checkpoint: func(s evolve.State) (err error) {
		if s.Done() == 4 {
			state, err = json.Marshal(s)
		}
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		key   string
		value any
		want  string
	}{
		{"generations", 9, `going on from a state: it is of another search: 9 generations in the space "wide"`},
		{"space", "narrow", `going on from a state: it is of another search: 4 generations in the space "narrow"`},
		{"generations", 3, "going on from a state: 4 lines of progress for 3 generations"},
		{"architectures", []any{}, "going on from a state: student: no architecture 0"},
		{"batches", []any{map[string]any{"scorer": "nobody"}}, "going on from a state: batch 0 is damaged"},
		{"costs", []any{map[string]any{"account": map[string]any{"Name": "energy"}}}, `going on from a state: it has the cost "energy" in place of "latency_ms"`},
		{"scorers", []any{map[string]any{"account": map[string]any{"Name": "nobody"}}}, `going on from a state: it has scores of "nobody", which this search does not ask`},
	}
	for _, c := range cases {
		var fields map[string]any
		if err := json.Unmarshal(state, &fields); err != nil {
			t.Fatal(err)
		}
		fields[c.key] = c.value
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = evolve.Search(context.Background(), p, params, evolve.Options{From: text}); err == nil || err.Error() != c.want {
			t.Errorf("%s: got  %v\nwant %s", c.key, err, c.want)
		}
	}
	if _, err := evolve.Search(context.Background(), p, params, evolve.Options{From: state[:len(state)/2]}); err == nil {
		t.Error("half a state was taken")
	}
}

// FuzzState goes on from states that say anything: the search ends, with a result or an
// error.
func FuzzState(f *testing.F) {
	p, _, _, _ := endless(f)
	params := small()
	params.Iterations, params.StudentIterations = 4, 2
	_, err := evolve.Search(context.Background(), p, params, evolve.Options{Source: seeded(1), Checkpoint: func(s evolve.State) error {
		text, err := json.Marshal(s)
		f.Add(text)
		return err
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, _, _, _ := endless(t)
		_, _ = evolve.Search(context.Background(), p, params, evolve.Options{Source: seeded(1), From: text})
	})
}
