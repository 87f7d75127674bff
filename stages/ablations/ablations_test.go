package ablations

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/progress"
	"hsnas/internal/prompt"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// world is a made-up task with two splits of three test architectures, whose
// truth is 10, 20 and 30.
type world struct {
	dir string
	in  Inputs
	out Outputs
}

func newWorld(t *testing.T) *world {
	t.Helper()
	tk, err := task.Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	w := &world{
		dir: dir, in: Inputs{Task: tk, Architectures: path("architectures.parquet"), TFS: path("tfs.parquet")},
		out: Outputs{Ablations: path("ablations.parquet"), Markdown: path("ablations.md"), Requests: path("requests.jsonl")},
	}
	var archs []schemas.Architecture
	var truth []schemas.TFS
	for _, split := range []string{"s", "t"} {
		for i := range 3 {
			id := fmt.Sprintf("%s%d", split, i+1)
			archs = append(archs, schemas.Architecture{ID: id, Set: schemas.SetTest, Split: split, Architecture: "{}"})
			truth = append(truth, schemas.TFS{ID: id, Score: float64(10 * (i + 1))})
		}
	}
	if err := schemas.WriteArchitectures(w.in.Architectures, archs, schemas.Provenance{}); err != nil {
		t.Fatal(err)
	}
	if err := schemas.WriteTFS(w.in.TFS, truth, schemas.Provenance{}); err != nil {
		t.Fatal(err)
	}
	return w
}

// said is one request: the predictions by architecture, in order.
type said struct {
	split  string
	sample int32
	ids    string // separated by blanks
	values []float64
}

// cell writes what the stage label would about a variant.
func (w *world) cell(t *testing.T, name, ask string, requests ...said) {
	t.Helper()
	path := func(file string) string { return filepath.Join(w.dir, name+"-"+file) }
	var labels []schemas.Label
	var rows []schemas.Request
	var prompts string
	for i, r := range requests {
		id := fmt.Sprintf("%s-%d", name, i)
		ids := strings.Fields(r.ids)
		for k, arch := range ids {
			l := schemas.Label{ID: arch, Set: schemas.SetTest, Split: r.split, Sample: r.sample, CustomID: id, Prediction: math.NaN(), Gap: "no answer"}
			if r.values != nil {
				l.Prediction, l.Gap = r.values[k], ""
			}
			labels = append(labels, l)
		}
		rows = append(rows, schemas.Request{CustomID: id, Set: schemas.SetTest, Split: r.split, Sample: r.sample, Queries: int32(len(ids)), Seconds: math.NaN()})
		prompts += fmt.Sprintf("{\"custom_id\": %q, \"body\": {\"messages\": [{\"content\": %q}]}}\n", id, strings.Repeat("abc", 100))
	}
	a := Answers{Name: name, Group: "a group", Ask: ask, Labels: path("labels.parquet"), Requests: path("requests.parquet"), Prompts: path("requests.jsonl")}
	if err := schemas.WriteLabels(a.Labels, labels, schemas.Provenance{}); err != nil {
		t.Fatal(err)
	}
	if err := schemas.WriteRequests(a.Requests, rows, schemas.Provenance{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.Prompts, []byte(prompts), 0o644); err != nil {
		t.Fatal(err)
	}
	w.in.Cells = append(w.in.Cells, a)
}

func (w *world) run(t *testing.T) map[string]schemas.Ablation {
	t.Helper()
	if err := Run(t.Context(), Defaults(), w.in, w.out, schemas.Provenance{Stage: Name}, progress.Discard); err != nil {
		t.Fatal(err)
	}
	rows, err := schemas.ReadAblations(w.out.Ablations)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]schemas.Ablation{}
	for _, r := range rows {
		out[r.Cell+" "+r.Split] = r
	}
	return out
}

func TestRun(t *testing.T) {
	w := newWorld(t)
	w.cell(t, "full", prompt.Values,
		said{"s", 1, "s1 s2 s3", []float64{11, 21, 31}}, said{"s", 2, "s1 s2 s3", []float64{13, 23, 33}}, said{"t", 1, "t1 t2 t3", []float64{30, 20, 10}})
	w.cell(t, "ranking", prompt.Ranking, said{"s", 1, "s1 s2 s3", []float64{0, 1, 2}}, said{"t", 1, "t1 t2 t3", []float64{1, 0, 2}})
	w.cell(t, "pairs", prompt.Pairs,
		said{"s", 1, "s1 s2", []float64{0, 1}}, said{"s", 1, "s3 s2", []float64{1, 0}}, said{"s", 1, "s1 s3", nil}, said{"t", 1, "t1 t2", nil})
	w.cell(t, "silent", prompt.Values, said{"s", 1, "s1 s2 s3", nil}, said{"t", 1, "t1 t2 t3", nil})
	got := w.run(t)
	for _, tt := range []struct {
		row                       string
		mae, tau, spread          float64
		requests, answered, archs int32
		prompt, completion        int64
		note                      string
	}{
		// the mean of two samples is 2 above, each sqrt(2) from the other's mean
		{"full s", 2, 1, math.Sqrt2, 2, 2, 3, 200, 84, ""},
		{"full t", 40. / 3, -1, math.NaN(), 1, 1, 3, 100, 42, ""},
		{"full mean", (2 + 40./3) / 2, 0, math.Sqrt2, 3, 3, 6, 300, 126, ""},
		{"ranking s", math.NaN(), 1, math.NaN(), 1, 1, 3, 100, 9, "an order: no error in the metric's unit"},
		{"ranking mean", math.NaN(), 2. / 3, math.NaN(), 2, 2, 6, 200, 18, "an order: no error in the metric's unit"},
		{"pairs s", math.NaN(), 1, math.NaN(), 3, 2, 3, 300, 18, "answered for 1 of 2 splits"},
		{"silent mean", math.NaN(), math.NaN(), math.NaN(), 2, 0, 0, 200, 84, "not answered: the requests are written, the recording has no answers to them"},
	} {
		r := got[tt.row]
		if !near(r.MAE, tt.mae) || !near(r.Tau, tt.tau) || !near(r.Spread, tt.spread) {
			t.Errorf("%s: MAE %v, tau %v, spread %v; want %v, %v, %v", tt.row, r.MAE, r.Tau, r.Spread, tt.mae, tt.tau, tt.spread)
		}
		if r.Requests != tt.requests || r.Answered != tt.answered || r.Architectures != tt.archs || r.Note != tt.note {
			t.Errorf("%s: %d requests, %d answered, %d architectures, %q", tt.row, r.Requests, r.Answered, r.Architectures, r.Note)
		}
		if r.PromptTokens != tt.prompt || r.CompletionTokens != tt.completion || !r.TokensEstimated {
			t.Errorf("%s: %d and %d tokens, want %d and %d, estimated", tt.row, r.PromptTokens, r.CompletionTokens, tt.prompt, tt.completion)
		}
	}
	// 300 and 126 tokens at gpt-4's 30 and 60 dollars a million
	if d := got["full mean"].Dollars; !near(d, 0.01656) {
		t.Errorf("full: $%v, want $0.01656", d)
	}
	if p := got["ranking mean"].PTau; !(p > 0 && p <= 1) || !math.IsNaN(got["full mean"].PTau) {
		t.Errorf("p-values against the first cell: %v, of itself %v", p, got["full mean"].PTau)
	}
	w.files(t)
}

// files checks the table for people and the batch file.
func (w *world) files(t *testing.T) {
	t.Helper()
	table, err := os.ReadFile(w.out.Markdown)
	if err != nil {
		t.Fatal(err)
	}
	const want = "| full | 7.667 ± 8.014 | 0.000 ± 1.414 | - | - | 3 of 3 | ≈ 0.4 |"
	if !strings.Contains(string(table), want) {
		t.Errorf("no %q in\n%s", want, table)
	}
	requests, err := os.ReadFile(w.out.Requests)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(requests), "\n"); n != 11 {
		t.Errorf("%d requests in the batch file, want 11", n)
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 || math.IsNaN(a) && math.IsNaN(b) }

// TestBradleyTerry: at the fitted strengths every architecture is expected to win
// as often as it did, the half game against strength 1 included.
func TestBradleyTerry(t *testing.T) {
	games := []game{{"a", "b"}, {"a", "b"}, {"a", "b"}, {"b", "a"}}
	got := bradleyTerry([]string{"a", "b", "c"}, games)
	if !near(got["a"], -got["b"]) || !near(got["c"], 0) {
		t.Errorf("strengths %v", got)
	}
	p := math.Exp(got["a"])
	if score := 4*p/(p+1/p) + p/(p+1) - 3.5; math.Abs(score) > 1e-6 {
		t.Errorf("strength %v: expected wins differ from 3.5 by %v", p, score)
	}
}

// TestMinimised: where lower is better, the best of a ranking is the lowest.
func TestMinimised(t *testing.T) {
	w := newWorld(t)
	own := *w.in.Task
	own.Metric.Direction = "minimize"
	w.in.Task = &own
	w.cell(t, "full", prompt.Values, said{"s", 1, "s1 s2 s3", []float64{10, 20, 30}})
	w.cell(t, "ranking", prompt.Ranking, said{"s", 1, "s1 s2 s3", []float64{2, 1, 0}})
	w.cell(t, "pairs", prompt.Pairs, said{"s", 1, "s1 s2", []float64{1, 0}}, said{"s", 1, "s2 s3", []float64{1, 0}})
	got := w.run(t)
	for _, cell := range []string{"full", "ranking", "pairs"} {
		if tau := got[cell+" s"].Tau; !near(tau, 1) {
			t.Errorf("%s: tau %v of answers that are right, want 1", cell, tau)
		}
	}
}

func TestPriceModelRefused(t *testing.T) {
	w := newWorld(t)
	w.cell(t, "full", prompt.Values, said{"s", 1, "s1 s2 s3", []float64{1, 2, 3}})
	p := Defaults()
	p.PriceModel = "gpt-4-o"
	const want = `ablations.price_model: data/prices.yaml has no price for "gpt-4-o"; did you mean "gpt-4o"?; leave it empty for no prices`
	if err := Run(t.Context(), p, w.in, w.out, schemas.Provenance{}, progress.Discard); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestParamsRefused(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{fmt.Sprint(Params{Draws: 1, Cells: []Cell{{Name: "a"}, {Name: "a"}}}.Validate()), `cells: "a" is given twice`},
		{fmt.Sprint(Params{}.Validate()), `draws: 0, expected at least 1`},
		{fmt.Sprint((&Cell{Name: "A b"}).Validate()), `name: "A b", expected lower-case letters, digits and dashes`},
		{fmt.Sprint((&Cell{Name: "a", Group: "x|y"}).Validate()), `group: "x|y", expected lower-case letters, digits, dashes and blanks`},
	} {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
}
