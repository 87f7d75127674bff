package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/published"
	"hsnas/internal/task"
	"hsnas/pipeline"
	"hsnas/stages/latency"
)

func TestCheckLatency(t *testing.T) {
	for _, c := range []struct {
		task    string
		measure int
		want    string
	}{
		{"micro.en-de", 0, "the search keeps to latency_ms, but there is nothing to learn it from; set latency.measure to a number of architectures to time, 200 for example"},
		{"micro.en-de", 200, "<nil>"},
		{"wmt14.en-de", 0, fmt.Sprintf("the search keeps to latency_ms, but latency.datasets names no dataset to learn it from; known: %v", published.LatencyDatasets())},
		{"wmt14.en-de", 200, "latency.measure times models of the family micro alone, which the task wmt14.en-de does not name; expected 0, and what was measured under latency.datasets"},
	} {
		on, err := task.Load(c.task)
		if err != nil {
			t.Fatal(err)
		}
		e := defaultExperiment()
		e.task, e.Search.Constraint, e.Latency.Measure = on, latency.Target, c.measure
		err = e.checkLatency()
		if fmt.Sprint(err) != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
		if _, fault := err.(*config.Error); err != nil && !fault {
			t.Errorf("%v is no *config.Error", err)
		}
	}
}

// A measured dataset alone is wired as others are, its finished rounds beside the
// artifacts.
func TestMeasuredLatencyInStages(t *testing.T) {
	e := defaultExperiment()
	e.task = &task.Task{Family: task.Micro}
	e.Latency.Measure = 200
	s := e.latencyStage()
	if want := []string{"latency/measured.onnx", "latency/dataset.parquet", "latency/latency.parquet"}; !slices.Equal(s.Outputs, want) {
		t.Errorf("outputs %q, want %q", s.Outputs, want)
	}
	if in := e.exportStage().Inputs; !slices.Contains(in, "latency/measured.onnx") {
		t.Errorf("export reads %q", in)
	}
	if in := e.reportStage().Inputs; !slices.Contains(in, latencyScores) || !slices.Contains(in, latencyDataset) {
		t.Errorf("report reads %q", in)
	}
	call := pipeline.Call{Dir: "run"}
	if got, want := e.latencyModel(call, 0), filepath.Join("run", "export", "measured.onnx"); got != want {
		t.Errorf("the search reads %s, want %s", got, want)
	}
	e.Latency.Measure = 0
	if got := e.latencyModel(call, len(e.Latency.Files())-1); got != "" {
		t.Errorf("without a dataset the benchmark reads %s", got)
	}
}

func TestLatencyMeasureMicro(t *testing.T) {
	orttest.Open(t)
	file := filepath.Join(t.TempDir(), "l.csv")
	if err := os.WriteFile(file, nil, 0o666); err != nil { // what a killed process left
		t.Fatal(err)
	}
	for n := 2; n <= 3; n++ {
		if _, err := runMicro(t, "", "latency", "measure", "--task", "micro.en-de", "--out", file, "--n", fmt.Sprint(n), "--repetitions", fmt.Sprint(n-1)); err != nil {
			t.Fatal(err)
		}
		rows, err := published.ReadLatency(file)
		if err != nil || len(rows) != n {
			t.Fatal(len(rows), err)
		}
		if r := rows[n-1]; r.EncoderMS <= 0 || r.DecoderMS <= 0 || r.Features[1] != 3 {
			t.Errorf("%+v", r)
		}
	}
	if left, _ := filepath.Glob(file + ".*"); len(left) != 0 {
		t.Errorf("%q are left", left)
	}
}
