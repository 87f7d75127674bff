// Package evolve searches a space for the architecture with the best predicted
// quality within limits on its cost: the evolutionary search of HAT (Wang et
// al., ACL 2020, arXiv 2005.14187) with the schedule of HS-NAS (arXiv
// 2310.16712), in which a cheap student scores some generations, the first ones as
// a rule, and the dear baseline predictor the rest: see Schedule. With Objectives
// it searches for a front instead, by NSGA-II.
//
// The search does no I/O: predictors come in as Scorers, every evaluation goes
// out through a callback, and so does the State after every generation, which a
// later call goes on from. It holds to these rules:
//
//   - A candidate is scored only when it is within every limit.
//   - No architecture is evaluated twice by the same scorer, and no cost is
//     computed twice: parents go on with the score that they have. At the
//     hand-over from one scorer to the other the parents, chosen by the first, are
//     scored once by the second.
//   - A generation holds no architecture twice, and its children are new to the
//     scorer in charge.
//   - A whole generation is scored in one call.
//   - The result ranks everything that the final scorer has seen, so the best
//     is the best. A front is always of what the baseline has seen: where it was
//     not in charge at the end, it scores the front that the student has found.
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
	// Student scores Params.StudentIterations generations, Baseline the rest: see
	// Params.Schedule. The one that has none to score may be nil.
	Student, Baseline Scorer
	// Constraints must all hold; without any, everything is feasible.
	Constraints []Constraint
	// Objectives, two or more, make it a search for a front; without any it is one
	// for the best quality.
	Objectives []Objective
	// Reference is the point that hypervolumes are measured from, as bad or worse than
	// what counts: one value for each objective. Without it there are none.
	Reference []float64
	// Complexity is what Params.Stratify goes by; it may be nil without it.
	Complexity func(space.Architecture) (float64, error)
}

// Origin is how a candidate came into its generation.
type Origin string

// The origins.
const (
	OriginSample    Origin = "sample"
	OriginParent    Origin = "parent"
	OriginMutation  Origin = "mutation"
	OriginCrossover Origin = "crossover"
	OriginProbe     Origin = "probe" // a parent that the baseline scored to see whether the student agrees
	OriginFront     Origin = "front" // of the student's front, scored by the baseline at the end
)

// Evaluation is one member of one generation and what it scored. Probes follow the
// generation whose parents they are of, the front the last one.
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
	// empty, and Ranking[0] is the answer. Of a search for a front it holds the
	// front alone.
	Ranking []Candidate
	// Front is what a search with objectives has found, front by front and the most
	// lonely first: the whole first front, and of the further ones as much as fills
	// a population.
	Front []Point
	// Candidates counts the different architectures that were scored.
	Candidates int
	// Missing counts the members that generations wanted and did not find.
	Missing int
	// Scorers and Costs are the ledger: student, baseline; the constraints.
	Scorers, Costs []Account
}

// Options are what a search runs with beside its problem and settings. The zero
// value draws from a source seeded with zeros and tells nobody anything.
type Options struct {
	// Source is where random numbers come from; its state is part of every State.
	Source *rand.PCG
	// Observe gets every evaluation in order, once its generation is scored;
	// Progress a line about every generation. After From they begin with what was
	// before.
	Observe  func(Evaluation)
	Progress func(Generation)
	// Checkpoint gets the state after every generation; an error ends the search.
	Checkpoint func(State) error
	// From is the JSON of a State of the same problem and settings to go on from.
	From []byte
}

// Search runs the evolution. Errors: a *config.FieldError for bad settings, an
// *InfeasibleError, the context's, and those of the scorers with the scorer's name.
func Search(ctx context.Context, problem Problem, p Params, o Options) (Result, error) {
	if err := p.Validate(); err != nil {
		return Result{}, err
	}
	if err := problem.check(p); err != nil {
		return Result{}, err
	}
	s := newSearch(problem, p, o)
	if len(o.From) > 0 {
		if err := s.restore(o.From); err != nil {
			return Result{}, fmt.Errorf("going on from a state: %w", err)
		}
	}
	for s.done < p.Iterations {
		if err := s.generation(ctx); err != nil {
			return Result{}, err
		}
	}
	return s.result(), nil
}

// RandomParams are the settings of the control that an evolution has to beat: n
// different feasible architectures, drawn as the first generation of a search is,
// all scored by the problem's baseline, in one generation. tries is Params.Tries.
func RandomParams(n, tries int) Params {
	return Params{Iterations: 1, Population: n, Parents: 1, Tries: tries}
}

func (p Problem) check(params Params) error {
	student, baseline := params.needs(len(p.Objectives) > 0)
	switch {
	case p.Space == nil:
		return fmt.Errorf("evolve: the problem has no space")
	case p.Student == nil && student:
		return fmt.Errorf("evolve: no student for %d of %d iterations", params.StudentIterations, params.Iterations)
	case p.Baseline == nil && baseline:
		return fmt.Errorf("evolve: no baseline, which these settings need")
	case p.Complexity == nil && params.Stratify > 0:
		return fmt.Errorf("evolve: no complexity to stratify the first generation by")
	case len(p.Objectives) == 1:
		return fmt.Errorf("evolve: expected two objectives or more, found %s alone", p.Objectives[0].Name)
	case p.Reference != nil && len(p.Reference) != len(p.Objectives):
		return fmt.Errorf("evolve: a reference of %d values for %d objectives", len(p.Reference), len(p.Objectives))
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
	p        Params
	o        Options
	r        *rand.Rand
	memories []*memory // of the scorers, in order of first use
	costs    []*memory // one for each constraint, then one for each other cost that is an objective

	done      int      // generations
	members   []member // of the last one
	scorer    *memory  // in charge of it
	converted bool     // the student has been found out, the baseline stays in charge
	scored    map[string]bool
	missing   int
	trace     []batch
	progress  []Generation
	front     front // of what the baseline has scored, for hypervolumes
}

func newSearch(problem Problem, p Params, o Options) *search {
	if o.Source == nil {
		o.Source = rand.NewPCG(0, 0)
	}
	if o.Observe == nil {
		o.Observe = func(Evaluation) {}
	}
	if o.Progress == nil {
		o.Progress = func(Generation) {}
	}
	s := &search{problem: problem, p: p, o: o, r: rand.New(o.Source), scored: map[string]bool{}}
	for _, c := range problem.Constraints {
		s.costs = append(s.costs, newMemory(c.Name, c.Cost))
	}
	for _, o := range problem.Objectives {
		if o.Cost != nil && s.cost(o.Name) == nil {
			s.costs = append(s.costs, newMemory(o.Name, o.Cost))
		}
	}
	return s
}

// cost returns the memory of a cost by name, nil for an unknown one.
func (s *search) cost(name string) *memory {
	for _, m := range s.costs {
		if m.account.Name == name {
			return m
		}
	}
	return nil
}

// memory returns the memory of a scorer, which is made at its first use.
func (s *search) memory(scorer Scorer) *memory {
	for _, m := range s.memories {
		if m.account.Name == scorer.Name() {
			return m
		}
	}
	s.memories = append(s.memories, newMemory(scorer.Name(), scorer))
	return s.memories[len(s.memories)-1]
}

// inCharge returns the memory of the scorer of an iteration.
func (s *search) inCharge(iteration int) *memory {
	if s.p.student(iteration, s.converted) {
		return s.memory(s.problem.Student)
	}
	return s.memory(s.problem.Baseline)
}

// generation makes and scores the next generation, and says how it went.
func (s *search) generation(ctx context.Context) error {
	judge, last := s.scorer, s.members // of the generation that the parents come from
	scorer := s.inCharge(s.done)
	var members []member
	var err error
	if s.done == 0 {
		members, err = s.first(ctx, scorer)
	} else {
		members, err = s.breed(ctx, s.parents(last, judge, scorer), scorer)
	}
	if err != nil {
		return err
	}
	if err := s.evaluate(ctx, members, 0, scorer); err != nil {
		return err
	}
	s.members, s.scorer = members, scorer
	if err := s.review(ctx); err != nil {
		return err
	}
	s.done++
	if s.o.Checkpoint != nil {
		return s.o.Checkpoint(s.state())
	}
	return nil
}

// review ends a generation: the baseline looks at what the student found, where
// that is its turn, and a line about it all is written.
func (s *search) review(ctx context.Context) error {
	tau := math.NaN()
	var err error
	switch {
	case s.done == s.p.Iterations-1:
		err = s.judge(ctx)
	case s.p.Schedule == Adaptive && s.p.student(s.done+1, s.converted):
		tau, err = s.probe(ctx)
		s.converted = err == nil && s.foundOut(tau)
	}
	if err != nil {
		return err
	}
	s.report(tau)
	return nil
}

// rounding is what a tau of a perfect order may miss 1 by.
const rounding = 1e-12

// evaluate scores members, what is not known of them in one call, and reports
// them from a position on in the generation.
func (s *search) evaluate(ctx context.Context, members []member, position int, scorer *memory) error {
	b := batch{iteration: s.done, position: position, scorer: scorer, members: members, known: make([]bool, len(members))}
	for i, m := range members {
		b.known[i] = scorer.knows(m.key)
	}
	if err := scorer.learn(ctx, members); err != nil {
		return fmt.Errorf("iteration %d: %w", s.done, err)
	}
	for _, c := range s.costs[len(s.problem.Constraints):] { // the others' are known since the members were admitted
		if err := c.learn(ctx, members); err != nil {
			return fmt.Errorf("iteration %d: %w", s.done, err)
		}
	}
	s.trace = append(s.trace, b)
	s.tell(b)
	return nil
}

// batch is members that were scored together.
type batch struct {
	iteration, position int
	scorer              *memory
	members             []member
	known               []bool // before, by the scorer
}

// tell reports a batch.
func (s *search) tell(b batch) {
	for i, m := range b.members {
		s.scored[m.key] = true
		s.o.Observe(Evaluation{
			Iteration: b.iteration, Position: b.position + i, Origin: m.origin, Architecture: m.arch,
			Scorer: b.scorer.account.Name, Score: b.scorer.value[m.key], Costs: s.costsOf(m.key),
			Feasible: true, Remembered: b.known[i],
		})
	}
}

// parents are what the next generation goes on from, the best first. The scorer of
// the next generation may be another than the judge of the last one.
func (s *search) parents(last []member, judge, scorer *memory) []member {
	if len(s.problem.Objectives) > 0 {
		return s.survivors(last, judge, scorer)
	}
	sorted := ranked(last, judge)
	return sorted[:min(s.p.Parents, len(sorted))]
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

func (s *search) result() Result {
	scorer := s.scorer
	if len(s.problem.Objectives) > 0 {
		scorer = s.memory(s.problem.Baseline)
	}
	out := Result{Scorer: scorer.account.Name, Candidates: len(s.scored), Missing: s.missing}
	best := scorer.order
	if len(s.problem.Objectives) > 0 {
		out.Front = s.points(scorer)
		best = best[:0:0]
		for i := range out.Front {
			if p := &out.Front[i]; p.Rank == 0 {
				best = append(best, member{arch: p.Architecture, key: p.Architecture.Key()})
			}
		}
	}
	for _, m := range ranked(best, scorer) {
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
