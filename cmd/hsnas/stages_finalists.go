package main

import (
	"context"
	"math"
	"os"
	"slices"

	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/pipeline"
	"hsnas/schemas"
	"hsnas/stages/finalists"
	"hsnas/stages/latency"
	"hsnas/stages/search"
)

const (
	finalistsFile   = "finalists/finalists.parquet"
	finalistsRounds = "finalists/rounds.jsonl" // no artifact: what makes a second attempt cheaper
)

// retimed says whether what the searches end at can be timed: they keep to a latency
// whose predictor may be of this machine.
func (e *Experiment) retimed() bool {
	return e.Search.Needs(latency.Target) && e.Latency.MayTimeAgain()
}

// timedAsBefore are the parameters of the stage, and those of the stage latency that
// its times depend on.
type timedAsBefore struct {
	finalists.Params `yaml:",inline"`
	Rounds           int    `yaml:"latency_rounds"`
	Warmup           int    `yaml:"latency_warmup"`
	Repetitions      int    `yaml:"latency_repetitions"`
	Seed             uint64 `yaml:"latency_seed"`
}

func (e *Experiment) finalistsStage() pipeline.Stage {
	l := e.Latency
	var files []string
	if len(l.Datasets) > 0 {
		if how := latency.ProtocolFile(l.Datasets[0]); exists(how) {
			files = []string{how}
		}
	}
	limit := math.NaN()
	if i := slices.IndexFunc(e.Search.Also, func(a search.Also) bool { return a.Constraint == latency.Target }); i >= 0 {
		limit = e.Search.Also[i].Limit
	}
	return pipeline.Stage{
		Name: finalists.Name, Version: finalists.Version,
		Params: timedAsBefore{e.Finalists, l.Rounds, l.Warmup, l.Repetitions, l.Seed},
		Inputs: []string{frontFile, paretoFile, exportFolder, latencyScores}, External: append(files, e.task.Files()...),
		Outputs: []string{finalistsFile},
		Run: func(ctx context.Context, c pipeline.Call) (pipeline.Result, error) {
			return pipeline.Result{}, finalists.Run(ctx, e.Finalists, finalists.Inputs{
				Task: e.task, Front: c.Path(frontFile), Pareto: c.Path(paretoFile), Scores: c.Path(latencyScores),
				Model: e.latencyModel(c, 0), Target: latency.Target, Limit: limit, Time: e.timeAgain(c.Path(latencyScores)),
			}, finalists.Outputs{Finalists: c.Path(finalistsFile), Rounds: c.Path(finalistsRounds)},
				e.provenance(finalists.Name, finalists.Version, c), c.Report)
		},
		Split: &pipeline.Split{Timed: true}, // where the dataset was measured, or nowhere
	}
}

// timeAgain times architectures as the dataset was that the search keeps to, by what the
// stage latency says of it in the file scores.
func (e *Experiment) timeAgain(scores string) func(context.Context, []space.Architecture, string, progress.Reporter) (finalists.Timed, error) {
	return func(ctx context.Context, archs []space.Architecture, state string, rep progress.Reporter) (finalists.Timed, error) {
		device, err := measuredOn(scores)
		if err != nil {
			return finalists.Timed{}, err
		}
		again, err := latency.AsBefore(e.Latency, e.task, device)
		if err != nil {
			return finalists.Timed{}, err
		}
		return e.timeOn(ctx, again, archs, state, rep)
	}
}

// measuredOn is the device of what the stage latency timed itself, "" where it timed
// nothing.
func measuredOn(scores string) (device string, err error) {
	rows, err := schemas.ReadLatencyScores(scores)
	for _, r := range rows {
		if r.Dataset == latency.Measured {
			device = r.Device
		}
	}
	return device, err
}

func (e *Experiment) timeOn(ctx context.Context, again latency.Again, archs []space.Architecture, state string, rep progress.Reporter) (finalists.Timed, error) {
	out := finalists.Timed{Dataset: again.Dataset, Why: again.Why, Rounds: again.Params.Rounds, Repetitions: again.Params.Repetitions}
	if again.Why != "" {
		return out, nil
	}
	timings, control, err := again.Time(ctx, e.task, archs, state, rep)
	if err != nil {
		return out, err
	}
	rep.Logf("%s", control)
	out.Device, out.ControlMS, out.ControlCV = again.Machine.Name(), control.MS, control.CV
	for _, t := range timings {
		out.Timings = append(out.Timings, finalists.Timing{EncoderMS: t.EncoderMS, DecoderMS: t.DecoderMS, HiMS: t.HiMS})
	}
	return out, nil
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
