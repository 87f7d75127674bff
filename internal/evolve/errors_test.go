package evolve_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/evolve"
	"hsnas/internal/space"
)

func TestBadSettings(t *testing.T) {
	cases := []struct {
		change func(*evolve.Params)
		want   string
	}{
		{func(p *evolve.Params) { p.Iterations = 0 }, "iterations: expected 1 or more, found 0"},
		{func(p *evolve.Params) { p.StudentIterations = -1 }, "student_iterations: expected 0 or more, found -1"},
		{func(p *evolve.Params) { p.StudentIterations = 31 }, "student_iterations: expected at most the 30 of iterations, found 31"},
		{func(p *evolve.Params) { p.Population = 24 }, "population: expected at least the 25 of parents, found 24"},
		{func(p *evolve.Params) { p.Population = 0 }, "population: expected 1 or more, found 0"},
		{func(p *evolve.Params) { p.Parents = 0 }, "parents: expected 1 or more, found 0"},
		{func(p *evolve.Params) { p.Parents = 1 }, "parents: expected 2 or more for crossover, found 1"},
		{func(p *evolve.Params) { p.Mutation = -5 }, "mutation: expected 0 or more, found -5"},
		{func(p *evolve.Params) { p.Crossover = -5 }, "crossover: expected 0 or more, found -5"},
		{func(p *evolve.Params) { p.Mutation, p.Crossover = 0, 0 }, "mutation: expected 1 or more here or in crossover, found 0 in both: no generation after the first would hold anything new"},
		{func(p *evolve.Params) { p.MutationProbability = 1.3 }, "mutation_probability: expected a number from 0 to 1, found 1.3"},
		{func(p *evolve.Params) { p.MutationProbability = math.NaN() }, "mutation_probability: expected a number from 0 to 1, found NaN"},
		{func(p *evolve.Params) { p.Tries = 0 }, "tries: expected 1 or more, found 0"},
		{func(p *evolve.Params) { p.Schedule = "adaptve" }, `schedule: unknown schedule "adaptve"; did you mean "adaptive"?`},
		{func(p *evolve.Params) { p.Schedule = "x" }, `schedule: unknown schedule "x"; known: adaptive, alternating, baseline-first, student-first`},
		{func(p *evolve.Params) { p.MinTau = 1.01 }, "min_tau: expected a Kendall tau-b, a number from -1 to 1, found 1.01"},
		{func(p *evolve.Params) { p.MinTau = -2 }, "min_tau: expected a Kendall tau-b, a number from -1 to 1, found -2"},
		{func(p *evolve.Params) { p.MinTau = math.NaN() }, "min_tau: expected a Kendall tau-b, a number from -1 to 1, found NaN"},
		{func(p *evolve.Params) { p.Schedule, p.Probes = evolve.Adaptive, 1 }, "probes: expected 2 or more, as one architecture has no order, found 1"},
		{func(p *evolve.Params) { p.Schedule, p.Reviews = evolve.Adaptive, 0 }, "reviews: expected at least 1, found 0"},
		{func(p *evolve.Params) { p.Schedule, p.Probes = evolve.Adaptive, 26 }, "probes: expected at most the 25 of parents, found 26"},
		{func(p *evolve.Params) { p.Stratify = -1 }, "stratify: expected 0 or more, found -1"},
		{func(p *evolve.Params) { p.Stratify = 126 }, "stratify: expected at most the 125 of population, found 126"},
	}
	problem, _, _, _ := problem(t, tiny, 20)
	for _, c := range cases {
		t.Run(c.want, func(t *testing.T) {
			params := evolve.Defaults()
			c.change(&params)
			_, err := evolve.Search(context.Background(), problem, params, on(1, nil))
			var field *config.FieldError
			if !errors.As(err, &field) || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	if err := evolve.Defaults().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}

func TestBadProblems(t *testing.T) {
	cases := []struct {
		change func(*evolve.Problem)
		want   string
	}{
		{func(p *evolve.Problem) { p.Space = nil }, "evolve: the problem has no space"},
		{func(p *evolve.Problem) { p.Student = nil }, "evolve: no student for 15 of 30 iterations"},
		{func(p *evolve.Problem) { p.Baseline = nil }, "evolve: no baseline, which these settings need"},
		{func(p *evolve.Problem) { p.Objectives = []evolve.Objective{{Name: "quality"}} }, "evolve: expected two objectives or more, found quality alone"},
		{func(p *evolve.Problem) { p.Constraints[0].Max = math.NaN() }, `evolve: the constraint "latency_ms" needs a cost and a limit`},
	}
	for _, c := range cases {
		p, _, _, _ := problem(t, tiny, 20)
		c.change(&p)
		_, err := evolve.Search(context.Background(), p, evolve.Defaults(), on(1, nil))
		if err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

func TestInfeasibleLimits(t *testing.T) {
	latency := func(limit float64) evolve.Constraint {
		cost := func(a space.Architecture) float64 { return 35.1827 + size(a) }
		return evolve.Constraint{Name: "latency_ms", Unit: "ms", Max: limit, Cost: scorer("latency", cost)}
	}
	params := func(limit float64) evolve.Constraint {
		cost := func(a space.Architecture) float64 { return 12345678 * size(a) }
		return evolve.Constraint{Name: "params", Max: limit, Cost: scorer("params", cost)}
	}
	cases := []struct {
		constraints []evolve.Constraint
		want        string
	}{
		{[]evolve.Constraint{latency(5)}, "no architecture within 5 ms in 10,000 samples: the fastest came to 36.19 ms; raise the limit to at least that or widen the space"},
		{[]evolve.Constraint{params(1e6)}, "no architecture within 1e+06 in 10,000 samples: the lowest params came to 12350000; raise the limit to at least that or widen the space"},
		{[]evolve.Constraint{latency(0)}, "no architecture within 0 ms in 10,000 samples: the fastest came to 36.19 ms; raise the limit to at least that or widen the space"},
		{[]evolve.Constraint{latency(36), params(1e9)}, "no architecture within latency_ms 36 ms and params 1e+09 in 10,000 samples: the closest came to latency_ms 36.19 ms and params 12350000; raise the limits to at least that or widen the space"},
	}
	for _, front := range []bool{false, true} {
		for _, c := range cases {
			infeasible(t, c.constraints, front, c.want)
		}
	}
}

func infeasible(t *testing.T, constraints []evolve.Constraint, front bool, want string) {
	t.Helper()
	p, student, baseline, _ := problem(t, tiny, 0)
	p.Constraints = constraints
	if front {
		p.Objectives = []evolve.Objective{{Name: "quality"}, {Name: "size", Cost: scorer("size", size)}}
	}
	_, err := evolve.Search(context.Background(), p, evolve.Defaults(), on(1, nil))
	var infeasible *evolve.InfeasibleError
	if !errors.As(err, &infeasible) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if len(student.seen)+len(baseline.seen) != 0 {
		t.Error("infeasible candidates were scored")
	}
}

// A limit raised to what the message says is feasible.
func TestTheLimitThatTheMessageNamesHolds(t *testing.T) {
	p, _, _, _ := problem(t, tiny, 36.19)
	p.Constraints[0].Cost = scorer("latency", func(a space.Architecture) float64 { return 35.1827 + size(a) })
	run(t, p, evolve.Defaults(), 1)
}

func TestFaultyScorers(t *testing.T) {
	broken := errors.New("the device is gone")
	cases := []struct {
		name string
		f    func(context.Context, []space.Architecture, []float64) error
		want string
	}{
		{"fails", func(context.Context, []space.Architecture, []float64) error { return broken }, "iteration 0: student: scoring 125 architectures: the device is gone"},
		{"forgets", func(_ context.Context, _ []space.Architecture, out []float64) error {
			for i := range out[1:] {
				out[1+i] = 1
			}
			return nil
		}, `iteration 0: student: expected a finite number, got NaN for architecture {"width":4,"units":[5]}`},
	}
	for _, c := range cases {
		p, _, _, _ := problem(t, tiny, 1e9)
		p.Student = evolve.Func("student", c.f)
		observed := 0
		_, err := evolve.Search(context.Background(), p, evolve.Defaults(), on(1, func(evolve.Evaluation) { observed++ }))
		if err == nil || err.Error() != c.want || observed != 0 {
			t.Errorf("%s: got  %v after %d evaluations\nwant %s", c.name, err, observed, c.want)
		}
	}
	p, _, _, _ := problem(t, tiny, 20)
	p.Constraints[0].Cost = evolve.Func("latency", func(_ context.Context, _ []space.Architecture, out []float64) error {
		out[0] = math.Inf(1)
		return nil
	})
	_, err := evolve.Search(context.Background(), p, evolve.Defaults(), on(1, nil))
	want := `latency: expected a finite number, got +Inf for architecture {"width":4,"units":[5]}`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
