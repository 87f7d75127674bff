package benchmarks

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hsnas/pipeline"
)

var (
	pipelineReport = flag.String("pipeline-report", "", "the file to write the pipeline's overhead to, an absolute path")
	pipelineHSNAS  = flag.String("pipeline-hsnas", "", "the program, an absolute path")
	pipelineRounds = flag.Int("pipeline-rounds", 3, "how often the short run is made anew")
)

// nothingToDo is how often a run in which nothing is to do is timed.
const nothingToDo = 21

// shortMicro is every stage of the embedded task, too short to mean anything: what
// there is to keep books of is the same, the work beside it is least.
var shortMicro = []string{
	"run", "-x", "micro", "--set", "tfs.retrain=1", "--set", "tfs.recipe.steps=20", "--set", "winners.seeds=[1]",
	"--set", "supernet.recipe.steps=60", "--set", "latency.measure=40", "--set", "latency.rounds=2", "--set", "latency.repetitions=4",
	"--set", "search.iterations=2", "--set", "search.student_iterations=1",
}

// TestPipelineReport measures what manifest and checksums take of a run, and a run in
// which nothing is to do, and writes a table. `just bench-pipeline` runs it.
func TestPipelineReport(t *testing.T) {
	if *pipelineReport == "" {
		t.Skip("measures for some minutes: run by just bench-pipeline")
	}
	var out strings.Builder
	one, all := hashRate(1), hashRate(runtime.GOMAXPROCS(0))
	fmt.Fprintf(&out, "# What certainty costs\n\n`just bench-pipeline`: %s, %d cores, others may be at work on them; medians, in brackets least and most.\n", machineName(), runtime.NumCPU())
	fmt.Fprintf(&out, "SHA-256 takes %.2f GB/s on one core, %.2f GB/s on all.\n\n", one, all)
	p := &pipelineBench{t: t}
	p.overhead(&out)
	p.idle(&out)
	if err := os.WriteFile(*pipelineReport, []byte(out.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}

type pipelineBench struct{ t *testing.T }

// hsnas runs the program and returns the wall time of the whole process, in seconds.
func (p *pipelineBench) hsnas(runs string, args ...string) float64 {
	p.t.Helper()
	var stderr bytes.Buffer
	c := exec.CommandContext(p.t.Context(), *pipelineHSNAS, args...)
	c.Env, c.Stderr = append(os.Environ(), "HSNAS_RUNS="+runs), &stderr
	start := time.Now()
	if err := c.Run(); err != nil {
		p.t.Fatalf("hsnas %v: %v\n%s", args, err, stderr.String())
	}
	return time.Since(start).Seconds()
}

// overhead makes the short run anew and reads from its logs what books took.
func (p *pipelineBench) overhead(out *strings.Builder) {
	var walls, kept, shares []float64
	var runs string
	for range *pipelineRounds {
		runs = p.t.TempDir()
		wall := p.hsnas(runs, shortMicro...)
		books := bookkeeping(p.t, filepath.Join(runs, "micro"))
		walls, kept, shares = append(walls, wall), append(kept, books), append(shares, 100*books/wall)
	}
	n, size, _ := artifacts(p.t, filepath.Join(runs, "micro"))
	fmt.Fprintf(out, "| a run from the start | s | manifest and checksums, s | share, %% |\n|---|---|---|---|\n")
	fmt.Fprintf(out, "| embedded task, every stage, trainings cut short (%d artifacts, %.1f MB) | %s | %s | **%s** |\n\n", n, size/1e6, spread("%.1f", walls), spread("%.3f", kept), spread("%.2f", shares))
	fmt.Fprintf(out, "Counted is what the pipeline itself does about a stage: reading and writing the manifest, flushed to the disk, and hashing what is read and written, the\n"+
		"inputs once more right before they are read (`bookkeeping` in `logs/<stage>.log`). Artifacts are hashed while they are written, too, by their own seals:\n"+
		"at the rate above, two more passes over all artifacts take %.3f s.\n\n", 2*size/1e9/hashRate(1))
	fmt.Fprintf(out, "| a run in which nothing is to do, whole process | artifacts | MB | ms |\n|---|---|---|---|\n")
	p.again(out, "embedded task", runs, "micro", shortMicro...)
}

// again times a run that is up to date.
func (p *pipelineBench) again(out *strings.Builder, what, runs, name string, args ...string) {
	n, size, median := artifacts(p.t, filepath.Join(runs, name))
	var ms []float64
	for range nothingToDo {
		ms = append(ms, 1000*p.hsnas(runs, args...))
	}
	fmt.Fprintf(out, "| %s, an artifact %.1f kB in the median | %d | %.1f | **%s** |\n", what, median/1e3, n, size/1e6, spread("%.0f", ms))
}

// idle makes a run of a thousand artifacts, a matrix of 330 prompts, and others of
// artifacts that hold nothing but bytes.
func (p *pipelineBench) idle(out *strings.Builder) {
	runs := p.t.TempDir()
	var text strings.Builder
	text.WriteString("name: thousand\ntask: micro.en-de\nsample: {unlabelled: 0}\ntfs: {retrain: 0}\nlabel: {source: replay, sets: [test]}\nablations:\n  cells:\n")
	for i := range 330 {
		fmt.Fprintf(&text, "  - {name: cell-%03d, group: g}\n", i)
	}
	file := filepath.Join(runs, "thousand.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o666); err != nil {
		p.t.Fatal(err)
	}
	args := []string{"run", "-x", file}
	p.hsnas(runs, args...)
	p.again(out, "a matrix of 330 prompts", runs, "thousand", args...)
	fmt.Fprintf(out, "\n| the same in this process, 40 stages | artifacts | MB | ms | GB/s |\n|---|---|---|---|---|\n")
	for _, size := range []int{10 << 10, 100 << 10, 1 << 20} {
		p.bytesAlone(out, size)
	}
	fmt.Fprintf(out, "\nFiles are told apart by their content alone, so that each byte is hashed each time, several files at once: from some hundred kilobytes an\nartifact on, that is what binds.\n")
}

// bytesAlone times a run of a thousand artifacts of a size.
func (p *pipelineBench) bytesAlone(out *strings.Builder, size int) {
	dir := filepath.Join(p.t.TempDir(), "run")
	var stages []pipeline.Stage
	for s := range 40 {
		folder := fmt.Sprintf("s%02d/", s)
		stages = append(stages, pipeline.Stage{Name: folder[:3], Outputs: []string{folder}, Run: fill(folder, size)})
		if s > 0 {
			stages[s].Inputs = []string{fmt.Sprintf("s%02d/", s-1)}
		}
	}
	var ms []float64
	for i := range nothingToDo + 1 {
		start := time.Now()
		if err := pipeline.Run(p.t.Context(), dir, stages, pipeline.Options{}); err != nil {
			p.t.Fatal(err)
		}
		if i > 0 {
			ms = append(ms, 1000*time.Since(start).Seconds())
		}
	}
	total := 1000 * float64(size)
	fmt.Fprintf(out, "| of %d kB each | 1000 | %.1f | %s | %.2f |\n", size>>10, total/1e6, spread("%.0f", ms), total/1e6/median(ms))
}

// fill writes 25 files of a size into a folder.
func fill(folder string, size int) func(context.Context, pipeline.Call) (pipeline.Result, error) {
	return func(_ context.Context, c pipeline.Call) (pipeline.Result, error) {
		for i := range 25 {
			if err := os.WriteFile(filepath.Join(c.Path(folder), fmt.Sprint(i)), bytes.Repeat([]byte{byte(i)}, size), 0o666); err != nil {
				return pipeline.Result{}, err
			}
		}
		return pipeline.Result{}, nil
	}
}

// artifacts counts the artifacts of a run and their bytes: all, and in the median.
func artifacts(t *testing.T, dir string) (n int, total, middle float64) {
	t.Helper()
	m, err := pipeline.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	var sizes []float64
	for _, r := range m.Stages {
		for _, a := range r.Outputs {
			sizes = append(sizes, float64(a.Bytes))
			total += float64(a.Bytes)
		}
	}
	return len(sizes), total, median(sizes)
}

// bookkeeping sums what the logs of a run say about manifest and checksums, in seconds.
func bookkeeping(t *testing.T, dir string) (seconds float64) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "logs", "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatal("no logs: ", err)
	}
	for _, log := range logs {
		f, err := os.Open(log)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			var line struct {
				Msg     string
				Seconds float64
			}
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "bookkeeping" {
				seconds += line.Seconds
			}
		}
		f.Close()
	}
	return seconds
}

// hashRate is the rate of SHA-256 in GB/s on so many threads, the best of some tries.
func hashRate(threads int) float64 {
	data := make([]byte, 32<<20)
	best := 0.0
	for range 7 {
		start := time.Now()
		var wait sync.WaitGroup
		for range threads {
			wait.Go(func() { sha256.Sum256(data) })
		}
		wait.Wait()
		best = max(best, float64(threads*len(data))/1e9/time.Since(start).Seconds())
	}
	return best
}

// machineName names the machine's processor.
func machineName() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func median(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	return sorted[len(sorted)/2]
}

// spread is the median with least and most in brackets.
func spread(format string, x []float64) string {
	return fmt.Sprintf(format+" ("+format+" to "+format+")", median(x), slices.Min(x), slices.Max(x))
}
