package search

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/evolve"
	"hsnas/internal/progress"
	"hsnas/schemas"
)

// forFronts are settings of a search for fronts, with all controls.
func forFronts() Params {
	p := small()
	p.Objectives, p.Searches, p.Schedules = []string{Quality, Latency, Weights}, Searches(), []evolve.Schedule{evolve.Adaptive}
	p.Iterations, p.StudentIterations, p.Probes, p.Seeds = 6, 3, 3, []int64{1}
	return p
}

// wavy predictors of quality agree but for their waves.
func wavy() map[string]evolve.Scorer {
	scorers := wmtScorers()
	scorers["student"], scorers["baseline"] = linear("student", 20, 1e-4), linear("surrogate", 21, 2e-4)
	return scorers
}

// Every front is by the baseline, within the limit, and holds the best of
// front.parquet; progress ends at its hypervolume.
func TestFrontsOfAllSearches(t *testing.T) {
	p := forFronts()
	got := search(t, p, wmt(t), wavy())
	reference := map[float64][]float64{}
	byKey := map[[3]any][]schemas.ParetoPoint{}
	for _, f := range got.pareto {
		k := [3]any{f.Search, f.Limit, f.Seed}
		byKey[k] = append(byKey[k], f)
		if f.Scorer != "surrogate" || f.Objectives != "quality,latency_ms,params" || len(f.Values) != 3 || f.Values[1] > f.Limit || f.Reference[1] != f.Limit {
			t.Fatalf("a point of a front is %+v", f)
		}
		if reference[f.Limit] == nil {
			reference[f.Limit] = f.Reference
		}
		if !slices.Equal(reference[f.Limit], f.Reference) {
			t.Errorf("%s, limit %v: the reference %v, elsewhere %v", f.Search, f.Limit, f.Reference, reference[f.Limit])
		}
	}
	if want := (len(Searches()) + 1) * 2; len(byKey) != want {
		t.Errorf("%d fronts, want %d", len(byKey), want)
	}
	for _, w := range got.front {
		front := byKey[[3]any{w.Search, w.Limit, w.Seed}]
		if w.Rank == 1 && !slices.ContainsFunc(front, func(f schemas.ParetoPoint) bool { return f.ID == w.ID && f.Rank == 1 && f.Values[0] == w.Score }) {
			t.Errorf("%s: the best, %s, is not on the front", w.Search, w.ID)
		}
	}
	last := map[[3]any]schemas.SearchProgress{}
	for _, g := range got.progress {
		last[[3]any{g.Search, g.Limit, g.Seed}] = g
	}
	for k, front := range byKey {
		var points [][]float64
		for _, f := range front {
			points = append(points, []float64{-f.Values[0], f.Values[1], f.Values[2]})
		}
		r := reference[front[0].Limit]
		want := evolve.Hypervolume(points, []float64{-r[0], r[1], r[2]})
		if g := last[k]; math.Abs(g.Hypervolume-want) > 1e-9*want || want <= 0 || g.BaselineEvaluations == 0 {
			t.Errorf("%v: progress ends with %+v, the front has %v", k, g, want)
		}
	}
}

// A metric to be minimised is so on a front too, and reported in its own sign.
func TestFrontOfAMinimisedMetric(t *testing.T) {
	p := forFronts()
	p.Constraint, p.Limits, p.Objectives = "energy_mj", []float64{40}, []string{Quality, "energy_mj"}
	p.Searches, p.Schedules = []string{HSNAS}, nil
	got := search(t, p, own(t), map[string]evolve.Scorer{
		"student": linear("student", 0.5, -0.001), "baseline": linear("surrogate", 0.6, -0.002), "energy_mj": linear("energy", 0, 1),
	})
	for _, f := range got.pareto {
		if math.Abs(f.Values[0]-(0.6-0.002*f.Values[1])) > 1e-12 || f.Reference[0] < f.Values[0] || f.Rank != 1 {
			t.Errorf("%+v: want the error that the energy buys, and a reference that is no better", f)
		}
	}
	if len(got.pareto) == 0 {
		t.Error("no front")
	}
}

func TestInfeasibleFrontIsTheUsersFault(t *testing.T) {
	p := forFronts()
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

func TestCostModelMissingForFronts(t *testing.T) {
	cases := []struct {
		change func(*Params)
		want   string
	}{
		{func(p *Params) { p.Objectives = []string{Quality, Weights} }, "search: the objective params needs a cost model, which task own does not have"},
		{func(p *Params) { p.Searches = []string{ParamsOnly} }, "search: params-only needs a cost model, which task own does not have"},
		{func(p *Params) { p.Stratify = 3 }, "search: stratify needs a cost model, which task own does not have"},
	}
	for _, c := range cases {
		p := small()
		c.change(&p)
		if _, err := assemble(p, Inputs{Task: own(t)}, wmtScorers()); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

// The shares of the iterations that the student scores, and what that saves.
func TestStudentShares(t *testing.T) {
	p := small()
	p.StudentShares, p.Schedules, p.Searches = []float64{0, 0.25, 0.5, 1}, []evolve.Schedule{evolve.Alternating}, []string{BaselineOnly}
	p.Seeds, p.Limits = []int64{1}, []float64{150}
	got := search(t, p, wmt(t), wmtScorers())
	letters := map[string]string{}
	for _, g := range got.progress {
		letters[g.Search] += g.Scorer[1:2] // sTudent, sUrrogate
	}
	want := map[string]string{"hs-nas-0": "uuuu", "hs-nas-25": "tuuu", "hs-nas-50": "ttuu", "hs-nas-100": "tttt", "hs-nas-alternating": "tutu", BaselineOnly: "uuuu"}
	for search, w := range want {
		if letters[search] != w {
			t.Errorf("%s went %s, want %s", search, letters[search], w)
		}
	}
	if len(letters) != len(want) {
		t.Errorf("searches %v, want %v", letters, want)
	}
	for _, l := range got.ledger {
		distinct, asked := map[string]bool{}, map[string]bool{}
		for _, c := range got.candidates {
			if c.Search == l.Search {
				distinct[c.ID] = true
				asked[c.ID] = asked[c.ID] || c.Scorer == "surrogate"
			}
		}
		want := int64(0)
		for id := range distinct {
			if !asked[id] && l.Scorer == "student" {
				want++
			}
		}
		if l.Spared != want {
			t.Errorf("%s: the %s spared %d evaluations, want %d", l.Search, l.Scorer, l.Spared, want)
		}
	}
}
