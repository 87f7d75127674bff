package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func diffOf(t *testing.T, a, b smallRun, want int) (out string, d runsDiff) {
	t.Helper()
	t.Setenv("HSNAS_RUNS", t.TempDir())
	a.run(t, "one")
	b.run(t, "two")
	out, log, code := runHsnas(t, "diff", "one", "two")
	if code != want || log != "" {
		t.Fatalf("code %d, want %d: %s\n%s", code, want, log, out)
	}
	text, _, again := runHsnas(t, "diff", "one", "two", "--json")
	if err := json.Unmarshal([]byte(text), &d); err != nil || again != code {
		t.Fatalf("%v, code %d in %s", err, again, text)
	}
	return out, d
}

func TestDiffOfEqualRuns(t *testing.T) {
	out, d := diffOf(t, smallRun{mae: 1}, smallRun{mae: 1}, 0)
	if !strings.Contains(out, "artifacts: 7 the same, 0 not\n") || !strings.HasSuffix(out, "\nthe runs have the same artifacts, byte for byte\n") || !d.Same || len(d.Artifacts) != 0 {
		t.Errorf("got\n%s", out)
	}
}

// TestDiffOfMeasuredTimes: seconds, and the page that names the checksum of their file,
// make no difference.
func TestDiffOfMeasuredTimes(t *testing.T) {
	out, d := diffOf(t, smallRun{seconds: 1}, smallRun{seconds: 1.5}, 0)
	for _, want := range []string{
		"label/requests.parquet  measured values alone: rows: 1 changed, 1 the same; matched by ",
		"report/report.md        a page about the others\n",
		"label/requests.parquet  seconds     1                 0.5  33 %      s     measured\n",
		"\nthe runs are the same in all but what was measured\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if !d.Same || len(d.Artifacts) != 2 || d.Artifacts[0].How != inMeasured || d.Artifacts[1].How != restates {
		t.Errorf("got %+v", d)
	}
}

// TestDiff names a parameter, what it changed and how far, and whether that is more than
// the choice of test architectures makes.
func TestDiff(t *testing.T) {
	out, d := diffOf(t, smallRun{seed: 1, prediction: 18, mae: 1}, smallRun{seed: 2, prediction: 20, mae: 1.05}, 3)
	for _, want := range []string{
		"\nparameters\nwhat        a  b  stages\nlabel.seed  1  2  label\n",
		"label/labels.parquet         the same rows; the key in its metadata is another\n",
		"distill/predictions.parquet  rows: 1 changed, 1 the same; matched by id\n",
		"distill/predictions.parquet  prediction     1                   2  10 %      metric\n",
		"llm-pp     mae     1.000  1.050  0.900 to 1.100  0.950 to 1.150  within\n",
		"\nthe runs differ\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if d.Same || len(d.Params) != 1 || d.Params[0].What != "label.seed" || len(d.Scoreboard) != 1 || d.Scoreboard[0].Within == nil || !*d.Scoreboard[0].Within {
		t.Errorf("got %+v", d)
	}
	_, d = diffOf(t, smallRun{mae: 1}, smallRun{mae: 1.2}, 3)
	if len(d.Scoreboard) != 1 || d.Scoreboard[0].Within == nil || *d.Scoreboard[0].Within {
		t.Errorf("beyond the interval: %+v", d.Scoreboard)
	}
}

func TestDiffOfARunThatFailed(t *testing.T) {
	out, d := diffOf(t, smallRun{}, smallRun{failed: true}, 3)
	for _, want := range []string{"state  done  failed  distill\n", "state  done  -       report\n", "distill/scoreboard.parquet   only in a\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if len(d.Stages) != 2 {
		t.Errorf("got %+v", d.Stages)
	}
}

func TestDiffRefuses(t *testing.T) {
	runs := t.TempDir()
	t.Setenv("HSNAS_RUNS", runs)
	smallRun{}.run(t, "one")
	for args, want := range map[string]string{
		"one":           `diff takes two runs, found 1: ["one"]`,
		"one onee":      `there is no run "onee" in ` + runs + `; did you mean "one"?`,
		"one ./nowhere": "there is no run in ./nowhere: it has no run.json",
		"one one --jsn": `unknown flag --jsn of diff; did you mean "json"?`,
	} {
		_, log, code := runHsnas(t, append([]string{"diff"}, strings.Fields(args)...)...)
		if log != "hsnas: "+want+"\n" || code != 2 {
			t.Errorf("diff %s: code %d\n got %swant hsnas: %s", args, code, log, want)
		}
	}
	if _, log, code := runHsnas(t, "diff", "one", runs+"/one"); code != 0 {
		t.Errorf("a path: code %d: %s", code, log)
	}
}
