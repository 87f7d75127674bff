// Package export is the stage that gathers the predictors of a run as ONNX
// files for the search and for others, and checks each: what ONNX Runtime
// computes from the file must be what plain Go computes from it.
package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/onnx"
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
	Name    = "export"
	Version = 2
)

// Tolerance is the largest difference allowed between ONNX Runtime and Go, as a
// share of the prediction where that is above 1: float32 has no more to give
// for latencies of thousands of milliseconds.
const Tolerance = 1e-5

// The kinds of models.
const (
	KindStudent   = "student"
	KindSurrogate = "surrogate"
	KindControl   = "control"
	KindLatency   = "latency"
	KindCost      = "cost"
)

// Params is the section export of an experiment.
type Params struct {
	// Architectures is how many are sampled for the check; Seed is theirs.
	Architectures int    `yaml:"architectures"`
	Seed          uint64 `yaml:"seed"`
}

// Defaults returns a check on 64 architectures.
func Defaults() Params { return Params{Architectures: 64, Seed: 1} }

// Validate implements config.Validator.
func (p Params) Validate() error {
	if p.Architectures < 1 {
		return config.Fieldf("architectures", "%d, expected at least 1", p.Architectures)
	}
	return nil
}

// Inputs are what the stage reads.
type Inputs struct {
	Task     *task.Task
	Students string   // distill/students.parquet, which says who was chosen
	Distill  string   // the folder of the distill stage with its models
	Latency  []string // files of latency predictors, by the name of their dataset
}

// Outputs are what the stage writes: the models into Dir, and their table.
type Outputs struct{ Dir, Models string }

// source is a model on its way into the export.
type source struct{ name, kind, file string }

// Run copies and checks every model.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	if err := p.Validate(); err != nil {
		return err
	}
	sources, err := gather(in)
	if err != nil {
		return err
	}
	rt, err := ort.Open()
	if err != nil {
		return err
	}
	archs := make([]space.Architecture, p.Architectures)
	r := rand.New(rand.NewPCG(p.Seed, 0))
	for i := range archs {
		archs[i] = in.Task.Space.Sample(r)
	}
	rep.Start("exporting models", len(sources))
	defer rep.Done()
	var rows []schemas.Model
	for _, s := range sources {
		row, err := s.export(ctx, rt, in.Task, archs, out.Dir)
		if err != nil {
			return fmt.Errorf("export: %s: %w", s.name, err)
		}
		rows = append(rows, row)
		rep.Add(1)
	}
	return schemas.WriteModels(out.Models, rows, prov)
}

// What the names of controls and of predictors of measured costs begin with.
const (
	controlPrefix = "control-"
	costPrefix    = "cost-"
)

// gather lists the models: students, the surrogate, controls, latency predictors
// and measured costs.
func gather(in Inputs) ([]source, error) {
	out, err := students(in)
	if err != nil {
		return nil, err
	}
	out = append(out, source{KindSurrogate, KindSurrogate, filepath.Join(in.Distill, KindSurrogate+".onnx")})
	controls, err := fitted(in, controlPrefix)
	if err != nil {
		return nil, err
	}
	for _, file := range controls {
		out = append(out, source{stem(file), KindControl, file})
	}
	for _, file := range in.Latency {
		out = append(out, source{stem(file), KindLatency, file})
	}
	costs, err := fitted(in, costPrefix)
	if err != nil {
		return nil, err
	}
	for _, file := range costs {
		name := strings.TrimPrefix(stem(file), costPrefix)
		if name == "latency_ms" { // where the search looks for a latency predictor
			name = KindLatency
		}
		out = append(out, source{name, KindCost, file})
	}
	return out, unique(out)
}

// students lists the chosen student under that name and every student under its own.
func students(in Inputs) ([]source, error) {
	rows, err := schemas.ReadStudents(in.Students)
	if err != nil {
		return nil, err
	}
	var out []source
	for _, s := range rows {
		file := filepath.Join(in.Distill, filepath.Base(s.File))
		if s.Chosen && !slices.ContainsFunc(out, func(o source) bool { return o.name == KindStudent }) {
			out = append(out, source{KindStudent, KindStudent, file})
		}
		out = append(out, source{stem(file), KindStudent, file})
	}
	return out, nil
}

// fitted returns the models of the distill stage whose names begin with prefix.
func fitted(in Inputs, prefix string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(in.Distill, prefix+"*.onnx"))
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return files, nil
}

// stem is what a file's model is called.
func stem(file string) string { return strings.TrimSuffix(filepath.Base(file), ".onnx") }

// unique refuses two models of one name: one would take the other's file.
func unique(sources []source) error {
	files := map[string]string{}
	for _, s := range sources {
		if other, twice := files[s.name]; twice {
			return fmt.Errorf("export: %s and %s are both called %s, expected different names", other, s.file, s.name)
		}
		files[s.name] = s.file
	}
	return nil
}

// export copies a model and returns its row, with the difference found.
func (s source) export(ctx context.Context, rt *ort.Runtime, t *task.Task, archs []space.Architecture, dir string) (schemas.Model, error) {
	text, err := os.ReadFile(s.file)
	if err != nil {
		return schemas.Model{}, fmt.Errorf("reading the model: %w", err)
	}
	m, err := onnx.Read(text)
	if err != nil {
		return schemas.Model{}, fmt.Errorf("%s: %w", s.file, err)
	}
	difference, err := check(ctx, rt, s.file, m, t, archs)
	if err != nil {
		return schemas.Model{}, err
	}
	if err := atomicfile.Write(filepath.Join(dir, s.name+".onnx"), text); err != nil {
		return schemas.Model{}, err
	}
	sum := sha256.Sum256(text)
	return schemas.Model{
		Name: s.name, Kind: s.kind, File: filepath.ToSlash(filepath.Join(Name, s.name+".onnx")),
		SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(text)),
		Features: m.Meta(predictor.FeaturesKey), Target: m.Meta(predictor.TargetKey),
		Opset: int32(m.GetOpsetImport()[0].GetVersion()), MaxAbsDiffGo: difference,
	}, nil
}

// check runs the model both ways and returns the largest difference.
func check(ctx context.Context, rt *ort.Runtime, file string, m *onnx.ModelProto, t *task.Task, archs []space.Architecture) (float64, error) {
	p, err := predictor.Load(rt, file, t)
	if err != nil {
		return 0, err
	}
	defer p.Close()
	features, err := predictor.FeatureSet(t, p.Meta().Features)
	if err != nil {
		return 0, err
	}
	rows, err := features.Rows(archs)
	if err != nil {
		return 0, err
	}
	want, err := predictor.Evaluate(m, rows)
	if err != nil {
		return 0, err
	}
	got := make([]float64, len(archs))
	if err := p.Predict(ctx, archs, got); err != nil {
		return 0, err
	}
	most := 0.0
	for i := range got {
		difference := math.Abs(got[i] - want[i])
		if !(difference <= Tolerance*max(1, math.Abs(want[i]))) {
			return 0, fmt.Errorf("ONNX Runtime predicts %v and Go %v for %s, expected the same to %v", got[i], want[i], archs[i], Tolerance)
		}
		most = max(most, difference)
	}
	return most, nil
}
