package latency

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"hsnas/internal/fault"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Measured is the name of the dataset that the stage measures itself.
const Measured = "measured"

// fitMeasured times architectures sampled from the task's space and fits a
// predictor to them.
func fitMeasured(ctx context.Context, p Params, in Inputs, out Outputs, rep progress.Reporter) (*Fit, error) {
	m, err := measurement(p, in, out.Rounds)
	if err != nil {
		return nil, err
	}
	if out.State != "" {
		for number := range p.Rounds {
			m.Also = append(m.Also, roundFile(out.State, number))
		}
	}
	timings, control, err := m.Run(ctx, rep)
	if err != nil {
		return nil, err
	}
	fault.Point("latencies measured", "")
	rep.Logf("%s", control)
	fit, err := fitTimings(ctx, p, in.Task, m.Archs, timings)
	if err != nil {
		return nil, err
	}
	for i := range fit.Scores {
		s := &fit.Scores[i]
		s.Device, s.ControlMS, s.ControlCV, s.ControlDrift = m.Machine.Name(), control.MS, control.CV, control.Drift
		note := ""
		if s.Chosen {
			note = ", chosen"
		}
		rep.Logf("%s, %s on %s: MAPE %.2f %% cross-validated on %d rows, %.2f %% and tau %.3f on %d held-out rows%s",
			s.Dataset, s.Regressor, s.Features, 100*s.CVMAPE, s.NTrain+s.NValid, 100*s.MAPE, s.Tau, s.NTest, note)
	}
	for i := range fit.Rows {
		fit.Rows[i].Device = m.Machine.Name()
	}
	return fit, nil
}

// measurement is what the stage times itself.
func measurement(p Params, in Inputs, state string) (*Measurement, error) {
	machine := in.Machine
	if machine == nil {
		var err error
		if machine, err = ThisMachine(in.Task, p.Seed); err != nil {
			return nil, err
		}
	}
	return &Measurement{Params: p, Task: in.Task, Archs: sample(p, in.Task.Space), Machine: machine, State: state}, nil
}

// fitTimings tries the regressors on timings of architectures.
func fitTimings(ctx context.Context, p Params, t *task.Task, archs []space.Architecture, timings []Timing) (*Fit, error) {
	y := make([]float64, len(timings))
	for i, timing := range timings {
		y[i] = timing.MS()
	}
	return choose(ctx, p, t, Measured, y, regressors(), func(f predictor.Features) ([][]float64, error) { return f.Rows(archs) },
		func(best *trial, parts map[string][]int) []schemas.LatencyRow {
			return rowsOfTimings(best, parts, archs, timings)
		})
}

// fitFile tries the regressors on a dataset that holds means alone, as fitTimings
// does on architectures.
func fitFile(ctx context.Context, p Params, t *task.Task, d *Dataset) (*Fit, error) {
	y := latencies(d.Rows)
	fit, err := choose(ctx, p, t, d.Name, y, onMeans(regressors()), func(f predictor.Features) ([][]float64, error) { return inputs(d.Rows, f) },
		func(best *trial, parts map[string][]int) []schemas.LatencyRow {
			return rowsOfFile(best.score, d.Rows, best.x, parts, best.fitted)
		})
	if err != nil {
		return nil, err
	}
	device := cmp.Or(d.Protocol.Device, d.Name)
	for i := range fit.Scores {
		fit.Scores[i].Device = device
	}
	for i := range fit.Rows {
		fit.Rows[i].Device = device
	}
	features, err := predictor.FeatureSet(t, predictor.HATMeans)
	if err != nil {
		return nil, err
	}
	x, err := inputs(d.Rows, features)
	fit.InOrderMAPE = inOrder(x, y)
	return fit, err
}

// onMeans are the regressors whose features follow from the means of a dataset.
func onMeans(all []regressor) []regressor {
	return slices.DeleteFunc(all, func(r regressor) bool {
		return r.features != predictor.HATMeans && r.features != predictor.HATWork
	})
}

// heldOut is the share of a dataset that its predictor is tested on.
const heldOut = 5 // one fifth

// choose tries regressors on targets y. A fifth of these is held out; the regressor
// is chosen by the cross-validated error on the others.
func choose(ctx context.Context, p Params, t *task.Task, name string, y []float64, candidates []regressor,
	inputs func(predictor.Features) ([][]float64, error), rows func(*trial, map[string][]int) []schemas.LatencyRow,
) (*Fit, error) {
	parts := divide(len(y), 0, len(y)/heldOut, p.Seed)
	train, test := parts[schemas.PartTrain], parts[schemas.PartTest]
	fit := &Fit{}
	var best *trial
	for _, r := range candidates {
		one, err := newTrial(t, r, inputs)
		if err == nil {
			err = r.try(ctx, p, one, y, train, test)
		}
		if err != nil {
			return nil, err
		}
		one.score.Dataset, one.score.Source = name, "measured"
		if best == nil || one.score.CVMAPE < best.score.CVMAPE {
			best, fit.chosen = one, len(fit.Scores)
		}
		fit.Scores = append(fit.Scores, one.score)
	}
	fit.Scores[fit.chosen].Chosen = true
	parts[schemas.PartTrain] = train[:len(train)-best.fitted.valid]
	parts[schemas.PartValid] = train[len(train)-best.fitted.valid:]
	fit.Rows = rows(best, parts)
	var err error
	fit.Model, err = best.fitted.export(predictor.MetaOf(best.set, t.Name, Target, name))
	return fit, err
}

func newTrial(t *task.Task, r regressor, inputs func(predictor.Features) ([][]float64, error)) (*trial, error) {
	set, err := predictor.FeatureSet(t, r.features)
	if err != nil {
		return nil, err
	}
	x, err := inputs(set)
	if err != nil {
		return nil, fmt.Errorf("%s on %s: %w", r.name, r.features, err)
	}
	return &trial{set: set, x: x}, nil
}

func rowsOfTimings(best *trial, parts map[string][]int, archs []space.Architecture, timings []Timing) []schemas.LatencyRow {
	out := make([]schemas.LatencyRow, len(archs))
	for part, rows := range parts {
		for _, i := range rows {
			out[i] = schemas.LatencyRow{
				Dataset: Measured, Row: int32(i), ID: archs[i].ID(), Architecture: archs[i].String(), Part: part, Features: slices.Clone(best.x[i]),
				EncoderMS: timings[i].EncoderMS, DecoderMS: timings[i].DecoderMS, LatencyMS: timings[i].MS(), StdMS: timings[i].StdMS,
				PredictedMS: best.fitted.Regress(best.x[i]),
			}
		}
	}
	return out
}
