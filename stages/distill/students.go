package distill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"hsnas/internal/config"
	"hsnas/internal/metric"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/schemas"
)

// class is the students of one split's labels.
type class struct {
	split    *split
	students []*student
	chosen   *student
	curve    []schemas.CurvePoint
}

type student struct {
	row        schemas.Student
	regression *predictor.Regression
}

// minLabels is the least number of labels that students are fitted to.
const minLabels = 20

// enoughLabels refuses a split that has too few.
func enoughLabels(d *data) error {
	for _, s := range d.splits {
		if n := len(s.labels); n > 0 && n < minLabels {
			return config.Errorf("", 0, "distill: split %s has %d labels, expected at least %d, or none for a run without students", s.name, n, minLabels)
		}
	}
	return nil
}

// distilAll fits the students of every split that has labels; direct has what
// the same regressors are without labels, by split.
func distilAll(ctx context.Context, p Params, d *data, direct map[string]fits, dir string, rep progress.Reporter) ([]*class, error) {
	var out []*class
	for _, s := range d.splits {
		if len(s.labels) == 0 {
			continue
		}
		c, err := distil(ctx, p, d, s, direct[s.name], rep)
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
// about the test set plays no part. All fits of the split, the learning curve's
// too, are made side by side.
func distil(ctx context.Context, p Params, d *data, s *split, direct fits, rep progress.Reporter) (*class, error) {
	e, err := newExamples(d, d.architectures(s.labelled), s.labels)
	if err != nil {
		return nil, err
	}
	folds := foldsOf(p, len(s.labels))
	parts := slices.Concat([]part{{rows: count(len(s.labels)), subset: schemas.SubsetAll, students: p.Students}}, folds, p.drawn(len(s.labels), folds))
	fitted, err := e.fit(ctx, p, parts, rep)
	if err != nil {
		return nil, err
	}
	c := &class{split: s}
	for _, name := range Students() {
		if !slices.Contains(p.Students, name) {
			continue
		}
		st := e.student(name, s.name, fitted[0][name], folds, fitted[1:1+len(folds)])
		c.students = append(c.students, st)
		if c.chosen == nil || st.row.CVMAE < c.chosen.row.CVMAE {
			c.chosen = st
		}
	}
	c.chosen.row.Chosen = true
	rep.Logf("student of split %s: %s", s.name, c.chosen.row.Student)
	c.curve, err = curve(d, s, e, parts, fitted, direct)
	return c, err
}

// foldsOf divides n labels for the cross-validation.
func foldsOf(p Params, n int) []part {
	order := rand.New(rand.NewPCG(p.Seed, 0)).Perm(n)
	var out []part
	for fold := range min(p.Folds, n) {
		f := part{subset: schemas.SubsetFold, draw: fold + 1, students: p.Students}
		for place, i := range order {
			if place%p.Folds == fold {
				f.held = append(f.held, i)
			} else {
				f.rows = append(f.rows, i)
			}
		}
		out = append(out, f)
	}
	return out
}

// student measures a student that was fitted to all labels, by its fits to the
// folds.
func (e *examples) student(name, split string, all fitted, folds []part, byFold []fits) *student {
	x, held, own := e.rows(name), make([]float64, len(e.y)), make([]float64, len(e.y))
	for k, f := range folds {
		for _, i := range f.held {
			held[i] = byFold[k][name].regressor.Regress(x[i])
		}
	}
	for i, row := range x {
		own[i] = all.regressor.Regress(row)
	}
	f := e.features[featuresOf(name)]
	return &student{
		row: schemas.Student{
			Student: name, Split: split, Features: f.Name, Labels: int32(len(e.y)),
			CVMAE: metric.MAE(held, e.y), CVTau: metric.KendallTauB(held, e.y), TeacherMAE: metric.MAE(own, e.y), LossCurve: all.losses,
		},
		regression: &predictor.Regression{Label: "student:" + name, Features: f, Regressor: all.regressor},
	}
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
