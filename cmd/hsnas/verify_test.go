package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsnas/pipeline"
	"hsnas/schemas"
)

// sealed makes the folder dir, which holds artifacts, a run directory whose one stage,
// made, wrote them.
func sealed(t *testing.T, dir, experiment string) {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if name == "run.json" || name == "experiment.yaml" || name == ".lock" || strings.HasPrefix(name, "logs") {
			return nil // of a run that it was before
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	stage := pipeline.Stage{Name: "made", Run: func(_ context.Context, c pipeline.Call) (pipeline.Result, error) {
		for name, text := range files {
			if err := os.WriteFile(c.Path(name), text, 0o666); err != nil {
				return pipeline.Result{}, err
			}
		}
		return pipeline.Result{}, nil
	}}
	for name := range files {
		stage.Outputs = append(stage.Outputs, name)
	}
	slices.Sort(stage.Outputs)
	if err := pipeline.Run(t.Context(), dir, []pipeline.Stage{stage}, pipeline.Options{Experiment: []byte(experiment)}); err != nil {
		t.Fatal(err)
	}
}

// hsnas runs a command line in this process.
func hsnas(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, report bytes.Buffer
	code = run(t.Context(), append([]string{"hsnas"}, args...), strings.NewReader(stdin), &out, &report)
	return code, out.String(), report.String()
}

// digitsRun runs the first stages of the example of a space of one's own.
func digitsRun(t *testing.T) (dir string) {
	t.Helper()
	runs := t.TempDir()
	t.Setenv("HSNAS_RUNS", runs)
	if code, _, report := hsnas(t, "", "run", "-x", filepath.Join("..", "..", "examples", "digits", "experiment.yaml"), "--to", "tfs"); code != 0 {
		t.Fatal(report)
	}
	return filepath.Join(runs, "digits")
}

func damage(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestVerify follows a damaged file: it is named, moved aside, missing, made again.
func TestVerify(t *testing.T) {
	dir := digitsRun(t)
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	code, out, report := hsnas(t, "", "verify", "--run", "digits")
	want := `artifact                      state    moved to  note
run.json                      ok                 
experiment.yaml               ok                 
sample/architectures.parquet  ok                 
tfs/tfs.parquet               ok                 
tfs/supernet.parquet          ok                 
tfs/costs.parquet             ok                 
tfs/runs.parquet              ok                 
notes.txt                     foreign            
`
	if sorted(out) != sorted(want) || code != 0 || report != "" {
		t.Errorf("whole: exit code %d, %s\n%s\nwant\n%s", code, report, out, want)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "tfs", "tfs.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	damage(t, filepath.Join(dir, "tfs", "tfs.parquet"))
	if err := os.Remove(filepath.Join(dir, "tfs", "costs.parquet")); err != nil {
		t.Fatal(err)
	}
	again := fmt.Sprintf("hsnas run -x %s --name digits", filepath.Join(dir, "experiment.yaml"))
	code, _, report = hsnas(t, "", "verify", "--run", "digits", "--keep")
	if want := fmt.Sprintf("hsnas: %s: of 8 files 1 damaged, 1 missing; make them again with: %s\n", dir, again); code != 1 || report != want {
		t.Errorf("exit code %d\ngot  %swant %s", code, report, want)
	}
	code, out, _ = hsnas(t, "", "verify", "--run", "digits", "--json")
	var found []pipeline.Finding
	if err := json.Unmarshal([]byte(out), &found); err != nil || code != 1 {
		t.Fatalf("exit code %d, %v: %s", code, err, out)
	}
	i := slices.IndexFunc(found, func(f pipeline.Finding) bool { return f.State == pipeline.Damaged })
	if i < 0 || found[i].Path != "tfs/tfs.parquet" || !strings.HasPrefix(found[i].Moved, "damaged/tfs/tfs.parquet.") {
		t.Fatalf("found %+v", found)
	}
	if _, err := os.Stat(filepath.Join(dir, found[i].Moved)); err != nil {
		t.Error(err)
	}
	code, out, _ = hsnas(t, "", "verify", "--run", "digits")
	if code != 1 || strings.Count(out, "missing") != 2 || strings.Contains(out, " damaged") {
		t.Errorf("moved aside: exit code %d\n%s", code, out)
	}
	words := append(strings.Fields(again)[1:], "--to", "tfs")
	if code, _, report = hsnas(t, "", words...); code != 0 || !strings.Contains(report, "output missing: tfs/tfs.parquet") {
		t.Fatalf("%s: exit code %d, %s", again, code, report)
	}
	if made, err := os.ReadFile(filepath.Join(dir, "tfs", "tfs.parquet")); err != nil || !bytes.Equal(made, whole) {
		t.Errorf("what was made again is not what was damaged: %v", err)
	}
	if code, out, report = hsnas(t, "", "verify", "--run", "digits"); code != 0 {
		t.Errorf("made again: exit code %d, %s\n%s", code, report, out)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "notes.txt")); string(text) != "mine" {
		t.Error("the user's notes are gone")
	}
}

func sorted(table string) string {
	return strings.Join(slices.Sorted(strings.SplitSeq(table, "\n")), "\n")
}

// TestVerifyRunFiles damages the files of the run itself.
func TestVerifyRunFiles(t *testing.T) {
	dir := digitsRun(t)
	experiment := filepath.Join("..", "..", "examples", "digits", "experiment.yaml")
	damage(t, filepath.Join(dir, "experiment.yaml"))
	broken := fmt.Sprintf("hsnas: %s is damaged; make it again with: hsnas run -x EXPERIMENT --name digits\n", filepath.Join(dir, "experiment.yaml"))
	if code, _, report := hsnas(t, "", "status", "--run", "digits"); code != 1 || report != broken {
		t.Errorf("status: exit code %d\ngot  %swant %s", code, report, broken)
	}
	code, out, report := hsnas(t, "", "verify", "--run", "digits")
	if want := fmt.Sprintf("hsnas: %s: of 7 files 1 damaged, 0 missing; make them again with: hsnas run -x EXPERIMENT --name digits\n", dir); code != 1 || report != want {
		t.Errorf("exit code %d\ngot  %swant %s\n%s", code, report, want, out)
	}
	if code, _, report := hsnas(t, "", "run", "-x", experiment, "--to", "tfs"); code != 0 || strings.Contains(report, "runs:") {
		t.Errorf("only the configuration is written again: exit code %d, %s", code, report)
	}
	damage(t, filepath.Join(dir, "run.json"))
	if code, _, report := hsnas(t, "", "run", "-x", experiment, "--to", "tfs"); code != 1 || !strings.Contains(report, "run.json: the manifest is damaged: ") {
		t.Errorf("a damaged manifest: exit code %d, %s", code, report)
	}
	code, out, _ = hsnas(t, "", "verify", "--run", "digits")
	if code != 1 || !strings.Contains(out, "the checksums of all other files are lost with it") || !strings.Contains(out, "damaged/run.json.") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if code, out, _ = hsnas(t, "", "verify", "--run", "digits"); code != 0 || strings.Count(out, "foreign") != 5 {
		t.Errorf("with an empty manifest: exit code %d\n%s", code, out)
	}
	if code, _, report := hsnas(t, "", "run", "-x", experiment, "--to", "tfs"); code != 0 || strings.Count(report, "it has not run yet") != 2 {
		t.Errorf("every stage runs again: exit code %d, %s", code, report)
	}
	if code, out, report = hsnas(t, "", "verify", "--run", "digits"); code != 0 || strings.Contains(out, "foreign") {
		t.Errorf("exit code %d, %s\n%s", code, report, out)
	}
}

// TestVerifyStates: what stages keep for a second attempt is checked by its own seal.
func TestVerifyStates(t *testing.T) {
	dir := digitsRun(t)
	for name, text := range map[string]string{
		"search/state/hs-nas_limit-1_seed-1.json": `{"key":"k"}`, "tfs/state/0123-1.json": `{"seal":"` + strings.Repeat("0", 64) + `","key":"k"}`,
		"tfs/state/0123-1.safetensors": "no weights", "label/journal.jsonl": "{}\n", "latency/rounds.jsonl": "", "label/batches.jsonl": "{}\n",
		"latency/state/round-0.jsonl": "{}\n", "finalists/rounds.jsonl": "{}\n", "supernet/state/scores-0.json": "{}", "shards/tfs/0123/a-1.json": "{}",
		"shards/tfs/0123/a-1.log": "", "shards/tfs/0123/jobs/hsnas-a.submission": "{}", "shards/tfs/0123/jobs/hsnas-a.id": "1\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, out, _ := hsnas(t, "", "verify", "--run", "digits", "--json")
	var found []pipeline.Finding
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		t.Fatal(err, out)
	}
	got := map[string]string{}
	for _, f := range found {
		moved := "stays"
		if f.Moved != "" {
			moved = "moved"
		}
		got[f.Path] = fmt.Sprintf("%s, %s: %s", f.State, moved, f.Note)
		if f.State == pipeline.Foreign || strings.HasPrefix(f.Path, "shards/") && f.Stage != "tfs" {
			t.Errorf("a file of hsnas's own: %+v", f)
		}
	}
	for name, want := range map[string]string{
		"search/state/hs-nas_limit-1_seed-1.json": "damaged, moved: it has no seal",
		"tfs/state/0123-1.json":                   "damaged, moved: it was changed: its seal does not hold",
		"tfs/state/0123-1.safetensors":            "damaged, moved: damaged safetensors file: header of 7523097587056930670 bytes, expected at most 16777216",
		"label/journal.jsonl":                     `damaged, stays: line 1: not a journal entry: request key "" is not 64 hex digits; the next run skips what is damaged`,
		"label/batches.jsonl":                     "damaged, stays: line 1: not a note on a batch; take the line out, and look for its batch at the service",
		"latency/rounds.jsonl":                    "ok, stays: ",
		"latency/state/round-0.jsonl":             "damaged, stays: line 1: it has no seal; the next run skips what is damaged",
		"finalists/rounds.jsonl":                  "damaged, stays: line 1: it has no seal; the next run skips what is damaged",
		"supernet/state/scores-0.json":            "damaged, moved: it has no seal",
		"shards/tfs/0123/a-1.json":                "damaged, moved: it has no seal",
		"shards/tfs/0123/jobs/hsnas-a.submission": "damaged, stays: it has no seal; end its job with scancel, and remove the file",
	} {
		if got[name] != want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got[name], want)
		}
	}
}

// TestReadersVerify: what reads a run reads nothing that is damaged, though it may be
// a whole Parquet file.
func TestReadersVerify(t *testing.T) {
	runs := t.TempDir()
	t.Setenv("HSNAS_RUNS", runs)
	dir := filepath.Join(runs, "r")
	for _, folder := range []string{"distill", "export"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	board := filepath.Join(dir, "distill", "scoreboard.parquet")
	score := schemas.Score{Task: "t", Predictor: "llm-pp", Split: "mean"}
	write := func() {
		if err := schemas.WriteScoreboard(board, []schemas.Score{score}, schemas.Provenance{Stage: "distill", Key: "k"}); err != nil {
			t.Fatal(err)
		}
	}
	write()
	if err := os.WriteFile(filepath.Join(dir, "export", "student.onnx"), []byte("a model"), 0o666); err != nil {
		t.Fatal(err)
	}
	sealed(t, dir, "name: r\ntask: wmt14.en-de\n")
	score.MAE = 0.1
	write()
	damage(t, filepath.Join(dir, "export", "student.onnx"))
	again := "make it again with: hsnas run -x " + filepath.Join(dir, "experiment.yaml") + " --name r\n"
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"eval", "--run", "r"}, board + ", which stage made wrote, is damaged; " + again},
		{[]string{"predict", "--run", "r", "--predictor", "student"}, filepath.Join(dir, "export", "student.onnx") + ", which stage made wrote, is damaged; " + again},
	} {
		if code, out, report := hsnas(t, "", c.args...); code != 1 || out != "" || report != "hsnas: "+c.want {
			t.Errorf("%v: exit code %d, printed %q\ngot  %swant hsnas: %s", c.args, code, out, report, c.want)
		}
	}
	if err := os.Remove(board); err != nil {
		t.Fatal(err)
	}
	if _, _, report := hsnas(t, "", "eval", "--run", "r"); report != "hsnas: "+board+", which stage made wrote, is missing; "+again {
		t.Error(report)
	}
}
