package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/seal"
	"hsnas/pipeline/cluster"
)

// TestSlurmRefuses: what is wrong with a cluster, or with a job on it, is told before
// anything is begun.
func TestSlurmRefuses(t *testing.T) {
	runs := t.TempDir()
	t.Setenv("HSNAS_RUNS", runs)
	t.Setenv("PATH", t.TempDir())
	for want, args := range map[string][]string{
		"sbatch of Slurm is not on PATH; run hsnas on a node of the cluster that may submit jobs": {"run", "-x", "micro", "--executor", "slurm"},
		`--executor: unknown "slrum"; did you mean "slurm"?`:                                      {"run", "-x", "micro", "--executor", "slrum"},
		`--set slurm.time=soon: "soon", expected minutes or [DAYS-]HOURS:MINUTES:SECONDS`:         {"run", "-x", "micro", "--set", "slurm.time=soon"},
		`there is no run "nosuch" in ` + runs:                                                     {"cancel", "--run", "nosuch"},
		"run-shard needs --stage; see hsnas run-shard --help":                                     {"run-shard", "--run", "a"},
	} {
		var out, log bytes.Buffer
		code := run(t.Context(), append([]string{"hsnas"}, args...), nil, &out, &log)
		if got := "hsnas: " + want + "\n"; code != exitUsage || log.String() != got {
			t.Errorf("code %d\n got %swant %s", code, log.String(), got)
		}
	}
	if entries, _ := os.ReadDir(runs); len(entries) != 0 {
		t.Error("a run was begun")
	}
}

// TestRunShardOfARun: a job of a submission that is not there, and a stage without
// shards.
func TestRunShardOfARun(t *testing.T) {
	runs := t.TempDir()
	t.Setenv("HSNAS_RUNS", runs)
	var out, log bytes.Buffer
	if code := run(t.Context(), []string{"hsnas", "run", "-x", "micro", "--to", "corpus"}, nil, &out, &log); code != exitOK {
		t.Fatal(log.String())
	}
	dir := filepath.Join(runs, "micro")
	jobs := filepath.Join(dir, "shards", "tfs", "0123456789abcdef", "jobs")
	if err := os.MkdirAll(jobs, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(jobs, "old.submission"), seal.JSON([]byte(`{"name":"old","stage":"tfs","program":"5a","tasks":[["a"]]}`)), 0o666); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		`hsnas: --submission: stage tfs has no submission "x" in ` + dir + "\n":                                                                           {"--stage", "tfs", "--submission", "x"},
		"hsnas: " + program + " is another version than the one that submitted old; run hsnas run again, which submits what is left\n":                    {"--stage", "tfs", "--submission", "old"},
		"hsnas: run-shard needs --shard, or --submission and --task\n":                                                                                    {"--stage", "tfs"},
		`hsnas: --stage: "label" is no stage of this run that has shards; these have: tfs, supernet, distill, latency, search, finalists, winners` + "\n": {"--stage", "label", "--shard", "a"},
		"hsnas: stage tfs needs sample/architectures.parquet, but stage sample has not run yet; run that stage first: --only sample\n":                    {"--stage", "tfs", "--shard", "a"},
	} {
		log.Reset()
		code := run(t.Context(), append([]string{"hsnas", "run-shard", "--run", "micro"}, args...), nil, &out, &log)
		if code != exitUsage || log.String() != want {
			t.Errorf("code %d\n got %swant %s", code, log.String(), want)
		}
	}
}

// TestJobsElsewhere: a run that may have jobs on a cluster is not run beside them.
func TestJobsElsewhere(t *testing.T) {
	runs := t.TempDir()
	t.Setenv("HSNAS_RUNS", runs)
	jobs := filepath.Join(runs, "micro", "shards", "tfs", "0123456789abcdef", "jobs")
	if err := os.MkdirAll(jobs, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(jobs, "old.submission"), seal.JSON([]byte(`{"name":"old","stage":"tfs","tasks":[["a"]]}`)), 0o666); err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	code := run(t.Context(), []string{"hsnas", "run", "-x", "micro"}, nil, &out, &log)
	const want = "hsnas: the run micro may have jobs on a cluster; go on with --executor slurm, or end them: hsnas cancel --run micro\n"
	if code != exitUsage || log.String() != want {
		t.Errorf("code %d\n got %swant %s", code, log.String(), want)
	}

	// A submission that is damaged is not taken for none, unless nothing is expected of it any more.
	submission := filepath.Join(jobs, "old.submission")
	if err := os.WriteFile(submission, []byte(`{"name":"old","stage":"tfs","tasks":[["b"]]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	log.Reset()
	damaged := "hsnas: " + submission + " is damaged: it has no seal; end its job with scancel and remove it\n"
	if code := run(t.Context(), []string{"hsnas", "run", "-x", "micro"}, nil, &out, &log); code != exitFailure || log.String() != damaged {
		t.Errorf("code %d\n got %swant %s", code, log.String(), damaged)
	}
	if err := os.WriteFile(filepath.Join(jobs, "old.ended"), []byte("over\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if busy, err := cluster.Busy(filepath.Join(runs, "micro")); busy || err != nil {
		t.Errorf("busy %v, %v", busy, err)
	}
	log.Reset()
	if code := run(t.Context(), []string{"hsnas", "run", "-x", "micro", "--dry-run", "--executor", "slurm", "--to", "corpus"}, nil, &out, &log); code != exitOK || !strings.Contains(log.String(), "would run") {
		t.Errorf("code %d: %s", code, log.String())
	}
}
