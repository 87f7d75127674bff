package pipeline

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hsnas/internal/atomicfile"
	"hsnas/internal/progress"
)

// The test program runs itself as a child that is killed: childDir is the run
// directory of the child, childSeed its parameter, childDieAt the number of the
// checkpoint at which it kills itself, 0 for none.
const (
	childDir   = "HSNAS_TEST_CHILD_DIR"
	childSeed  = "HSNAS_TEST_CHILD_SEED"
	childDieAt = "HSNAS_TEST_CHILD_DIE_AT"
)

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	seed, _ := strconv.Atoi(os.Getenv(childSeed))
	dieAt, _ := strconv.Atoi(os.Getenv(childDieAt))
	f := &fragile{seed: seed, dieAt: dieAt}
	if err := Run(context.Background(), dir, f.stages(), Options{Experiment: fmt.Appendf(nil, "seed: %d\n", seed)}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(f.passed)
	os.Exit(0)
}

// fragile is a pipeline with a checkpoint around every step that a stage takes
// on the disk.
type fragile struct {
	seed, dieAt, passed int
}

func (f *fragile) checkpoint() {
	f.passed++
	if f.passed == f.dieAt {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	}
}

// write writes a file in small pieces.
func (f *fragile) write(path, text string) error {
	f.checkpoint()
	out, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	for len(text) > 0 {
		n := min(500, len(text))
		f.checkpoint()
		if _, err := io.WriteString(out, text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	f.checkpoint()
	err = out.Commit()
	f.checkpoint()
	return err
}

// stages are: one that writes two files, one that fills a folder with more or
// fewer files, one that keeps a journal as state, one that reads it all.
func (f *fragile) stages() []Stage {
	return []Stage{
		{
			Name: "draw", Version: 1, Params: seedParams{f.seed}, Outputs: []string{"draw/a.txt", "draw/b.txt"},
			Run: func(_ context.Context, c Call) (Result, error) {
				r := rand.New(rand.NewPCG(uint64(f.seed), 0))
				text := func() (s string) {
					for range 100 {
						s += fmt.Sprintln(r.Uint64())
					}
					return s
				}
				return Result{Rows: map[string]int64{"draw/a.txt": 100}}, errors.Join(f.write(c.Path("draw/a.txt"), text()), f.write(c.Path("draw/b.txt"), text()))
			},
		},
		{
			Name: "folder", Version: 1, Params: seedParams{f.seed}, Inputs: []string{"draw/a.txt"}, Outputs: []string{"folder/"},
			Run: func(_ context.Context, c Call) (Result, error) {
				for i := range 2 + f.seed%3*2 {
					if err := f.write(filepath.Join(c.Path("folder/"), fmt.Sprint(i)), fmt.Sprint(f.seed, i)); err != nil {
						return Result{}, err
					}
				}
				return Result{}, nil
			},
		},
		{Name: "ask", Version: 1, Inputs: []string{"draw/b.txt"}, Outputs: []string{"ask/answers.txt"}, Run: f.ask},
		{
			Name: "sum", Version: 1, Inputs: []string{"draw/b.txt", "folder/", "ask/answers.txt"}, Outputs: []string{"sum/sum.txt"},
			Run: func(_ context.Context, c Call) (Result, error) {
				files, err := filesIn(c.Path("folder/"))
				if err != nil {
					return Result{}, err
				}
				answers, err := os.ReadFile(c.Path("ask/answers.txt"))
				return Result{}, errors.Join(err, f.write(c.Path("sum/sum.txt"), fmt.Sprint(files)+string(answers)))
			},
		},
	}
}

// ask answers each question once: a journal survives the process.
func (f *fragile) ask(_ context.Context, c Call) (Result, error) {
	questions, err := os.ReadFile(c.Path("draw/b.txt"))
	if err != nil {
		return Result{}, err
	}
	journal := c.Path("ask/journal")
	text, _ := os.ReadFile(journal)
	if i := bytes.LastIndexByte(text, '\n'); i+1 < len(text) { // the last line is torn
		if err := os.Truncate(journal, int64(i+1)); err != nil {
			return Result{}, err
		}
		text = text[:i+1]
	}
	known := map[string]string{}
	for line := range strings.Lines(string(text)) {
		q, a, _ := strings.Cut(strings.TrimSpace(line), " ")
		known[q] = a
	}
	out, err := os.OpenFile(journal, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return Result{}, err
	}
	defer out.Close()
	var answers strings.Builder
	for _, q := range strings.Fields(string(questions))[:20] {
		if known[q] == "" {
			known[q] = q[:4]
			f.checkpoint()
			_, _ = io.WriteString(out, q)
			f.checkpoint()
			_, _ = io.WriteString(out, " "+known[q]+"\n")
		}
		answers.WriteString(known[q] + "\n")
	}
	return Result{}, f.write(c.Path("ask/answers.txt"), answers.String())
}

// child starts the fragile pipeline in a process of its own.
func child(dir string, seed, dieAt int) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, fmt.Sprintf("%s=%d", childSeed, seed), fmt.Sprintf("%s=%d", childDieAt, dieAt))
	return cmd
}

// finish runs the pipeline to its end and returns how many checkpoints it passed.
func finish(t *testing.T, dir string, seed int) int {
	t.Helper()
	cmd := child(dir, seed, 0)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the run does not go on: %v\n%s", err, stderr.Bytes())
	}
	n, err := strconv.Atoi(string(out))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// contents returns the files of a run but the manifest, the logs and state that
// is no output, and checks that the manifest agrees with them.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := filesIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f == manifestName || f == lockName || f == "ask/journal" || strings.HasPrefix(f, "logs/") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil {
			t.Fatal(err)
		}
		out[f] = string(text)
	}
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	outputs := 0
	for _, r := range m.Stages {
		if r.State != Done {
			t.Errorf("stage %s is %s", r.Stage, r.State)
		}
		for _, a := range r.Outputs {
			outputs++
			if sum, err := atomicfile.SHA256(filepath.Join(dir, a.Path)); err != nil || sum != a.SHA256 {
				t.Errorf("%s is not what the manifest says: %v", a.Path, err)
			}
		}
	}
	if outputs+1 != len(out) { // experiment.yaml
		t.Errorf("%d outputs in the manifest, %d files", outputs, len(out))
	}
	return out
}

func same(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d files, want %d", what, len(got), len(want))
	}
	for f := range want {
		if got[f] != want[f] {
			t.Errorf("%s: %s holds other bytes", what, f)
		}
	}
}

// TestKillAtEveryCheckpoint kills a new run once at each checkpoint, resumes it
// and compares its artifacts with those of a run that nothing happened to.
func TestKillAtEveryCheckpoint(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole")
	checkpoints := finish(t, whole, 1)
	want := contents(t, whole)
	if n := finish(t, whole, 1); n != 0 {
		t.Errorf("a run that is up to date passed %d checkpoints", n)
	}
	step := 1
	if testing.Short() {
		step = 9
	}
	for at := 1; at <= checkpoints; at += step {
		dir := filepath.Join(t.TempDir(), "run")
		if err := child(dir, 1, at).Run(); err == nil {
			t.Fatalf("the child outlived checkpoint %d", at)
		}
		finish(t, dir, 1)
		same(t, fmt.Sprintf("killed at checkpoint %d of %d", at, checkpoints), contents(t, dir), want)
	}
	t.Logf("killed at each of %d checkpoints", checkpoints)
}

// TestKillAtRandom kills a run again and again, wherever it is, while its
// parameters change, and then lets it end. HSNAS_KILLS is the number of kills.
func TestKillAtRandom(t *testing.T) {
	kills := 40
	if n, err := strconv.Atoi(os.Getenv("HSNAS_KILLS")); err == nil {
		kills = n
	}
	want := map[int]map[string]string{}
	var span time.Duration
	for seed := range 3 {
		dir := filepath.Join(t.TempDir(), "whole")
		start := time.Now()
		finish(t, dir, seed)
		span = time.Since(start) // only where to aim: any value would do
		want[seed] = contents(t, dir)
	}
	r := rand.New(rand.NewPCG(1, 2))
	dir, killed := filepath.Join(t.TempDir(), "run"), 0
	for i := 0; killed < kills; i++ {
		seed := i / 7 % 3
		cmd := child(dir, seed, 0)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(r.Int64N(int64(span))), func() { _ = cmd.Process.Kill() })
		if cmd.Wait() != nil {
			killed++
		}
		timer.Stop()
		if i%7 == 6 {
			finish(t, dir, seed)
			same(t, fmt.Sprintf("after %d kills", killed), contents(t, dir), want[seed])
		}
	}
	finish(t, dir, 1)
	same(t, "at the end", contents(t, dir), want[1])
	t.Logf("killed %d times", killed)
}

// waiting tells when a run says that it waits for the lock.
type waiting struct {
	progress.Reporter
	said chan string
}

func (w waiting) Logf(format string, args ...any) {
	if line := fmt.Sprintf(format, args...); strings.Contains(line, "waiting for it") {
		w.said <- line
	}
}

// TestLock starts a process that holds the run directory: another one waits, says
// for whom, can be interrupted, and goes on once the first is killed.
func TestLock(t *testing.T) {
	external, dir := filepath.Join(t.TempDir(), "pipe"), filepath.Join(t.TempDir(), "run")
	if err := os.WriteFile(external, []byte("abc"), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestLockHolder$")
	cmd.Env = append(os.Environ(), "HSNAS_TEST_HOLD="+dir)
	if _, err := cmd.StdinPipe(); err != nil { // open until the child ends
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}

	states, err := Inspect(t.Context(), dir, chain(external, 1))
	if err != nil || states[0].State != "running" || states[0].Reason != "" {
		t.Errorf("states %+v, %v", states, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	report := waiting{progress.Discard, make(chan string, 1)}
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, dir, chain(external, 1), Options{Report: report}) }()
	want := fmt.Sprintf("%s is in use by process %d on %s; waiting for it", dir, cmd.Process.Pid, thisHost().Name)
	if got := <-report.said; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	cancel()
	if err := <-ended; !errors.Is(err, ErrInterrupted) || err.Error() != "interrupted while waiting for another process in "+dir {
		t.Errorf("got %v", err)
	}

	want = fmt.Sprintf("%s is in use by process %d on %s; leave out --no-wait to wait for it", dir, cmd.Process.Pid, thisHost().Name)
	if err := Run(t.Context(), dir, chain(external, 1), Options{NoWait: true}); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}

	go func() { ended <- Run(t.Context(), dir, chain(external, 1), Options{Report: report}) }()
	<-report.said
	_ = cmd.Process.Kill()
	if err := <-ended; err != nil {
		t.Errorf("after the holder was killed: %v", err)
	}
}

// TestLockHolder is the child of TestLock: a run whose first stage never ends.
func TestLockHolder(t *testing.T) {
	dir := os.Getenv("HSNAS_TEST_HOLD")
	if dir == "" {
		t.Skip("only as the child of TestLock")
	}
	external := filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(external, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	stages := chain(external, 1)
	stages[0].Run = func(context.Context, Call) (Result, error) {
		fmt.Println("held")
		_, err := io.ReadAll(os.Stdin) // for ever
		return Result{}, err
	}
	t.Fatal(Run(t.Context(), dir, stages, Options{}))
}

// TestFaultsOnDisk makes the disk refuse what a run needs.
func TestFaultsOnDisk(t *testing.T) {
	external := filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(external, []byte("abc"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), "/proc/hsnas-run", chain(external, 1), Options{}); err == nil || err.Error() != "cannot make the run directory /proc/hsnas-run: no such file or directory" {
		t.Errorf("got %v", err)
	}
	if os.Getuid() == 0 {
		t.Log("as root every folder can be written to: not tested with a read-only one")
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	err := Run(t.Context(), dir, chain(external, 1), Options{})
	if !errors.Is(err, fs.ErrPermission) || err.Error() != "cannot lock the run directory "+dir+": permission denied" {
		t.Errorf("got %v", err)
	}
}
