package report

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var sums = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// golden compares got, its checksums masked, with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	got = sums.ReplaceAll(got, []byte("SHA-256"))
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (rewrite it with -update); got:\n%s", path, got)
	}
}

func load14(t *testing.T) *task.Task {
	t.Helper()
	tk, err := task.Load("wmt14.en-de")
	if err != nil {
		t.Fatal(err)
	}
	return tk
}

var prov = schemas.Provenance{Stage: Name, StageVersion: Version, Key: "abc123", Task: "wmt14.en-de"}

func render(t *testing.T, in Inputs) Page {
	t.Helper()
	page, err := Render(context.Background(), Defaults(), in, prov)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestGolden(t *testing.T) {
	in := madeUp(t, t.TempDir())
	golden(t, "report.md", render(t, in).Markdown)
}

// TestGoldenWithoutStages: a run that stops after sample still has a report.
func TestGoldenWithoutStages(t *testing.T) {
	all := madeUp(t, t.TempDir())
	golden(t, "sample_only.md", render(t, Inputs{Task: all.Task, Architectures: all.Architectures}).Markdown)
}

// TestFinalists: limits that all hold, and finalists that could not be timed, are said
// so.
func TestFinalists(t *testing.T) {
	in := madeUp(t, t.TempDir())
	holds := slices.Delete(slices.Clone(finalists), 1, 2)
	untimed := slices.Clone(finalists)
	for i := range untimed {
		untimed[i].Note, untimed[i].MeasuredMS, untimed[i].ExcessMS = "the dataset is of A, and this is B", nan, nan
	}
	for want, rows := range map[string][]schemas.Finalist{
		"\nBy measurement every limit holds.\n": holds,
		"\nBy measurement the limit does not hold for 1 of 3 finalists: at worst by 2.50 ms, 2.5 % of the limit (hs-nas, seed 2).\n": finalists,
		"\nNot timed, so that limits hold by prediction alone: the dataset is of A, and this is B.\n":                                untimed,
	} {
		if err := schemas.WriteFinalists(in.Finalists, rows, prov); err != nil {
			t.Fatal(err)
		}
		if text := string(render(t, in).Markdown); !strings.Contains(text, want) {
			t.Errorf("not in the report: %s", want)
		}
	}
}

// TestFindingOfSearches: without trained winners the summary names every search beside
// HS-NAS by the baseline's scores, the controls too.
func TestFindingOfSearches(t *testing.T) {
	in := madeUp(t, t.TempDir())
	in.Winners = ""
	rows := append(slices.Clone(winners), winner("random", 150, 25, 24.5, "supernet:hat"))
	if err := schemas.WriteFront(in.Front, rows, prov); err != nil {
		t.Fatal(err)
	}
	const want = "\n- Winners within 150 ms, not trained: BLEU by the surrogate of the best of 2 seeds, and evaluations by the baseline, all seeds together: " +
		"hs-nas 26.100 (1400 evaluations); baseline-only 25.950 (2800 evaluations); random 24.500 (0 evaluations).\n"
	if text := string(render(t, in).Markdown); !strings.Contains(text, want) {
		_, text, _ = strings.Cut(text, "## Summary")
		text, _, _ = strings.Cut(text, "##")
		t.Errorf("the summary lacks %s it is %s", want, text)
	}
}

// TestOneSplit: of a single split neither a deviation over splits nor a second table
// says anything.
func TestOneSplit(t *testing.T) {
	in := madeUp(t, t.TempDir())
	rows := []schemas.Score{score("llm-pp", schemas.SplitMean, 0.15, 0.73), score("llm-pp", "123", 0.15, 0.73)}
	for _, test := range []struct {
		rows      []schemas.Score
		std, many bool
	}{{rows, false, false}, {append(rows, score("llm-pp", "456", 0.2, 0.7)), false, true}, {scores, true, true}} {
		if err := schemas.WriteScoreboard(in.Scoreboard, test.rows, prov); err != nil {
			t.Fatal(err)
		}
		text := string(render(t, in).Markdown)
		if strings.Contains(text, "| predictor | MAE | std |") != test.std || strings.Contains(text, "| MAE / tau by split |") != test.many {
			t.Errorf("%d rows: columns of deviations wanted: %v, the table of splits: %v\n%s", len(test.rows), test.std, test.many, text)
		}
	}
}

func TestRunWritesTheSameBytesTwice(t *testing.T) {
	in, dir := madeUp(t, t.TempDir()), t.TempDir()
	out := Outputs{Markdown: filepath.Join(dir, "report.md"), HTML: filepath.Join(dir, "report.html")}
	for _, path := range []string{out.Markdown, out.HTML} {
		var texts [2][]byte
		for i := range texts {
			if err := Run(context.Background(), Defaults(), in, out, prov, progress.Discard); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts[i] = text
		}
		if !bytes.Equal(texts[0], texts[1]) {
			t.Errorf("two runs on the same artifacts gave different %s", filepath.Base(path))
		}
	}
}

// TestSupernetAsBaseline: the scores of a supernet are no metric, and larger is
// better though the metric be minimised.
func TestSupernetAsBaseline(t *testing.T) {
	in := madeUp(t, t.TempDir())
	in.Task.Metric.Direction = "minimize"
	rows, accounts := slices.Clone(winners), slices.Clone(ledgers)
	for i := range rows {
		rows[i].Scorer, rows[i].Score = "supernet", -1/float64(i+2)
	}
	for i := range accounts {
		if accounts[i].ScorerKind == schemas.ScorerSurrogate {
			accounts[i].Scorer, accounts[i].ScorerKind = "supernet", schemas.ScorerSupernet
		}
	}
	for _, err := range []error{schemas.WriteFront(in.Front, rows, prov), schemas.WriteLedger(in.Ledger, accounts, prov)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	text := string(render(t, in).Markdown)
	for _, want := range []string{
		"The baseline is the supernet that this run has trained. What it says is no BLEU: it is minus the loss on the validation set",
		"| by the student | by the baseline (minus loss) |",
		"| latency_ms | 150 ms | hs-nas | `not-shown` | supernet | - | - | 2: -0.500 to -0.200 |",
		"counted in supernet evaluations.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(text, surrogateNote) {
		t.Error("the page speaks of a surrogate")
	}
}

func TestDigits(t *testing.T) {
	for _, test := range []struct {
		x    float64
		want string
	}{{40.9689, "40.97"}, {2.9, "2.90"}, {0.123456, "0.123"}, {0.01234, "0.0123"}, {0, "0.00"}, {math.NaN(), "-"}} {
		if got := digits(test.x, 2); got != test.want {
			t.Errorf("digits(%v) = %q, want %q", test.x, got, test.want)
		}
	}
}

func TestDamagedInput(t *testing.T) {
	in := madeUp(t, t.TempDir())
	if err := os.WriteFile(in.Front, []byte("PAR1 no more than this PAR1"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out := Outputs{Markdown: filepath.Join(dir, "report.md"), HTML: filepath.Join(dir, "report.html")}
	err := Run(context.Background(), Defaults(), in, out, prov, progress.Discard)
	var damage *schemas.Error
	if !errors.As(err, &damage) || damage.Path != in.Front {
		t.Errorf("got %v, want a *schemas.Error about %s", err, in.Front)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("a failed stage left %s", left[0].Name())
	}
}

func TestValidate(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	want := "winners: expected 1 or more, found 0"
	if err := (Params{}).Validate(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestVerdict(t *testing.T) {
	f := func(x float64) *float64 { return &x }
	for _, test := range []struct {
		ours      float64
		published *float64
		decimals  int
		want      string
	}{
		{0.1624, f(0.162), 3, "reproduced"},
		{0.1625, f(0.162), 3, "reproduced"},
		{0.1631, f(0.162), 3, "differs by +0.0011"},
		{1.10, f(1.14), 2, "differs by -0.040"},
		{math.NaN(), f(1.14), 2, "not comparable: none here"},
		{1, nil, 2, "-"},
	} {
		if got := verdict(test.ours, test.published, test.decimals); got != test.want {
			t.Errorf("verdict(%v, %v, %d) = %q, want %q", test.ours, test.published, test.decimals, got, test.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for _, test := range []struct {
		x    float64
		want string
	}{{math.NaN(), "-"}, {-0.0004, "0.000"}, {-0.0006, "-0.001"}, {12.3456, "12.346"}} {
		if got := number(test.x, 3); got != test.want {
			t.Errorf("number(%v) = %q, want %q", test.x, got, test.want)
		}
	}
}

// TestFigures holds the published tables to what they must be.
func TestFigures(t *testing.T) {
	f, err := loadFigures()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range f.Predictors.Tables {
		if table.Title == "" || table.Source == "" || table.Split == "" || table.Decimals < 1 {
			t.Errorf("table %q lacks a title, source, split or decimals", table.Title)
		}
		for _, row := range table.Rows {
			for name, cell := range row.Cells {
				if _, err := task.Load(name); err != nil {
					t.Errorf("%s: %s: %v", table.Title, row.Predictor, err)
				}
				if cell.MAE == nil && cell.Tau == nil {
					t.Errorf("%s: %s: nothing for %s", table.Title, row.Predictor, name)
				}
			}
		}
	}
	for name, found := range f.Search.Tasks {
		for i := 1; i < len(found); i++ {
			if found[i].LatencyMS <= found[i-1].LatencyMS {
				t.Errorf("search.yaml: %s: latencies do not rise", name)
			}
		}
	}
}

func TestTableCells(t *testing.T) {
	var p page
	p.table([]string{"a", ">b"}, [][]string{{"x|y", "1\n2"}})
	want := "| a | b |\n| --- | ---: |\n| x\\|y | 1 2 |\n"
	if got := string(p.markdown()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
