package tfs_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/progress"
	"hsnas/internal/published"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/sample"
	"hsnas/stages/tfs"
)

var prov = schemas.Provenance{Stage: "test", StageVersion: 1, Key: "k", Task: "t"}

// run samples by p and runs the stage in dir.
func run(t *testing.T, dir string, p sample.Params, on *task.Task) tfs.Outputs {
	t.Helper()
	architectures := filepath.Join(dir, "a.parquet")
	if err := sample.Run(t.Context(), p, sample.Inputs{Task: on}, sample.Outputs{Architectures: architectures}, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	out := tfs.Outputs{TFS: filepath.Join(dir, "t.parquet"), Supernet: filepath.Join(dir, "s.parquet"), Costs: filepath.Join(dir, "c.parquet")}
	if err := tfs.Run(t.Context(), tfs.Defaults(), tfs.Inputs{Task: on, Architectures: architectures}, out, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPublished(t *testing.T) {
	if _, err := published.Root(); err != nil {
		t.Skipf("published figures: %v", err)
	}
	on, err := task.Load("wmt19.en-de")
	if err != nil {
		t.Fatal(err)
	}
	out := run(t, t.TempDir(), sample.Defaults(), on)
	rows, err := schemas.ReadTFS(out.TFS)
	if err != nil || len(rows) != 30 {
		t.Fatalf("%d rows, %v; want the task's 30 architectures, each once", len(rows), err)
	}
	for _, r := range rows {
		if r.Metric != "BLEU" || r.Source != schemas.SourcePublished || r.Score < 10 || math.IsNaN(r.TestScore) {
			t.Errorf("row %+v", r)
		}
	}
	supernets, err := schemas.ReadSupernetScores(out.Supernet)
	if err != nil || len(supernets) != 120 {
		t.Errorf("%d scores, %v; want four supernets' of 30", len(supernets), err)
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
	p := sample.Defaults()
	p.Splits, p.Demonstrations, p.Test, p.Unlabelled = []string{"1"}, 2, 3, 0
	out := run(t, dir, p, on)
	rows, err := schemas.ReadTFS(out.TFS)
	if err != nil || len(rows) != 5 || rows[0].Source != schemas.SourceTable || !math.IsNaN(rows[0].TestScore) {
		t.Errorf("rows %+v, %v; want the five that are in the sample", rows, err)
	}
	costs, err := schemas.ReadMeasuredCosts(out.Costs)
	if err != nil || len(costs) != 6 || costs[5].Value != 60 || costs[5].Unit != "ms" {
		t.Errorf("costs %+v, %v; want all six", costs, err)
	}
}

func TestNoTruth(t *testing.T) {
	on, err := task.Load("iwslt14.de-en")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	architectures := filepath.Join(dir, "a.parquet")
	if err := sample.Run(t.Context(), sample.Defaults(), sample.Inputs{Task: on}, sample.Outputs{Architectures: architectures}, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	err = tfs.Run(t.Context(), tfs.Defaults(), tfs.Inputs{Task: on, Architectures: architectures}, tfs.Outputs{}, prov, progress.Discard)
	if want := "tfs: task iwslt14.de-en has no measured BLEU: give its data section a table"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
