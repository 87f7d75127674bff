package distill

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"hsnas/internal/atomicfile"
	"hsnas/internal/predictor"
)

// model is a fitted regressor on its way to a file.
type model struct {
	name       string // of the file, without .onnx
	regression *predictor.Regression
	target     string
	trainedOn  string
	task       string
	note       string // for the scoreboard
}

func (m model) write(dir string) error {
	meta := predictor.MetaOf(m.regression.Features, m.task, m.target, m.trainedOn)
	text, err := predictor.Export(m.regression.Regressor, meta)
	if err != nil {
		return fmt.Errorf("exporting %s: %w", m.name, err)
	}
	return atomicfile.Write(filepath.Join(dir, m.name+".onnx"), text)
}

// fitRidge fits a ridge on the features of what depth does.
func fitRidge(d *data, label string, ids []string, y []float64) (*predictor.Regression, error) {
	f, err := predictor.FeatureSet(d.task, predictor.HATDepth)
	if err != nil {
		return nil, err
	}
	x, err := f.Rows(d.architectures(ids))
	if err != nil {
		return nil, err
	}
	r, err := predictor.FitRidge(x, y)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label, err)
	}
	return &predictor.Regression{Label: label, Features: f, Regressor: r}, nil
}

// fitSurrogate fits what stands in for the baseline predictor in the search:
// the supernet's scores of all architectures of the first split, or, without a
// supernet, the truth about its demonstrations. A supernet's score is no truth
// about the test set, so that its architectures may be used.
func fitSurrogate(d *data, supernet string) (model, error) {
	s := d.splits[0]
	ids, y := s.demonstrations, d.truths(s.demonstrations)
	trainedOn := d.measuredOf(s)
	if scores := d.supernets[supernet]; len(scores) > 0 {
		ids, y = append(slices.Clone(ids), s.test...), nil
		for _, id := range ids {
			y = append(y, scores[id])
		}
		trainedOn = fmt.Sprintf("published scores of supernet %s for %d architectures of split %s", supernet, len(ids), s.name)
	}
	r, err := fitRidge(d, Surrogate, ids, y)
	return model{Surrogate, r, d.task.Metric.Name, trainedOn, d.task.Name, "fitted to " + trainedOn}, err
}

// controlModels are the controls of the first split that are linear in a feature
// set, and can leave the process.
func controlModels(d *data) ([]model, error) {
	s := d.splits[0]
	controls, err := predictor.Controls(d.task, d.demonstrated(s), nil, nil)
	if err != nil {
		return nil, err
	}
	var out []model
	for _, c := range controls {
		if r, ok := c.(*predictor.Regression); ok {
			out = append(out, model{ControlPrefix + strings.TrimPrefix(r.Label, "control:"), r, d.task.Metric.Name, d.measuredOf(s), d.task.Name, ""})
		}
	}
	return out, nil
}

// measuredOf says that something was fitted to a split's demonstrations.
func (d *data) measuredOf(s *split) string {
	return fmt.Sprintf("measured %s of %d demonstrations of split %s", d.task.Metric.Name, len(s.demonstrations), s.name)
}

// costModels fits a predictor to every measured cost of a table.
func costModels(d *data) ([]model, error) {
	var out []model
	for _, name := range d.costNames {
		var ids []string
		var y []float64
		for _, id := range d.table {
			if v, ok := d.costs[name][id]; ok && !math.IsNaN(v) {
				ids, y = append(ids, id), append(y, v)
			}
		}
		r, err := fitRidge(d, name, ids, y)
		if err != nil {
			return nil, err
		}
		out = append(out, model{CostPrefix + name, r, name, fmt.Sprintf("%d measured architectures", len(ids)), d.task.Name, ""})
	}
	return out, nil
}

// What the names of the files of cost predictors and of controls begin with.
const (
	CostPrefix    = "cost-"
	ControlPrefix = "control-"
)
