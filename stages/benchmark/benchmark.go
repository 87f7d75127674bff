// Package benchmark is the stage that times architectures as real models: the winners of the
// search, and the smallest and largest of the space, exported with random weights and run by
// HAT's latency protocol (see nn.Protocol).
package benchmark

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hsnas/internal/config"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output changes for the
// same input.
const (
	Name    = "benchmark"
	Version = 1
)

// Inputs are what the stage reads.
type Inputs struct {
	Task *task.Task
	// Front is search/front.parquet.
	Front string
	// Latency is the file of the latency predictor that is held against the measured times;
	// "" for none.
	Latency string
}

// Outputs are the files that the stage writes. Times differ from run to run; all else, the
// checksums of the models too, does not.
type Outputs struct {
	Benchmark, Samples, Models string
}

// Run exports and times the architectures. It writes no artifact unless all of them
// succeed; the models themselves lie beside Outputs.Benchmark, and stay there only with
// Params.KeepModels.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	if err := p.Validate(); err != nil {
		return config.Errorf("", 0, "benchmark: %v", err)
	}
	rt, err := ort.Open()
	if err != nil {
		return err
	}
	front, err := schemas.ReadFront(in.Front)
	if err != nil {
		return err
	}
	candidates, err := choose(p, in.Task, front)
	if err != nil {
		return err
	}
	dir, release, err := modelFolder(p, filepath.Dir(out.Benchmark))
	if err != nil {
		return err
	}
	defer release()
	all, err := exportAll(ctx, p, in, candidates, dir, rep)
	if err != nil {
		return err
	}
	if err := predictAll(ctx, rt, in, all); err != nil {
		return err
	}
	if err := timeAll(ctx, rt, p, all, rep); err != nil {
		return err
	}
	return write(p, in.Task, all, out, prov)
}

// modelFolder is where the models lie while they are timed, and what ends it.
func modelFolder(p Params, stage string) (dir string, release func(), err error) {
	if p.KeepModels {
		return filepath.Join(stage, "models"), func() {}, nil
	}
	if dir, err = os.MkdirTemp(stage, ".models.*.hsnas-tmp"); err != nil {
		return "", nil, fmt.Errorf("benchmark: a folder for the models: %w", err)
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}

// folderName is a candidate's name as a folder.
func folderName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '/' || r == '#' {
			return '-'
		}
		return r
	}, name)
}

func exportAll(ctx context.Context, p Params, in Inputs, candidates []candidate, dir string, rep progress.Reporter) ([]timed, error) {
	rep.Start("exporting models", len(candidates))
	defer rep.Done()
	var all []timed
	for _, c := range candidates {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m, err := nn.Export(filepath.Join(dir, folderName(c.name)), in.Task, c.arch, nn.Random(p.Seed))
		if err != nil {
			return nil, fmt.Errorf("benchmark: %s: %w", c.name, err)
		}
		all = append(all, timed{candidate: c, model: m, predicted: math.NaN()})
		rep.Add(1)
	}
	return all, nil
}

// predictAll asks the latency predictor, where there is one, for the times.
func predictAll(ctx context.Context, rt *ort.Runtime, in Inputs, all []timed) error {
	if in.Latency == "" {
		return nil
	}
	model, err := predictor.Load(rt, in.Latency, in.Task)
	if err != nil {
		return fmt.Errorf("benchmark: latency %w", err)
	}
	defer model.Close()
	archs, out := make([]space.Architecture, len(all)), make([]float64, len(all))
	for i := range all {
		archs[i] = all[i].arch
	}
	if err := model.Predict(ctx, archs, out); err != nil {
		return fmt.Errorf("benchmark: predicting latency: %w", err)
	}
	for i := range all {
		all[i].predicted, all[i].dataset = out[i], model.Meta().TrainedOn
	}
	return nil
}

// timeAll goes through the models in rounds, every second one backwards.
func timeAll(ctx context.Context, rt *ort.Runtime, p Params, all []timed, rep progress.Reporter) error {
	rep.Start("timing models", p.Rounds*len(all))
	defer rep.Done()
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	for round := range p.Rounds {
		n := p.Repetitions*(round+1)/p.Rounds - p.Repetitions*round/p.Rounds
		for _, i := range order {
			if err := timeModel(ctx, rt, all[i].model, p, n, &all[i].samples); err != nil {
				return fmt.Errorf("benchmark: %s: %w", all[i].name, err)
			}
			rep.Add(1)
		}
		slices.Reverse(order)
	}
	return nil
}

func write(p Params, t *task.Task, all []timed, out Outputs, prov schemas.Provenance) error {
	var rows []schemas.Benchmark
	var times []schemas.BenchmarkSample
	var models []schemas.BenchmarkModel
	for _, c := range all {
		summary, err := rowsOf(t, p, c)
		if err != nil {
			return fmt.Errorf("benchmark: %s: %w", c.name, err)
		}
		rows = append(rows, summary...)
		for _, s := range c.samples.parts() {
			for i, ms := range s.ms {
				times = append(times, schemas.BenchmarkSample{Name: c.name, ID: c.arch.ID(), Part: s.part, Repetition: int32(i), MS: ms})
			}
		}
		for _, f := range c.model.Files {
			file := filepath.ToSlash(filepath.Join(Name, "models", folderName(c.name), f.Name))
			models = append(models, schemas.BenchmarkModel{Name: c.name, ID: c.arch.ID(), File: file, SHA256: f.SHA256, Bytes: f.Bytes})
		}
	}
	if err := schemas.WriteBenchmarks(out.Benchmark, rows, prov); err != nil {
		return err
	}
	if err := schemas.WriteBenchmarkSamples(out.Samples, times, prov); err != nil {
		return err
	}
	return schemas.WriteBenchmarkModels(out.Models, models, prov)
}
