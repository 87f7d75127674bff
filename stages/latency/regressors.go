package latency

import (
	"context"
	"fmt"
	"math"

	"hsnas/internal/adapt"
	"hsnas/internal/metric"
	"hsnas/internal/ort"
	"hsnas/internal/predictor"
	"hsnas/schemas"
)

// regressor is a kind of predictor that a measured device may get.
type regressor struct {
	name, features string
	fit            func(ctx context.Context, p Params, x [][]float64, y []float64) (*fitted, error)
}

// regressors are those that are tried: of equals the first is chosen. HAT's own
// needs the 2,000 rows of its datasets, of which a machine in use gives but some
// hundred in a minute.
func regressors() []regressor {
	return []regressor{
		{"ridge", predictor.HATMeans, fitRidge},
		{"ridge", predictor.HATDepth, fitRidge},
		{"ridge", predictor.HATMeansCost, fitRidge},
		{"ridge", predictor.HATWork, fitRidge},
		{"relative-ridge", predictor.HATWork, fitRelative},
		{"trees", predictor.HATWork, fitTrees},
		{"mlp", predictor.HATMeans, fitMLP},
	}
}

// fitted is a predictor in Go with its way out.
type fitted struct {
	predictor.Regressor
	export func(predictor.Meta) ([]byte, error)
	valid  int       // how many of the rows, the last ones, chose when to stop
	curve  []float64 // training loss by epoch
}

func fitRidge(_ context.Context, _ Params, x [][]float64, y []float64) (*fitted, error) {
	r, err := predictor.FitRidge(x, y)
	if err != nil {
		return nil, err
	}
	return &fitted{Regressor: r, export: func(m predictor.Meta) ([]byte, error) { return predictor.ExportLinear(r, m) }}, nil
}

// fitRelative fits a ridge that minimises relative errors.
func fitRelative(_ context.Context, _ Params, x [][]float64, y []float64) (*fitted, error) {
	a, err := adapt.FromNothing(x, y)
	if err != nil {
		return nil, err
	}
	return &fitted{Regressor: a, export: func(m predictor.Meta) ([]byte, error) { return predictor.Export(a.Ridge(), m) }}, nil
}

func fitTrees(_ context.Context, p Params, x [][]float64, y []float64) (*fitted, error) {
	t, err := predictor.FitTrees(predictor.TreesParams{Trees: 300, Subsample: 0.5, MinLeaf: 3, Seed: p.Seed}, x, y)
	if err != nil {
		return nil, err
	}
	return &fitted{Regressor: t, export: func(m predictor.Meta) ([]byte, error) { return predictor.Export(t, m) }}, nil
}

// fitMLP trains HAT's perceptron; a ninth of the rows chooses when to stop, as in
// a division of 80 to 10 %.
func fitMLP(ctx context.Context, p Params, x [][]float64, y []float64) (*fitted, error) {
	valid := max(1, len(x)/9)
	cut := len(x) - valid
	f, err := trainMLP(ctx, p, x[:cut], y[:cut], x[cut:], y[cut:])
	if err != nil {
		return nil, err
	}
	f.valid = valid
	return f, nil
}

func trainMLP(ctx context.Context, p Params, x [][]float64, y []float64, validX [][]float64, validY []float64) (*fitted, error) {
	rt, err := ort.Open()
	if err != nil {
		return nil, err
	}
	mlp, curve, err := predictor.TrainMLP(ctx, rt, predictor.MLPParams{
		Hidden: p.Hidden, Steps: p.Steps, Batch: p.Batch, Patience: p.Patience, Seed: p.Seed, ValidX: validX, ValidY: validY,
	}, x, y)
	if err != nil {
		return nil, err
	}
	return &fitted{Regressor: mlp, export: mlp.Export, curve: curve}, nil
}

// trial is a regressor that was tried on a measured dataset.
type trial struct {
	set    predictor.Features
	x      [][]float64 // of all rows
	fitted *fitted
	score  schemas.LatencyScore
}

// folds of the cross-validation.
const folds = 5

// try cross-validates a regressor on the rows train, then fits it to them and
// tests it on the rows test.
func (r regressor) try(ctx context.Context, p Params, t *trial, y []float64, train, test []int) error {
	held, truth := make([]float64, 0, len(train)), make([]float64, 0, len(train))
	for fold := range folds {
		var in, out []int
		for place, i := range train {
			if place%folds == fold {
				out = append(out, i)
			} else {
				in = append(in, i)
			}
		}
		x, z := pick(t.x, y, in)
		f, err := r.fit(ctx, p, x, z)
		if err != nil {
			return fmt.Errorf("%s on %s: %w", r.name, r.features, err)
		}
		for _, i := range out {
			held, truth = append(held, f.Regress(t.x[i])), append(truth, y[i])
		}
	}
	x, z := pick(t.x, y, train)
	var err error
	if t.fitted, err = r.fit(ctx, p, x, z); err != nil {
		return fmt.Errorf("%s on %s: %w", r.name, r.features, err)
	}
	x, z = pick(t.x, y, test)
	t.score = rate(t.fitted, x, z)
	t.score.Regressor, t.score.Features, t.score.LossCurve = r.name, r.features, t.fitted.curve
	t.score.NTrain, t.score.NValid = int32(len(train)-t.fitted.valid), int32(t.fitted.valid)
	t.score.CVMAPE, t.score.CVTau = metric.MAPE(held, truth), metric.KendallTauB(held, truth)
	return nil
}

// rate is the score of a predictor on rows that it was not fitted to.
func rate(r predictor.Regressor, x [][]float64, y []float64) schemas.LatencyScore {
	predicted := make([]float64, len(x))
	for i, row := range x {
		predicted[i] = r.Regress(row)
	}
	nan := math.NaN()
	return schemas.LatencyScore{
		NTest: int32(len(y)), CVMAPE: nan, CVTau: nan, ControlMS: nan, ControlCV: nan, ControlDrift: nan,
		RMSEMS: metric.RMSE(predicted, y), MAPE: metric.MAPE(predicted, y), Tau: metric.KendallTauB(predicted, y),
	}
}
