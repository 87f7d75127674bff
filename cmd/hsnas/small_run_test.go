package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/atomicfile"
	"hsnas/internal/onnx"
	"hsnas/pipeline"
	"hsnas/schemas"
)

// smallRun is a run of three stages with an artifact of each kind, small enough to know by heart.
type smallRun struct {
	seed       int     // a parameter of stage label
	prediction float64 // of architecture b by llm-pp
	mae        float64 // of llm-pp
	seconds    float64 // measured, of the first request
	failed     bool    // the stage distill fails
}

func (s smallRun) run(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(runsFolder(), name)
	err := pipeline.Run(t.Context(), dir, s.stages(), pipeline.Options{
		Experiment: []byte("name: small\ntask: micro.en-de\n"), Libraries: map[string]string{"go": "go1.26"},
	})
	if (err != nil) != s.failed {
		t.Fatal(err)
	}
	return dir
}

type smallParams struct {
	Seed int `yaml:"seed"`
}

func (s smallRun) stages() []pipeline.Stage {
	return []pipeline.Stage{
		{
			Name: "label", Version: 3, Params: smallParams{s.seed},
			Outputs: []string{"label/labels.parquet", "label/requests.parquet", "label/requests.jsonl"}, Run: s.label,
		},
		{
			Name: "distill", Version: 2, Inputs: []string{"label/labels.parquet"}, Outputs: []string{"distill/"}, Run: s.distill,
		},
		{
			Name: "report", Inputs: []string{"distill/", "label/requests.parquet"}, Outputs: []string{"report/report.md"},
			Run: func(_ context.Context, c pipeline.Call) (pipeline.Result, error) {
				sum, err := atomicfile.SHA256(c.Path("label/requests.parquet"))
				if err != nil {
					return pipeline.Result{}, err
				}
				return pipeline.Result{}, atomicfile.Write(c.Path("report/report.md"), []byte("# A report\n\nof "+sum+"\n"))
			},
		},
	}
}

func (s smallRun) label(_ context.Context, c pipeline.Call) (pipeline.Result, error) {
	p := schemas.Provenance{Stage: "label", StageVersion: 3, Key: c.Key, Task: "micro.en-de"}
	rows := []schemas.Label{
		{ID: "a", Set: "test", Split: "1", Sample: 1, Prediction: 20.5, RequestKey: "k1", CustomID: "c1"},
		{ID: "b", Set: "test", Split: "1", Sample: 1, Prediction: math.NaN(), Gap: "no \x1b[31mnumber", RequestKey: "k1", CustomID: "c1"},
	}
	if err := schemas.WriteLabels(c.Path("label/labels.parquet"), rows, p); err != nil {
		return pipeline.Result{}, err
	}
	requests := []schemas.Request{
		{RequestKey: "k1", CustomID: "c1", Split: "1", Set: "test", Sample: 1, Queries: 2, PromptTokens: new(int64(1 << 60)), Seconds: s.seconds, Dollars: math.NaN()},
		{RequestKey: "k2", CustomID: "c2", Split: "1", Set: "test", Sample: 2, Queries: 2, Seconds: math.NaN(), Dollars: math.NaN()},
	}
	if err := schemas.WriteRequests(c.Path("label/requests.parquet"), requests, p); err != nil {
		return pipeline.Result{}, err
	}
	return pipeline.Result{}, atomicfile.Write(c.Path("label/requests.jsonl"), []byte(`{"custom_id":"c1","body":{"model":"m"}}`+"\n"+`{"custom_id":"c2","body":{"model":"m"}}`+"\n"))
}

func (s smallRun) distill(_ context.Context, c pipeline.Call) (pipeline.Result, error) {
	if s.failed {
		return pipeline.Result{}, os.ErrDeadlineExceeded
	}
	p := schemas.Provenance{Stage: "distill", StageVersion: 2, Key: c.Key, Task: "micro.en-de"}
	nan := math.NaN()
	predictions := []schemas.Prediction{
		{Predictor: "llm-pp", Split: "1", ID: "a", Prediction: 20.5, Truth: 21, Lo: nan, Hi: nan},
		{Predictor: "llm-pp", Split: "1", ID: "b", Prediction: s.prediction, Truth: 19, Lo: 18, Hi: 20},
	}
	if err := schemas.WritePredictions(c.Path("distill/predictions.parquet"), predictions, p); err != nil {
		return pipeline.Result{}, err
	}
	row := schemas.Score{
		Task: "micro.en-de", Predictor: "llm-pp", Split: schemas.SplitMean, MAE: s.mae, Tau: 1, MAEStd: nan, TauStd: nan, MAELo: s.mae - 0.1, MAEHi: s.mae + 0.1,
		TauLo: 0.5, TauHi: 1, N: 2, PMAEvsLLMPP: nan, PTauVsLLMPP: nan, PMAEvsCombined: nan, PTauVsCombined: nan, Coverage: nan, Width: nan,
	}
	first := row
	first.Split, first.MAE = "1", 99
	if err := schemas.WriteScoreboard(c.Path("distill/scoreboard.parquet"), []schemas.Score{first, row}, p); err != nil {
		return pipeline.Result{}, err
	}
	g := onnx.NewGraph("student")
	in := g.Input("features", onnx.Float32, onnx.Sym("n"), onnx.Fixed(2))
	weights := g.Floats([]int64{2, 1}, []float32{1, 2})
	g.Output("prediction", g.Op("MatMul", []onnx.Dim{onnx.Sym("n"), onnx.Fixed(1)}, []*onnx.Value{in, weights}))
	g.Metadata("hsnas.kind", "predictor")
	model, err := g.Marshal()
	if err != nil {
		return pipeline.Result{}, err
	}
	return pipeline.Result{}, atomicfile.Write(c.Path("distill/student-ridge.onnx"), model)
}

// runHsnas runs the program in this process.
func runHsnas(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, log bytes.Buffer
	code = run(t.Context(), append([]string{"hsnas"}, args...), strings.NewReader(""), &out, &log)
	return out.String(), log.String(), code
}
