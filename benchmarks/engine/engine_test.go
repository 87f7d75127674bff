// Package engine measures what asks the LLM: how much of a service's throughput
// it uses, with every answer on the disk before it counts, and how much memory
// it takes. `just bench-engine` writes benchmarks/results/engine.md.
package engine

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"hsnas/internal/llm/llmtest"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

var (
	program = flag.String("hsnas", "", "the program to measure, an absolute path")
	report  = flag.String("report", "", "the file to write, an absolute path")
)

const (
	inFlight    = 64
	serviceTime = 20 * time.Millisecond
	labels      = 10_000
	runs        = 5
	key         = "sk-engine-0123456789abcdefghij"
)

// serverProcess makes a process of this test binary the service: beside it,
// the memory and the processor time of the program are its own.
const serverProcess = "HSNAS_ENGINE_SERVER"

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(serverProcess) != "" {
		serve()
		return
	}
	os.Exit(m.Run())
}

// account is what the service has seen.
type account struct {
	Requests int
	Span     time.Duration // from the first request to the last answer
}

// serve prints its URL, and its account when its input ends.
func serve() {
	s := llmtest.New(llmtest.Options{ServiceTime: serviceTime})
	defer s.Close()
	fmt.Println(s.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = json.NewEncoder(os.Stdout).Encode(account{s.Requests(), s.Span()})
}

// TestReport runs the stage label as a user does.
func TestReport(t *testing.T) {
	if *program == "" {
		t.Skip("measures for a minute, only with -hsnas PROGRAM")
	}
	single, many := measure(t, 1), measure(t, 25)
	text := fmt.Sprintf(page, labels, inFlight, serviceTime, inFlight*int(time.Second/serviceTime), runs, runtime.NumCPU(), flushTime(t).Seconds()*1000,
		single.Requests, float64(single.Requests)/single.Span.Seconds(), 100*single.share(), single.wall.Seconds(), single.memory,
		many.Requests, many.wall.Seconds(), many.memory)
	t.Log(text)
	if *report == "" {
		return
	}
	if err := os.WriteFile(*report, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const page = `# The engine that asks the LLM

` + "`just bench-engine`" + ` runs ` + "`hsnas run --only label`" + ` as a process of its own: %d unlabelled and 60 test architectures of HAT's space for WMT'14
En-De, %d requests in flight at a service that takes %s for an answer, at best %d answers a second. Every answer is on the disk before it counts.
Throughput is from the first request to the last answer; the command also renders the prompts and writes the tables; memory is the peak of its process.
The best of %d runs, and the largest memory. The service, another process, shares the machine's %d cores; flushing one line to its disk takes %.1f ms.

| architectures a request | requests | answers a second | of the best | the command, s | peak memory, MiB |
|---|---|---|---|---|---|
| 1 | %d | %.0f | %.1f %% | %.1f | %.0f |
| 25 | %d | - | - | %.1f | %.0f |
`

// measurement is one run of the stage.
type measurement struct {
	account
	wall   time.Duration
	memory float64 // MiB
}

// share is the throughput in parts of what the service allows: requests come in
// waves, of which the last may not be full.
func (m measurement) share() float64 {
	waves := (m.Requests + inFlight - 1) / inFlight
	return float64(waves) * serviceTime.Seconds() / m.Span.Seconds()
}

// measure returns the run with the highest throughput, as the machine may be
// shared, and the largest memory.
func measure(t *testing.T, perRequest int) measurement {
	t.Helper()
	dir := t.TempDir()
	experiment := write(t, dir, perRequest)
	hsnas(t, dir, "", "run", "-x", experiment, "--to", "tfs")
	var best measurement
	for range runs {
		m := label(t, dir, experiment)
		t.Logf("%d a request: %+v, share %.3f", perRequest, m, m.share())
		memory := max(best.memory, m.memory)
		if best.Span == 0 || m.Span < best.Span {
			best = m
		}
		best.memory = memory
	}
	return best
}

// label buys every answer anew.
func label(t *testing.T, dir, experiment string) measurement {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, "runs", "engine", "label")); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), serverProcess+"=1")
	in, out := pipes(t, server)
	lines := bufio.NewReader(out)
	url, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	state := hsnas(t, dir, strings.TrimSpace(url), "run", "-x", experiment, "--only", "label", "--yes")
	m := measurement{wall: time.Since(start), memory: float64(state.SysUsage().(*syscall.Rusage).Maxrss) / 1024}
	in.Close()
	if err := errors.Join(json.NewDecoder(lines).Decode(&m.account), server.Wait()); err != nil {
		t.Fatal(err)
	}
	return m
}

// pipes starts the service.
func pipes(t *testing.T, c *exec.Cmd) (in io.WriteCloser, out io.Reader) {
	t.Helper()
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if out, err = c.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return in, out
}

// hsnas runs the program to its end.
func hsnas(t *testing.T, dir, url string, args ...string) *os.ProcessState {
	t.Helper()
	c := exec.Command(*program, args...)
	c.Env = append(os.Environ(), "HSNAS_RUNS="+filepath.Join(dir, "runs"), "OPENAI_API_KEY="+key, "OPENAI_BASE_URL="+url+"/v1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("hsnas %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return c.ProcessState
}

// flushTime is the median time that one line takes to the disk.
func flushTime(t *testing.T) time.Duration {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "lines"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	times := make([]time.Duration, 51)
	for i := range times {
		start := time.Now()
		_, err := f.Write(make([]byte, 500))
		if err := errors.Join(err, f.Sync()); err != nil {
			t.Fatal(err)
		}
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// write makes an experiment in a space of a published size, on a table of made-up scores.
func write(t *testing.T, dir string, perRequest int) (experiment string) {
	t.Helper()
	files := map[string]string{
		"task.yaml": `name: engine
space: wmt14.en-de
metric: {name: BLEU, direction: maximize, min: 0, max: 100, decimals: 2}
data: {table: scores.csv}
`,
		"engine.yaml": fmt.Sprintf(`name: engine
task: task.yaml
sample: {unlabelled: %d}
label: {source: live, model: m, test_per_request: %d, unlabelled_per_request: %d, concurrency: %d}
`, labels, min(perRequest, 20), perRequest, inFlight),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tk, err := task.Load("wmt14.en-de")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "scores.csv"), []byte(table(tk.Space)), 0o644); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "engine.yaml")
}

// table lists 90 architectures with scores.
func table(s *space.Space) string {
	var out strings.Builder
	r := rand.New(rand.NewPCG(1, 1))
	for _, h := range s.Hyperparameters {
		if !h.IsDepth() {
			fmt.Fprintf(&out, "%s,", h.Name)
		}
	}
	out.WriteString("score\n")
	for range 90 {
		a := s.Sample(r)
		for i, h := range s.Hyperparameters {
			switch {
			case h.IsDepth():
			case h.PerLayer():
				fmt.Fprintf(&out, "\"[%s]\",", strings.Join(a.Literals(i), ", "))
			default:
				fmt.Fprintf(&out, "%s,", a.Literals(i)[0])
			}
		}
		fmt.Fprintf(&out, "%.2f\n", 20+10*r.Float64())
	}
	return out.String()
}
