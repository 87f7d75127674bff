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
	"strings"

	"hsnas/internal/config"
	"hsnas/internal/fault"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/roofline"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output changes for the
// same input.
const (
	Name    = "benchmark"
	Version = 3
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
	Benchmark, Samples, Models, Roofline string
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
	if err := rt.CheckDevice(p.Device); err != nil { // before models are exported
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
	fault.Point("models exported", "")
	if err := predictAll(ctx, rt, in, all); err != nil {
		return err
	}
	all, refused, err := sift(ctx, rt, p, all)
	if err != nil {
		return err
	}
	for _, c := range refused {
		rep.Logf("%s is not timed: %s", c.Name(), c.why)
	}
	limits, err := timeAll(ctx, rt, p, all, rep)
	if err != nil {
		return err
	}
	fault.Point("models timed", "")
	return write(p, in.Task, limits, all, refused, out, prov)
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

// exportAll writes the models of all variants, each once, and returns the points to time.
func exportAll(ctx context.Context, p Params, in Inputs, candidates []candidate, dir string, rep progress.Reporter) ([]*timed, error) {
	rep.Start("exporting models", len(candidates)*len(p.Variants))
	defer rep.Done()
	var all []*timed
	for _, c := range candidates {
		written := map[nn.Precision]nn.Model{}
		for _, name := range p.Variants {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			v, err := variantOf(name)
			if err != nil {
				return nil, err
			}
			m, ok := written[v.precision]
			why := v.never(p)
			if why != "" { // not worth a file
				m, ok = nn.Model{SourceTokens: in.Task.Model.SourceTokens, TargetTokens: in.Task.Model.TargetTokens}, true
			}
			if !ok {
				folder := modelName(c.name, v.precision)
				if m, err = nn.ExportAs(filepath.Join(dir, folder), in.Task, c.arch, nn.Random(p.Seed), v.precision); err != nil {
					return nil, fmt.Errorf("benchmark: %s: %w", c.name, err)
				}
				written[v.precision] = m
			}
			all = append(all, grid(p, timed{candidate: c, model: m, variant: v, predicted: math.NaN(), why: why})...)
			rep.Add(1)
		}
	}
	return all, nil
}

// modelName is the name of a model's folder.
func modelName(name string, p nn.Precision) string {
	if p != nn.Float32 {
		name += " " + string(p)
	}
	return folderName(name)
}

// predictAll asks the latency predictor, where there is one, for the times.
func predictAll(ctx context.Context, rt *ort.Runtime, in Inputs, all []*timed) error {
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

// timeAll times all points and what the machine can do.
func timeAll(ctx context.Context, rt *ort.Runtime, p Params, all []*timed, rep progress.Reporter) (roofline.Limits, error) {
	rep.Start("timing models", p.Rounds*len(all))
	defer rep.Done()
	if err := measure(ctx, rt, p, all, func() { rep.Add(1) }); err != nil {
		return roofline.Limits{}, err
	}
	limits, err := roofline.Measure(ctx, rt, ort.Options{Device: p.Device, Threads: p.Threads})
	if err != nil {
		return limits, fmt.Errorf("benchmark: %w", err)
	}
	return limits, nil
}

func write(p Params, t *task.Task, limits roofline.Limits, all, refused []*timed, out Outputs, prov schemas.Provenance) error {
	rows, err := benchmarkRows(t, p, all)
	if err != nil {
		return fmt.Errorf("benchmark: %w", err)
	}
	not, err := refusedRows(p, refused)
	if err != nil {
		return err
	}
	rows = append(rows, not...)
	roofs, err := rooflineRows(t, p, limits, all)
	if err != nil {
		return fmt.Errorf("benchmark: %w", err)
	}
	if err := schemas.WriteBenchmarks(out.Benchmark, rows, prov); err != nil {
		return err
	}
	if err := schemas.WriteBenchmarkSamples(out.Samples, sampleRows(all), prov); err != nil {
		return err
	}
	if err := schemas.WriteRooflines(out.Roofline, roofs, prov); err != nil {
		return err
	}
	return schemas.WriteBenchmarkModels(out.Models, modelRows(all), prov)
}

// modelRows are the rows of models.parquet, each model once.
func modelRows(all []*timed) (rows []schemas.BenchmarkModel) {
	seen := map[string]bool{}
	for _, c := range all {
		name := modelName(c.name, c.variant.precision)
		if seen[name] {
			continue
		}
		seen[name] = true
		for _, f := range c.model.Files {
			file := filepath.ToSlash(filepath.Join(Name, "models", name, f.Name))
			rows = append(rows, schemas.BenchmarkModel{Name: c.name, ID: c.arch.ID(), File: file, SHA256: f.SHA256, Bytes: f.Bytes})
		}
	}
	return rows
}
