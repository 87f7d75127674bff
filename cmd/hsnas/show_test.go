package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/safetensors"
)

// TestShow prints a table with where it comes from; a text of an artifact's does not
// reach the terminal as it is.
func TestShow(t *testing.T) {
	t.Setenv("HSNAS_RUNS", t.TempDir())
	smallRun{}.run(t, "r")
	out, log, code := runHsnas(t, "show", "--run", "r", "predictions")
	if code != 0 {
		t.Fatalf("code %d: %s", code, log)
	}
	for _, want := range []string{
		"distill/predictions.parquet of run r\n",
		"\nwritten by  stage distill, version 2, on 20",
		"\nwith        go go1.26\n",
		"\nmade of     label/labels.parquet  ",
		"\nschema predictions/2, 2 rows\n",
		"\nlo          float64 or null  metric  lower end of the predictor's 90 % interval; null for predictors without\n",
		"\nllm-pp     1      a         20.5     21  null  null\nllm-pp     1      b            0     19    18    20\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	out, _, _ = runHsnas(t, "show", "--run", "r", "labels", "--columns", "gap,id", "--rows", "2")
	if want := "\ngap                id\n                   a\nno \\x1b[31mnumber  b\n"; !strings.HasSuffix(out, want) || strings.Contains(out, "\x1b") {
		t.Errorf("got\n%q\nwant at the end\n%q", out, want)
	}
}

// TestShowWhole reads --csv, --jsonl and --json back.
func TestShowWhole(t *testing.T) {
	t.Setenv("HSNAS_RUNS", t.TempDir())
	dir := smallRun{seconds: 0.1}.run(t, "r")
	out, _, _ := runHsnas(t, "show", "--run", "r", "requests.parquet", "--csv", "--columns", "custom_id,prompt_tokens,seconds")
	records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(records) != 3 || strings.Join(records[1], "|") != "c1|1152921504606846976|0.1" || strings.Join(records[2], "|") != "c2||" {
		t.Errorf("%v: %q", err, records)
	}
	out, _, _ = runHsnas(t, "show", "--jsonl", "--rows=1", filepath.Join(dir, "label", "requests.parquet"))
	if !strings.HasPrefix(out, `{"request_key":"k1","custom_id":"c1",`) || strings.Count(out, "\n") != 1 {
		t.Errorf("got %s", out)
	}
	out, log, code := runHsnas(t, "show", "--run", "r", "label/labels", "--json")
	var object struct {
		Artifact, Run, About, SHA256, Kind, Schema string
		Bytes                                      int64
		Provenance                                 struct {
			Stage, Key  string
			Ingredients struct{ Params smallParams }
		}
		Columns []struct{ Name, Type string }
		Rows    []map[string]any
		Count   int64 `json:"row_count"`
	}
	if err := json.Unmarshal([]byte(out), &object); err != nil || code != 0 {
		t.Fatalf("%v, code %d: %s%s", err, code, log, out)
	}
	if object.Artifact != "label/labels.parquet" || object.Run != "r" || object.Kind != "table" || object.Schema != "labels/1" || object.Count != 2 ||
		object.Provenance.Stage != "label" || len(object.Provenance.Key) != 64 || len(object.SHA256) != 64 || object.Columns[0].Name != "id" || object.About == "" {
		t.Errorf("got %+v", object)
	}
	if len(object.Rows) != 2 || object.Rows[0]["prediction"] != 20.5 || object.Rows[1]["prediction"] != nil || object.Rows[1]["gap"] != "no \x1b[31mnumber" {
		t.Errorf("rows %v", object.Rows)
	}
}

// TestShowOtherKinds: models, texts, files outside the manifest and outside runs.
func TestShowOtherKinds(t *testing.T) {
	t.Setenv("HSNAS_RUNS", t.TempDir())
	smallRun{}.run(t, "r")
	loose := t.TempDir()
	write := func(name, text string) string {
		place := filepath.Join(loose, name)
		if err := os.WriteFile(place, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return place
	}
	weights, err := os.Create(filepath.Join(loose, "w.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if err := safetensors.Write(weights, map[string]string{"task": "t"}, []safetensors.Tensor{{Name: "a.weight", Shape: []int64{2, 3}, Data: make([]float32, 6)}}); err != nil {
		t.Fatal(err)
	}
	weights.Close()
	for _, test := range []struct {
		args string
		want []string
	}{
		{"--run r student-ridge", []string{
			"ONNX graph student by hsnas, 1 nodes, 1 constants of 8 B\n", "input     features    float32 [n, 2]\n", "output    prediction  float32 [n, 1]\n",
			"opset     ai.onnx     17\n", "metadata  hsnas.kind  predictor\n", "nodes     MatMul      1\n",
		}},
		{"--run r report", []string{"\n# A report\n\nof "}},
		{"--run r requests.jsonl --rows 1", []string{"\n{\"custom_id\":\"c1\",\"body\":{\"model\":\"m\"}}\n... more lines; --rows N or --all prints them\n"}},
		{"--run r run.json --rows 3", []string{"It is no artifact of a stage that is done", "\n{\n  \"seal\": \"", "\",\n  \"format\": 2,\n... more lines"}},
		{"--run r logs/label.log --all", []string{`"msg":"started"`}},
		{weights.Name(), []string{"It lies in no run", "safetensors, 1 tensors\ntask: t\n", "a.weight  F32   [2, 3]     24\n"}},
		{write("x.csv", "id,score\na,1\nbcd,22\n"), []string{"id   score\na    1\nbcd  22\n"}},
		{write("bad.csv", "id,score\n\"a,1\n"), []string{"id,score\n\"a,1\n"}},
		{write("x.bin", "a\x00b"), []string{"It is no text and of no kind that is known here.\n"}},
		{write("x.yaml", "a:\t\x1b]0;title\a1\n"), []string{"a:    \\x1b]0;title\\a1\n"}},
		{write("x.json", "{\"a\":1}"), []string{"\n{\n  \"a\": 1\n}\n"}},
	} {
		out, log, code := runHsnas(t, append([]string{"show"}, strings.Fields(test.args)...)...)
		if code != 0 {
			t.Errorf("%s: code %d: %s", test.args, code, log)
		}
		for _, want := range test.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", test.args, want, out)
			}
		}
	}
	for args, want := range map[string]string{
		"--run r student-ridge --json":             `"outputs": [`,
		"--run r report --json":                    `"lines": [`,
		filepath.Join(loose, "x.json") + " --json": `"json": {`,
		weights.Name() + " --json":                 `"shape": [`,
	} {
		out, log, code := runHsnas(t, append([]string{"show"}, strings.Fields(args)...)...)
		if code != 0 || !json.Valid([]byte(out)) || !strings.Contains(out, want) {
			t.Errorf("%s: code %d, %s%s", args, code, log, out)
		}
	}
}

func TestShowListsArtifacts(t *testing.T) {
	t.Setenv("HSNAS_RUNS", t.TempDir())
	smallRun{}.run(t, "r")
	out, _, _ := runHsnas(t, "show", "--run", "r", "--jsonl")
	var paths []string
	for line := range strings.Lines(out) {
		var row struct {
			Artifact, Stage, What string
			Bytes                 int64
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil || row.Bytes == 0 || row.What == "" {
			t.Errorf("%v: %s", err, line)
		}
		paths = append(paths, row.Artifact)
	}
	want := "distill/predictions.parquet distill/scoreboard.parquet distill/student-ridge.onnx label/labels.parquet label/requests.jsonl label/requests.parquet report/report.md"
	if got := strings.Join(paths, " "); len(paths) != 7 || !strings.Contains(got, "label/labels.parquet") {
		t.Errorf("got %s\nwant these in the order of the stages: %s", got, want)
	}
}

func TestShowRefuses(t *testing.T) {
	runs := t.TempDir()
	t.Setenv("HSNAS_RUNS", runs)
	dir := smallRun{}.run(t, "r")
	damaged := smallRun{}.run(t, "damaged")
	place := filepath.Join(damaged, "label", "labels.parquet")
	text, err := os.ReadFile(place)
	if err != nil {
		t.Fatal(err)
	}
	text[50] ^= 1
	if err := os.WriteFile(place, text, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(damaged, "report", "report.md")); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(t.TempDir(), "x.parquet")
	if err := os.WriteFile(foreign, []byte("PAR1"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args, want string
		code       int
	}{
		{"", "show needs --run RUN, or the path of a file; see hsnas show --help", 2},
		{"--run q labels", `there is no run "q" in ` + runs + "; known: damaged, r", 2},
		{"--run r lables", `run "r" has no artifact "lables"; did you mean "labels"?`, 2},
		{"--run r zzz", `run "r" has no artifact "zzz"; hsnas show --run RUN lists them`, 2},
		{"--run r ../damaged/run.json", `run "r" has no artifact "../damaged/run.json"; hsnas show --run RUN lists them`, 2},
		{"--run r requests", `"requests" names several artifacts of run "r": label/requests.jsonl, label/requests.parquet; give the whole path`, 2},
		{"labels", `there is no file "labels"; an artifact is named with its run: hsnas show --run RUN labels`, 2},
		{dir, dir + " is no file; the artifacts of a run: hsnas show --run RUN", 2},
		{"--run r labels --columns id,scor", `--columns: there is no column "scor"; known: custom_id, gap, id, prediction, request_key, sample, set, split`, 2},
		{"--run r labels --rows -1", "--rows: expected 0 or more, found -1; --all prints every row", 2},
		{"--run r labels --rows", "show: flag needs an argument: --rows", 2},
		{"--run r labels --rows x", `show: invalid value "x" for flag --rows`, 2},
		{"--run r labels --jsn", `unknown flag --jsn of show; did you mean "json"?`, 2},
		{"--run r labels --json --csv", "give one of --json, --csv and --jsonl", 2},
		{"--run r labels tfs", `show takes one artifact, found 2: ["labels" "tfs"]`, 2},
		{"--run r report --csv", "report/report.md is no table; --csv and --jsonl are for Parquet files", 2},
		{"--run damaged report", filepath.Join(damaged, "report", "report.md") + ", which stage report wrote, is missing; hsnas run makes it again", 1},
		{foreign, foreign + ": it is damaged or was not written by hsnas; bring your own tables in as CSV", 1},
	} {
		out, log, code := runHsnas(t, append([]string{"show"}, strings.Fields(test.args)...)...)
		if log != "hsnas: "+test.want+"\n" || code != test.code || out != "" {
			t.Errorf("show %s: code %d, printed %q\n got %swant hsnas: %s", test.args, code, out, log, test.want)
		}
	}
	_, log, code := runHsnas(t, "show", place)
	if want := "hsnas: " + place + ", which stage label wrote, is damaged; hsnas run makes it again\n"; log != want || code != 1 {
		t.Errorf("code %d\n got %swant %s", code, log, want)
	}
}
