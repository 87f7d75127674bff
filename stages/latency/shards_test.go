package latency

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"hsnas/internal/ort/orttest"
	"hsnas/internal/progress"
	"hsnas/schemas"
)

// TestShards: rounds that were measured apart are what the stage fits to; it times
// nothing itself.
func TestShards(t *testing.T) {
	orttest.Open(t)
	on := microTask(t)
	p := small(60, 2)
	prov := schemas.Provenance{Stage: Name, Task: on.Name}
	whole, parts := outputs(t.TempDir()), outputs(t.TempDir())
	if err := Run(t.Context(), p, Inputs{on, newMadeUp(t, on)}, whole, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	parts.State = filepath.Join(t.TempDir(), "state")
	shards, err := Shards(p, Inputs{Task: on})
	if err != nil || fmt.Sprint(shards) != "[round-0 round-1]" {
		t.Fatalf("shards %v, %v", shards, err)
	}
	for _, shard := range []string{"round-1", "round-0"} {
		if _, err := RunShard(t.Context(), p, Inputs{on, newMadeUp(t, on)}, parts.State, shard, progress.Discard); err != nil {
			t.Fatal(err)
		}
	}
	idle := newMadeUp(t, on)
	again, err := RunShard(t.Context(), p, Inputs{on, idle}, parts.State, "round-0", progress.Discard)
	if err != nil || again != filepath.Join(parts.State, "round-0.jsonl") {
		t.Errorf("left %s, %v", again, err)
	}
	if err := Run(t.Context(), p, Inputs{on, idle}, parts, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	if idle.times != 0 {
		t.Errorf("%d timings were taken of what is measured", idle.times)
	}
	for _, f := range [][2]string{{whole.Latency, parts.Latency}, {whole.Dataset, parts.Dataset}} {
		if !bytes.Equal(read(t, f[0]), read(t, f[1])) {
			t.Errorf("%s depends on where it was measured", filepath.Base(f[0]))
		}
	}
	if _, err := RunShard(t.Context(), p, Inputs{on, idle}, parts.State, "round-2", progress.Discard); fmt.Sprint(err) != `latency has no shard "round-2"` {
		t.Errorf("error %v", err)
	}
	p.Measure = 0
	if shards, err := Shards(p, Inputs{Task: on}); len(shards) != 0 || err != nil {
		t.Errorf("nothing to measure: shards %v, %v", shards, err)
	}
}
