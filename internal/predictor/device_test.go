package predictor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/ort/orttest"
)

// TestDevicePredictors: networks and lines predict what they do on the CPU, and all
// of their nodes are on the device.
func TestDevicePredictors(t *testing.T) {
	rt, device := orttest.Device(t)
	tk := loadTask(t, "wmt14.en-de")
	mlp, meta, archs := trained(t, tk, HATMeans)
	features, err := FeatureSet(tk, HATMeans)
	if err != nil {
		t.Fatal(err)
	}
	x, err := features.Rows(archs)
	if err != nil {
		t.Fatal(err)
	}
	y := make([]float64, len(x))
	for i, a := range archs {
		y[i] = float64(40 * a.Depth("decoder_layers"))
	}
	ridge, err := FitRidge(x, y)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []exporter{mlp, ridge} {
		path := exportFile(t, r, meta)
		var answers [2][]float32
		for i, on := range []string{device, "cpu"} {
			p, err := LoadOn(rt, on, path, tk)
			if err != nil {
				t.Fatal(err)
			}
			out := make([]float64, len(archs))
			if err := p.Predict(t.Context(), archs, out); err != nil {
				t.Fatal(err)
			}
			answers[i] = make([]float32, len(out))
			narrow(answers[i], out)
			p.Close()
		}
		orttest.Near(t, r.kind(), answers[0], answers[1], 1e-3)
	}
	trees, err := FitTrees(TreesParams{Trees: 2}, x, y)
	if err != nil {
		t.Fatal(err)
	}
	path := exportFile(t, trees, meta)
	_, err = LoadOn(rt, device, path, tk)
	var fault *config.Error
	want := fmt.Sprintf(`predictor: model %s cannot run on device %q: it has no TreeEnsembleRegressor, and falling back to the CPU is not what was asked for; use device cpu`, path, device)
	if err == nil || !errors.As(err, &fault) || !OnlyTrees(err) || err.Error() != want {
		t.Errorf("trees: error %v\nexpected %s", err, want)
	}
	if _, err := LoadOn(rt, "webgp", path, tk); err == nil || !strings.HasSuffix(err.Error(), `unknown device "webgp"; did you mean "webgpu"?`) {
		t.Errorf("a device misspelt: error %v", err)
	}
}

func exportFile(t *testing.T, r Regressor, m Meta) string {
	t.Helper()
	model, err := Export(r, m)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "p.onnx")
	if err := os.WriteFile(path, model, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
