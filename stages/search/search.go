// Package search is the stage that looks for the best architectures within
// each limit: HS-NAS, in which the student distilled from the LLM scores the
// first generations of an evolution and the baseline predictor the rest, or the two
// by another schedule, beside what it has to beat: the same evolution by the
// baseline alone, by the student alone and by a predictor that needs no LLM, and as
// many random candidates. With objectives it looks for fronts.
package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"hsnas/internal/config"
	"hsnas/internal/evolve"
	"hsnas/internal/fault"
	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output
// changes for the same input.
const (
	Name    = "search"
	Version = 3
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
	// Progress is a line about every generation, Pareto what searches for a front have
	// found; without objectives it has no rows.
	Progress, Pareto string
	// State is a folder, no artifact: what an interrupted stage goes on from, removed
	// when it has succeeded. "" keeps none.
	State string
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
	m, release, err := load(p, in, rep)
	if err != nil {
		return err
	}
	defer release()
	states := newStates(out.State, prov.Key)
	states.rep = rep
	rows, err := searchAll(ctx, p, in.Task, m, states, rep)
	if err != nil {
		return err
	}
	fault.Point("searched", "")
	if err := rows.write(out, prov); err != nil {
		return err
	}
	fault.Point("searches written", "")
	return states.remove()
}

// write writes the artifacts.
func (r *rows) write(out Outputs, prov schemas.Provenance) error {
	if err := schemas.WriteCandidates(out.Candidates, r.candidates, prov); err != nil {
		return err
	}
	if err := schemas.WriteFront(out.Front, r.front, prov); err != nil {
		return err
	}
	if err := schemas.WriteLedger(out.Ledger, r.ledger, prov); err != nil {
		return err
	}
	if err := schemas.WriteSearchProgress(out.Progress, r.progress, prov); err != nil {
		return err
	}
	return schemas.WritePareto(out.Pareto, r.pareto, prov)
}

// setting is one search at one limit with one seed.
type setting struct {
	search string
	limit  float64 // NaN without a constraint
	seed   int64

	reference []float64 // of hypervolumes, nil without objectives
}

func (s setting) String() string {
	if math.IsNaN(s.limit) {
		return fmt.Sprintf("%s, seed %d", s.search, s.seed)
	}
	return fmt.Sprintf("%s, limit %v, seed %d", s.search, s.limit, s.seed)
}

// searchAll runs every setting. What it has done when it fails is in states.
func searchAll(ctx context.Context, p Params, t *task.Task, m models, states *states, rep progress.Reporter) (out *rows, err error) {
	limits := p.limits()
	variants := p.variants()
	rep.Start("searching", len(limits)*len(p.Seeds)*len(variants))
	defer rep.Done()
	defer func() {
		if err == nil {
			return
		}
		if lost := states.flush(); lost != nil {
			rep.Logf("the next attempt begins from the start: %v", lost)
		}
	}()
	out = newRows(p, t, m)
	for _, limit := range limits {
		reference, err := m.reference(ctx, p, t, limit)
		if err != nil {
			return nil, fmt.Errorf("search: the reference of hypervolumes: %w", err)
		}
		for _, seed := range p.Seeds {
			budget := p.Candidates() // of the random search: what HS-NAS really scored
			for _, v := range variants {
				s := setting{v.name, limit, seed, reference}
				if v.name == Random {
					v.params = evolve.RandomParams(budget, p.Tries)
				}
				result, err := searchOne(ctx, p, t, m, s, v.params, states, out)
				if err != nil {
					return nil, failure(s, err)
				}
				if v.name == HSNAS {
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

// searchOne runs one setting, from its state where it has one. All settings of a seed
// begin with the same random numbers, so that they are compared on the same first
// generation.
func searchOne(ctx context.Context, p Params, t *task.Task, m models, s setting, params evolve.Params, states *states, out *rows) (evolve.Result, error) {
	from, shared, err := states.load(s)
	if err != nil {
		return evolve.Result{}, err
	}
	m.shared.begin(shared)
	return evolve.Search(ctx, m.problem(p, t, s), params, evolve.Options{
		Source:     rand.NewPCG(uint64(s.seed), 0),
		Observe:    func(e evolve.Evaluation) { out.observe(s, e) },
		Progress:   func(g evolve.Generation) { out.generation(s, g) },
		Checkpoint: func(state evolve.State) error { return states.put(s, state, m.shared.hits) },
		From:       from,
	})
}

// problem is what a setting searches.
func (m models) problem(p Params, t *task.Task, s setting) evolve.Problem {
	out := evolve.Problem{
		Space: t.Space, Student: m.student, Baseline: m.baseline,
		Objectives: m.objectives(p), Reference: s.reference, Complexity: complexity(t),
	}
	if p.Constraint != "" {
		out.Constraints = append(out.Constraints, m.constraint(p.Constraint, s.limit))
	}
	for _, also := range p.Also {
		out.Constraints = append(out.Constraints, m.constraint(also.Constraint, also.Limit))
	}
	switch s.search {
	case ControlOnly:
		out.Student = m.control
	case FLOPsOnly:
		out.Student = m.flops
	case ParamsOnly:
		out.Student = m.weights
	}
	return out
}

func (m models) constraint(name string, limit float64) evolve.Constraint {
	return evolve.Constraint{Name: name, Unit: unitOf(name), Max: limit, Cost: m.costs[name]}
}

// failure says which search failed; a limit that nothing keeps to is the user's.
func failure(s setting, err error) error {
	var infeasible *evolve.InfeasibleError
	if errors.As(err, &infeasible) {
		return config.Errorf("", 0, "search: %v", err)
	}
	return fmt.Errorf("search %s: %w", s, err)
}
