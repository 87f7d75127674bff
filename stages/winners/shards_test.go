package winners_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"hsnas/internal/progress"
	"hsnas/schemas"
	"hsnas/stages/winners"
)

// TestShards: each training of a winner is a shard, and the stage takes its result.
func TestShards(t *testing.T) {
	p, in, out := prepared(t)
	shards, err := winners.Shards(p, in)
	if err != nil || len(shards) != 2 {
		t.Fatalf("shards %v, %v", shards, err)
	}
	var files []string
	var kept [][]byte
	for _, shard := range shards {
		file, err := winners.RunShard(t.Context(), p, in, out.State, shard, progress.Discard)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		files, kept = append(files, file), append(kept, text)
	}
	if err := winners.Run(t.Context(), p, in, out, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		if text, err := os.ReadFile(file); err != nil || !bytes.Equal(text, kept[i]) {
			t.Errorf("%s was trained again, %v", file, err)
		}
	}
	if rows, err := schemas.ReadWinnersTrained(out.Winners); err != nil || len(rows) != 2 || rows[0].Trainings != 2 {
		t.Errorf("rows %+v, %v", rows, err)
	}
	if _, err := winners.RunShard(t.Context(), p, in, out.State, "x-1", progress.Discard); fmt.Sprint(err) != `winners: there is no training "x-1"` {
		t.Errorf("error %v", err)
	}
}
