package sample

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/progress"
	"hsnas/internal/published"
	"hsnas/internal/task"
	"hsnas/schemas"
)

var prov = schemas.Provenance{Stage: Name, StageVersion: Version, Key: "k", Task: "t"}

func sampled(t *testing.T, p Params, on *task.Task) []schemas.Architecture {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.parquet")
	if err := Run(t.Context(), p, Inputs{on}, Outputs{path}, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	rows, err := schemas.ReadArchitectures(path)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// count tells how many rows each set of each split has.
func count(rows []schemas.Architecture) map[string]int {
	out := map[string]int{}
	for _, r := range rows {
		out[r.Set+r.Split]++
	}
	return out
}

func TestPublished(t *testing.T) {
	if _, err := published.Root(); err != nil {
		t.Skipf("published figures: %v", err)
	}
	on, err := task.Load("wmt14.en-fr")
	if err != nil {
		t.Fatal(err)
	}
	rows := sampled(t, Defaults(), on)
	got := count(rows)
	for key, want := range map[string]int{"demonstration123": 10, "test123": 20, "demonstration456": 10, "test456": 20, "demonstration789": 10, "test789": 20, "unlabelled": 250} {
		if got[key] != want {
			t.Errorf("%s: %d rows, want %d", key, got[key], want)
		}
	}
	for _, r := range rows {
		if r.FLOPs == nil || *r.FLOPs <= *r.FLOPsWithoutLastLayer {
			t.Fatalf("costs of %+v", r)
		}
	}
	p := Defaults()
	p.Unlabelled = 501
	err = Run(t.Context(), p, Inputs{on}, Outputs{"unwritten"}, prov, progress.Discard)
	if want := "sample: unlabelled: 501, but the published set 111 has 500"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	files, err := Files(Defaults(), on)
	if err != nil || len(files) != 7 {
		t.Errorf("files %v, %v; want six of the splits and one unlabelled", files, err)
	}
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			t.Error(err)
		}
	}
}

// ownTask writes a task with a table of n rows.
func ownTask(t *testing.T, header string, row func(i int) string, n int) *task.Task {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("space.yaml", "name: own\nhyperparameters:\n"+
		"  - {name: layers, definition: depth, choices: [1, 2, 3]}\n"+
		"  - {name: width, definition: width, layers: layers, choices: [8, 16, 32, 64]}\n")
	write("task.yaml", "name: own\nspace: space.yaml\nmetric: {name: accuracy, direction: maximize, min: 0, max: 1, decimals: 3}\n"+
		"data: {table: scores.csv}\n")
	text := header + "\n"
	for i := range n {
		text += row(i) + "\n"
	}
	write("scores.csv", text)
	on, err := task.Load(filepath.Join(dir, "task.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return on
}

var widths = []string{"8", "16", "32", "64"}

func plainRow(i int) string { return `"[` + widths[i%4] + ", " + widths[i/4%4] + `]",0.5` }

func TestTable(t *testing.T) {
	on := ownTask(t, "width,score", plainRow, 16)
	p := Defaults()
	p.Demonstrations, p.Test, p.Unlabelled = 4, 6, 40
	rows := sampled(t, p, on)
	got := count(rows)
	if got["demonstration123"] != 4 || got["test789"] != 6 || got["unlabelled"] != 40 {
		t.Errorf("sets %v", got)
	}
	inTable, sets := map[string]bool{}, map[string]string{}
	for _, r := range rows {
		if r.Set == schemas.SetUnlabelled {
			if inTable[r.ID] || sets[r.ID] != "" {
				t.Errorf("%s is labelled, or drawn twice", r.Architecture)
			}
			sets[r.ID] = r.Set
			continue
		}
		inTable[r.ID] = true
		key := r.Split + r.ID
		if other := sets[key]; other != "" {
			t.Errorf("%s is in %s and %s of split %s", r.ID, other, r.Set, r.Split)
		}
		sets[key] = r.Set
	}
	again := sampled(t, p, on)
	for i := range rows {
		if rows[i].ID != again[i].ID {
			t.Fatal("the same parameters drew another sample")
		}
	}
	p.Test = 20
	err := Run(t.Context(), p, Inputs{on}, Outputs{"unwritten"}, prov, progress.Discard)
	want := "sample: " + on.Path("scores.csv") + " has 16 architectures, expected at least 24: 4 demonstrations and 20 for the test; lower demonstrations or test"
	var fault *config.Error
	if !errors.As(err, &fault) || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

func TestTableWithSets(t *testing.T) {
	set := func(i int) string {
		if i < 5 {
			return plainRow(i) + ",demonstration"
		}
		return plainRow(i) + ",test"
	}
	got := count(sampled(t, Defaults(), ownTask(t, "width,score,set", set, 16)))
	if got["demonstration"+FixedSplit] != 5 || got["test"+FixedSplit] != 11 || len(got) != 3 {
		t.Errorf("sets %v", got)
	}
}

// microTask is the embedded task with a table of made-up scores: 3 demonstrations,
// 2 for the test, 2 extra.
func microTask(t *testing.T) *task.Task {
	t.Helper()
	on, err := task.Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	on.Data.Table = "testdata/made_up.csv"
	return on
}

func TestExtra(t *testing.T) {
	p := Defaults()
	p.Unlabelled = 300
	rows := sampled(t, p, microTask(t))
	got := count(rows)
	if got["demonstration"+FixedSplit] != 3 || got["test"+FixedSplit] != 2 || got["extra"] != 2 || got["unlabelled"] != 300 || len(got) != 4 {
		t.Errorf("sets %v", got)
	}
	ids := map[string]bool{}
	for _, r := range rows {
		if ids[r.ID] {
			t.Errorf("%s twice: in the table, and drawn as unlabelled", r.Architecture)
		}
		ids[r.ID] = true
		if r.Params == nil || r.FLOPs == nil || *r.FLOPs <= *r.FLOPsWithoutLastLayer {
			t.Fatalf("costs of %+v", r)
		}
	}
}

// A table that is all extra has nothing to predict.
func TestTooFewInSets(t *testing.T) {
	on := ownTask(t, "width,score,set", func(i int) string { return plainRow(i) + ",extra" }, 3)
	err := Run(t.Context(), Defaults(), Inputs{on}, Outputs{"unwritten"}, prov, progress.Discard)
	want := "sample: " + on.Path("scores.csv") + ": 0 demonstrations and 0 test architectures in the column set, expected at least 2 of each"
	var fault *config.Error
	if !errors.As(err, &fault) || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

func TestSampledFromTheSpace(t *testing.T) {
	on, err := task.Load("iwslt14.de-en")
	if err != nil {
		t.Fatal(err)
	}
	p := Defaults()
	p.Unlabelled = 7
	if got := count(sampled(t, p, on)); got["demonstration456"] != 10 || got["test456"] != 20 || got["unlabelled"] != 7 {
		t.Errorf("sets %v", got)
	}
}

func TestBytesRepeat(t *testing.T) {
	on := ownTask(t, "width,score", plainRow, 16)
	p := Defaults()
	p.Demonstrations, p.Test, p.Unlabelled = 4, 6, 8
	var files [2][]byte
	for i := range files {
		path := filepath.Join(t.TempDir(), "a.parquet")
		if err := Run(t.Context(), p, Inputs{on}, Outputs{path}, prov, progress.Discard); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = text
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the same inputs gave other bytes")
	}
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Params)
		want   string
	}{
		"split":         {func(p *Params) { p.Splits = []string{"a"} }, `splits: "a", expected seeds that are whole numbers, each once`},
		"twice":         {func(p *Params) { p.Splits = []string{"1", "1"} }, `splits: "1", expected seeds that are whole numbers, each once`},
		"none":          {func(p *Params) { p.Splits = nil }, "splits: expected at least one seed"},
		"demonstration": {func(p *Params) { p.Demonstrations = 1 }, "demonstrations: 1, expected at least 2"},
		"test":          {func(p *Params) { p.Test = 0 }, "test: 0, expected at least 2"},
		"unlabelled":    {func(p *Params) { p.Unlabelled = -1 }, "unlabelled: -1, expected 0 or more"},
	} {
		t.Run(name, func(t *testing.T) {
			p := Defaults()
			c.change(&p)
			if err := p.Validate(); err == nil || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}
