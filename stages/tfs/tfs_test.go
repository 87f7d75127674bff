package tfs_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/measured"
	"hsnas/internal/progress"
	"hsnas/internal/published"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/tfs"
)

var prov = schemas.Provenance{Stage: "test", StageVersion: 1, Key: "k", Task: "t"}

// run writes the sample to dir and runs the stage on it.
func run(t *testing.T, dir string, on *task.Task, rows []schemas.Architecture) (tfs.Outputs, error) {
	t.Helper()
	architectures := filepath.Join(dir, "a.parquet")
	if err := schemas.WriteArchitectures(architectures, rows, prov); err != nil {
		t.Fatal(err)
	}
	out := tfs.Outputs{TFS: filepath.Join(dir, "t.parquet"), Supernet: filepath.Join(dir, "s.parquet"), Costs: filepath.Join(dir, "c.parquet"), Runs: filepath.Join(dir, "r.parquet")}
	return out, tfs.Run(t.Context(), tfs.Params{}, tfs.Inputs{Task: on, Architectures: architectures}, out, prov, progress.Discard)
}

func TestPublished(t *testing.T) {
	root, err := published.Root()
	if err != nil {
		t.Skipf("published figures: %v", err)
	}
	on, err := task.Load("wmt19.en-de")
	if err != nil {
		t.Fatal(err)
	}
	var sample []schemas.Architecture
	for _, split := range published.Splits() {
		seeds, err := published.Seeds(root, "wmt19ende", split, published.Test)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range seeds {
			a, err := on.Space.ParseArchitecture([]byte(s.Architecture))
			if err != nil {
				t.Fatal(err)
			}
			sample = append(sample, schemas.Architecture{ID: a.ID(), Set: schemas.SetTest, Split: split, Architecture: s.Architecture})
		}
	}
	out, err := run(t, t.TempDir(), on, sample)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := schemas.ReadTFS(out.TFS)
	if err != nil || len(rows) != tested(sample) {
		t.Fatalf("%d rows, %v; want %d architectures, each once", len(rows), err, tested(sample))
	}
	for _, r := range rows {
		if r.Metric != "BLEU" || r.Source != schemas.SourcePublished || r.Score < 10 || math.IsNaN(r.TestScore) {
			t.Errorf("row %+v", r)
		}
	}
	supernets, err := schemas.ReadSupernetScores(out.Supernet)
	if err != nil || len(supernets) != 4*len(rows) {
		t.Errorf("%d scores, %v; want four supernets' of each", len(supernets), err)
	}
	if costs, err := schemas.ReadMeasuredCosts(out.Costs); err != nil || len(costs) != 0 {
		t.Errorf("%d costs, %v; want none", len(costs), err)
	}
}

func TestTable(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("space.yaml", "name: own\nhyperparameters:\n  - {name: width, definition: width, choices: [1, 2, 3, 4, 5, 6]}\n")
	write("task.yaml", "name: own\nspace: space.yaml\nmetric: {name: loss, direction: minimize, min: 0, max: 9, decimals: 3}\ndata: {table: scores.csv}\n")
	text := "width,score,test_score,latency_ms\n"
	for i := 1; i <= 6; i++ {
		text += fmt.Sprintf("%d,0.%d,,%d\n", i, i, 10*i)
	}
	write("scores.csv", text)
	on, err := task.Load(filepath.Join(dir, "task.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var sample []schemas.Architecture
	for i := 1; i <= 5; i++ {
		a, err := on.Space.ParseArchitecture(fmt.Appendf(nil, `{"width":%d}`, i))
		if err != nil {
			t.Fatal(err)
		}
		sample = append(sample, schemas.Architecture{ID: a.ID(), Set: schemas.SetTest, Split: "1", Architecture: a.String()})
	}
	out, err := run(t, dir, on, sample)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := schemas.ReadTFS(out.TFS)
	if err != nil || len(rows) != 5 || rows[0].Source != schemas.SourceTable || !math.IsNaN(rows[0].TestScore) {
		t.Errorf("rows %+v, %v; want the five that are in the sample", rows, err)
	}
	costs, err := schemas.ReadMeasuredCosts(out.Costs)
	if err != nil || len(costs) != 6 || costs[5].Value != 60 || costs[5].Unit != "ms" {
		t.Errorf("costs %+v, %v; want all six", costs, err)
	}
}

// The truth of extra architectures is told too; that of unlabelled ones is not asked for.
func TestExtra(t *testing.T) {
	on, err := task.Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	on.Data.Table = "../sample/testdata/made_up.csv"
	table, err := measured.Read(on)
	if err != nil {
		t.Fatal(err)
	}
	var sample []schemas.Architecture
	for i, set := range []string{schemas.SetDemonstration, schemas.SetTest, schemas.SetExtra, schemas.SetUnlabelled} {
		a := table.Rows[i].Arch
		sample = append(sample, schemas.Architecture{ID: a.ID(), Set: set, Architecture: a.String()})
	}
	out, err := run(t, t.TempDir(), on, sample)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := schemas.ReadTFS(out.TFS)
	if err != nil || len(rows) != 3 || rows[2].ID != sample[2].ID || rows[2].Score != 3 || rows[2].TestScore != 3.5 {
		t.Errorf("rows %+v, %v; want three, the last of the extra architecture", rows, err)
	}
}

// tested counts different architectures.
func tested(rows []schemas.Architecture) int {
	ids := map[string]bool{}
	for _, r := range rows {
		ids[r.ID] = true
	}
	return len(ids)
}

func TestNoTruth(t *testing.T) {
	on, err := task.Load("iwslt14.de-en")
	if err != nil {
		t.Fatal(err)
	}
	a := on.Space.Smallest()
	rows := []schemas.Architecture{{ID: a.ID(), Set: schemas.SetTest, Split: "1", Architecture: a.String()}}
	_, err = run(t, t.TempDir(), on, rows)
	if want := "tfs: task iwslt14.de-en has no measured BLEU: give its data section a table"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	on.Data.Table = filepath.Join(t.TempDir(), "scores.csv")
	if err := os.WriteFile(on.Data.Table, []byte("a,b\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err = run(t, t.TempDir(), on, rows); err == nil {
		t.Error("a table without the columns of the space was accepted")
	}
}
