package search

import (
	"context"
	"math"
	"strings"

	"hsnas/internal/cost"
	"hsnas/internal/evolve"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// rows collects the stage's outputs.
type rows struct {
	params     Params
	task       *task.Task
	models     models
	objectives string // by name

	candidates []schemas.Candidate
	front      []schemas.Winner
	ledger     []schemas.Ledger
	progress   []schemas.SearchProgress
	pareto     []schemas.ParetoPoint
	names      map[string]identity // of architectures by key: most come many times
}

// identity is how artifacts write an architecture.
type identity struct{ id, json string }

func newRows(p Params, t *task.Task, m models) *rows {
	return &rows{params: p, task: t, models: m, objectives: strings.Join(p.Objectives, ","), names: map[string]identity{}}
}

func (r *rows) identify(a space.Architecture) identity {
	key := a.Key()
	known, ok := r.names[key]
	if !ok {
		known = identity{a.ID(), a.String()}
		r.names[key] = known
	}
	return known
}

// observe adds an evaluation to the candidates.
func (r *rows) observe(s setting, e evolve.Evaluation) {
	r.models.shared.keep(e)
	name := r.identify(e.Architecture)
	r.candidates = append(r.candidates, schemas.Candidate{
		Search: s.search, Constraint: r.params.Constraint, Limit: s.limit, Seed: s.seed,
		Iteration: int32(e.Iteration), Position: int32(e.Position),
		ID: name.id, Origin: string(e.Origin), Architecture: name.json,
		Scorer: e.Scorer, ScorerKind: r.by(e.Scorer).kind, Score: r.by(e.Scorer).sign * e.Score,
		Cost: r.cost(e.Costs), Feasible: e.Feasible, Remembered: e.Remembered,
	})
}

// generation adds a line of progress.
func (r *rows) generation(s setting, g evolve.Generation) {
	by := r.by(g.Scorer)
	r.progress = append(r.progress, schemas.SearchProgress{
		Search: s.search, Constraint: r.params.Constraint, Limit: s.limit, Seed: s.seed, Iteration: int32(g.Iteration),
		Scorer: g.Scorer, ScorerKind: by.kind, StudentEvaluations: g.Student, BaselineEvaluations: g.Baseline,
		Best: by.sign * g.Best, Tau: g.Tau, Hypervolume: g.Hypervolume,
	})
}

// finish adds the accounts of a search to the ledger, and its best to the front.
func (r *rows) finish(ctx context.Context, s setting, result evolve.Result) error {
	for _, a := range result.Scorers {
		r.account(s, a, r.by(a.Name), spared(a, result, r.models.baseline.Name()))
	}
	for _, a := range result.Costs {
		r.account(s, a, r.models.costs[a.Name], 0)
	}
	r.addFront(s, result)
	best := result.Ranking[:min(r.params.Top, len(result.Ranking))]
	student, err := r.scores(ctx, r.models.student, result.Scorer, best)
	if err != nil {
		return err
	}
	baseline, err := r.scores(ctx, r.models.baseline, result.Scorer, best)
	if err != nil {
		return err
	}
	for i, c := range best {
		name := r.identify(c.Architecture)
		w := schemas.Winner{
			Search: s.search, Constraint: r.params.Constraint, Limit: s.limit, Unit: unitOf(r.params.Constraint),
			Seed: s.seed, Rank: int32(i + 1), ID: name.id, Architecture: name.json,
			Score: r.by(result.Scorer).sign * c.Score, Scorer: result.Scorer, Cost: r.cost(c.Costs),
			StudentScore: r.models.student.sign * student[i], BaselineScore: r.models.baseline.sign * baseline[i],
			GFLOPs: math.NaN(),
		}
		if err := r.addCosts(&w, c.Architecture); err != nil {
			return err
		}
		r.front = append(r.front, w)
	}
	return nil
}

// scores returns what m thinks of candidates; where m ranked them, that is the
// score they have, whose last bits may depend on the batch it came from.
func (r *rows) scores(ctx context.Context, m model, ranked string, candidates []evolve.Candidate) ([]float64, error) {
	out := make([]float64, len(candidates))
	archs := make([]space.Architecture, len(candidates))
	for i, c := range candidates {
		out[i], archs[i] = c.Score, c.Architecture
	}
	if m.Name() == ranked {
		return out, nil
	}
	return out, m.Score(ctx, archs, out)
}

func (r *rows) addCosts(w *schemas.Winner, a space.Architecture) error {
	if !r.task.HasCostModel() {
		return nil
	}
	c, err := cost.Of(r.task, a)
	if err != nil {
		return err
	}
	w.GFLOPs, w.Params = c.GFLOPs(), &c.Params
	return nil
}

// spared is how many architectures the account's scorer scored that the baseline was
// never asked about; of the baseline itself none.
func spared(a evolve.Account, result evolve.Result, baseline string) int64 {
	if a.Name == baseline {
		return 0
	}
	left := int64(result.Candidates)
	for _, other := range result.Scorers {
		if other.Name == baseline {
			left -= other.Evaluations
		}
	}
	return left
}

// account adds a row to the ledger.
func (r *rows) account(s setting, a evolve.Account, m model, spared int64) {
	row := schemas.Ledger{
		Search: s.search, Limit: s.limit, Seed: s.seed, Scorer: a.Name, ScorerKind: m.kind,
		Evaluations: a.Evaluations, Remembered: a.Remembered, Spared: spared, Seconds: a.Seconds,
	}
	if m.Scorer == r.models.shared {
		row.Shared = r.models.shared.hits
	}
	r.ledger = append(r.ledger, row)
}

// by returns the scorer of a name that a search was scored by.
func (r *rows) by(scorer string) model {
	for _, m := range []model{r.models.student, r.models.control, r.models.flops, r.models.weights} {
		if m.Scorer != nil && m.Name() == scorer {
			return m
		}
	}
	return r.models.baseline
}

// cost returns the cost that limits are of, NaN without one.
func (r *rows) cost(costs []float64) float64 {
	if r.params.Constraint == "" {
		return math.NaN()
	}
	return costs[0]
}
