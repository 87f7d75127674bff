package search

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"hsnas/internal/config"
	"hsnas/internal/cost"
	"hsnas/internal/evolve"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// The costs that the search knows by name.
const (
	Latency = "latency_ms" // predicted
	GFLOPs  = "gflops"     // computed; of one sentence pair of the task's lengths
	Weights = "params"     // computed; parameters without embeddings
)

// The values of column scorer_kind for costs, in ledger.parquet alone.
const (
	kindPredicted = "latency" // by a predictor, of whatever cost
	kindComputed  = "cost"    // by the task's cost model
)

// model is a scorer with what the artifacts say about it. Scores are higher for
// better whatever the metric's direction; sign turns them back into what the
// predictor says.
type model struct {
	evolve.Scorer
	kind string
	sign float64
}

// models are all scorers of a run; control is there for ControlOnly alone, flops
// for FLOPsOnly, weights for ParamsOnly.
type models struct {
	student, baseline, control, flops, weights model
	costs                                      map[string]model
	shared                                     *shared // the baseline where searches share its work; else idle
}

// The roles of predictors of the metric.
const (
	roleStudent  = "student"
	roleBaseline = "baseline"
	roleControl  = "control"
)

// Files returns the ONNX files that a search of these settings reads, by role:
// student, baseline, control, and the name of each cost that is not computed.
func (p Params) Files(in Inputs) map[string]string {
	files := map[string]string{roleStudent: filepath.Join(in.Models, p.Student+".onnx")}
	if p.Baseline != TrainedSupernet {
		files[roleBaseline] = filepath.Join(in.Models, p.Baseline+".onnx")
	}
	if p.uses(ControlOnly) {
		files[roleControl] = filepath.Join(in.Models, p.Control+".onnx")
	}
	for _, name := range p.costs() {
		switch {
		case name == GFLOPs || name == Weights:
		case name == Latency && in.Latency != "":
			files[name] = in.Latency
		case name == Latency:
			files[name] = filepath.Join(in.Models, "latency.onnx")
		default:
			files[name] = filepath.Join(in.Models, name+".onnx")
		}
	}
	return files
}

// assemble makes the models of scorers by role; it is where tests put theirs in.
// A supernet's scores are no metric, and are taken as they are.
func assemble(p Params, in Inputs, scorers map[string]evolve.Scorer) (models, error) {
	sign := 1.0
	if in.Task.Metric.Minimize() {
		sign = -1
	}
	of := func(role, kind string) model { return model{signed(scorers[role], sign), kind, sign} }
	m := models{
		student: of(roleStudent, schemas.ScorerLLMDistill), baseline: of(roleBaseline, schemas.ScorerSurrogate),
		costs: map[string]model{}, shared: new(shared),
	}
	if p.Baseline == TrainedSupernet {
		m.shared = share(scorers[roleBaseline])
		m.baseline = model{m.shared, schemas.ScorerSupernet, 1} // minus a loss is higher for better by itself
	}
	if p.uses(ControlOnly) {
		m.control = of(roleControl, schemas.ScorerControl)
	}
	if err := m.compute(p, in.Task); err != nil {
		return models{}, err
	}
	for _, name := range p.costs() {
		if name != GFLOPs && name != Weights {
			m.costs[name] = model{scorers[name], kindPredicted, 1}
		}
	}
	return m, nil
}

// compute makes the models that the task's cost model gives.
func (m *models) compute(p Params, t *task.Task) error {
	needs := map[string]string{} // by what needs them
	for search, name := range map[string]string{FLOPsOnly: GFLOPs, ParamsOnly: Weights} {
		if p.uses(search) {
			needs[search] = name
		}
	}
	for _, name := range p.costs() {
		if name == GFLOPs || name == Weights {
			m.costs[name] = model{computed(t, name), kindComputed, 1}
			what := "the constraint "
			if !slices.Contains(p.Constraints(), name) {
				what = "the objective "
			}
			needs[what+name] = name
		}
	}
	if p.Stratify > 0 {
		needs["stratify"] = GFLOPs
	}
	if len(needs) > 0 && !t.HasCostModel() {
		return config.Errorf("", 0, "search: %s needs a cost model, which task %s does not have", slices.Sorted(maps.Keys(needs))[0], t.Name)
	}
	m.flops = model{computed(t, GFLOPs), schemas.ScorerControl, 1} // more of either is taken for better
	m.weights = model{computed(t, Weights), schemas.ScorerControl, 1}
	return nil
}

// signed negates the scores of a metric that is to be minimised.
func signed(s evolve.Scorer, sign float64) evolve.Scorer {
	if sign > 0 {
		return s
	}
	return evolve.Func(s.Name(), func(ctx context.Context, archs []space.Architecture, out []float64) error {
		err := s.Score(ctx, archs, out)
		for i := range out {
			out[i] = -out[i]
		}
		return err
	})
}

// computed is a cost of the task's cost model.
func computed(t *task.Task, name string) evolve.Scorer {
	return evolve.Func(name, func(_ context.Context, archs []space.Architecture, out []float64) error {
		for i, a := range archs {
			c, err := cost.Of(t, a)
			if err != nil {
				return err
			}
			if out[i] = float64(c.Params); name == GFLOPs {
				out[i] = c.GFLOPs()
			}
		}
		return nil
	})
}

// unitOf returns the unit of a cost: what its name ends in, as in latency_ms.
func unitOf(name string) string {
	switch name {
	case "":
		return ""
	case GFLOPs:
		return "GFLOP"
	case Weights:
		return "parameters"
	}
	if at := strings.LastIndex(name, "_"); at >= 0 {
		return name[at+1:]
	}
	return ""
}
