// Package evolve searches a space for the architecture with the best predicted
// quality within limits on its cost: the evolutionary search of HAT (Wang et
// al., ACL 2020, arXiv 2005.14187) with the schedule of HS-NAS (arXiv
// 2310.16712), in which a cheap student scores the first generations and the
// dear baseline predictor the rest.
//
// The search does no I/O: predictors come in as Scorers, every evaluation goes
// out through a callback. It holds to these rules:
//
//   - A candidate is scored only when it is within every limit.
//   - No architecture is evaluated twice by the same scorer, and no cost is
//     computed twice: parents go on with the score that they have. At the
//     hand-over from student to baseline the parents, chosen by the student, are
//     scored once by the baseline.
//   - A generation holds no architecture twice, and its children are new to the
//     scorer in charge.
//   - A whole generation is scored in one call.
//   - The result ranks everything that the final scorer has seen, so the best
//     is the best.
//   - Equal seeds and scorers give equal results, bit for bit; the measured
//     seconds of the ledger are the exception.
//   - It ends: sampling, mutation and crossover each give up after a number of
//     refusals in a row, see Params.Tries. A first generation that is empty then is
//     an *InfeasibleError. Where crossover gives up, as it does once the parents
//     are all alike, mutants take the places that are left. A generation that is
//     short even so is no error: the search goes on with what there is, and
//     Result.Missing counts what was not found. In a space smaller than the
//     search, that is how it comes to an end.
package evolve

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"hsnas/internal/space"
)

// Scorer judges architectures.
type Scorer interface {
	// Name identifies the scorer in evaluations, ledger and errors. Scorers of
	// one search with equal names are taken to be the same scorer.
	Name() string
	// Score writes one finite number for each architecture to out, which has
	// their length. As a measure of quality, higher is better: a metric that is
	// to be minimised is negated by its scorer. As a cost it is in the
	// constraint's unit. It is called with whole generations and must be a
	// function of the architecture alone.
	Score(ctx context.Context, archs []space.Architecture, out []float64) error
}

// Func makes a Scorer of a function.
func Func(name string, score func(ctx context.Context, archs []space.Architecture, out []float64) error) Scorer {
	return scorerFunc{name, score}
}

type scorerFunc struct {
	name  string
	score func(context.Context, []space.Architecture, []float64) error
}

func (f scorerFunc) Name() string { return f.name }

func (f scorerFunc) Score(ctx context.Context, archs []space.Architecture, out []float64) error {
	return f.score(ctx, archs, out)
}

// Constraint is a limit on a cost: an architecture is feasible when its cost is
// at most Max under every constraint.
type Constraint struct {
	Name string  // of the cost, latency_ms for example
	Unit string  // of Max and Cost, for messages; may be empty
	Max  float64 // largest admissible cost
	Cost Scorer  // the cost, lower is better
}

// Problem is what is searched.
type Problem struct {
	Space *space.Space
	// Student scores the first Params.StudentIterations generations, Baseline
	// the rest. The one that has none to score may be nil.
	Student, Baseline Scorer
	// Constraints must all hold; without any, everything is feasible.
	Constraints []Constraint
}

// Origin is how a candidate came into its generation.
type Origin string

// The origins.
const (
	OriginSample    Origin = "sample"
	OriginParent    Origin = "parent"
	OriginMutation  Origin = "mutation"
	OriginCrossover Origin = "crossover"
)

// Evaluation is one member of one generation and what it scored.
type Evaluation struct {
	Iteration    int // of the generation, from 0
	Position     int // in the generation, from 0: parents, mutants, crossovers
	Origin       Origin
	Architecture space.Architecture
	Scorer       string
	Score        float64   // higher is better
	Costs        []float64 // one for each constraint, in its unit; shared, not to be changed
	Feasible     bool      // within every limit; only such candidates are scored
	Remembered   bool      // the score was known, nothing was computed
}

// Candidate is an architecture that the final scorer has scored.
type Candidate struct {
	Architecture space.Architecture
	Score        float64   // by Result.Scorer, higher is better
	Costs        []float64 // one for each constraint, in its unit
}

// Result is the outcome of a search.
type Result struct {
	Scorer string // the final one
	// Ranking holds every architecture that the final scorer has scored, the
	// best first; equal scores in the order of their evaluation. It is never
	// empty, and Ranking[0] is the answer.
	Ranking []Candidate
	// Candidates counts the different architectures that were scored.
	Candidates int
	// Missing counts the members that generations wanted and did not find.
	Missing int
	// Scorers and Costs are the ledger: student, baseline; the constraints.
	Scorers, Costs []Account
}

// Search runs the evolution. observe, if not nil, gets every evaluation in
// order, once its generation is scored. Errors: a *config.FieldError for bad
// settings, an *InfeasibleError, the context's, and those of the scorers with
// the scorer's name.
func Search(ctx context.Context, problem Problem, p Params, r *rand.Rand, observe func(Evaluation)) (Result, error) {
	if err := p.Validate(); err != nil {
		return Result{}, err
	}
	if err := problem.check(p); err != nil {
		return Result{}, err
	}
	s := newSearch(problem, p.Tries, r, observe)
	scorer := s.inCharge(p, 0)
	members, err := s.sample(ctx, p.Population, scorer)
	if err != nil {
		return Result{}, err
	}
	for iteration := range p.Iterations {
		judge := scorer // of the generation that the parents come from
		scorer = s.inCharge(p, iteration)
		if iteration > 0 {
			if members, err = s.breed(ctx, p, ranked(members, judge), scorer); err != nil {
				return Result{}, err
			}
		}
		if err := s.evaluate(ctx, iteration, members, scorer); err != nil {
			return Result{}, err
		}
	}
	return s.result(scorer), nil
}

// Random scores n different feasible architectures, drawn as the first
// generation of Search is, by the problem's baseline, in one generation: the
// control that an evolution has to beat. tries is Params.Tries. Errors are
// those of Search.
func Random(ctx context.Context, problem Problem, n, tries int, r *rand.Rand, observe func(Evaluation)) (Result, error) {
	p := Params{Iterations: 1, Population: n, Parents: 1, Tries: tries}
	return Search(ctx, problem, p, r, observe)
}

func (p Problem) check(params Params) error {
	switch {
	case p.Space == nil:
		return fmt.Errorf("evolve: the problem has no space")
	case p.Student == nil && params.StudentIterations > 0:
		return fmt.Errorf("evolve: no student for the first %d iterations", params.StudentIterations)
	case p.Baseline == nil && params.StudentIterations < params.Iterations:
		return fmt.Errorf("evolve: no baseline for the last %d iterations", params.Iterations-params.StudentIterations)
	}
	for _, c := range p.Constraints {
		if c.Cost == nil || math.IsNaN(c.Max) {
			return fmt.Errorf("evolve: the constraint %q needs a cost and a limit", c.Name)
		}
	}
	return nil
}

// member is a candidate before its score.
type member struct {
	arch   space.Architecture
	key    string
	origin Origin
}

// search is the state of one run.
type search struct {
	problem  Problem
	tries    int
	r        *rand.Rand
	observe  func(Evaluation)
	memories []*memory // of the scorers, in order of first use
	costs    []*memory // one for each constraint
	scored   map[string]bool
	missing  int
}

func newSearch(problem Problem, tries int, r *rand.Rand, observe func(Evaluation)) *search {
	s := &search{problem: problem, tries: tries, r: r, observe: observe, scored: map[string]bool{}}
	if s.observe == nil {
		s.observe = func(Evaluation) {}
	}
	for _, c := range problem.Constraints {
		s.costs = append(s.costs, newMemory(c.Name, c.Cost))
	}
	return s
}

// inCharge returns the memory of the scorer of an iteration.
func (s *search) inCharge(p Params, iteration int) *memory {
	scorer := s.problem.Baseline
	if iteration < p.StudentIterations {
		scorer = s.problem.Student
	}
	for _, m := range s.memories {
		if m.account.Name == scorer.Name() {
			return m
		}
	}
	s.memories = append(s.memories, newMemory(scorer.Name(), scorer))
	return s.memories[len(s.memories)-1]
}

// evaluate scores a generation, what is not known of it in one call, and
// reports it.
func (s *search) evaluate(ctx context.Context, iteration int, members []member, scorer *memory) error {
	known := make([]bool, len(members))
	for i, m := range members {
		known[i] = scorer.knows(m.key)
	}
	if err := scorer.learn(ctx, members); err != nil {
		return fmt.Errorf("iteration %d: %w", iteration, err)
	}
	for i, m := range members {
		s.scored[m.key] = true
		s.observe(Evaluation{
			Iteration: iteration, Position: i, Origin: m.origin, Architecture: m.arch,
			Scorer: scorer.account.Name, Score: scorer.value[m.key], Costs: s.costsOf(m.key),
			Feasible: true, Remembered: known[i],
		})
	}
	return nil
}

// ranked sorts members, all known to the scorer, by falling score; equal scores
// keep their order.
func ranked(members []member, scorer *memory) []member {
	sorted := slices.Clone(members)
	slices.SortStableFunc(sorted, func(a, b member) int {
		switch x, y := scorer.value[a.key], scorer.value[b.key]; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return sorted
}

func (s *search) result(scorer *memory) Result {
	out := Result{Scorer: scorer.account.Name, Candidates: len(s.scored), Missing: s.missing}
	for _, m := range ranked(scorer.order, scorer) {
		out.Ranking = append(out.Ranking, Candidate{m.arch, scorer.value[m.key], s.costsOf(m.key)})
	}
	for _, m := range s.memories {
		out.Scorers = append(out.Scorers, m.account)
	}
	for _, m := range s.costs {
		out.Costs = append(out.Costs, m.account)
	}
	return out
}
