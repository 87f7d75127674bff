package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"hsnas/internal/ort/orttest"
)

// event is a line of --log-format json.
type event struct {
	Time, Level, Msg, Stage string
	ExitCode                int `json:"exit_code"`
}

// events parses stderr, every line of it.
func events(t *testing.T, stderr string) []event {
	t.Helper()
	var out []event
	for line := range strings.Lines(stderr) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Time == "" || e.Level == "" || e.Msg == "" {
			t.Errorf("no event: %s", line)
		}
		out = append(out, e)
	}
	return out
}

// TestLogFormatOfFaults: a fault is the one event, with its exit code, and stdout
// stays empty.
func TestLogFormatOfFaults(t *testing.T) {
	t.Setenv(runsVariable, t.TempDir())
	for line, want := range map[string]string{
		"--log-format json status --run none":     `there is no run "none" in `,
		"--log-format=json run --forse":           `unknown flag --forse of run; did you mean "force"?`,
		"--log-format json --log-formt x":         "unknown flag --log-formt of hsnas",
		"-log-format json nothing":                `unknown command "nothing"`,
		"--log-format text --log-format json sta": `unknown command "sta"`,
	} {
		var out, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"hsnas"}, strings.Fields(line)...), nil, &out, &stderr)
		got := events(t, stderr.String())
		if code != exitUsage || out.Len() > 0 || len(got) != 1 || got[0].Level != "ERROR" || got[0].ExitCode != exitUsage || !strings.HasPrefix(got[0].Msg, want) {
			t.Errorf("%s: code %d, stdout %q\n%s", line, code, out.String(), stderr.String())
		}
	}
}

// TestLogFormatRefuses holds the messages.
func TestLogFormatRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"--log-format jsn version":     `--log-format is "jsn"; did you mean "json"?`,
		"--log-format= version":        `--log-format is ""; known: json, text`,
		"run --log-format json":        "--log-format goes before the command: hsnas --log-format FORMAT run",
		"latency fit --log-format=x":   "--log-format goes before the command: hsnas --log-format FORMAT latency fit",
		"latency measure":              "latency measure needs --task; see hsnas latency measure --help",
		"latency fit --tsk x":          `unknown flag --tsk of latency fit; did you mean "task"?`,
		"latency measure x":            `latency measure takes no argument, found "x"`,
		"completion bash x":            `completion bash takes no argument, found "x"`,
		"status micro":                 `status takes no argument, found "micro"; a run goes behind --run`,
		"run micro":                    `run takes no argument, found "micro"; an experiment goes behind -x`,
		"help stat":                    `unknown command "stat"; did you mean "status"?`,
		"version now":                  `version takes no argument, found "now"`,
		"doctor micro":                 `doctor takes no argument, found "micro"; a run goes behind --run`,
		"data again":                   `data takes no argument, found "again"`,
		"export extra":                 `export takes no argument, found "extra"`,
		"man 8":                        `man takes no argument, found "8"`,
		"--log-format text run --jsno": "unknown flag --jsno of run; ",
	} {
		var out, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"hsnas"}, strings.Fields(line)...), nil, &out, &stderr)
		if code != exitUsage || !strings.HasPrefix(stderr.String(), "hsnas: "+want) || out.Len() > 0 {
			t.Errorf("%s: code %d, %q\n got %swant hsnas: %s", line, code, out.String(), stderr.String(), want)
		}
	}
}

// TestLogFormatOfARun: every line of stderr is an event, each stage is named in its
// own, and stdout is what it is without the flag.
func TestLogFormatOfARun(t *testing.T) {
	orttest.Open(t)
	runs := t.TempDir()
	t.Setenv(runsVariable, runs)
	var out, stderr bytes.Buffer
	code := run(t.Context(), strings.Fields("hsnas --log-format json run -x micro --to tfs --set tfs.retrain=1 --set tfs.recipe.steps=20"), nil, &out, &stderr)
	if code != exitOK || out.String() != runs+"/micro\n" {
		t.Fatalf("code %d, stdout %q\n%s", code, out.String(), stderr.String())
	}
	done := map[string]bool{}
	for _, e := range events(t, stderr.String()) {
		if strings.HasPrefix(e.Msg, "done in ") {
			done[e.Stage] = true
		}
		if e.Stage == "" {
			t.Errorf("an event of no stage: %+v", e)
		}
	}
	for _, stage := range []string{"corpus", "sample", "tfs"} {
		if !done[stage] {
			t.Errorf("stage %s is not done:\n%s", stage, stderr.String())
		}
	}
}
