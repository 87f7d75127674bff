package supernet_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"hsnas/internal/progress"
	"hsnas/internal/seal"
	"hsnas/schemas"
	"hsnas/stages/supernet"
)

// TestShards: the stage takes the training and the scores of its shards, and comes to
// the same artifacts.
func TestShards(t *testing.T) {
	p, in := prepared(t)
	whole, parts := outputs(t.TempDir()), outputs(t.TempDir())
	parts.State = filepath.Join(t.TempDir(), "state")
	if err := supernet.Run(t.Context(), p, in, whole, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	waves, err := supernet.Shards(p, in)
	if want := [][]string{{"train"}, {"scores-0"}}; err != nil || !reflect.DeepEqual(waves, want) {
		t.Fatalf("shards %v, %v, want %v", waves, err, want)
	}
	if file, err := supernet.RunShard(t.Context(), p, in, parts, "train", progress.Discard); err != nil || file != parts.Checkpoint {
		t.Fatalf("the training left %s, %v", file, err)
	}
	trained := read(t, parts.Checkpoint)
	file, err := supernet.RunShard(t.Context(), p, in, parts, "scores-0", progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, parts.Checkpoint), trained) {
		t.Error("the shard that scores has trained")
	}
	if _, err := supernet.RunShard(t.Context(), p, in, parts, "scores-2", progress.Discard); fmt.Sprint(err) != `supernet has no shard "scores-2"` {
		t.Errorf("error %v", err)
	}
	sealed := read(t, file)
	scores, state := seal.OpenJSON(sealed)
	if state != seal.Whole {
		t.Errorf("the scores that a shard left are not sealed: %s", sealed)
	}
	if err := supernet.Run(t.Context(), p, in, parts, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, whole.Weights), read(t, parts.Weights)) || !bytes.Equal(read(t, whole.Scores), read(t, parts.Scores)) {
		t.Error("weights or scores depend on where they were computed")
	}
	if _, err := os.Stat(parts.State); err == nil {
		t.Error("the state of a finished stage is still there")
	}

	// Scores of this supernet are taken, whatever they are; those of another are not.
	loss := func(change, to string) float64 {
		t.Helper()
		if err := os.MkdirAll(parts.State, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, seal.JSON(bytes.Replace(scores, []byte(change), []byte(to), 1)), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := supernet.Run(t.Context(), p, in, parts, prov, progress.Discard); err != nil {
			t.Fatal(err)
		}
		rows, err := schemas.ReadSupernetScores(parts.Scores)
		if err != nil {
			t.Fatal(err)
		}
		return -rows[0].Score
	}
	if got := loss(`"losses":[`, `"losses":[77,`); got == 77 {
		t.Error("three scores of two architectures were taken")
	}
	marked := bytes.Replace(scores, []byte(`"losses":[`), []byte(`"losses":[7`), 1)
	want := loss(`"losses":[`, `"losses":[7`)
	if want < 70 {
		t.Errorf("the scores %s were not taken", marked)
	}
	scores = marked
	if got := loss(`"seed":1`, `"seed":2`); got > 70 {
		t.Error("the scores of another seed were taken")
	}
	if err := os.MkdirAll(parts.State, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(sealed, []byte(`"losses":[`), []byte(`"losses":[7`), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := supernet.Run(t.Context(), p, in, parts, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	if rows, err := schemas.ReadSupernetScores(parts.Scores); err != nil || -rows[0].Score > 70 {
		t.Errorf("damaged scores were taken: %v, %v", rows, err)
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
