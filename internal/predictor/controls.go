package predictor

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"hsnas/internal/cost"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Column is a figure that is known of architectures without training them: a
// measured cost, a supernet's score.
type Column struct {
	Name  string
	Value func(a space.Architecture) (float64, error)
}

// Demonstrations are the trained architectures that a control may look at.
type Demonstrations struct {
	Archs []space.Architecture
	Truth []float64
}

// Without returns the demonstrations without the i-th.
func (d Demonstrations) Without(i int) Demonstrations {
	return Demonstrations{
		Archs: slices.Delete(slices.Clone(d.Archs), i, i+1), Truth: slices.Delete(slices.Clone(d.Truth), i, i+1),
	}
}

// Controls fits everything that predicts without an LLM to the demonstrations
// alone:
//
//   - control:constant, their mean;
//   - control:flops, a line in FLOPs without the last layer, and control:params,
//     a line in the logarithm of the parameters, where the task has a cost model;
//   - control:log-decoder-layers and its like, a line in the logarithm of each
//     depth that varies;
//   - control:NAME, a line in each of lines, a measured cost for example;
//   - control:ridge, a ridge on the means of all hyperparameters and total GFLOPs;
//   - control:size, a ridge on depth, FLOPs and parameters alone, where the task has
//     a cost model;
//   - control:NAME-offset, each of supernets plus the demonstrations' mean difference.
//
// A predictor worth its price beats all of them. Those that are linear in a
// feature set are Regressions, and can be exported.
func Controls(t *task.Task, d Demonstrations, lines, supernets []Column) ([]Predictor, error) {
	if len(d.Archs) < 2 || len(d.Archs) != len(d.Truth) {
		return nil, fmt.Errorf("fitting controls: %d demonstrations with %d scores, expected as many of each and at least 2", len(d.Archs), len(d.Truth))
	}
	out := []Predictor{&linear{"control:constant", func(space.Architecture) (float64, error) { return 0, nil }, sum(d.Truth) / float64(len(d.Truth)), 0}}
	for _, fit := range []func() ([]Predictor, error){
		func() ([]Predictor, error) { return fitLines(costColumns(t), d) },
		func() ([]Predictor, error) { return depthControls(t, d) },
		func() ([]Predictor, error) { return fitLines(lines, d) },
		func() ([]Predictor, error) { return ridgeControls(t, d) },
		func() ([]Predictor, error) { return fitOffsets(supernets, d) },
	} {
		controls, err := fit()
		if err != nil {
			return nil, err
		}
		out = append(out, controls...)
	}
	return out, nil
}

// costColumns are what the cost model says.
func costColumns(t *task.Task) []Column {
	if !t.HasCostModel() {
		return nil
	}
	return []Column{
		{"flops", func(a space.Architecture) (float64, error) {
			c, err := cost.Of(t, a)
			return float64(c.FLOPsWithoutLastLayer), err
		}},
		{"params", func(a space.Architecture) (float64, error) {
			c, err := cost.Of(t, a)
			return math.Log(float64(c.Params)), err
		}},
	}
}

// depthControls are lines in the logarithm of each depth that varies, written as
// regressions on the feature set that has it.
func depthControls(t *task.Task, d Demonstrations) ([]Predictor, error) {
	f, err := FeatureSet(t, HATDepth)
	if err != nil {
		return nil, err
	}
	var out []Predictor
	own := len(meanTerms(t.Space)) // columns that bear the names of hyperparameters
	for i, h := range t.Space.Hyperparameters {
		if !h.IsDepth() || len(h.Choices) < 2 {
			continue
		}
		label := "control:log-" + strings.ReplaceAll(h.Name, "_", "-")
		line, err := fitLine(label, func(a space.Architecture) (float64, error) { return math.Log(a.Numbers(i)[0]), nil }, d)
		if err != nil {
			return nil, err
		}
		r := &Ridge{Weights: make([]float64, len(f.Columns)), Center: make([]float64, len(f.Columns)), Bias: line.a}
		r.Weights[own+slices.Index(f.Columns[own:], "log_"+h.Name)] = line.b
		out = append(out, &Regression{Label: label, Features: f, Regressor: r})
	}
	return out, nil
}

func ridgeControls(t *task.Task, d Demonstrations) ([]Predictor, error) {
	if !t.HasCostModel() {
		ridge, err := fitRidgeControl("control:ridge", HATMeans, t, d)
		return []Predictor{ridge}, err
	}
	ridge, err := fitRidgeControl("control:ridge", HATMeansCost, t, d)
	if err != nil {
		return nil, err
	}
	size, err := fitRidgeControl("control:size", HATSize, t, d)
	return []Predictor{ridge, size}, err
}

func fitRidgeControl(label, set string, t *task.Task, d Demonstrations) (*Regression, error) {
	f, err := FeatureSet(t, set)
	if err != nil {
		return nil, err
	}
	rows, err := f.Rows(d.Archs)
	if err != nil {
		return nil, err
	}
	r, err := FitRidge(rows, d.Truth)
	return &Regression{Label: label, Features: f, Regressor: r}, err
}

// linear predicts a + b * value.
type linear struct {
	label string
	value func(space.Architecture) (float64, error)
	a, b  float64
}

func (l *linear) Name() string { return l.label }

func (l *linear) Predict(_ context.Context, archs []space.Architecture, out []float64) error {
	for i, a := range archs {
		x, err := l.value(a)
		if err != nil {
			return fmt.Errorf("predicting with %s: %w", l.label, err)
		}
		out[i] = l.a + l.b*x
	}
	return nil
}

// fitLines fits a line to each column.
func fitLines(columns []Column, d Demonstrations) ([]Predictor, error) {
	var out []Predictor
	for _, c := range columns {
		line, err := fitLine("control:"+c.Name, c.Value, d)
		if err != nil {
			return nil, err
		}
		out = append(out, line)
	}
	return out, nil
}

// fitLine fits the least-squares line in value; where it is constant the line
// is level.
func fitLine(label string, value func(space.Architecture) (float64, error), d Demonstrations) (*linear, error) {
	x, err := valuesOf(label, value, d.Archs)
	if err != nil {
		return nil, err
	}
	n := float64(len(x))
	mx, my := sum(x)/n, sum(d.Truth)/n
	var xx, xy float64
	for i := range x {
		xx += (x[i] - mx) * (x[i] - mx)
		xy += (x[i] - mx) * (d.Truth[i] - my)
	}
	slope := 0.0
	if xx > 1e-24*mx*mx {
		slope = xy / xx
	}
	return &linear{label, value, my - slope*mx, slope}, nil
}

// fitOffsets adds the demonstrations' mean difference to each column.
func fitOffsets(columns []Column, d Demonstrations) ([]Predictor, error) {
	var out []Predictor
	for _, c := range columns {
		label := fmt.Sprintf("control:%s-offset", c.Name)
		x, err := valuesOf(label, c.Value, d.Archs)
		if err != nil {
			return nil, err
		}
		n := float64(len(x))
		out = append(out, &linear{label, c.Value, sum(d.Truth)/n - sum(x)/n, 1})
	}
	return out, nil
}

func valuesOf(label string, value func(space.Architecture) (float64, error), archs []space.Architecture) ([]float64, error) {
	out := make([]float64, len(archs))
	for i, a := range archs {
		var err error
		if out[i], err = value(a); err != nil {
			return nil, fmt.Errorf("fitting %s: %w", label, err)
		}
	}
	return out, nil
}
