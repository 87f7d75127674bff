package evolve_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"hsnas/internal/evolve"
	"hsnas/internal/space"
)

// tiny has (6+36) * 6 = 252 architectures, each of which can be looked at.
const tiny = `
name: tiny
hyperparameters:
  - {name: width, definition: width of the network, choices: [1, 2, 3, 4, 5, 6]}
  - {name: layers, definition: number of layers, choices: [1, 2]}
  - {name: units, definition: units of the layer, choices: [1, 2, 3, 4, 5, 6], layers: layers}
`

// wide has some 10^11 architectures.
const wide = `
name: wide
hyperparameters:
  - {name: width, definition: width of the network, choices: [1, 2, 3, 4, 5, 6]}
  - {name: layers, definition: number of layers, choices: [2, 4, 8, 12]}
  - {name: units, definition: units of the layer, choices: [1, 2, 3, 4, 5, 6, 7, 8], layers: layers}
`

func parse(t testing.TB, text string) *space.Space {
	t.Helper()
	s, err := space.Parse("space.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func seeded(seed uint64) *rand.PCG { return rand.NewPCG(seed, 0) }

// on is a search with a seed that tells observe everything.
func on(seed uint64, observe func(evolve.Evaluation)) evolve.Options {
	return evolve.Options{Source: seeded(seed), Observe: observe}
}

// pointwise is a scorer that counts how often it sees every architecture.
type pointwise struct {
	name  string
	f     func(space.Architecture) float64
	seen  map[string]int
	value map[string]float64
	sizes []int // of the batches
}

func scorer(name string, f func(space.Architecture) float64) *pointwise {
	return &pointwise{name: name, f: f, seen: map[string]int{}, value: map[string]float64{}}
}

func (p *pointwise) Name() string { return p.name }

func (p *pointwise) Score(_ context.Context, archs []space.Architecture, out []float64) error {
	p.sizes = append(p.sizes, len(archs))
	for i, a := range archs {
		p.seen[a.Key()]++
		out[i] = p.f(a)
		p.value[a.Key()] = out[i]
	}
	return nil
}

func units(a space.Architecture) float64 {
	sum := 0
	for _, u := range a.Ints("units") {
		sum += u
	}
	return float64(sum)
}

func size(a space.Architecture) float64 { return float64(a.Int("width")) * units(a) }

// rugged has one best point and no slope that leads straight to it.
func rugged(a space.Architecture) float64 {
	return -math.Abs(float64(a.Int("width"))-3.3) - math.Abs(units(a)-7.1) + 0.3*math.Sin(5*size(a))
}

func mostly(a space.Architecture) float64 { return rugged(a) + 0.5*math.Cos(3*size(a)) }

// deep is best for the deepest networks, of which there are the most: a search
// for it does not run out of candidates.
func deep(a space.Architecture) float64 {
	sum := 0.0
	for i, u := range a.Ints("units") {
		sum += 2 + math.Sin(float64(u*(i+1)))
	}
	return sum
}

func nearlyDeep(a space.Architecture) float64 { return deep(a) + math.Cos(3*size(a)) }

// endless is a problem that is never short of candidates.
func endless(t testing.TB) (p evolve.Problem, student, baseline, cost *pointwise) {
	p, _, _, cost = problem(t, wide, 200)
	student, baseline = scorer("student", nearlyDeep), scorer("baseline", deep)
	p.Student, p.Baseline = student, baseline
	return p, student, baseline, cost
}

func problem(t testing.TB, text string, limit float64) (evolve.Problem, *pointwise, *pointwise, *pointwise) {
	student, baseline, cost := scorer("student", mostly), scorer("baseline", rugged), scorer("size", size)
	return evolve.Problem{
		Space: parse(t, text), Student: student, Baseline: baseline,
		Constraints: []evolve.Constraint{{Name: "latency_ms", Unit: "ms", Max: limit, Cost: cost}},
	}, student, baseline, cost
}

func run(t testing.TB, p evolve.Problem, params evolve.Params, seed uint64) (evolve.Result, []evolve.Evaluation) {
	t.Helper()
	var all []evolve.Evaluation
	result, err := evolve.Search(context.Background(), p, params, on(seed, func(e evolve.Evaluation) { all = append(all, e) }))
	if err != nil {
		t.Fatal(err)
	}
	return result, all
}

func TestFindsTheBestOfATinySpace(t *testing.T) {
	p, _, _, _ := problem(t, tiny, 20)
	best := math.Inf(-1)
	for range 20000 {
		if a := p.Space.Sample(rand.New(seeded(rand.Uint64()))); size(a) <= 20 {
			best = max(best, rugged(a))
		}
	}
	params := evolve.Defaults()
	params.Population, params.Parents, params.Tries = 40, 10, 2000
	for seed := range uint64(5) {
		result, _ := run(t, p, params, seed)
		if got := result.Ranking[0].Score; got != best {
			t.Errorf("seed %d: the best scores %v, want %v", seed, got, best)
		}
		if result.Missing == 0 {
			t.Errorf("seed %d: 252 architectures filled a search for %d", seed, params.Candidates())
		}
	}
}

// The reported best is the best of everything feasible that the final scorer
// saw, whatever the schedule, and every candidate keeps the limits.
func TestBestIsTheBest(t *testing.T) {
	for seed := range uint64(30) {
		params := evolve.Params{Iterations: 1 + int(seed%7), Population: 20, Parents: 2 + int(seed%5), Mutation: 8, Crossover: 8, MutationProbability: 0.3, Tries: 500}
		params.StudentIterations = int(seed) % (params.Iterations + 1)
		p, _, _, _ := problem(t, wide, 150)
		result, all := run(t, p, params, seed)
		final, best := all[len(all)-1].Scorer, math.Inf(-1)
		distinct := map[string]bool{}
		for _, e := range all {
			distinct[e.Architecture.Key()] = true
			if e.Scorer == final {
				best = max(best, e.Score)
			}
			if !e.Feasible || e.Costs[0] > 150 || e.Costs[0] != size(e.Architecture) {
				t.Errorf("seed %d: %+v breaks the limit of 150", seed, e)
			}
		}
		if result.Scorer != final || result.Ranking[0].Score != best {
			t.Errorf("seed %d: the best by %s scores %v, want %v by %s", seed, result.Scorer, result.Ranking[0].Score, best, final)
		}
		if result.Candidates != len(distinct) {
			t.Errorf("seed %d: %d candidates, want %d", seed, result.Candidates, len(distinct))
		}
		if !slices.IsSortedFunc(result.Ranking, func(a, b evolve.Candidate) int { return -cmp(a.Score, b.Score) }) {
			t.Errorf("seed %d: the ranking is not sorted", seed)
		}
	}
}

func cmp(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func TestScheduleOfThePaper(t *testing.T) {
	p, student, baseline, cost := endless(t)
	params := evolve.Defaults()
	result, all := run(t, p, params, 1)
	for _, s := range []*pointwise{student, baseline, cost} {
		for key, n := range s.seen {
			if n != 1 {
				t.Fatalf("%s was asked %d times for %x", s.name, n, key)
			}
		}
	}
	// 125 + 14*100 by the student; the 25 parents it hands over and 15*100 by the baseline.
	if len(student.seen) != 1525 || len(baseline.seen) != 1525 || params.Candidates() != 3025 {
		t.Errorf("student scored %d, baseline %d of %d; want 1525, 1525 of 3025", len(student.seen), len(baseline.seen), params.Candidates())
	}
	union := maps.Clone(student.seen)
	maps.Copy(union, baseline.seen)
	if result.Candidates != len(union) {
		t.Errorf("%d candidates, want %d: those that both scored count once", result.Candidates, len(union))
	}
	if !slices.Equal(student.sizes, append([]int{125}, slices.Repeat([]int{100}, 14)...)) ||
		!slices.Equal(baseline.sizes, append([]int{125}, slices.Repeat([]int{100}, 14)...)) {
		t.Errorf("batches of the student %v, of the baseline %v: want whole generations", student.sizes, baseline.sizes)
	}
	counts := map[string]int{}
	for _, e := range all {
		counts[fmt.Sprintf("%02d %s %s %v", e.Iteration, e.Origin, e.Scorer, e.Remembered)]++
	}
	for what, want := range map[string]int{
		"00 sample student false": 125, "01 parent student true": 25, "01 mutation student false": 50, "01 crossover student false": 50,
		"14 parent student true": 25, "15 parent baseline false": 25, "15 mutation baseline false": 50, "16 parent baseline true": 25,
	} {
		if counts[what] != want {
			t.Errorf("%d evaluations of %q, want %d", counts[what], what, want)
		}
	}
	if len(all) != 125*30 || result.Missing != 0 {
		t.Errorf("%d evaluations, %d missing; want 3750, 0", len(all), result.Missing)
	}
	ledger := []evolve.Account{{Name: "student", Evaluations: 1525, Remembered: 350, Calls: 15}, {Name: "baseline", Evaluations: 1525, Remembered: 350, Calls: 15}}
	for i := range result.Scorers {
		result.Scorers[i].Seconds = 0
	}
	if !reflect.DeepEqual(result.Scorers, ledger) {
		t.Errorf("ledger %+v, want %+v", result.Scorers, ledger)
	}
	if got := result.Costs[0]; got.Name != "latency_ms" || got.Evaluations != int64(len(cost.seen)) {
		t.Errorf("ledger of the cost: %+v, want %d evaluations", got, len(cost.seen))
	}
}

// A generation's parents are the best of the generation before, in order.
func TestParentsAreTheBestOfTheLastGeneration(t *testing.T) {
	p, _, _, _ := endless(t)
	_, all := run(t, p, evolve.Defaults(), 2)
	generations := make([][]evolve.Evaluation, 30)
	for _, e := range all {
		if e.Position != len(generations[e.Iteration]) {
			t.Fatalf("iteration %d: position %d comes after %d others", e.Iteration, e.Position, len(generations[e.Iteration]))
		}
		generations[e.Iteration] = append(generations[e.Iteration], e)
	}
	for i, g := range generations[1:] {
		last := slices.Clone(generations[i])
		slices.SortStableFunc(last, func(a, b evolve.Evaluation) int { return -cmp(a.Score, b.Score) })
		for j := range 25 {
			if !g[j].Architecture.Equal(last[j].Architecture) || g[j].Origin != evolve.OriginParent {
				t.Fatalf("iteration %d: place %d is not the %d. best of the generation before", i+1, j, j+1)
			}
		}
	}
}

func TestEqualSeedsGiveEqualSearches(t *testing.T) {
	params := evolve.Defaults()
	params.Iterations, params.StudentIterations = 6, 3
	trace := func(seed uint64) []string {
		p, _, _, _ := problem(t, wide, 150)
		result, all := run(t, p, params, seed)
		var lines []string
		for _, e := range all {
			lines = append(lines, fmt.Sprint(e))
		}
		return append(lines, fmt.Sprint(result.Ranking))
	}
	if !slices.Equal(trace(7), trace(7)) {
		t.Error("equal seeds, different searches")
	}
	if slices.Equal(trace(7), trace(8)) {
		t.Error("different seeds, equal searches")
	}
}

func TestRandomScoresExactlyWhatItIsAskedFor(t *testing.T) {
	p, student, baseline, _ := problem(t, wide, 150)
	result, err := evolve.Search(context.Background(), p, evolve.RandomParams(400, 1000), on(3, nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(student.seen) != 0 || len(baseline.seen) != 400 || result.Candidates != 400 || result.Scorer != "baseline" {
		t.Errorf("student %d, baseline %d, candidates %d by %s; want 0, 400, 400 by baseline", len(student.seen), len(baseline.seen), result.Candidates, result.Scorer)
	}
}

func TestWithoutConstraintsAllIsFeasible(t *testing.T) {
	p, _, _, _ := problem(t, tiny, 0)
	p.Constraints = nil
	result, all := run(t, p, evolve.Params{Iterations: 4, Population: 100, Parents: 5, Mutation: 5, Crossover: 5, MutationProbability: 1, Tries: 100}, 1)
	if result.Candidates < 100 || all[0].Costs != nil || !all[0].Feasible || len(result.Costs) != 0 {
		t.Errorf("%d candidates; the first is %+v", result.Candidates, all[0])
	}
}

// One name is one scorer: nothing is scored again at the hand-over.
func TestEqualNamesAreOneScorer(t *testing.T) {
	p, student, _, _ := endless(t)
	p.Baseline = student
	result, _ := run(t, p, evolve.Defaults(), 4)
	if len(student.seen) != 3025 || len(result.Scorers) != 1 {
		t.Errorf("%d architectures scored by %d scorers, want 3025 by 1", len(student.seen), len(result.Scorers))
	}
}

func TestOneFeasibleArchitectureIsEnough(t *testing.T) {
	p, _, baseline, _ := problem(t, tiny, 1)
	result, _ := run(t, p, evolve.Params{Iterations: 3, Population: 10, Parents: 5, Mutation: 5, Crossover: 5, MutationProbability: 0.3, Tries: 500}, 1)
	if result.Candidates != 1 || len(baseline.seen) != 1 || result.Missing != 9+2*14 {
		t.Errorf("%d candidates, %d missing; want 1, 37", result.Candidates, result.Missing)
	}
}

func TestCancelledSearchStops(t *testing.T) {
	p, _, _, _ := problem(t, wide, 150)
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	p.Student = evolve.Func("student", func(_ context.Context, archs []space.Architecture, out []float64) error {
		if calls++; calls == 3 {
			cancel()
		}
		clear(out)
		return nil
	})
	_, err := evolve.Search(ctx, p, evolve.Defaults(), on(1, nil))
	if !errors.Is(err, context.Canceled) || calls != 3 {
		t.Errorf("%v after %d calls; want %v after 3", err, calls, context.Canceled)
	}
}
