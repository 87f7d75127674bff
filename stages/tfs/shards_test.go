package tfs_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/tfs"
)

// TestShards: what shards left, in any order, is what the stage takes; it trains nothing
// itself and comes to the same truth.
func TestShards(t *testing.T) {
	p, in, out := trainable(t, "")
	ids := sampled(t, in, smallArch, strings.Replace(smallArch, "[64,64,64]", "[64,64,128]", 1))
	whole := out
	whole.State, whole.TFS = filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "tfs.parquet")
	if err := tfs.Run(t.Context(), p, in, whole, schemas.Provenance{}, progress.Discard); err != nil {
		t.Fatal(err)
	}
	shards, err := tfs.Shards(p, in)
	if want := []string{ids[0] + "-1", ids[0] + "-2", ids[1] + "-1", ids[1] + "-2"}; err != nil || !slices.Equal(shards, want) {
		t.Fatalf("shards %v, %v, want %v", shards, err, want)
	}
	kept := map[string][]byte{}
	for _, shard := range slices.Backward(shards) {
		file, err := tfs.RunShard(t.Context(), p, in, out.State, shard, progress.Discard)
		if err != nil || file != filepath.Join(out.State, shard+".json") {
			t.Fatalf("%s left %s, %v", shard, file, err)
		}
		kept[file] = read(t, file)
	}
	if err := tfs.Run(t.Context(), p, in, out, schemas.Provenance{}, progress.Discard); err != nil {
		t.Fatal(err)
	}
	for file, text := range kept {
		if !bytes.Equal(read(t, file), text) {
			t.Errorf("%s was trained again", file)
		}
	}
	if !bytes.Equal(read(t, out.TFS), read(t, whole.TFS)) {
		t.Error("the truth depends on where it was trained")
	}
	if _, err := tfs.RunShard(t.Context(), p, in, out.State, "x-1", progress.Discard); fmt.Sprint(err) != `tfs: there is no training "x-1"` {
		t.Errorf("error %v", err)
	}
}

// TestNoShards: what is read has none.
func TestNoShards(t *testing.T) {
	on, err := task.Load("wmt14.en-de")
	if err != nil {
		t.Fatal(err)
	}
	if shards, err := tfs.Shards(tfs.Params{}, tfs.Inputs{Task: on}); len(shards) != 0 || err != nil {
		t.Errorf("shards %v, %v", shards, err)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
