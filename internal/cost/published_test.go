package cost_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/cost"
	"hsnas/internal/published"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// root returns the folder of the published figures or skips the test.
func root(t *testing.T) string {
	t.Helper()
	dir, err := published.Root()
	if err != nil {
		t.Skipf("published figures: %v", err)
	}
	return dir
}

func load(t *testing.T, name string) *task.Task {
	t.Helper()
	found, err := task.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func parse(t *testing.T, on *task.Task, text string) space.Architecture {
	t.Helper()
	a, err := on.Space.ParseArchitecture([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return a
}

// The 270 rows of the paper's authors, to the integer.
func TestPublishedCosts(t *testing.T) {
	dir, rows := root(t), 0
	for dataset, name := range map[string]string{"wmt14ende": "wmt14.en-de", "wmt14enfr": "wmt14.en-fr", "wmt19ende": "wmt19.en-de"} {
		on := load(t, name)
		for _, split := range published.Splits() {
			for _, part := range []published.Part{published.Demonstrations, published.Test} {
				seeds, err := published.Seeds(dir, dataset, split, part)
				if err != nil {
					t.Fatal(err)
				}
				for i, s := range seeds {
					got, err := cost.Of(on, parse(t, on, s.Architecture))
					want := cost.Cost{Params: s.Params, EmbeddingParams: s.EmbeddingParams, FLOPs: s.FLOPs, FLOPsWithoutLastLayer: s.FLOPsWithoutLastLayer}
					if err != nil || got != want {
						t.Errorf("%s %s %s, row %d: %+v, %v; want %+v", dataset, split, part, i+1, got, err, want)
					}
					rows++
				}
			}
		}
	}
	if rows != 270 {
		t.Errorf("%d rows, want 270", rows)
	}
}

// HAT's 44 models, to the two decimals printed. Twice the MACs alone misses ten
// of them by one in the last place: HAT's FLOPs hold the element-wise terms too,
// and leave the output projection out.
func TestHATModels(t *testing.T) {
	models, err := published.SubTransformers(root(t))
	if err != nil {
		t.Skipf("published figures: %v", err)
	}
	names := map[string]string{"WMT'14 En-De": "wmt14.en-de", "WMT'14 En-Fr": "wmt14.en-fr", "WMT'19 En-De": "wmt19.en-de", "IWSLT'14 De-En": "iwslt14.de-en"}
	for _, m := range models {
		on := load(t, names[m.Task])
		model := *on.Model
		model.Vocabulary = max(model.Vocabulary, 1) // where it is unknown; these figures do not depend on it
		on.Model = &model
		c, err := cost.Of(on, parse(t, on, m.Architecture))
		if err != nil {
			t.Fatal(err)
		}
		flops, params := fmt.Sprintf("%.2f", float64(c.FLOPsWithoutLastLayer)/1e9), fmt.Sprintf("%.2f", float64(c.Params)/1e6)
		if flops != fmt.Sprintf("%.2f", m.FLOPsG) || params != fmt.Sprintf("%.2f", m.ParamsM) {
			t.Errorf("%s: %s GFLOPs, %s M parameters; published %.2f and %.2f", m.Model, flops, params, m.FLOPsG, m.ParamsM)
		}
	}
}

// The totals of the unlabelled architectures are for a vocabulary of 32,768,
// whatever the task: this is the one place that reads them.
func TestUnlabelledCosts(t *testing.T) {
	dir, on, rows := root(t), load(t, "wmt14.en-de"), 0
	if on.Model.Vocabulary != 32768 {
		t.Fatalf("the vocabulary of %s is %d", on.Name, on.Model.Vocabulary)
	}
	files, err := filepath.Glob(filepath.Join(dir, "llmas", "unlabelled", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		archs, err := published.Unlabelled(dir, strings.TrimSuffix(filepath.Base(file), ".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		want := unlabelledFLOPs(t, file)
		for i, text := range archs {
			got, err := cost.Of(on, parse(t, on, text))
			if err != nil || float64(got.FLOPs) != want[i] {
				t.Errorf("%s:%d: %d FLOPs, %v; want %.0f", file, i+1, got.FLOPs, err, want[i])
			}
			rows++
		}
	}
	if rows != 3000 {
		t.Errorf("%d rows, want 3000", rows)
	}
}

func unlabelledFLOPs(t *testing.T, file string) []float64 {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []float64
	for line := range strings.Lines(string(text)) {
		var row struct {
			Scratch struct {
				FLOPs float64 `json:"total_flops"`
			} `json:"scratch"`
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil || math.Trunc(row.Scratch.FLOPs) != row.Scratch.FLOPs {
			t.Fatalf("%s: %q: %v", file, line, err)
		}
		out = append(out, row.Scratch.FLOPs)
	}
	return out
}
