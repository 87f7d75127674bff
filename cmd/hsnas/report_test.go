package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runReport runs the command report; out and log are what it printed.
func runReport(t *testing.T, args ...string) (code int, out, log string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), append([]string{"hsnas", "report"}, args...), strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// begun makes a run that has its experiment and a manifest of nothing.
func begun(t *testing.T, name, experiment string) (dir string) {
	t.Helper()
	dir = filepath.Join(os.Getenv("HSNAS_RUNS"), name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"experiment.yaml": experiment, "run.json": `{"format":1,"stages":[]}`} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReportRefuses(t *testing.T) {
	t.Setenv("HSNAS_RUNS", t.TempDir())
	dir := begun(t, "young", "name: young\ntask: micro.en-de\nlatency: {measure: 40}\n")
	begun(t, "prompts", "name: prompts\ntask: micro.en-de\nablations: {cells: [{name: full, group: reference}]}\n")
	for _, test := range []struct{ args, want string }{
		{"", "report needs --run; see hsnas report --help"},
		{"--run young x", `report takes no argument, found "x"; a run goes behind --run`},
		{"--run yong", fmt.Sprintf(`there is no run "yong" in %s; did you mean "young"?`, os.Getenv("HSNAS_RUNS"))},
		{"--run prompts", `run "prompts" tries out prompts and has no report; hsnas eval --run prompts prints its table`},
		{"--run young", fmt.Sprintf(`run "young" has no report yet: stage corpus is pending; go on with: hsnas run -x %s --name young`, filepath.Join(dir, "experiment.yaml"))},
	} {
		code, out, log := runReport(t, strings.Fields(test.args)...)
		if code != exitUsage || out != "" || log != "hsnas: "+test.want+"\n" {
			t.Errorf("%q: code %d, printed %q\n got %swant hsnas: %s", test.args, code, out, log, test.want)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("the run has %d files now", len(entries))
	}
}

// TestCopyPage: whole, over an older one, and not into a folder that is not there.
func TestCopyPage(t *testing.T) {
	dir := t.TempDir()
	page, to := filepath.Join(dir, "report.html"), filepath.Join(dir, "copy.html")
	for path, text := range map[string]string{page: "new", to: "older and longer"} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyPage(page, to); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(to); string(text) != "new" {
		t.Errorf("the copy is %q", text)
	}
	want := fmt.Sprintf("--out %s/no/copy.html: there is no folder %s/no", dir, dir)
	if err := copyPage(page, filepath.Join(dir, "no", "copy.html")); fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestOpenPage: the system's program gets the page by an absolute path; none, or
// one that fails, is one line that says what to do.
func TestOpenPage(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	t.Chdir(bin)
	if err := openPage("r.html"); fmt.Sprint(err) != "cannot open the page: "+opener()+" is not installed; open r.html in a browser" {
		t.Errorf("without a program: %v", err)
	}
	for _, test := range []struct{ script, want string }{
		{"#!/bin/sh\necho \"$1\" >" + bin + "/opened\n", "<nil>"},
		{"#!/bin/sh\nexit 3\n", opener() + " could not open the page (exit status 3); open r.html in a browser"},
	} {
		if err := os.WriteFile(filepath.Join(bin, opener()), []byte(test.script), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := openPage("r.html"); fmt.Sprint(err) != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
	if text, _ := os.ReadFile(filepath.Join(bin, "opened")); string(text) != filepath.Join(bin, "r.html")+"\n" {
		t.Errorf("opened %q", text)
	}
}
