package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/llm"
	"hsnas/stages/label"
)

// matrixFile writes an experiment with a matrix on the example's task, its cells as
// given.
func matrixFile(t *testing.T, section, cells string) string {
	t.Helper()
	task, err := filepath.Abs("../../examples/digits/task.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "matrix.yaml")
	text := "name: matrix\ntask: " + task + "\nsample: {splits: [\"1\"], demonstrations: 3, test: 4, unlabelled: 0}\nlabel: {sets: [test]" + section +
		"}\nablations:\n  price_model: gpt-4o\n  cells:\n" + cells
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMatrixIsBoughtAsAWhole: what --yes agrees to is what all cells cost.
func TestMatrixIsBoughtAsAWhole(t *testing.T) {
	t.Setenv("HSNAS_RUNS", t.TempDir())
	t.Setenv(llm.KeyVariable, "none")
	t.Setenv(llm.URLVariable, "http://localhost:1/v1")
	path := matrixFile(t, ", source: live, model: gpt-4o, max_tokens: 100, asks: 1",
		"    - {name: full}\n    - {name: pointwise, label: {test_per_request: 1}}\n    - {name: again}\n")
	var out, log bytes.Buffer
	code := run(t.Context(), []string{"hsnas", "run", "-x", path}, nil, &out, &log)
	const want = "hsnas: stage label-full: 5 requests are left to buy in 2 of 3 cells, 1 of them in this one: " +
		"about 3253 prompt and 500 completion tokens, $0.0131, if each is asked once; add --yes to hsnas run to buy them"
	if code != exitUsage || !strings.Contains(log.String(), want) {
		t.Errorf("code %d: %s\nwant %s", code, log.String(), want)
	}
}

// TestCellsFiles: what a cell names lies beside the experiment's file, and counts as
// what that stage depends on.
func TestCellsFiles(t *testing.T) {
	path := matrixFile(t, "",
		"    - {name: shipped, label: {answers: wmt14.en-de}}\n    - {name: own, label: {answers: ./own.jsonl, prices: mine.yaml}}\n")
	e, err := loadExperiment(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.cellParams(e.Ablations.Cells[1])
	if dir := filepath.Dir(path); err != nil || p.Answers != filepath.Join(dir, "own.jsonl") || p.Prices != filepath.Join(dir, "mine.yaml") {
		t.Errorf("answers %s, prices %s, %v", p.Answers, p.Prices, err)
	}
	stages, err := e.Stages()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stages {
		params, ok := s.Params.(withAnswers[label.Params])
		if ok && (params.Answers != "") != (s.Name == "label-shipped") {
			t.Errorf("%s depends on answers that ship by the checksum %q", s.Name, params.Answers)
		}
	}
}

// TestMatrixPricesAreToldFirst: of every cell, and of the table's model.
func TestMatrixPricesAreToldFirst(t *testing.T) {
	t.Setenv("HSNAS_RUNS", t.TempDir())
	bad := matrixFile(t, "", "    - {name: full}\n    - {name: dear, label: {source: live, model: gpt-4o-mni, budget_dollars: 2}}\n")
	for want, args := range map[string][]string{
		`hsnas: label.budget_dollars is 2, but no price is known for label.model "gpt-4o-mni"; `:                {"-x", bad},
		`hsnas: ablations.price_model: data/prices.yaml has no price for "gpt-5o"; did you mean "gpt-5"?; leav`: {"-x", "ablations", "--set", "ablations.price_model=gpt-5o"},
	} {
		var out, log bytes.Buffer
		if code := run(t.Context(), append([]string{"hsnas", "run"}, args...), nil, &out, &log); code != exitUsage || !strings.HasPrefix(log.String(), want) {
			t.Errorf("code %d\n got %swant %s...", code, log.String(), want)
		}
	}
	if entries, _ := os.ReadDir(os.Getenv("HSNAS_RUNS")); len(entries) != 0 {
		t.Error("a run was begun")
	}
}
