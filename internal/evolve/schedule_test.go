package evolve_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/evolve"
	"hsnas/internal/space"
)

// whole is a score of whole numbers, the same on every processor.
func whole(a space.Architecture) float64 {
	sum := 0
	for i, u := range a.Ints("units") {
		sum += u * (7 + i*i) % 23
	}
	return float64(sum)
}

// Searches of the paper's settings are what they were before there were schedules.
func TestStudentFirstIsUnchanged(t *testing.T) {
	h := sha256.New()
	for seed := range uint64(3) {
		p, _, _, _ := endless(t)
		p.Student, p.Baseline = scorer("student", units), scorer("baseline", whole)
		result, all := run(t, p, evolve.Defaults(), seed)
		for _, e := range all {
			fmt.Fprintln(h, e.Iteration, e.Position, e.Origin, e.Architecture, e.Scorer, e.Score, e.Costs, e.Feasible, e.Remembered)
		}
		for _, c := range result.Ranking {
			fmt.Fprintln(h, c.Architecture, c.Score, c.Costs)
		}
		fmt.Fprintln(h, result.Missing, result.Candidates)
	}
	if got, want := fmt.Sprintf("%x", h.Sum(nil)), "9c9603991a8c957da2a0834acf1ed852175a2b6ed6890f6ee14ef2a146caf71d"; got != want {
		t.Errorf("three searches have the checksum %s, want %s", got, want)
	}
}

// who returns a letter for each iteration: who was in charge.
func who(t *testing.T, p evolve.Problem, params evolve.Params) (string, []evolve.Generation, evolve.Result) {
	t.Helper()
	var letters strings.Builder
	var lines []evolve.Generation
	result, err := evolve.Search(context.Background(), p, params, evolve.Options{Source: seeded(1), Progress: func(g evolve.Generation) {
		letters.WriteByte(g.Scorer[0])
		lines = append(lines, g)
	}})
	if err != nil {
		t.Fatal(err)
	}
	return letters.String(), lines, result
}

func TestSchedules(t *testing.T) {
	cases := []struct {
		schedule evolve.Schedule
		students int
		want     string
	}{
		{"", 3, "sssbbbbb"},
		{evolve.StudentFirst, 3, "sssbbbbb"},
		{evolve.StudentFirst, 0, "bbbbbbbb"},
		{evolve.StudentFirst, 8, "ssssssss"},
		{evolve.BaselineFirst, 3, "bbbbbsss"},
		{evolve.Alternating, 4, "sbsbsbsb"},
		{evolve.Alternating, 2, "sbbbsbbb"},
		{evolve.Alternating, 6, "sssbsssb"},
		{evolve.Alternating, 8, "ssssssss"},
		{evolve.Alternating, 0, "bbbbbbbb"},
	}
	for _, c := range cases {
		p, student, baseline, _ := endless(t)
		params := small()
		params.Schedule, params.StudentIterations = c.schedule, c.students
		got, lines, result := who(t, p, params)
		if got != c.want {
			t.Errorf("%s, %d by the student: %s, want %s", c.schedule, c.students, got, c.want)
		}
		for _, s := range []*pointwise{student, baseline} {
			for key, n := range s.seen {
				if n != 1 {
					t.Fatalf("%s: %s asked %d times for %x", c.schedule, s.name, n, key)
				}
			}
		}
		last := lines[len(lines)-1]
		if result.Scorer != last.Scorer || last.Student != int64(len(student.seen)) || last.Baseline != int64(len(baseline.seen)) || !math.IsNaN(last.Hypervolume) {
			t.Errorf("%s: ranked by %s, last line %+v; student %d, baseline %d", c.schedule, result.Scorer, last, len(student.seen), len(baseline.seen))
		}
		if result.Ranking[0].Score != last.Best {
			t.Errorf("%s: the best scores %v, the last line says %v", c.schedule, result.Ranking[0].Score, last.Best)
		}
	}
}

// A student that agrees keeps the search until its iterations are used up; one that
// does not loses it after as many reviews as it takes, for good.
func TestAdaptiveHandsOver(t *testing.T) {
	reverse := func(a space.Architecture) float64 { return -deep(a) }
	cases := []struct {
		name     string
		student  func(space.Architecture) float64
		min      float64
		reviews  int
		want     string
		probed   int
		firstTau float64
	}{
		{"agrees", deep, 1, 1, "sssssbbb", 4, 1},
		{"is reversed", reverse, -0.5, 1, "sbbbbbbb", 1, -1},
		{"is reversed in three reviews", reverse, -0.5, 3, "sssbbbbb", 3, -1},
		{"is reversed and trusted", reverse, -1, 1, "sssssbbb", 4, -1},
		{"is constant", func(space.Architecture) float64 { return 1 }, -1, 1, "sbbbbbbb", 1, math.NaN()},
	}
	for _, c := range cases {
		p, student, baseline, _ := endless(t)
		student.f = c.student
		params := small()
		params.Schedule, params.StudentIterations, params.MinTau, params.Reviews = evolve.Adaptive, 5, c.min, c.reviews
		var probes []evolve.Evaluation
		letters, lines := "", []evolve.Generation(nil)
		result, err := evolve.Search(context.Background(), p, params, evolve.Options{
			Source: seeded(1),
			Observe: func(e evolve.Evaluation) {
				if e.Origin == evolve.OriginProbe {
					probes = append(probes, e)
				}
			},
			Progress: func(g evolve.Generation) { letters += g.Scorer[:1]; lines = append(lines, g) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if letters != c.want || len(probes) != c.probed*params.Probes {
			t.Errorf("%s: %s with %d probes, want %s with %d", c.name, letters, len(probes), c.want, c.probed*params.Probes)
		}
		if tau := lines[0].Tau; !(math.Abs(tau-c.firstTau) < 1e-12) && !(math.IsNaN(tau) && math.IsNaN(c.firstTau)) || !math.IsNaN(lines[7].Tau) {
			t.Errorf("%s: tau %v at first, want %v; %v at last", c.name, tau, c.firstTau, lines[7].Tau)
		}
		for _, e := range probes {
			if e.Scorer != "baseline" || e.Position < params.Population && e.Iteration == 0 {
				t.Errorf("%s: a probe is %+v", c.name, e)
			}
		}
		// The probes are in the ledger, and known to the baseline from then on.
		var evaluations int64
		for _, a := range result.Scorers {
			if a.Name == "baseline" {
				evaluations = a.Evaluations
			}
		}
		if evaluations != int64(len(baseline.seen)) || lines[0].Baseline != int64(params.Probes) {
			t.Errorf("%s: the ledger has %d evaluations of %d, %d after the first probe", c.name, evaluations, len(baseline.seen), lines[0].Baseline)
		}
		for key, n := range baseline.seen {
			if n != 1 {
				t.Fatalf("%s: the baseline was asked %d times for %x", c.name, n, key)
			}
		}
	}
}

// One review that finds a bad order among good ones does not end the student's
// time, as it would alone.
func TestOneBadReview(t *testing.T) {
	for reviews, want := range map[int]string{1: "ssbbbbbb", 2: "sssssbbb"} {
		p, student, baseline, _ := endless(t)
		params := small()
		params.Schedule, params.StudentIterations, params.MinTau, params.Reviews = evolve.Adaptive, 5, -0.3, reviews
		generation := 0
		student.f = deep
		baseline.f = func(a space.Architecture) float64 {
			if generation == 1 {
				return -deep(a)
			}
			return deep(a)
		}
		letters := ""
		_, err := evolve.Search(context.Background(), p, params, evolve.Options{
			Source:   seeded(1),
			Progress: func(g evolve.Generation) { letters += g.Scorer[:1]; generation++ },
		})
		if err != nil || letters != want {
			t.Errorf("%d reviews: %s, want %s, %v", reviews, letters, want, err)
		}
	}
}

// Probes are spread over the ranking: the best and the last parent are among them.
func TestProbesAreSpread(t *testing.T) {
	p, _, _, _ := endless(t)
	params := small()
	params.Schedule, params.StudentIterations, params.Probes, params.MinTau = evolve.Adaptive, 2, 3, -1
	var scores []float64
	var probes []evolve.Evaluation
	_, err := evolve.Search(context.Background(), p, params, on(1, func(e evolve.Evaluation) {
		switch {
		case e.Iteration == 0 && e.Origin == evolve.OriginSample:
			scores = append(scores, e.Score)
		case e.Iteration == 0:
			probes = append(probes, e)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(scores)
	slices.Reverse(scores)
	for i, rank := range []int{0, 3, 7} {
		if got := nearlyDeep(probes[i].Architecture); got != scores[rank] {
			t.Errorf("probe %d scores %v by the student, want that of rank %d, %v", i, got, rank+1, scores[rank])
		}
	}
}

// Each stratum of a stratified first generation has its share, to within the one
// that does not divide.
func TestStratifiedFirstGeneration(t *testing.T) {
	p, _, _, cost := problem(t, wide, 200)
	p.Complexity = func(a space.Architecture) (float64, error) { return size(a), nil }
	params := small()
	params.Iterations, params.Population, params.Stratify = 1, 24, 4
	result, all := run(t, p, params, 1)
	if len(all) != 24 || result.Missing != 0 {
		t.Fatalf("%d members, %d missing", len(all), result.Missing)
	}
	var pool []float64
	for key := range cost.seen {
		if x := cost.value[key]; x <= 200 {
			pool = append(pool, x)
		}
	}
	slices.Sort(pool)
	counts := make([]int, 4)
	for _, e := range all {
		at, _ := slices.BinarySearch(pool, size(e.Architecture))
		counts[min(3, at*4/len(pool))]++
	}
	for k, n := range counts {
		if n < 4 || n > 8 { // ties at the edges, and what was drawn beyond the pool, move some
			t.Errorf("stratum %d has %d of 24 members: %v", k, n, counts)
		}
	}
	again, _ := run(t, p, params, 1)
	if again.Candidates != 24 {
		t.Errorf("%d candidates", again.Candidates)
	}
}
