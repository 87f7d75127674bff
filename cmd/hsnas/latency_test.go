package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/published"
	"hsnas/internal/task"
	"hsnas/pipeline"
	"hsnas/stages/latency"
	"hsnas/stages/search"
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

// What the searches end at is timed again where the latency that they keep to can be of
// this machine, and the report waits for it.
func TestFinalistsInStages(t *testing.T) {
	for _, c := range []struct {
		measure    int
		datasets   []string
		constraint string
		want       bool
	}{
		{200, nil, latency.Target, true},
		{0, []string{"mine.csv"}, latency.Target, true},
		{200, []string{"wmt14ende_gpu_titanxp"}, latency.Target, false}, // the search keeps to the first
		{0, nil, latency.Target, false},
		{200, nil, "gflops", false},
	} {
		e := defaultExperiment()
		e.task = &task.Task{Family: task.Micro}
		e.Latency.Measure, e.Latency.Datasets, e.Search.Constraint = c.measure, c.datasets, c.constraint
		e.Search.Also = []search.Also{{Constraint: "params", Limit: 5}}
		if got := slices.Contains(e.reportStage().Inputs, finalistsFile); got != c.want || e.retimed() != c.want {
			t.Errorf("%+v: the finalists are timed again: %v", c, got)
		}
		if e.clearUnused(); (e.Finalists.Front == 0) == c.want {
			t.Errorf("%+v: section finalists %+v", c, e.Finalists)
		}
	}
	e := defaultExperiment()
	e.task = &task.Task{Family: task.Micro}
	e.Latency.Measure = 200
	s := e.finalistsStage()
	if want := []string{frontFile, paretoFile, exportFolder, latencyScores}; !slices.Equal(s.Inputs, want) || !slices.Equal(s.Outputs, []string{"finalists/finalists.parquet"}) {
		t.Errorf("%q to %q", s.Inputs, s.Outputs)
	}
}

func TestLatencyMeasureRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "l.csv")
	for want, args := range map[string][]string{
		fmt.Sprintf("--threads: 5000 threads on a machine of %d cores would time the waiting for one another", runtime.NumCPU()): {"--threads", "5000"},
		`unknown device "tpu"; known: cpu, webgpu, cuda, cuda:N`:                                                                 {"--device", "tpu"},
		"--threads: expected 1 or more, found 0":                                                                                 {"--threads", "0"},
	} {
		_, err := runMicro(t, "", append([]string{"latency", "measure", "--task", "wmt14.en-de", "--out", file}, args...)...)
		if fault := (*config.Error)(nil); fmt.Sprint(err) != want || !errors.As(err, &fault) {
			t.Errorf("%q:\ngot  %v\nwant %s", args, err, want)
		}
	}
	if left, _ := filepath.Glob(file + "*"); len(left) != 0 {
		t.Errorf("%q are left", left)
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
	if left, _ := filepath.Glob(file + ".*"); !slices.Equal(left, []string{latency.ProtocolFile(file)}) {
		t.Errorf("%q are left", left)
	}
}

// What is measured is fitted and judged; every command's JSON is whole.
func TestLatencyOfThisDevice(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	file, again, model := filepath.Join(dir, "l.csv"), filepath.Join(dir, "again.csv"), filepath.Join(dir, "m.onnx")
	measure := func(file, n string) []string {
		return []string{"latency", "measure", "--task", "micro.en-de", "--out", file, "--n", n, "--repetitions", "1", "--json"}
	}
	for _, args := range [][]string{
		measure(file, "15"),
		measure(again, "5"),
		{"latency", "fit", "--task", "micro.en-de", "--dataset", file, "--out", model, "--json"},
		{"latency", "fit", "--task", "micro.en-de", "--dataset", file, "--from", file, "--few", "5", "--json"},
		{"latency", "eval", "--task", "micro.en-de", "--dataset", file, "--repeat", again, "--from", file, "--few", "5,10", "--draws", "2", "--json"},
	} {
		out, err := runMicro(t, "", args...)
		if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(out), &got); err != nil || len(got) < 5 {
			t.Errorf("%q printed %s, %v", args, out, err)
		}
	}
	if _, err := os.Stat(model); err != nil {
		t.Error(err)
	}
	for _, markdown := range []bool{false, true} {
		out, err := runMicro(t, "", "latency", "eval", "--task", "micro.en-de", "--dataset", file, "--few", "5", fmt.Sprintf("--markdown=%v", markdown))
		if err != nil || !strings.Contains(out, "from nothing") || strings.Contains(out, "| from nothing |") != markdown {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

func TestLatencyFaults(t *testing.T) {
	for want, args := range map[string][]string{
		"--few is for --from DEVICE; leave it out to fit to all rows, or give --from any":                                         {"fit", "--task", "wmt14.en-de", "--dataset", "x.csv", "--few", "10"},
		"--steps: expected 1 or more, found 0":                                                                                    {"measure", "--task", "wmt14.en-de", "--out", "x.csv", "--steps", "0"},
		"--draws: expected 1 or more, found 0":                                                                                    {"eval", "--task", "wmt14.en-de", "--dataset", "x.csv", "--draws", "0"},
		"--repetitions: 2, expected at least one for each of the 3 rounds":                                                        {"measure", "--task", "wmt14.en-de", "--out", "x.csv", "--rounds", "3", "--repetitions", "2"},
		"latency measure times whole sentences of the family micro, greedily; leave out --steps and --beam":                       {"measure", "--task", "micro.en-de", "--out", "x.csv", "--steps", "3"},
		"cannot read the latency dataset: open no/such.csv: no such file or directory":                                            {"eval", "--task", "wmt14.en-de", "--dataset", "no/such.csv"},
		`unknown latency dataset "wmt14ende_cpu_xeno"; did you mean "wmt14ende_cpu_xeon"?; a CSV file ends with .csv`:             {"fit", "--task", "wmt14.en-de", "--dataset", "wmt14ende_cpu_xeno"},
		"the dataset is of HAT's models, those of the task micro.en-de are of the family micro; give a CSV file measured on them": {"eval", "--task", "micro.en-de", "--dataset", "wmt14ende_cpu_xeon"},
	} {
		_, err := runMicro(t, "", append([]string{"latency"}, args...)...)
		if fmt.Sprint(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		if _, fault := err.(*config.Error); !fault {
			t.Errorf("%v is no *config.Error", err)
		}
	}
}
