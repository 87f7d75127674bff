package winners_test

import (
	"math"
	"path/filepath"
	"testing"

	"hsnas/internal/corpus"
	"hsnas/internal/micro"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/winners"
)

var prov = schemas.Provenance{Stage: "test", StageVersion: 1, Key: "k", Task: "micro.en-de"}

const smallArch = `{"encoder_embed_dim":32,"encoder_ffn_dim":[64,64,64],"encoder_self_attn_heads":[2,4,2],"decoder_embed_dim":32,` +
	`"decoder_ffn_dim":[64],"decoder_self_attn_heads":[2],"decoder_cross_attn_heads":[4],"decoder_cross_attn_span":[2]}`

// prepared is a front on which two searches found the same winner.
func prepared(t *testing.T) (winners.Params, winners.Inputs, winners.Outputs) {
	t.Helper()
	orttest.Open(t)
	on, err := task.Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	a, err := on.Space.ParseArchitecture([]byte(smallArch))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	in := winners.Inputs{Task: on, Corpus: file("c.parquet"), Front: file("f.parquet"), Ledger: file("l.parquet")}
	winner := func(search string, rank int32) schemas.Winner {
		return schemas.Winner{
			Search: search, Constraint: "latency_ms", Limit: 3, Unit: "ms", Seed: 1, Rank: rank, ID: a.ID(), Architecture: a.String(),
			Score: -1, Scorer: "supernet", StudentScore: 50, BaselineScore: -1, Cost: 2, GFLOPs: math.NaN(),
		}
	}
	account := func(search, kind string, evaluations int64) schemas.Ledger {
		return schemas.Ledger{Search: search, Limit: 3, Seed: 1, Scorer: kind, ScorerKind: kind, Evaluations: evaluations, Seconds: 2}
	}
	set := corpus.Micro(corpus.Sizes{Train: 640, Valid: 10, Test: 10})
	for _, err := range []error{
		schemas.WriteCorpus(in.Corpus, schemas.CorpusRows(set), prov),
		schemas.WriteFront(in.Front, []schemas.Winner{winner("hs-nas", 1), winner("hs-nas", 2), winner("random", 1)}, prov),
		schemas.WriteLedger(in.Ledger, []schemas.Ledger{
			account("hs-nas", schemas.ScorerLLMDistill, 100), account("hs-nas", schemas.ScorerSupernet, 30), account("random", schemas.ScorerSupernet, 70),
		}, prov),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p := winners.Defaults()
	p.Recipe = micro.SettingA()
	p.Recipe.Steps = 10
	return p, in, winners.Outputs{Winners: file("w.parquet"), State: file("state")}
}

// TestRun: a winner of two searches is trained once for each seed, and stands
// beside what each search cost.
func TestRun(t *testing.T) {
	p, in, out := prepared(t)
	if err := winners.Run(t.Context(), p, in, out, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	rows, err := schemas.ReadWinnersTrained(out.Winners)
	if err != nil || len(rows) != 2 {
		t.Fatalf("rows %+v, %v; want two", rows, err)
	}
	hs, random := rows[0], rows[1]
	// The supernet took 4 s for 100 evaluations, the student 2 s.
	if hs.Evaluations != 30 || math.Abs(hs.SearchSeconds-3.2) > 1e-9 || random.Evaluations != 70 || math.Abs(random.SearchSeconds-2.8) > 1e-9 || hs.Cost != 2 {
		t.Errorf("what the searches cost: %+v, %+v", hs, random)
	}
	if hs.Trainings != 2 || hs.Score != random.Score || math.IsNaN(hs.ScoreStd) || math.IsNaN(hs.TestScore) {
		t.Errorf("what became of the winners: %+v, %+v", hs, random)
	}
	if files, _ := filepath.Glob(filepath.Join(out.State, "*.json")); len(files) != 2 {
		t.Errorf("state %v, want the results of two trainings", files)
	}
}

func TestNoWinners(t *testing.T) {
	p, in, out := prepared(t)
	p.Searches = []string{"baseline-only"}
	want := "winners: " + in.Front + " has no winner of the search \"baseline-only\"; name searches that ran"
	if err := winners.Run(t.Context(), p, in, out, prov, progress.Discard); err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}
