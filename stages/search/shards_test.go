package search

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"hsnas/internal/ort/orttest"
	"hsnas/internal/progress"
	"hsnas/schemas"
)

// TestShards: searches that ran apart, by limit and seed, are what the stage takes, and
// its artifacts are the same, measured seconds aside.
func TestShards(t *testing.T) {
	orttest.Open(t)
	tk, dir := wmt(t), t.TempDir()
	exported(t, tk, dir, "student", "BLEU", 20, 1)
	exported(t, tk, dir, "surrogate", "BLEU", 19, 1.1)
	exported(t, tk, dir, "latency", Latency, -40, 15)
	p, in := small(), Inputs{Task: tk, Models: dir}
	prov := schemas.Provenance{Stage: Name, StageVersion: Version, Key: "k", Task: tk.Name}
	whole, parts := outputs(t.TempDir()), outputs(t.TempDir())
	if err := Run(context.Background(), p, in, whole, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	shards, err := Shards(p, in)
	if want := []string{"limit-100_seed-1", "limit-100_seed-2", "limit-200_seed-1", "limit-200_seed-2"}; err != nil || !slices.Equal(shards, want) {
		t.Fatalf("shards %v, %v, want %v", shards, err, want)
	}
	for _, shard := range slices.Backward(shards) {
		files, err := RunShard(context.Background(), p, in, parts.State, "k", shard, progress.Discard)
		if err != nil || len(files) != len(p.Searches) {
			t.Fatalf("%s left %v, %v", shard, files, err)
		}
		for _, f := range files {
			if !bytes.Contains(read(t, f), []byte(`"key":"k",`)) {
				t.Errorf("%s is of another key", f)
			}
		}
	}
	if err := Run(context.Background(), p, in, parts, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	for _, f := range [][2]string{{whole.Candidates, parts.Candidates}, {whole.Front, parts.Front}, {whole.Progress, parts.Progress}, {whole.Pareto, parts.Pareto}} {
		if !bytes.Equal(read(t, f[0]), read(t, f[1])) {
			t.Errorf("%s depends on where its searches ran", f[0])
		}
	}
	if _, err := RunShard(context.Background(), p, in, parts.State, "k", "limit-100_seed-3", progress.Discard); fmt.Sprint(err) != `search has no searches "limit-100_seed-3"` {
		t.Errorf("error %v", err)
	}
	p.Constraint, p.Limits = "", nil
	if shards, err := Shards(p, in); err != nil || !slices.Equal(shards, []string{"limit-none_seed-1", "limit-none_seed-2"}) {
		t.Errorf("without a limit: %v, %v", shards, err)
	}
}
