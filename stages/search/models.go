package search

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"hsnas/internal/config"
	"hsnas/internal/cost"
	"hsnas/internal/evolve"
	"hsnas/internal/ort"
	"hsnas/internal/predictor"
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

// model is a scorer with what the artifacts say about it.
type model struct {
	evolve.Scorer
	kind string
}

// models are all scorers of a run. Qualities are higher for better whatever the
// metric's direction; sign turns them back into the metric.
type models struct {
	student, baseline model
	costs             map[string]model
	sign              float64
}

// Files returns the ONNX files that a search of these settings reads, by role:
// student, baseline, and the name of each constraint that is not computed.
func (p Params) Files(in Inputs) map[string]string {
	files := map[string]string{
		"student":  filepath.Join(in.Models, p.Student+".onnx"),
		"baseline": filepath.Join(in.Models, p.Baseline+".onnx"),
	}
	for _, name := range p.Constraints() {
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

// load opens every model that the settings name; release gives them back.
func load(p Params, in Inputs) (m models, release func(), err error) {
	rt, err := ort.Open()
	if err != nil {
		return models{}, nil, err
	}
	var open []*predictor.ONNX
	release = func() {
		for _, o := range open {
			o.Close()
		}
	}
	scorers, files := map[string]evolve.Scorer{}, p.Files(in)
	for _, role := range slices.Sorted(maps.Keys(files)) {
		o, err := predictor.Load(rt, files[role], in.Task)
		if err != nil {
			release()
			return models{}, nil, fmt.Errorf("search: loading the predictor of %s: %w", role, err)
		}
		open = append(open, o)
		if err := checkTarget(o, files[role], role, in.Task); err != nil {
			release()
			return models{}, nil, err
		}
		name := strings.TrimSuffix(filepath.Base(files[role]), ".onnx")
		scorers[role] = evolve.Func(name, o.Predict)
	}
	if m, err = assemble(p, in, scorers); err != nil {
		release()
		return models{}, nil, err
	}
	return m, release, nil
}

// checkTarget refuses a predictor of something else than its role needs: a
// search that takes milliseconds for BLEU ends well and means nothing.
func checkTarget(o *predictor.ONNX, file, role string, t *task.Task) error {
	want := role
	if role == "student" || role == "baseline" {
		want = t.Metric.Name
	}
	if got := o.Meta().Target; got != want {
		return config.Errorf("", 0, "search: %s predicts %q, expected a predictor of %q", file, got, want)
	}
	return nil
}

// assemble makes the models of scorers by role; it is where tests put theirs in.
func assemble(p Params, in Inputs, scorers map[string]evolve.Scorer) (models, error) {
	m := models{costs: map[string]model{}, sign: 1}
	if in.Task.Metric.Minimize() {
		m.sign = -1
	}
	kind := in.BaselineKind
	if kind == "" {
		kind = schemas.ScorerSurrogate
	}
	m.student = model{signed(scorers["student"], m.sign), schemas.ScorerLLMDistill}
	m.baseline = model{signed(scorers["baseline"], m.sign), kind}
	for _, name := range p.Constraints() {
		if name != GFLOPs && name != Weights {
			m.costs[name] = model{scorers[name], kindPredicted}
			continue
		}
		if !in.Task.HasCostModel() {
			return models{}, config.Errorf("", 0, "search: the constraint %s needs a cost model, which task %s does not have", name, in.Task.Name)
		}
		m.costs[name] = model{computed(in.Task, name), kindComputed}
	}
	return m, nil
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
