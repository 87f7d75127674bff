package distill

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/metric"
	"hsnas/internal/ort"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/schemas"
)

// class is the students of one split's labels.
type class struct {
	split    *split
	students []*student
	chosen   *student
}

type student struct {
	row        schemas.Student
	regression *predictor.Regression
}

// minLabels is the least number of labels that students are fitted to.
const minLabels = 20

// distilAll fits the students of every split that has labels.
func distilAll(ctx context.Context, p Params, d *data, dir string, rep progress.Reporter) ([]*class, error) {
	var out []*class
	for _, s := range d.splits {
		if len(s.labels) == 0 {
			continue
		}
		if len(s.labels) < minLabels {
			return nil, config.Errorf("", 0, "distill: split %s has %d labels, expected at least %d, or none for a run without students", s.name, len(s.labels), minLabels)
		}
		c, err := distil(ctx, p, d, s, rep)
		if err != nil {
			return nil, fmt.Errorf("distill: split %s: %w", s.name, err)
		}
		for _, st := range c.students {
			if err := st.write(d, c, dir, len(out) == 0); err != nil {
				return nil, fmt.Errorf("distill: %w", err)
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// distil fits each student to all labels of a split and chooses the one with the
// least cross-validated error on labels; among equals the simpler one. The truth
// about the test set plays no part.
func distil(ctx context.Context, p Params, d *data, s *split, rep progress.Reporter) (*class, error) {
	c := &class{split: s}
	rep.Start("fitting students", len(p.Students)*(p.Folds+1))
	defer rep.Done()
	for _, name := range Students() {
		if !slices.Contains(p.Students, name) {
			continue
		}
		f, err := predictor.FeatureSet(d.task, featuresOf(name))
		if err != nil {
			return nil, err
		}
		x, err := f.Rows(d.architectures(s.labelled))
		if err != nil {
			return nil, err
		}
		st, err := fitStudent(ctx, p, name, x, s.labels, rep)
		if err != nil {
			return nil, fmt.Errorf("student %s: %w", name, err)
		}
		st.row.Split, st.row.Features = s.name, f.Name
		st.regression.Features = f
		c.students = append(c.students, st)
		if c.chosen == nil || st.row.CVMAE < c.chosen.row.CVMAE {
			c.chosen = st
		}
	}
	c.chosen.row.Chosen = true
	rep.Logf("student of split %s: %s", s.name, c.chosen.row.Student)
	return c, nil
}

// fitStudent cross-validates a student on the labels, then fits it to all.
func fitStudent(ctx context.Context, p Params, name string, x [][]float64, y []float64, rep progress.Reporter) (*student, error) {
	held := make([]float64, len(y))
	folds := rand.New(rand.NewPCG(p.Seed, 0)).Perm(len(y))
	for fold := range min(p.Folds, len(y)) {
		var fitX, heldX [][]float64
		var fitY []float64
		var heldAt []int
		for place, i := range folds {
			if place%p.Folds == fold {
				heldX, heldAt = append(heldX, x[i]), append(heldAt, i)
			} else {
				fitX, fitY = append(fitX, x[i]), append(fitY, y[i])
			}
		}
		r, _, err := regress(ctx, p, name, fitX, fitY)
		if err != nil {
			return nil, err
		}
		for k, i := range heldAt {
			held[i] = r.Regress(heldX[k])
		}
		rep.Add(1)
	}
	r, curve, err := regress(ctx, p, name, x, y)
	if err != nil {
		return nil, err
	}
	rep.Add(1)
	fitted := make([]float64, len(y))
	for i, row := range x {
		fitted[i] = r.Regress(row)
	}
	return &student{
		row: schemas.Student{
			Student: name, Labels: int32(len(y)), CVMAE: metric.MAE(held, y), CVTau: metric.KendallTauB(held, y),
			TeacherMAE: metric.MAE(fitted, y), LossCurve: curve,
		},
		regression: &predictor.Regression{Label: "student:" + name, Regressor: r},
	}, nil
}

// regress fits the regressor of a student; only the perceptron has a loss curve.
func regress(ctx context.Context, p Params, name string, x [][]float64, y []float64) (predictor.Regressor, []float64, error) {
	if name != StudentMLP {
		r, err := predictor.FitRidge(x, y)
		return r, nil, err
	}
	rt, err := ort.Open()
	if err != nil {
		return nil, nil, err
	}
	return predictor.TrainMLP(ctx, rt, p.MLP.params(p.Seed), x, y)
}

// write exports a student; those of the first split with labels have the plain name.
func (s *student) write(d *data, c *class, dir string, first bool) error {
	name := "student-" + s.row.Student
	if !first {
		name += "-" + c.split.name
	}
	s.row.File = filepath.ToSlash(filepath.Join(Name, name+".onnx"))
	m := model{name, s.regression, d.task.Metric.Name, fmt.Sprintf("%d labels of the LLM, demonstrations of split %s", len(c.split.labels), c.split.name), d.task.Name, ""}
	return m.write(dir)
}

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
	var text []byte
	var err error
	switch r := m.regression.Regressor.(type) {
	case *predictor.Ridge:
		text, err = predictor.ExportLinear(r, meta)
	case *predictor.MLP:
		text, err = r.Export(meta)
	default:
		err = errors.New("a regressor without an ONNX form")
	}
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
