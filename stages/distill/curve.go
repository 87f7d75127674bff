package distill

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"hsnas/internal/metric"
	"hsnas/schemas"
)

// drawn are the subsets of n labels that the learning curve is measured on: in
// every draw the first so many of one order, for each size below n but that of
// the folds, which are draws of their size. The slow students are fitted in the
// first draws only.
func (p Params) drawn(n int, folds []part) []part {
	var out []part
	for draw := range p.Curve.Draws {
		students := p.Students
		if draw >= p.Curve.MLPDraws {
			students = slices.DeleteFunc(slices.Clone(students), func(s string) bool { return s == StudentMLP || s == StudentEnsemble })
		}
		order := rand.New(rand.NewPCG(p.Seed, uint64(draw+1))).Perm(n)
		for _, size := range p.Curve.Sizes {
			if size < n && size != len(folds[0].rows) {
				out = append(out, part{rows: order[:size], held: order[size:], students: students, subset: schemas.SubsetDrawn, draw: draw + 1})
			}
		}
	}
	return out
}

// score is how good predictions are.
type score struct{ mae, tau float64 }

var noScore = score{math.NaN(), math.NaN()}

func scoreOf(prediction, truth []float64) score {
	if len(truth) == 0 {
		return noScore
	}
	return score{metric.MAE(prediction, truth), metric.KendallTauB(prediction, truth)}
}

// of scores a student's fit on examples.
func (f fitted) of(name string, e *examples) score {
	prediction := make([]float64, len(e.y))
	for i, row := range e.rows(name) {
		prediction[i] = f.regressor.Regress(row)
	}
	return scoreOf(prediction, e.y)
}

// only returns the examples at the given places.
func (e *examples) only(at []int) *examples {
	out := &examples{features: e.features, x: map[string][][]float64{}, y: pick(e.y, at)}
	for set, rows := range e.x {
		out.x[set] = pick(rows, at)
	}
	return out
}

// curve measures every fit on the labels that it did not see and on the truth
// about the test set; beside it stand the LLM's own figures on that set and those
// of the same regressor fitted to the demonstrations. Nothing is chosen by it.
func curve(d *data, s *split, e *examples, parts []part, fitted []fits, direct fits) ([]schemas.CurvePoint, error) {
	test, err := newExamples(d, d.architectures(s.test), d.truths(s.test))
	if err != nil {
		return nil, err
	}
	teacher := s.teacher(d)
	var out []schemas.CurvePoint
	for _, name := range Students() {
		alone := noScore
		if f, ok := direct[name]; ok {
			alone = f.of(name, test)
		}
		for k, part := range parts {
			f, ok := fitted[k][name]
			if !ok {
				continue
			}
			onLabels, onTest := f.of(name, e.only(part.held)), f.of(name, test)
			out = append(out, schemas.CurvePoint{
				Student: name, Split: s.name, Labels: int32(len(part.rows)), Subset: part.subset, Draw: int32(part.draw), Held: int32(len(part.held)),
				LabelMAE: onLabels.mae, LabelTau: onLabels.tau, TestMAE: onTest.mae, TestTau: onTest.tau,
				TeacherMAE: teacher.mae, TeacherTau: teacher.tau, DirectMAE: alone.mae, DirectTau: alone.tau,
			})
		}
	}
	slices.SortStableFunc(out, func(a, b schemas.CurvePoint) int {
		return cmp.Or(slices.Index(Students(), a.Student)-slices.Index(Students(), b.Student), int(a.Labels-b.Labels))
	})
	return out, nil
}

// teacher scores the LLM's own answers about the test set.
func (s *split) teacher(d *data) score {
	var said, truth []float64
	for _, id := range s.test {
		if y, ok := s.said[id]; ok {
			said, truth = append(said, y), append(truth, d.truth[id])
		}
	}
	return scoreOf(said, truth)
}
