package predictor

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/onnx"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// trained is a small latency-like predictor of a task, and what it was made of.
func trained(t *testing.T, tk *task.Task, set string) (*MLP, Meta, []space.Architecture) {
	t.Helper()
	features, err := FeatureSet(tk, set)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	var archs []space.Architecture
	var y []float64
	for range 100 {
		a := tk.Space.Sample(r)
		archs = append(archs, a)
		y = append(y, float64(40*a.Depth("decoder_layers"))+r.Float64())
	}
	x, err := features.Rows(archs)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := TrainMLP(context.Background(), orttest.Open(t), small(1), x, y)
	if err != nil {
		t.Fatal(err)
	}
	return m, MetaOf(features, tk.Name, "latency_ms", "test"), archs
}

// export writes m to a file, with metadata that Export would refuse, too.
func export(t *testing.T, m *MLP, meta Meta) string {
	t.Helper()
	g := onnx.NewGraph("predictor")
	g.Output(OutputName, m.onto(g, g.Input(InputName, onnx.Float32, onnx.Sym("n"), onnx.Fixed(int64(m.width())))))
	meta.write(g)
	path := filepath.Join(t.TempDir(), "predictor.onnx")
	if err := g.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func loadTask(t *testing.T, name string) *task.Task {
	t.Helper()
	tk, err := task.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return tk
}

func TestExportedEqualsGo(t *testing.T) {
	tk := loadTask(t, "wmt14.en-de")
	for _, set := range FeatureSets() {
		m, meta, archs := trained(t, tk, set)
		p, err := Load(orttest.Open(t), export(t, m, meta), tk)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if p.Name() != "latency_ms (test)" || p.Meta().Features != set {
			t.Errorf("name %q, meta %+v", p.Name(), p.Meta())
		}
		got, inGo := make([]float64, len(archs)), make([]float64, len(archs))
		if err := p.Predict(context.Background(), archs, got); err != nil {
			t.Fatal(err)
		}
		regression := &Regression{Label: "go", Features: p.features, Regressor: m}
		if err := regression.Predict(context.Background(), archs, inGo); err != nil {
			t.Fatal(err)
		}
		single := make([]float64, 1)
		for i := range got {
			if math.Abs(got[i]-inGo[i]) > 1e-5*math.Max(1, math.Abs(inGo[i])) {
				t.Fatalf("%s, architecture %d: %v in ONNX Runtime, %v in Go", set, i, got[i], inGo[i])
			}
			if err := p.Predict(context.Background(), archs[i:i+1], single); err != nil {
				t.Fatal(err)
			}
			if math.Abs(single[0]-got[i]) > 1e-5*math.Abs(got[i]) {
				t.Fatalf("%s, architecture %d: alone %v, in a batch %v", set, i, single[0], got[i])
			}
		}
		if err := p.Predict(context.Background(), nil, nil); err != nil {
			t.Errorf("no architectures: %v", err)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	rt := orttest.Open(t)
	tk := loadTask(t, "wmt14.en-de")
	m, meta, _ := trained(t, tk, HATMeans)
	with := func(change func(*Meta)) string {
		changed := meta
		change(&changed)
		return export(t, m, changed)
	}
	g := onnx.NewGraph("other")
	g.Output("y", g.Input("x", onnx.Float32, onnx.Fixed(1)))
	stranger := filepath.Join(t.TempDir(), "other.onnx")
	if err := g.WriteFile(stranger); err != nil {
		t.Fatal(err)
	}
	columns := strings.Join(meta.Columns, ",")
	for _, test := range []struct {
		name, path, task, want string
	}{
		{"no predictor", stranger, tk.Name, `its hsnas.kind is "", expected "predictor": not a file that hsnas exported as a predictor`},
		{"features", with(func(m *Meta) { m.Features = "hat-mean" }), tk.Name, `unknown feature set "hat-mean"; did you mean "hat-means"?`},
		{"columns", with(func(m *Meta) { m.Columns = []string{"a", "b"} }), tk.Name, `feature columns a,b, task wmt14.en-de has ` + columns},
		{"model", with(func(m *Meta) { m.Features = HATDepth; m.Columns = depthColumns(t, tk) }), tk.Name, `expected one input "features" [n, 16] and one output "prediction" [n, 1]`},
		{"task", with(func(m *Meta) { m.Task = "mine" }), tk.Name, `trained for task "mine", expected "wmt14.en-de"`},
		{"scales", export(t, m, meta), "iwslt14.de-en", `trained for task "wmt14.en-de", whose features are scaled otherwise than those of "iwslt14.de-en"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(rt, test.path, loadTask(t, test.task))
			want := "predictor " + test.path + ": " + test.want
			if err == nil || err.Error() != want {
				t.Errorf("error    %v\nexpected %s", err, want)
			}
		})
	}
	if p, err := Load(rt, export(t, m, meta), loadTask(t, "wmt19.en-de")); err != nil {
		t.Errorf("a task with the same scales: %v", err)
	} else {
		p.Close()
	}
}

func depthColumns(t *testing.T, tk *task.Task) []string {
	t.Helper()
	features, err := FeatureSet(tk, HATDepth)
	if err != nil {
		t.Fatal(err)
	}
	return features.Columns
}
