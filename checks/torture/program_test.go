package torture

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hsnas/internal/llm"
	"hsnas/internal/llm/llmtest"
	"hsnas/internal/ort"
)

// program is hsnas with its points of failure, and the service that answers it.
type program struct {
	path   string
	server *llmtest.Server
}

// The program and the undisturbed runs, which are made once for all tests.
var (
	folder string
	once   sync.Once
	made   []*experiment
	notes  []string // results of the tests before TestKills, for its report
)

// note logs a result.
func note(t *testing.T, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	t.Log(line)
	if !t.Failed() {
		notes = append(notes, line)
	}
}

func TestMain(m *testing.M) {
	code := 1
	dir, err := os.MkdirTemp("", "hsnas-torture-")
	if err == nil {
		folder = dir
		code = m.Run()
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// experiments returns the undisturbed runs; a test for which wanted is 0 is skipped.
func experiments(t *testing.T, wanted int) []*experiment {
	t.Helper()
	if wanted == 0 {
		t.Skip("a matter of minutes: just torture")
	}
	if _, err := ort.Open(); err != nil {
		t.Skip(err)
	}
	once.Do(func() { made = undisturbed(t, build(t)) })
	if made == nil {
		t.Fatal("the undisturbed runs failed")
	}
	return made
}

// build compiles hsnas with the tag faults.
func build(t *testing.T) program {
	t.Helper()
	p := program{path: filepath.Join(folder, "hsnas"), server: llmtest.New(llmtest.Options{Answer: answer, ServiceTime: time.Millisecond})}
	if out, err := exec.Command("go", "build", "-tags", "faults", "-o", p.path, "hsnas/cmd/hsnas").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

// answer predicts something for every query, always the same for the same one.
func answer(prompt string) string {
	var entries []string
	for i, query := range strings.Split(prompt, "### Query ")[1:] {
		_, query, _ = strings.Cut(query, "\n")
		h := fnv.New32a()
		h.Write([]byte(strings.TrimSpace(query)))
		entries = append(entries, fmt.Sprintf(`{"id": %d, "prediction": %.2f}`, i+1, 20+float64(h.Sum32()%2000)/100))
	}
	return `{"predictions": [` + strings.Join(entries, ", ") + `]}`
}

// command is a call of hsnas on the runs in a folder. fault is HSNAS_FAULT.
func (p program) command(runs, fault string, args ...string) *exec.Cmd {
	c := exec.Command(p.path, args...)
	c.Env = append(os.Environ(), "HSNAS_RUNS="+runs, "HSNAS_FAULT="+fault, llm.KeyVariable+"=key", llm.URLVariable+"="+p.server.URL+"/v1")
	return c
}

// ended is how a process ended.
type ended struct {
	code   int // -1 where a signal ended it
	killed bool
	stderr string
	took   time.Duration
}

// run waits for a process; after so long, 0 for never, it is killed.
func run(c *exec.Cmd, after time.Duration) (ended, error) {
	var stderr bytes.Buffer
	c.Stderr = &stderr
	start := time.Now()
	if err := c.Start(); err != nil {
		return ended{}, err
	}
	if after > 0 {
		timer := time.AfterFunc(after, func() { _ = c.Process.Kill() })
		defer timer.Stop()
	}
	err := c.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return ended{}, err
	}
	status, _ := c.ProcessState.Sys().(syscall.WaitStatus)
	return ended{c.ProcessState.ExitCode(), status.Signaled() && status.Signal() == syscall.SIGKILL, stderr.String(), time.Since(start)}, nil
}

// message is the line by which hsnas says why it failed; the others are progress.
func (e ended) message() string {
	lines := strings.Split(strings.TrimSpace(e.stderr), "\n")
	return lines[len(lines)-1]
}
