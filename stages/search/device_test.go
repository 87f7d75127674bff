package search

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/ort/orttest"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/schemas"
)

// TestDeviceSearch: a search whose predictors run on a device finds what it finds on
// the CPU; a latency predictor of trees stays there, and the log says so.
func TestDeviceSearch(t *testing.T) {
	_, device := orttest.Device(t)
	tk, models := wmt(t), t.TempDir()
	exported(t, tk, models, "student", "BLEU", 20, 1)
	exported(t, tk, models, "surrogate", "BLEU", 19, 1.1)
	features, err := predictor.FeatureSet(tk, predictor.HATMeans)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := features.Rows([]space.Architecture{tk.Space.Smallest(), tk.Space.Largest()})
	if err != nil {
		t.Fatal(err)
	}
	trees, err := predictor.FitTrees(predictor.TreesParams{Trees: 2}, rows, []float64{40, 160})
	if err != nil {
		t.Fatal(err)
	}
	model, err := predictor.Export(trees, predictor.MetaOf(features, tk.Name, Latency, "a test"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(models, "latency.onnx"), model, 0o600); err != nil {
		t.Fatal(err)
	}
	search := func(device string) (found []string, log string) {
		var lines strings.Builder
		p, out := small(), outputs(t.TempDir())
		p.Device, p.Seeds, p.Limits, p.Searches = device, []int64{1}, []float64{200}, []string{HSNAS}
		if err := Run(t.Context(), p, Inputs{Task: tk, Models: models}, out, schemas.Provenance{}, progress.New(&lines)); err != nil {
			t.Fatal(err)
		}
		front, err := schemas.ReadFront(out.Front)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range front {
			found = append(found, fmt.Sprintf("%s %.3f", w.ID, w.Score))
		}
		return found, lines.String()
	}
	got, log := search(device)
	want, _ := search("cpu")
	if len(got) == 0 || !slices.Equal(got, want) {
		t.Errorf("found %v, on the CPU %v", got, want)
	}
	if !strings.Contains(log, "the predictor of latency_ms, latency.onnx, is of trees, which device "+device+" has no operator for: it runs on the CPU\n") {
		t.Errorf("the log does not say where the trees run:\n%s", log)
	}
}
