package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// completions are what "hsnas __complete" answers to words.
func completions(t *testing.T, words ...string) (found []string, files bool) {
	t.Helper()
	out, err := runMicro(t, "", append([]string{"__complete"}, words...)...)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	last := lines[len(lines)-1]
	if err != nil || last != withFiles && last != withoutFiles {
		t.Fatalf("%q: %v\n%s", words, err, out)
	}
	for _, l := range lines[:len(lines)-1] {
		text, _, _ := strings.Cut(l, "\t")
		found = append(found, text)
	}
	return found, last == withFiles
}

func TestComplete(t *testing.T) {
	runs := t.TempDir()
	t.Setenv(runsVariable, runs)
	for _, name := range []string{"first", "second"} {
		if err := os.MkdirAll(filepath.Join(runs, name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(runs, name, "experiment.yaml"), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	stages := "corpus sample tfs supernet label distill latency export search finalists winners report" // of the family micro: no benchmark
	for line, want := range map[string]string{
		"doc":                                   "doctor",
		"--log-format ":                         "text json",
		"--log-format json sta":                 "status",
		"latency m":                             "measure",
		"latency ":                              "measure fit eval",
		"run -x micro-":                         "micro-compare micro-pareto micro-schedule FILES",
		"run --experiment=micro-c":              "--experiment=micro-compare FILES",
		"status --run ":                         "first second",
		"eval --run s":                          "second",
		"run -x micro --only ":                  stages,
		"run --from s":                          "sample supernet search",
		"cost --task wmt14.en-d":                "wmt14.en-de FILES",
		"benchmark --device ":                   "cpu webgpu cuda",
		"benchmark --device=w":                  "--device=webgpu",
		"benchmark --model ":                    "FILES",
		"latency fit --dataset wmt14ende_gpu":   "wmt14ende_gpu_titanxp FILES",
		"latency fit --from an":                 "any FILES",
		"export --precision i":                  "int8",
		"export --precision f":                  "fp32 fp16",
		"cost --task micro.en-de ":              "FILES",
		"run --dr":                              "--dry-run",
		"run --name x --na":                     "",
		"run --set a=b --se":                    "--set",
		"completion ":                           "bash zsh fish",
		"version ":                              "--json --help",
		"status x ":                             "--run --json --help",
		"nothing ":                              "",
		"run --force -x wmt14.en-d":             "wmt14.en-de FILES",
		"predict --predictor student --run fir": "first",
	} {
		found, files := completions(t, strings.Split(line, " ")...)
		if files {
			found = append(found, "FILES")
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("%q:\n got %s\nwant %s", line, got, want)
		}
	}
	commands, _ := completions(t, "")
	if !slices.Contains(commands, "run") || slices.Contains(commands, "__complete") || slices.Contains(commands, "help") {
		t.Errorf("commands %v", commands)
	}
	if found, _ := completions(t); !slices.Equal(found, commands) {
		t.Errorf("without a word %v", found)
	}
}

// TestCompletionScripts: each is for its shell, and calls the command that answers.
func TestCompletionScripts(t *testing.T) {
	for shell, part := range map[string]string{"bash": "complete -F _hsnas hsnas", "zsh": "#compdef hsnas", "fish": "complete -c hsnas"} {
		out, err := runMicro(t, "", "completion", shell)
		if err != nil || !strings.Contains(out, part) || !strings.Contains(out, "__complete") {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
	}
	const want = `unknown command "tcsh" of completion; did you mean "zsh"?`
	if _, err := runMicro(t, "", "completion", "tcsh"); err == nil || !strings.HasPrefix(err.Error(), `unknown command "tcsh" of completion; `) {
		t.Errorf("error %v, want %s", err, want)
	}
}
