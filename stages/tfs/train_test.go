package tfs_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/corpus"
	"hsnas/internal/measured"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/tfs"
)

const smallArch = `{"encoder_embed_dim":32,"encoder_ffn_dim":[64,64,64],"encoder_self_attn_heads":[2,4,2],"decoder_embed_dim":32,` +
	`"decoder_ffn_dim":[64],"decoder_self_attn_heads":[2],"decoder_cross_attn_heads":[4],"decoder_cross_attn_span":[2]}`

// trainable is the embedded task with a corpus of ten batches, a recipe of ten
// steps and a sample of one architecture for each set.
func trainable(t *testing.T, table string) (p tfs.Params, in tfs.Inputs, out tfs.Outputs) {
	t.Helper()
	orttest.Open(t)
	on, err := task.Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	on.Data.Table = table
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	in = tfs.Inputs{Task: on, Architectures: file("architectures.parquet"), Corpus: file("corpus.parquet")}
	out = tfs.Outputs{TFS: file("tfs.parquet"), Supernet: file("supernet.parquet"), Costs: file("costs.parquet"), Runs: file("runs.parquet"), State: file("state")}
	set := corpus.Micro(corpus.Sizes{Train: 640, Valid: 10, Test: 10})
	if err := schemas.WriteCorpus(in.Corpus, schemas.CorpusRows(set), prov); err != nil {
		t.Fatal(err)
	}
	p = tfs.Defaults()
	p.Recipe.Steps = 10
	return p, in, out
}

// sampled writes architectures, the first the demonstration.
func sampled(t *testing.T, in tfs.Inputs, texts ...string) []string {
	t.Helper()
	var rows []schemas.Architecture
	var ids []string
	for i, text := range texts {
		a, err := in.Task.Space.ParseArchitecture([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		set := schemas.SetTest
		if i == 0 {
			set = schemas.SetDemonstration
		}
		rows, ids = append(rows, schemas.Architecture{ID: a.ID(), Set: set, Split: "1", Architecture: a.String()}), append(ids, a.ID())
	}
	if err := schemas.WriteArchitectures(in.Architectures, rows, schemas.Provenance{}); err != nil {
		t.Fatal(err)
	}
	return ids
}

// TestTrained: without a table everything is trained with every seed, and the truth
// is the mean over them.
func TestTrained(t *testing.T) {
	p, in, out := trainable(t, "")
	ids := sampled(t, in, smallArch, strings.Replace(smallArch, "[64,64,64]", "[64,64,128]", 1))
	if err := tfs.Run(t.Context(), p, in, out, schemas.Provenance{}, progress.Discard); err != nil {
		t.Fatal(err)
	}
	truth, err := schemas.ReadTFS(out.TFS)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := schemas.ReadTFSRuns(out.Runs)
	if err != nil || len(runs) != 4 || len(truth) != 2 {
		t.Fatalf("%d runs and %d truths, %v; want 4 and 2", len(runs), len(truth), err)
	}
	for i, row := range truth {
		a, b := runs[2*i], runs[2*i+1]
		if row.ID != ids[i] || a.ID != ids[i] || a.Seed != 1 || b.Seed != 2 || row.Score != (a.Score+b.Score)/2 || row.Source != schemas.SourceTrained || len(a.LossCurve) != 1 {
			t.Errorf("truth %+v of runs %+v and %+v", row, a, b)
		}
	}
	// The second attempt trains nothing: results are in the state folder.
	if files, _ := os.ReadDir(out.State); len(files) != 4 {
		t.Errorf("state %v, want four results", files)
	}
}

// TestRetrained: the truth of the table that ships stays, and one of its
// architectures is trained again beside the same training in the table.
func TestRetrained(t *testing.T) {
	p, in, out := trainable(t, "micro.en-de")
	p.Retrain = 1
	table, err := measured.Read(in.Task)
	if err != nil {
		t.Fatal(err)
	}
	sampled(t, in, table.Rows[0].Arch.String(), table.Rows[1].Arch.String())
	if err := tfs.Run(t.Context(), p, in, out, schemas.Provenance{}, progress.Discard); err != nil {
		t.Fatal(err)
	}
	truth, err := schemas.ReadTFS(out.TFS)
	if err != nil || len(truth) != 2 || truth[0].Source != schemas.SourceTable || truth[1].Source != schemas.SourceTable {
		t.Fatalf("truth %+v, %v", truth, err)
	}
	runs, err := schemas.ReadTFSRuns(out.Runs)
	if err != nil || len(runs) != 5 {
		t.Fatalf("runs %+v, %v; want four of the table and one trained here", runs, err)
	}
	again := runs[4]
	if again.Source != schemas.SourceTrained || again.Seed != 1 || again.ID != truth[0].ID || again.Recorded != runs[0].Score || !math.IsNaN(runs[0].Recorded) {
		t.Errorf("trained again: %+v; in the table: %+v", again, runs[0])
	}
}

// TestNothingToHoldAgainst: a table without its single trainings is not trained
// again.
func TestNothingToHoldAgainst(t *testing.T) {
	p, in, out := trainable(t, "../sample/testdata/made_up.csv")
	table, err := measured.Read(in.Task)
	if err != nil {
		t.Fatal(err)
	}
	sampled(t, in, table.Rows[0].Arch.String(), table.Rows[1].Arch.String())
	if err := tfs.Run(t.Context(), p, in, out, schemas.Provenance{}, progress.Discard); err != nil {
		t.Fatal(err)
	}
	if runs, err := schemas.ReadTFSRuns(out.Runs); err != nil || len(runs) != 0 {
		t.Errorf("runs %+v, %v; want none", runs, err)
	}
}

func TestParams(t *testing.T) {
	for want, change := range map[string]func(p *tfs.Params){
		"retrain: -1, expected 0 or more":                           func(p *tfs.Params) { p.Retrain = -1 },
		"seeds: 3, expected whole numbers of 0 or more, each once":  func(p *tfs.Params) { p.Seeds = []int64{3, 3} },
		"seeds: -1, expected whole numbers of 0 or more, each once": func(p *tfs.Params) { p.Seeds = []int64{-1} },
	} {
		p := tfs.Defaults()
		change(&p)
		if err := p.Validate(); err == nil || err.Error() != want {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}
