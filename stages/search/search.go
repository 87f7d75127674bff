// Package search is the stage that looks for the best architectures within
// each limit: HS-NAS, in which the student distilled from the LLM scores the
// first generations of an evolution and the baseline predictor the rest, beside
// what it has to beat: the same evolution by the baseline alone, by the student
// alone and by a predictor that needs no LLM, and as many random candidates.
package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"hsnas/internal/config"
	"hsnas/internal/evolve"
	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output
// changes for the same input.
const (
	Name    = "search"
	Version = 2
)

// Inputs are what the stage reads.
type Inputs struct {
	Task *task.Task
	// Models is the folder of the exported predictors, <name>.onnx.
	Models string
	// Latency is the file of the latency predictor; "" for latency.onnx in Models.
	Latency string
	// Latencies is latency/dataset.parquet, which Params.Quantiles are of.
	Latencies string
	// Supernet is the file of the weights that the run's supernet shares, and Corpus
	// corpus/corpus.parquet, which it is scored on; for the baseline TrainedSupernet
	// alone.
	Supernet, Corpus string
}

// Outputs are the files that the stage writes.
type Outputs struct {
	Candidates string // every member of every generation, and who scored it
	Front      string // the best of each search
	// Ledger holds what each scorer did in each search; its column seconds is
	// measured, and the only thing of this stage that differs from run to run.
	Ledger string
}

// Run searches every limit with every search and seed. It writes nothing unless
// all of them succeed. A limit that nothing keeps to is a *config.Error.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if err := p.resolve(in); err != nil {
		return err
	}
	m, release, err := load(p, in)
	if err != nil {
		return err
	}
	defer release()
	rows, err := searchAll(ctx, p, in.Task, m, rep)
	if err != nil {
		return err
	}
	if err := schemas.WriteCandidates(out.Candidates, rows.candidates, prov); err != nil {
		return err
	}
	if err := schemas.WriteFront(out.Front, rows.front, prov); err != nil {
		return err
	}
	return schemas.WriteLedger(out.Ledger, rows.ledger, prov)
}

// setting is one search at one limit with one seed.
type setting struct {
	search string
	limit  float64 // NaN without a constraint
	seed   int64
}

func (s setting) String() string {
	if math.IsNaN(s.limit) {
		return fmt.Sprintf("%s, seed %d", s.search, s.seed)
	}
	return fmt.Sprintf("%s, limit %v, seed %d", s.search, s.limit, s.seed)
}

func searchAll(ctx context.Context, p Params, t *task.Task, m models, rep progress.Reporter) (*rows, error) {
	limits := p.Limits
	if p.Constraint == "" {
		limits = []float64{math.NaN()}
	}
	rep.Start("searching", len(limits)*len(p.Seeds)*len(p.Searches))
	defer rep.Done()
	out := newRows(p, t, m)
	for _, limit := range limits {
		for _, seed := range p.Seeds {
			budget := p.Candidates() // of the random search: what HS-NAS really scored
			for _, name := range inOrder(p.Searches) {
				s := setting{name, limit, seed}
				result, err := searchOne(ctx, p, t, m, s, budget, out)
				if err != nil {
					return nil, fault(s, err)
				}
				if name == HSNAS {
					budget = result.Candidates
				}
				if err := out.finish(ctx, s, result); err != nil {
					return nil, fmt.Errorf("search %s: %w", s, err)
				}
				rep.Add(1)
			}
		}
	}
	return out, nil
}

// inOrder sorts the names of searches into the order of Searches.
func inOrder(names []string) []string {
	return slices.DeleteFunc(Searches(), func(name string) bool { return !slices.Contains(names, name) })
}

// searchOne runs one setting. All settings of a seed begin with the same random
// numbers, so that they are compared on the same first generation.
func searchOne(ctx context.Context, p Params, t *task.Task, m models, s setting, budget int, out *rows) (evolve.Result, error) {
	problem := evolve.Problem{Space: t.Space, Student: m.student, Baseline: m.baseline}
	if p.Constraint != "" {
		problem.Constraints = append(problem.Constraints, m.constraint(p.Constraint, s.limit))
	}
	for _, also := range p.Also {
		problem.Constraints = append(problem.Constraints, m.constraint(also.Constraint, also.Limit))
	}
	m.shared.begin()
	r := rand.New(rand.NewPCG(uint64(s.seed), 0))
	observe := func(e evolve.Evaluation) { out.observe(s, e) }
	params := p.Params
	switch s.search {
	case Random:
		return evolve.Random(ctx, problem, budget, p.Tries, r, observe)
	case BaselineOnly:
		params.StudentIterations = 0
	case StudentOnly:
		params.StudentIterations = params.Iterations
	case ControlOnly:
		problem.Student, params.StudentIterations = m.control, params.Iterations
	case FLOPsOnly:
		problem.Student, params.StudentIterations = m.flops, params.Iterations
	}
	return evolve.Search(ctx, problem, params, r, observe)
}

func (m models) constraint(name string, limit float64) evolve.Constraint {
	return evolve.Constraint{Name: name, Unit: unitOf(name), Max: limit, Cost: m.costs[name]}
}

// fault says which search failed; a limit that nothing keeps to is the user's.
func fault(s setting, err error) error {
	var infeasible *evolve.InfeasibleError
	if errors.As(err, &infeasible) {
		return config.Errorf("", 0, "search: %v", err)
	}
	return fmt.Errorf("search %s: %w", s, err)
}
