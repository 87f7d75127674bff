// Package finalists is the stage that times again what the searches ended at: until
// then a finalist keeps to a limit of the latency by prediction alone. It measures by
// the protocol of the dataset that the latency predictor was fitted to, on the device
// that the dataset is of; on another one it measures nothing and says so.
package finalists

import (
	"context"
	"fmt"
	"math"
	"slices"

	"hsnas/internal/ort"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output
// changes for the same input.
const (
	Name    = "finalists"
	Version = 1
)

// Inputs are what the stage reads.
type Inputs struct {
	Task   *task.Task
	Front  string // search/front.parquet
	Pareto string // search/pareto.parquet
	Scores string // latency/latency.parquet
	Model  string // the exported latency predictor that the search kept to
	// Target is what the latency is called as a constraint.
	Target string
	// Limit is that of the latency where it is not the limit that searches are
	// named by; NaN for none.
	Limit float64
	// Time times architectures, in the order given. It keeps finished rounds in the
	// file state, so that none is measured again.
	Time func(ctx context.Context, archs []space.Architecture, state string, rep progress.Reporter) (Timed, error)
}

// Timed is what a device says of architectures.
type Timed struct {
	Dataset             string // that the search kept to
	Device              string
	Why                 string // nothing was timed, "" where it was
	Rounds, Repetitions int
	ControlMS           float64 // fastest
	ControlCV           float64 // coefficient of variation, a fraction; NaN for one visit
	Timings             []Timing
}

// Timing is that of one architecture, in milliseconds. HiMS is the upper end of the
// interval of both together, NaN where there is none.
type Timing struct{ EncoderMS, DecoderMS, HiMS float64 }

// Outputs are the files that the stage writes. Rounds is state, no artifact: finished
// rounds of timings.
type Outputs struct{ Finalists, Rounds string }

// Run times every finalist, however many searches ended at it, once.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	if err := p.Validate(); err != nil {
		return err
	}
	rows, err := read(p, in)
	if err != nil {
		return err
	}
	archs, at, err := different(in, rows)
	if err != nil {
		return err
	}
	if err := predict(ctx, in, archs, at, rows); err != nil {
		return err
	}
	if err := measure(ctx, in, out.Rounds, archs, at, rows, rep); err != nil {
		return fmt.Errorf("finalists: %w", err)
	}
	return schemas.WriteFinalists(out.Finalists, rows, prov)
}

// predict asks the latency predictor, which knows of points of a front too, that
// have no column of it where the latency is no objective.
func predict(ctx context.Context, in Inputs, archs []space.Architecture, at []int, rows []schemas.Finalist) error {
	rt, err := ort.Open()
	if err != nil {
		return err
	}
	model, err := predictor.Load(rt, in.Model, in.Task)
	if err != nil {
		return fmt.Errorf("finalists: latency %w", err)
	}
	defer model.Close()
	predicted := make([]float64, len(archs))
	if err := model.Predict(ctx, archs, predicted); err != nil {
		return fmt.Errorf("finalists: predicting latency: %w", err)
	}
	for i := range rows {
		rows[i].PredictedMS = predicted[at[i]]
	}
	return nil
}

// measure fills the rows with what the device says.
func measure(ctx context.Context, in Inputs, state string, archs []space.Architecture, at []int, rows []schemas.Finalist, rep progress.Reporter) error {
	if len(archs) == 0 {
		return nil
	}
	timed, err := in.Time(ctx, archs, state, rep)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].Dataset, rows[i].Note = timed.Dataset, timed.Why
	}
	if timed.Why != "" {
		rep.Logf("the finalists are not timed: %s", timed.Why)
		return nil
	}
	before, err := controlOf(in.Scores, timed.Dataset)
	if err != nil {
		return err
	}
	for i := range rows {
		r, t := &rows[i], timed.Timings[at[i]]
		r.Device, r.Rounds, r.Repetitions = timed.Device, int32(timed.Rounds), int32(timed.Repetitions)
		r.EncoderMS, r.DecoderMS, r.MeasuredMS, r.MeasuredHiMS = t.EncoderMS, t.DecoderMS, t.EncoderMS+t.DecoderMS, t.HiMS
		r.ControlMS, r.ControlCV, r.ControlThen = timed.ControlMS, timed.ControlCV, before
		r.ExcessMS = r.MeasuredMS - r.LimitMS
		if r.ExcessMS > 0 {
			rep.Logf("%s, seed %d: %s takes %.3g ms, %.3g ms (%.1f %%) more than the limit; %.3g ms were predicted",
				r.Search, r.Seed, r.ID, r.MeasuredMS, r.ExcessMS, 100*r.ExcessMS/r.LimitMS, r.PredictedMS)
		}
	}
	return nil
}

// controlOf is the control's time when the dataset was measured, NaN where that is
// not known.
func controlOf(file, dataset string) (float64, error) {
	scores, err := schemas.ReadLatencyScores(file)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(scores, func(s schemas.LatencyScore) bool { return s.Dataset == dataset })
	if i < 0 {
		return math.NaN(), nil
	}
	return scores[i].ControlMS, nil
}
