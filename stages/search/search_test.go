package search

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/evolve"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// small are settings that end at once.
func small() Params {
	p := Defaults()
	p.Iterations, p.StudentIterations = 4, 2
	p.Population, p.Parents, p.Mutation, p.Crossover = 12, 4, 4, 4
	p.Seeds, p.Limits = []int64{1, 2}, []float64{100, 200}
	return p
}

func wmt(t testing.TB) *task.Task {
	t.Helper()
	out, err := task.Load("wmt14.en-de")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// own is a task on a space of its own, without a cost model, whose metric is to
// be minimised.
func own(t testing.TB) *task.Task {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"space.yaml": "name: own\nhyperparameters:\n" +
			"- {name: width, definition: d, choices: [1, 2, 3, 4, 5, 6, 7, 8]}\n" +
			"- {name: layers, definition: d, choices: [1, 2, 3]}\n" +
			"- {name: units, definition: d, choices: [10, 20, 30], layers: layers}\n",
		"task.yaml": "name: own\nspace: ./space.yaml\nmetric: {name: error, direction: minimize, min: 0, max: 1, decimals: 3}\ndata: {table: scores.csv}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := task.Load(filepath.Join(dir, "task.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// linear is a scorer: a plus b times the sum of everything in the architecture.
func linear(name string, a, b float64) evolve.Scorer {
	return evolve.Func(name, func(_ context.Context, archs []space.Architecture, out []float64) error {
		for i, arch := range archs {
			out[i] = a
			for h := range arch.Space().Hyperparameters {
				for _, x := range arch.Numbers(h) {
					out[i] += b * x
				}
			}
		}
		return nil
	})
}

func search(t *testing.T, p Params, tk *task.Task, scorers map[string]evolve.Scorer) *rows {
	t.Helper()
	m, err := assemble(p, Inputs{Task: tk}, scorers)
	if err != nil {
		t.Fatal(err)
	}
	out, err := searchAll(context.Background(), p, tk, m, newStates("", ""), progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func wmtScorers() map[string]evolve.Scorer {
	return map[string]evolve.Scorer{
		"student": linear("student", 20, 1e-4), "baseline": linear("surrogate", 21, 2e-4), Latency: linear("latency", 30, 5e-3),
		"control": linear("control-log-decoder-layers", 22, 3e-4),
	}
}

// Every search has the rows that it should, and the front holds the best that
// candidates has of the last scorer.
func TestFrontIsTheBestOfTheCandidates(t *testing.T) {
	p := small()
	got := search(t, p, wmt(t), wmtScorers())
	if want := 4 * 2 * 2 * p.Top; len(got.front) != want {
		t.Fatalf("%d winners, want %d", len(got.front), want)
	}
	last := map[string]string{HSNAS: "surrogate", BaselineOnly: "surrogate", StudentOnly: "student", Random: "surrogate"}
	for _, w := range got.front {
		if w.Scorer != last[w.Search] || w.Cost > w.Limit || w.Unit != "ms" || w.Constraint != Latency {
			t.Errorf("%s ranks by %s: %+v", w.Search, w.Scorer, w)
		}
		if w.GFLOPs <= 0 || w.Params == nil || *w.Params <= 0 {
			t.Errorf("%s has no GFLOPs or parameters: %+v", w.ID, w)
		}
		better := map[string]bool{}
		for _, c := range got.candidates {
			if c.Search == w.Search && c.Limit == w.Limit && c.Seed == w.Seed && c.Scorer == w.Scorer && c.Score > w.Score {
				better[c.ID] = true
			}
		}
		if len(better) > int(w.Rank)-1 {
			t.Errorf("%s: rank %d has %d better candidates", w.Search, w.Rank, len(better))
		}
		if own := map[string]float64{"student": w.StudentScore, "surrogate": w.BaselineScore}[w.Scorer]; own != w.Score {
			t.Errorf("%s: score %v, but %v by the same scorer", w.Search, w.Score, own)
		}
	}
	for _, c := range got.candidates {
		if kind := map[string]string{"student": schemas.ScorerLLMDistill, "surrogate": schemas.ScorerSurrogate}[c.Scorer]; c.ScorerKind != kind {
			t.Fatalf("scorer %s is of kind %q", c.Scorer, c.ScorerKind)
		}
		if !c.Feasible || c.Cost > c.Limit {
			t.Fatalf("infeasible: %+v", c)
		}
	}
}

// All searches of one seed and limit start from one first generation, and random
// search gets as many candidates as HS-NAS had.
func TestControlsAreFair(t *testing.T) {
	p := small()
	p.Searches = Searches()
	got := search(t, p, wmt(t), wmtScorers())
	type group struct {
		limit float64
		seed  int64
	}
	first, distinct := map[group]map[string][]string{}, map[group]map[string]map[string]bool{}
	for _, c := range got.candidates {
		g := group{c.Limit, c.Seed}
		if first[g] == nil {
			first[g], distinct[g] = map[string][]string{}, map[string]map[string]bool{}
		}
		if distinct[g][c.Search] == nil {
			distinct[g][c.Search] = map[string]bool{}
		}
		distinct[g][c.Search][c.ID] = true
		if c.Iteration == 0 && c.Position < 12 {
			first[g][c.Search] = append(first[g][c.Search], c.ID)
		}
	}
	for g := range first {
		for _, name := range Searches() {
			if !slices.Equal(first[g][name], first[g][HSNAS]) {
				t.Errorf("%v: %s begins elsewhere than hs-nas", g, name)
			}
		}
		if r, h := len(distinct[g][Random]), len(distinct[g][HSNAS]); r != h {
			t.Errorf("%v: random looked at %d candidates, hs-nas at %d", g, r, h)
		}
	}
}

// The ledger agrees with the candidates, and shows what HS-NAS is for: fewer
// evaluations by the baseline.
func TestLedgerAddsUp(t *testing.T) {
	got := search(t, small(), wmt(t), wmtScorers())
	var half, whole int64
	for _, l := range got.ledger {
		if l.Scorer == Latency {
			if l.ScorerKind != "latency" || l.Evaluations == 0 {
				t.Errorf("the ledger of the cost: %+v", l)
			}
			continue
		}
		var evaluated, remembered int64
		for _, c := range got.candidates {
			if c.Search == l.Search && c.Limit == l.Limit && c.Seed == l.Seed && c.Scorer == l.Scorer {
				if c.Remembered {
					remembered++
				} else {
					evaluated++
				}
			}
		}
		if l.Evaluations != evaluated || l.Remembered != remembered || l.Shared != 0 {
			t.Errorf("%+v, but candidates has %d evaluations and %d remembered", l, evaluated, remembered)
		}
		if l.Scorer == "surrogate" && l.Search == HSNAS {
			half += l.Evaluations
		}
		if l.Scorer == "surrogate" && l.Search == BaselineOnly {
			whole += l.Evaluations
		}
	}
	if half == 0 || half >= whole {
		t.Errorf("hs-nas asked the baseline %d times, baseline-only %d times", half, whole)
	}
}

// A control searches alone, and both predictors are asked about what it finds.
func TestControlOnly(t *testing.T) {
	p := small()
	p.Searches = []string{ControlOnly}
	got := search(t, p, wmt(t), wmtScorers())
	for _, c := range got.candidates {
		if c.Scorer != "control-log-decoder-layers" || c.ScorerKind != schemas.ScorerControl {
			t.Fatalf("candidate %+v, want it scored by the control", c)
		}
	}
	for _, w := range got.front {
		if w.Scorer != "control-log-decoder-layers" || !(w.StudentScore < w.BaselineScore && w.BaselineScore < w.Score) {
			t.Errorf("winner %+v, want scores of the student, the baseline and the control", w)
		}
	}
	for _, l := range got.ledger {
		if l.Scorer != Latency && l.ScorerKind != schemas.ScorerControl {
			t.Errorf("ledger %+v, want the control alone", l)
		}
	}
}

// The FLOPs search alone, for the largest model within the limit, whatever the
// predictors say of it.
func TestFLOPsOnly(t *testing.T) {
	p := small()
	p.Searches = []string{FLOPsOnly}
	got := search(t, p, wmt(t), wmtScorers())
	for _, w := range got.front {
		if w.Scorer != GFLOPs || w.Score != w.GFLOPs || math.IsNaN(w.StudentScore) || math.IsNaN(w.BaselineScore) {
			t.Errorf("winner %+v, want its GFLOPs as its score and what the predictors say", w)
		}
	}
	for _, c := range got.candidates {
		if c.ScorerKind != schemas.ScorerControl {
			t.Fatalf("candidate %+v, want it scored by a control", c)
		}
	}
}

// counted is a scorer that counts how often it is asked about an architecture.
func counted(s evolve.Scorer, asked map[string]int) evolve.Scorer {
	return evolve.Func(s.Name(), func(ctx context.Context, archs []space.Architecture, out []float64) error {
		for _, a := range archs {
			asked[a.Key()]++
		}
		return s.Score(ctx, archs, out)
	})
}

// A trained supernet computes nothing twice in a whole run; what each search
// finds, and is charged with, is as if it had.
func TestSupernetIsShared(t *testing.T) {
	p, scorers := small(), wmtScorers()
	want := search(t, p, wmt(t), scorers)
	asked := map[string]int{}
	scorers["baseline"] = counted(linear(TrainedSupernet, 21, 2e-4), asked)
	p.Baseline = TrainedSupernet
	got := search(t, p, wmt(t), scorers)
	for key, n := range asked {
		if n != 1 {
			t.Fatalf("the supernet was asked %d times about %x", n, key)
		}
	}
	var computed, shared int64
	for i, l := range got.ledger {
		w := want.ledger[i]
		if l.Search != w.Search || l.Limit != w.Limit || l.Seed != w.Seed || l.Evaluations != w.Evaluations || l.Remembered != w.Remembered {
			t.Errorf("ledger %+v, of a surrogate %+v", l, w)
		}
		if l.ScorerKind != schemas.ScorerSupernet && l.Shared != 0 || l.Shared > l.Evaluations || i < 3 && l.Shared != 0 {
			t.Errorf("ledger %+v: shared by what, with what", l)
		}
		if l.ScorerKind == schemas.ScorerSupernet {
			computed, shared = computed+l.Evaluations-l.Shared, shared+l.Shared
		}
	}
	// Some winners of the student alone are new to the supernet, and in no ledger.
	if shared == 0 || computed == 0 || computed > int64(len(asked)) {
		t.Errorf("%d evaluations computed and %d shared, %d architectures asked about", computed, shared, len(asked))
	}
	for i, w := range got.front {
		if w.ID != want.front[i].ID || w.Score != want.front[i].Score {
			t.Errorf("winner %+v, of a surrogate %+v", w, want.front[i])
		}
	}
}

// Minus a loss is higher for better whatever the metric: only the student, which
// predicts the metric, is turned.
func TestSupernetIsNotTurned(t *testing.T) {
	p := small()
	p.Constraint, p.Limits, p.Baseline, p.Searches = "energy_mj", []float64{40}, TrainedSupernet, []string{HSNAS, StudentOnly}
	got := search(t, p, own(t), map[string]evolve.Scorer{
		"student": linear("student", 0.5, -0.001), "baseline": linear(TrainedSupernet, -3, 0.01), "energy_mj": linear("energy", 0, 1),
	})
	for _, w := range got.front {
		if w.Search == HSNAS && w.Score != w.BaselineScore || w.Search == StudentOnly && w.Score != w.StudentScore {
			t.Errorf("%s: %+v, want the score of its last scorer", w.Search, w)
		}
		if math.Abs(w.BaselineScore-(-3+0.01*w.Cost)) > 1e-12 || math.Abs(w.StudentScore-(0.5-0.001*w.Cost)) > 1e-12 {
			t.Errorf("%+v, want minus a loss and an error", w)
		}
	}
	for i, w := range got.front[1:p.Top] {
		if w.Score > got.front[i].Score {
			t.Errorf("rank %d has less loss than rank %d", i+2, i+1)
		}
	}
	for _, c := range got.candidates {
		if minus := c.Score < 0; minus != (c.ScorerKind == schemas.ScorerSupernet) {
			t.Errorf("candidate %+v, want minus a loss by the supernet alone", c)
		}
	}
}

// A metric to be minimised is searched downwards and reported in its own sign.
func TestMinimisedMetricOfAnOwnSpace(t *testing.T) {
	p := small()
	p.Params, p.Tries = evolve.Defaults(), 500 // more than there are architectures
	p.Constraint, p.Limits, p.Searches = "energy_mj", []float64{40}, []string{HSNAS}
	got := search(t, p, own(t), map[string]evolve.Scorer{
		"student": linear("student", 0.5, -0.001), "baseline": linear("surrogate", 0.6, -0.002), "energy_mj": linear("energy", 0, 1),
	})
	// The largest sum within 40 is best: error 0.6 - 0.002 * 40.
	best := got.front[0]
	if math.Abs(best.Score-0.52) > 1e-12 || best.Cost != 40 || best.Unit != "mj" || !math.IsNaN(best.GFLOPs) || best.Params != nil {
		t.Errorf("the best is %+v; want an error of 0.52 at 40 mj, without GFLOPs", best)
	}
	for i, w := range got.front[1:p.Top] {
		if w.Score < got.front[i].Score {
			t.Errorf("rank %d has a smaller error than rank %d", i+2, i+1)
		}
	}
}

func TestComputedConstraints(t *testing.T) {
	p := small()
	p.Constraint, p.Limits, p.Also, p.Searches = GFLOPs, []float64{4}, []Also{{Weights, 3e7}, {Latency, 150}}, []string{BaselineOnly}
	p.Seeds = []int64{1}
	got := search(t, p, wmt(t), wmtScorers())
	for _, w := range got.front {
		if w.Cost != w.GFLOPs || w.GFLOPs > 4 || *w.Params > 3e7 {
			t.Errorf("over the limits: %+v with %d parameters", w, *w.Params)
		}
	}
	var names []string
	for _, l := range got.ledger {
		names = append(names, l.Scorer+" "+l.ScorerKind)
	}
	if want := []string{"surrogate surrogate", "gflops cost", "params cost", "latency_ms latency"}; !slices.Equal(names, want) {
		t.Errorf("ledger %q, want %q", names, want)
	}
}

func TestWithoutConstraint(t *testing.T) {
	p := small()
	p.Constraint, p.Limits = "", nil
	got := search(t, p, wmt(t), wmtScorers())
	if w := got.front[0]; !math.IsNaN(w.Limit) || !math.IsNaN(w.Cost) || w.Unit != "" {
		t.Errorf("a search without a limit: %+v", w)
	}
	if len(got.ledger) != 2*5 { // of each seed; hs-nas has two scorers
		t.Errorf("%d rows in the ledger, want 10: %+v", len(got.ledger), got.ledger)
	}
}

func TestInfeasibleLimitIsTheUsersFault(t *testing.T) {
	p := small()
	p.Limits = []float64{5}
	m, err := assemble(p, Inputs{Task: wmt(t)}, wmtScorers())
	if err != nil {
		t.Fatal(err)
	}
	_, err = searchAll(context.Background(), p, wmt(t), m, newStates("", ""), progress.Discard)
	var fault *config.Error
	want := "search: no architecture within 5 ms in 10,000 samples: the fastest came to 71.91 ms; raise the limit to at least that or widen the space"
	if !errors.As(err, &fault) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestCostModelMissing(t *testing.T) {
	p := small()
	p.Constraint = GFLOPs
	_, err := assemble(p, Inputs{Task: own(t)}, wmtScorers())
	want := "search: the constraint gflops needs a cost model, which task own does not have"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// Everything but the measured seconds is the same in every run, to the byte.
func TestArtifactsAreReproducible(t *testing.T) {
	prov := schemas.Provenance{Stage: Name, StageVersion: Version, Key: "k", Task: "wmt14.en-de"}
	artifacts := func() (candidates, front []byte) {
		got, dir := search(t, small(), wmt(t), wmtScorers()), t.TempDir()
		if err := schemas.WriteCandidates(filepath.Join(dir, "c"), got.candidates, prov); err != nil {
			t.Fatal(err)
		}
		if err := schemas.WriteFront(filepath.Join(dir, "f"), got.front, prov); err != nil {
			t.Fatal(err)
		}
		return read(t, filepath.Join(dir, "c")), read(t, filepath.Join(dir, "f"))
	}
	candidates, front := artifacts()
	again, frontAgain := artifacts()
	if !bytes.Equal(candidates, again) || !bytes.Equal(front, frontAgain) {
		t.Error("two runs, different bytes")
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
