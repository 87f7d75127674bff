package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/onnx"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/predictor"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

const (
	shallow = `{"encoder_embed_dim":512,"encoder_ffn_dim":[1024,1024,1024,1024,1024,1024],"encoder_self_attn_heads":[4,4,4,4,4,4],` +
		`"decoder_embed_dim":512,"decoder_ffn_dim":[1024],"decoder_self_attn_heads":[4],"decoder_cross_attn_heads":[4],"decoder_cross_attn_span":[1]}`
	// The same architecture again, as a person would write it.
	spaced = `{ "decoder_layers": 1, "decoder_embed_dim": 512, "decoder_ffn_dim": [1024], "decoder_self_attn_heads": [4], "decoder_cross_attn_heads": [4], "decoder_cross_attn_span": [1], ` +
		`"encoder_embed_dim": 512, "encoder_ffn_dim": [1024, 1024, 1024, 1024, 1024, 1024], "encoder_self_attn_heads": [4, 4, 4, 4, 4, 4] }`
)

// runWithPredictor is a run named r whose predictor "student" is a ridge.
func runWithPredictor(t *testing.T) (dir string, tk *task.Task, ridge predictor.Regression) {
	t.Helper()
	runs := t.TempDir()
	t.Setenv("HSNAS_RUNS", runs)
	dir = filepath.Join(runs, "r")
	var err error
	tk, err = task.Load("wmt14.en-de")
	if err != nil {
		t.Fatal(err)
	}
	features, err := predictor.FeatureSet(tk, predictor.HATMeans)
	if err != nil {
		t.Fatal(err)
	}
	linear := &predictor.Ridge{Bias: 25}
	for i := range features.Columns {
		linear.Weights, linear.Center = append(linear.Weights, 0.1*float64(i+1)), append(linear.Center, 0.5)
	}
	model, err := predictor.ExportLinear(linear, predictor.MetaOf(features, tk.Name, "BLEU", "a test"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "export"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "export", "student.onnx"), model, 0o666); err != nil {
		t.Fatal(err)
	}
	sealed(t, dir, "name: r\ntask: wmt14.en-de\n")
	return dir, tk, predictor.Regression{Label: "student", Features: features, Regressor: linear}
}

func predict(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, report bytes.Buffer
	code = run(t.Context(), append([]string{"hsnas", "predict"}, args...), strings.NewReader(stdin), &out, &report)
	return code, out.String(), report.String()
}

func TestPredict(t *testing.T) {
	orttest.Open(t)
	_, tk, ridge := runWithPredictor(t)
	code, out, report := predict(t, shallow+"\n\n"+spaced+"\n", "--run", "r", "--predictor", "student")
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if code != 0 || len(lines) != 2 {
		t.Fatalf("exit code %d, %d lines: %s", code, len(lines), report)
	}
	a, err := tk.Space.ParseArchitecture([]byte(shallow))
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{0}
	if err := ridge.Predict(t.Context(), []space.Architecture{a}, want); err != nil {
		t.Fatal(err)
	}
	for i, line := range lines {
		var got struct {
			Prediction float64 `json:"prediction"`
			Layers     int     `json:"decoder_layers"`
			FFN        []int   `json:"decoder_ffn_dim"`
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if math.Abs(got.Prediction-want[0]) > 1e-5 || len(got.FFN) != 1 || got.Layers != i {
			t.Errorf("line %d: %+v, want the prediction %v", i+1, got, want[0])
		}
	}
	if prefix := strings.TrimSuffix(shallow, "}") + `,"prediction":`; !strings.HasPrefix(lines[0], prefix) {
		t.Errorf("the object changed: %s", lines[0])
	}
	if code, out, _ := predict(t, "", "--run", "r", "--predictor", "student"); code != 0 || out != "" {
		t.Errorf("no input: exit code %d, %q", code, out)
	}
}

// TestPredictRefusesBadModels: a predictor that hsnas did not write so is one line, and no
// file ends the process.
func TestPredictRefusesBadModels(t *testing.T) {
	orttest.Open(t)
	dir, _, _ := runWithPredictor(t)
	file := filepath.Join(dir, "export", "student.onnx")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	opset := []byte{0x0a, 0x00, 0x10, 17} // OperatorSetIdProto: domain "", version 17
	other := onnx.NewGraph("other")
	x := other.Input("x", onnx.Float32, onnx.Sym("n"), onnx.Fixed(10))
	other.Output("prediction", other.Op("Relu", x.Shape(), []*onnx.Value{x}))
	foreign, err := other.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text []byte
		want string
	}{
		"another opset": {bytes.Replace(good, opset, []byte{0x0a, 0x00, 0x10, 21}, 1), "predictor FILE: ONNX opset 21; hsnas reads opset 17"},
		"half of it":    {good[:len(good)/2], "predictor FILE: not an ONNX model: damaged protobuf message"},
		"empty":         {nil, "predictor FILE: not an ONNX model: it has no graph"},
		"no model":      {[]byte("hello"), "predictor FILE: not an ONNX model: damaged protobuf message"},
		"another graph": {foreign, `predictor FILE: its hsnas.kind is "", expected "predictor": not a file that hsnas exported as a predictor`},
		"another input": {bytes.ReplaceAll(good, []byte("\x0a\x08features"), []byte("\x0a\x08fea-ures")), `predictor FILE: expected one input "features" [n, 10] and one output "prediction" [n, 1]`},
	} {
		if err := os.WriteFile(file, c.text, 0o666); err != nil {
			t.Fatal(err)
		}
		sealed(t, dir, "name: r\ntask: wmt14.en-de\n") // as if a stage had written it so
		code, out, report := predict(t, shallow+"\n", "--run", "r", "--predictor", "student")
		got := strings.ReplaceAll(report, file, "FILE")
		if code != 1 || out != "" || strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "hsnas: "+c.want) {
			t.Errorf("%s: exit code %d, printed %q\ngot  %swant hsnas: %s", name, code, out, got, c.want)
		}
	}
}

func TestPredictRefusesBadInput(t *testing.T) {
	orttest.Open(t)
	dir, _, _ := runWithPredictor(t)
	file := filepath.Join(t.TempDir(), "archs.jsonl")
	if err := os.WriteFile(file, []byte(shallow+"\n"+strings.Replace(shallow, "512", "513", 1)+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	runs := filepath.Dir(dir)
	cases := []struct {
		args []string
		want string
	}{
		{[]string{"--run", "r", "--predictor", "student", file}, file + ":2: architecture: encoder_embed_dim: 513 is outside the space; choices: [512 640]"},
		{[]string{"--run", "r", "--predictor", "studnet"}, `run "r" has no predictor "studnet"; did you mean "student"?`},
		{[]string{"--run", "r", "--predictor", "../export/student"}, `run "r" has no predictor "../export/student"; known: student`},
		{[]string{"--run", "r", "--predictor", "student", "--device", "cuad"}, `unknown device "cuad"; did you mean "cuda"?`},
		{[]string{"--run", "x", "--predictor", "student"}, fmt.Sprintf(`there is no run "x" in %s; known: r`, runs)},
		{[]string{"--predictor", "student"}, "predict needs --run; see hsnas predict --help"},
		{[]string{"--run", "r", "--predictor", "student", "a", "b"}, `expected one FILE, found 2: ["a" "b"]`},
	}
	for _, c := range cases {
		code, out, report := predict(t, "", c.args...)
		if code != 2 || out != "" || report != "hsnas: "+c.want+"\n" {
			t.Errorf("%v: exit code %d, printed %q\ngot  %swant hsnas: %s", c.args, code, out, report, c.want)
		}
	}
	if err := os.Remove(filepath.Join(dir, "experiment.yaml")); err != nil {
		t.Fatal(err)
	}
	code, _, report := predict(t, "", "--run", "r", "--predictor", "student")
	if want := fmt.Sprintf("hsnas: %s/experiment.yaml is missing; make it again with: hsnas run -x EXPERIMENT --name r\n", dir); code != 1 || report != want {
		t.Errorf("exit code %d\ngot  %swant %s", code, report, want)
	}
}
