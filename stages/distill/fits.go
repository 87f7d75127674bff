package distill

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"hsnas/internal/ort"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/space"
)

// examples are what students are fitted to: architectures and a figure of each,
// an answer of the LLM or the truth.
type examples struct {
	features map[string]predictor.Features // by the name of the set
	x        map[string][][]float64        // rows of features, by the name of the set
	y        []float64
}

func newExamples(d *data, archs []space.Architecture, y []float64) (*examples, error) {
	e := &examples{features: map[string]predictor.Features{}, x: map[string][][]float64{}, y: y}
	for _, set := range []string{predictor.HATMeans, predictor.HATDepth} {
		f, err := predictor.FeatureSet(d.task, set)
		if err != nil {
			return nil, err
		}
		if e.x[set], err = f.Rows(archs); err != nil {
			return nil, err
		}
		e.features[set] = f
	}
	return e, nil
}

// rows are the features that a student sees.
func (e *examples) rows(student string) [][]float64 { return e.x[featuresOf(student)] }

// part is a choice of examples, who is fitted to it, and those held out.
type part struct {
	rows, held []int
	students   []string
	subset     string // schemas.SubsetAll, SubsetFold or SubsetDrawn
	draw       int    // number of the fold or of the draw, from 1; 0 for all
}

// count returns 0 to n-1.
func count(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// fitted is a student's regressor; only the perceptron has losses by epoch.
type fitted struct {
	regressor predictor.Regressor
	losses    []float64
}

// fits are the students fitted to one part.
type fits map[string]fitted

// fit fits every part's students, as many side by side as there are processors:
// each takes one thread, and none depends on another. The ensemble takes the
// regressors of its members from the same part.
func (e *examples) fit(ctx context.Context, p Params, parts []part, rep progress.Reporter) ([]fits, error) {
	type job struct{ part, student int }
	var jobs []job
	results := make([][]fitted, len(parts))
	for k, part := range parts {
		results[k] = make([]fitted, len(part.students))
		for i, name := range part.students {
			if name != StudentEnsemble {
				jobs = append(jobs, job{k, i})
			}
		}
	}
	rep.Start("fitting students", len(jobs))
	defer rep.Done()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, j := range jobs {
		group.Go(func() error {
			part, name := parts[j.part], parts[j.part].students[j.student]
			f, err := regress(ctx, p, name, pick(e.rows(name), part.rows), pick(e.y, part.rows))
			if err != nil {
				return fmt.Errorf("student %s: %w", name, err)
			}
			results[j.part][j.student] = f
			rep.Add(1)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	out := make([]fits, len(parts))
	for k, part := range parts {
		out[k] = fits{}
		for i, name := range part.students {
			out[k][name] = results[k][i]
		}
		if slices.Contains(part.students, StudentEnsemble) {
			out[k][StudentEnsemble] = fitted{regressor: e.ensemble(out[k])}
		}
	}
	return out, nil
}

// ensemble is the mean of its members, each on its own columns of the features.
func (e *examples) ensemble(of fits) *predictor.Mean {
	columns := e.features[featuresOf(StudentEnsemble)].Columns
	m := &predictor.Mean{Columns: len(columns)}
	for _, name := range members() {
		member := predictor.Member{Regressor: of[name].regressor}
		for _, c := range e.features[featuresOf(name)].Columns {
			member.Columns = append(member.Columns, slices.Index(columns, c))
		}
		m.Members = append(m.Members, member)
	}
	return m
}

// pick returns the elements of x at the given places.
func pick[T any](x []T, at []int) []T {
	out := make([]T, len(at))
	for k, i := range at {
		out[k] = x[i]
	}
	return out
}

// regress fits the regressor of a student that is no ensemble.
func regress(ctx context.Context, p Params, name string, x [][]float64, y []float64) (fitted, error) {
	switch name {
	case StudentMLP:
		rt, err := ort.Open()
		if err != nil {
			return fitted{}, err
		}
		m, losses, err := predictor.TrainMLP(ctx, rt, p.MLP.params(p.Seed), x, y)
		return fitted{m, losses}, err
	case StudentTrees:
		t, err := predictor.FitTrees(p.Trees.params(p.Seed, len(y)), x, y)
		return fitted{t, nil}, err
	}
	r, err := predictor.FitRidge(x, y)
	return fitted{r, nil}, err
}
