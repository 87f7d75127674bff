package export_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/atomicfile"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/export"
)

var prov = schemas.Provenance{Stage: "test", StageVersion: 1, Key: "k", Task: "wmt14.en-de"}

// fitted writes a ridge on architectures of the task to a file.
func fitted(t *testing.T, on *task.Task, file, set, target string, slope float64) {
	t.Helper()
	write(t, on, file, set, target, slope, func(x [][]float64, y []float64) (predictor.Regressor, error) { return predictor.FitRidge(x, y) })
}

// ensemble is the mean of a ridge and of trees.
func ensemble(x [][]float64, y []float64) (predictor.Regressor, error) {
	ridge, err := predictor.FitRidge(x, y)
	if err != nil {
		return nil, err
	}
	trees, err := predictor.FitTrees(predictor.TreesParams{}, x, y)
	all := make([]int, len(x[0]))
	for j := range all {
		all[j] = j
	}
	return &predictor.Mean{Columns: len(all), Members: []predictor.Member{{Regressor: ridge, Columns: all}, {Regressor: trees, Columns: all}}}, err
}

// write fits a regressor to architectures of the task and writes it to a file.
func write(t *testing.T, on *task.Task, file, set, target string, slope float64, fit func(x [][]float64, y []float64) (predictor.Regressor, error)) {
	t.Helper()
	f, err := predictor.FeatureSet(on, set)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(7, 7))
	x, y := make([][]float64, 60), make([]float64, 60)
	for i := range x {
		a := on.Space.Sample(r)
		x[i] = make([]float64, len(f.Columns))
		if err := f.Fill(a, x[i]); err != nil {
			t.Fatal(err)
		}
		y[i] = 24 + slope*a.Numbers(5)[0] + r.Float64()
	}
	regressor, err := fit(x, y)
	if err != nil {
		t.Fatal(err)
	}
	text, err := predictor.Export(regressor, predictor.MetaOf(f, on.Name, target, "a test"))
	if err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(file, text); err != nil {
		t.Fatal(err)
	}
}

// distilled is a folder as the distill stage leaves it.
func distilled(t *testing.T) export.Inputs {
	t.Helper()
	orttest.Open(t)
	on, err := task.Load("wmt14.en-de")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	fitted(t, on, filepath.Join(dir, "student-ridge.onnx"), predictor.HATMeans, "BLEU", 0.3)
	fitted(t, on, filepath.Join(dir, "student-ridge-depth.onnx"), predictor.HATDepth, "BLEU", 0.4)
	write(t, on, filepath.Join(dir, "student-ensemble.onnx"), predictor.HATDepth, "BLEU", 0.4, ensemble)
	fitted(t, on, filepath.Join(dir, "surrogate.onnx"), predictor.HATDepth, "BLEU", 0.2)
	fitted(t, on, filepath.Join(dir, "control-ridge.onnx"), predictor.HATMeansCost, "BLEU", 0.1)
	fitted(t, on, filepath.Join(dir, "control-log-decoder-layers.onnx"), predictor.HATDepth, "BLEU", 0.5)
	fitted(t, on, filepath.Join(dir, "cost-latency_ms.onnx"), predictor.HATDepth, "latency_ms", 500)
	fitted(t, on, filepath.Join(dir, "cost-energy_mj.onnx"), predictor.HATDepth, "energy_mj", 2)
	fitted(t, on, filepath.Join(dir, "wmt14ende_gpu_titanxp.onnx"), predictor.HATMeans, "latency_ms", 40)
	students := filepath.Join(dir, "students.parquet")
	err = schemas.WriteStudents(students, []schemas.Student{
		{Student: "ridge", Split: "123", File: "distill/student-ridge.onnx"},
		{Student: "ridge-depth", Split: "123", File: "distill/student-ridge-depth.onnx", Chosen: true},
		{Student: "ensemble", Split: "123", File: "distill/student-ensemble.onnx"},
	}, prov)
	if err != nil {
		t.Fatal(err)
	}
	return export.Inputs{Task: on, Students: students, Distill: dir, Latency: []string{filepath.Join(dir, "wmt14ende_gpu_titanxp.onnx")}}
}

func TestExport(t *testing.T) {
	in := distilled(t)
	out := export.Outputs{Dir: t.TempDir()}
	out.Models = filepath.Join(out.Dir, "models.parquet")
	if err := export.Run(t.Context(), export.Defaults(), in, out, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	rows, err := schemas.ReadModels(out.Models)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range rows {
		names = append(names, r.Kind+":"+r.Name)
		sum, err := atomicfile.SHA256(filepath.Join(out.Dir, filepath.Base(r.File)))
		if err != nil || sum != r.SHA256 || r.Opset != 17 || !(r.MaxAbsDiffGo < 0.01) || r.Features == "" {
			t.Errorf("row %+v, checksum %s, %v", r, sum, err)
		}
	}
	want := "student:student-ridge student:student student:student-ridge-depth student:student-ensemble surrogate:surrogate control:control-log-decoder-layers control:control-ridge latency:wmt14ende_gpu_titanxp cost:energy_mj cost:latency"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("models %s\nwant   %s", got, want)
	}
	if rows[1].SHA256 != rows[2].SHA256 {
		t.Error("student.onnx is not the chosen student")
	}
}

func TestExportFaults(t *testing.T) {
	in := distilled(t)
	out := export.Outputs{Dir: t.TempDir()}
	in.Latency = append(in.Latency, in.Latency[0])
	err := export.Run(t.Context(), export.Defaults(), in, out, prov, progress.Discard)
	file := in.Latency[0]
	if want := "export: " + file + " and " + file + " are both called wmt14ende_gpu_titanxp, expected different names"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	in.Latency = nil
	damaged := filepath.Join(in.Distill, "surrogate.onnx")
	if err := os.WriteFile(damaged, []byte("no model"), 0o666); err != nil {
		t.Fatal(err)
	}
	err = export.Run(t.Context(), export.Defaults(), in, out, prov, progress.Discard)
	if want := "export: surrogate: " + damaged + ": not an ONNX model: damaged protobuf message"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if entries, _ := filepath.Glob(filepath.Join(out.Dir, "*.parquet")); len(entries) != 0 {
		t.Errorf("a table was written: %v", entries)
	}
	err = export.Params{}.Validate()
	if want := "architectures: 0, expected at least 1"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
