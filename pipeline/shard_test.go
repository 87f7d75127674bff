package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/atomicfile"
	"hsnas/internal/seal"
)

// divided is a pipeline whose second stage has two shards; did counts the work.
func divided(seed int, did map[string]int, timed bool) []Stage {
	return []Stage{
		{
			Name: "draw", Version: 1, Params: seedParams{seed}, Outputs: []string{"draw/out.txt"},
			Run: func(_ context.Context, c Call) (Result, error) {
				return Result{}, atomicfile.Write(c.Path("draw/out.txt"), fmt.Append(nil, seed))
			},
		},
		{
			Name: "train", Version: 1, Inputs: []string{"draw/out.txt"}, Outputs: []string{"train/"},
			Run: func(_ context.Context, c Call) (Result, error) {
				did[Whole]++
				return Result{Rows: map[string]int64{"train/out.txt": 2}}, atomicfile.Write(filepath.Join(c.Path("train/"), "out.txt"), []byte("whole"))
			},
			Split: &Split{
				Timed:  timed,
				Shards: func(context.Context, Call) ([][]string, error) { return [][]string{{"a", "b"}}, nil },
				Do: func(ctx context.Context, c Call, shard string) ([]string, error) {
					did[shard]++
					if did["fail"] > 0 {
						return nil, errors.New("no space left on device")
					}
					if did["panic"] > 0 {
						panic("oh")
					}
					file := "state-" + shard
					if _, err := os.Stat(c.Path("train")); err != nil {
						return nil, err // the folders of the outputs exist
					}
					return []string{file}, errors.Join(ctx.Err(), atomicfile.Write(c.Path(file), []byte(shard)))
				},
			},
		},
	}
}

// TestRunShards: each shard once, the stage after all of them, and a piece of each that
// says what it left.
func TestRunShards(t *testing.T) {
	dir, did := filepath.Join(t.TempDir(), "run"), map[string]int{}
	stages := divided(1, did, false)
	if err := Run(t.Context(), dir, stages, Options{To: "draw"}); err != nil {
		t.Fatal(err)
	}
	do := func(shards ...string) error {
		return RunShards(t.Context(), dir, stages, ShardOptions{Stage: "train", Shards: shards, By: "job.1", Processor: "p"})
	}
	if err := do("a"); err != nil {
		t.Fatal(err)
	}
	if err := do(Whole); fmt.Sprint(err) != "stage train, shard whole: shard b is not done" || did[Whole] != 0 {
		t.Errorf("the stage ran without its shards, or said %v", err)
	}
	if err := do("a", "b", Whole); err != nil {
		t.Fatal(err)
	}
	if did["a"] != 1 || did["b"] != 1 || did[Whole] != 1 {
		t.Errorf("done %v", did)
	}
	pieces, err := filepath.Glob(filepath.Join(dir, "shards", "train", "*", "*.json"))
	if err != nil || len(pieces) != 3 {
		t.Fatalf("pieces %v, %v", pieces, err)
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(pieces[0]), "a.log"))
	if got := string(text); err != nil || strings.Count(got, `"msg":"started"`) != 1 || strings.Count(got, `"msg":"done already"`) != 1 || strings.Count(got, `"exit":0`) != 1 {
		t.Errorf("log of a, %v:\n%s", err, got)
	}
	m, err := ReadManifest(dir)
	if err != nil || m.Record("train") != nil {
		t.Errorf("a job has written to the manifest: %+v, %v", m, err)
	}

	// What is damaged is done again, and nothing else.
	if err := os.WriteFile(filepath.Join(dir, "state-b"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := do("a", "b"); err != nil || did["a"] != 1 || did["b"] != 2 {
		t.Errorf("done %v, %v", did, err)
	}
	text, err = os.ReadFile(pieces[0])
	if err != nil {
		t.Fatal(err)
	}
	if fault, err := seal.CheckFile(pieces[0]); fault != "" || err != nil {
		t.Errorf("the piece that a shard has left: %s, %v", fault, err)
	}
	if err := os.WriteFile(pieces[0], bytes.Replace(text, []byte("job.1"), []byte("job.2"), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	if fault, err := seal.CheckFile(pieces[0]); fault != "it was changed: its seal does not hold" || err != nil {
		t.Errorf("a damaged piece: %q, %v", fault, err)
	}
	if err := do("a", "b"); err != nil || did["a"] != 2 || did["b"] != 2 {
		t.Errorf("done %v, %v", did, err)
	}
}

// TestInputsChangeMeanwhile: a job of a run that goes on with other inputs leaves no
// piece of what it made of either.
func TestInputsChangeMeanwhile(t *testing.T) {
	for name, change := range map[string]func(dir string) error{
		"remade": func(dir string) error {
			return Run(t.Context(), dir, divided(2, map[string]int{}, false), Options{To: "draw"})
		},
		"damaged": func(dir string) error { return os.WriteFile(filepath.Join(dir, "draw", "out.txt"), []byte("x"), 0o666) },
	} {
		dir, did := filepath.Join(t.TempDir(), "run"), map[string]int{}
		stages := divided(1, did, false)
		if err := Run(t.Context(), dir, stages, Options{To: "draw"}); err != nil {
			t.Fatal(err)
		}
		whole := stages[1].Run
		stages[1].Run = func(ctx context.Context, c Call) (Result, error) {
			result, err := whole(ctx, c)
			return result, errors.Join(err, change(dir))
		}
		err := RunShards(t.Context(), dir, stages, ShardOptions{Stage: "train", Shards: []string{"a", "b", Whole}})
		if err == nil || !strings.HasPrefix(err.Error(), "stage train, shard whole: what it reads was changed meanwhile") {
			t.Errorf("%s: error %v", name, err)
		}
		for _, file := range globbed(t, filepath.Join(dir, "shards", "train", "*", "whole.json")) {
			if p := ReadPiece(dir, "train", keyOf(t, file), Whole); p == nil || p.Exit != 1 || p.Intact(dir) {
				t.Errorf("%s: the piece %+v", name, p)
			}
		}
	}
}

func TestRunShardsRefuses(t *testing.T) {
	dir, did := filepath.Join(t.TempDir(), "run"), map[string]int{}
	stages := divided(1, did, false)
	if err := Run(t.Context(), dir, stages, Options{To: "draw"}); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]ShardOptions{
		`--stage: "draw" is no stage of this run that has shards; these have: train`:                                                                      {Stage: "draw", Shards: []string{"a"}},
		`--shard: stage train has no shard "c"; known: a, b, whole`:                                                                                       {Stage: "train", Shards: []string{"a", "c"}},
		`stage train has the key KEY... now, its shards were submitted for 0123456789ab...: parameters or inputs have changed since; run hsnas run again`: {Stage: "train", Shards: []string{"a"}, Key: "0123456789abcdef"},
		`stage train, shard a: no space left on device`:                                                                                                   {Stage: "train", Shards: []string{"a"}, By: "fail"},
		`stage train, shard a: a fault of the program, see logs/train.log in the run directory: oh`:                                                       {Stage: "train", Shards: []string{"a"}, By: "panic"},
	} {
		clear(did)
		did[o.By] = 1
		err := RunShards(t.Context(), dir, stages, o)
		if i := strings.Index(want, "KEY"); i >= 0 && err != nil {
			want = want[:i] + err.Error()[i:i+12] + want[i+3:]
		}
		if fmt.Sprint(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	var p *Piece
	for _, file := range globbed(t, filepath.Join(dir, "shards", "train", "*", "a.json")) {
		p = ReadPiece(dir, "train", keyOf(t, file), "a")
	}
	if p == nil || p.Exit != 1 || len(p.Files) != 0 || p.Intact(dir) {
		t.Errorf("the piece of a shard that failed: %+v", p)
	}

	// A shard that others have done meanwhile keeps its piece, whatever becomes of this attempt.
	clear(did)
	do := stages[1].Split.Do
	stages[1].Split.Do = func(ctx context.Context, c Call, shard string) ([]string, error) {
		if did["late"]++; did["late"] == 1 {
			if err := RunShards(ctx, dir, divided(1, did, false), ShardOptions{Stage: "train", Shards: []string{"a"}}); err != nil {
				return nil, err
			}
			return nil, errors.New("too late")
		}
		return do(ctx, c, shard)
	}
	if err := RunShards(t.Context(), dir, stages, ShardOptions{Stage: "train", Shards: []string{"a"}}); err != nil || !ReadPiece(dir, "train", p.Key, "a").Intact(dir) {
		t.Errorf("error %v", err)
	}
}

func globbed(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found
}

// keyOf reads the key out of a piece.
func keyOf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	_, after, ok := strings.Cut(string(text), `"key": "`)
	if err != nil || !ok {
		t.Fatal(err)
	}
	return after[:64]
}

// TestTimedShards: times of unlike processors are refused, and taken anew.
func TestTimedShards(t *testing.T) {
	dir, did := filepath.Join(t.TempDir(), "run"), map[string]int{}
	stages := divided(1, did, true)
	if err := Run(t.Context(), dir, stages, Options{To: "draw"}); err != nil {
		t.Fatal(err)
	}
	do := func(processor string, shards ...string) error {
		return RunShards(t.Context(), dir, stages, ShardOptions{Stage: "train", Shards: shards, Processor: processor})
	}
	if err := errors.Join(do("fast", "a"), do("slow", "b")); err != nil {
		t.Fatal(err)
	}
	const want = `stage train, shard whole: shard b was timed on "slow", this node is "fast": times of unlike processors are not mixed; ` +
		`give slurm.constraint what nodes of one kind have, and run again: what was timed elsewhere is timed anew`
	if err := do("fast", Whole); fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if err := do("fast", "a", "b", Whole); err != nil || did["a"] != 1 || did["b"] != 2 || did[Whole] != 1 {
		t.Errorf("done %v, %v", did, err)
	}
	if err := os.Remove(filepath.Join(dir, "train", "out.txt")); err != nil { // all of them are taken anew at once
		t.Fatal(err)
	}
	if err := do("slow", Whole); err == nil {
		t.Error("times of unlike processors are mixed")
	}
	if err := do("slow", "a", "b", Whole); err != nil || did["a"] != 2 || did["b"] != 3 || did[Whole] != 2 {
		t.Errorf("done %v, %v", did, err)
	}
}

// TestWaves: names are file names, each once, and a stage without shards is left to
// whoever asks.
func TestWaves(t *testing.T) {
	for _, x := range []struct {
		waves [][]string
		want  string
	}{
		{[][]string{{"a", "b"}, {}, {"c-1.5_x"}}, "[[a b] [c-1.5_x] [whole]] <nil>"},
		{[][]string{{"limit-3e+06_seed-1"}}, "[[limit-3e+06_seed-1] [whole]] <nil>"}, // of parameters, for one
		{[][]string{{}, nil}, "[] <nil>"},
		{[][]string{{"a"}, {"a"}}, `[] stage train names a shard "a", which is taken or no name`},
		{[][]string{{"../a"}}, `[] stage train names a shard "../a", which is taken or no name`},
		{[][]string{{Whole}}, `[] stage train names a shard "whole", which is taken or no name`},
	} {
		s := Stage{Name: "train", Split: &Split{Shards: func(context.Context, Call) ([][]string, error) { return x.waves, nil }}}
		waves, err := s.Waves(t.Context(), Call{})
		if got := fmt.Sprint(waves, " ", err); got != x.want {
			t.Errorf("%v: %s, want %s", x.waves, got, x.want)
		}
	}
	if waves, err := (Stage{Split: &Split{}}).Waves(t.Context(), Call{}); err != nil || !slices.Equal(waves[0], []string{Whole}) {
		t.Errorf("an undivided stage: %v, %v", waves, err)
	}
}
