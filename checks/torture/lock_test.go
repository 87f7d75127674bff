package torture

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hsnas/internal/llm/llmtest"
)

// TestLock has a process hold a run, that waits for the LLM: another waits for it
// and says so, a third does not wait, and when the first is killed the second goes
// on, though the lock file is still there.
func TestLock(t *testing.T) {
	e := experiments(t, *points|*faults)[0]
	asked, wait := make(chan bool, 100), make(chan bool)
	busy := e.program
	busy.server = llmtest.New(llmtest.Options{Received: func(int) { asked <- true; <-wait }})
	defer busy.server.Close()
	defer close(wait)
	runs := t.TempDir()
	if err := os.CopyFS(runs, os.DirFS(e.before("label"))); err != nil {
		t.Fatal(err)
	}
	first := busy.command(runs, "", e.args("label")...)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	defer first.Wait()
	defer first.Process.Kill()
	<-asked

	host, _ := os.Hostname()
	inUse := fmt.Sprintf("%s is in use by process %d on %s; ", e.path(runs, "."), first.Process.Pid, host)
	third, err := run(e.command(runs, "", e.args("label", "--no-wait")...), 0)
	if err != nil || third.code != 1 || third.message() != "hsnas: "+inUse+"leave out --no-wait to wait for it" {
		t.Errorf("code %d, %v: %s", third.code, err, third.stderr)
	}
	second := e.command(runs, "", e.args("label")...)
	stderr, err := second.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	if lines.Scan(); !strings.HasSuffix(lines.Text(), inUse+"waiting for it") {
		t.Errorf("it waits and says %q", lines.Text())
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var rest []string
	for lines.Scan() {
		rest = append(rest, lines.Text())
	}
	if err := second.Wait(); err != nil {
		t.Fatalf("it does not go on: %v\n%s", err, strings.Join(rest, "\n"))
	}
	if err := e.same(runs, "label"); err != nil {
		t.Error(err)
	}
}

// TestUsersProgramHasNoPoints: what users build knows nothing of faults.
func TestUsersProgramHasNoPoints(t *testing.T) {
	program, err := os.ReadFile(filepath.Join("..", "..", "bin", "hsnas"))
	if err != nil {
		t.Skip("not built: just setup")
	}
	if bytes.Contains(program, []byte("HSNAS_FAULT")) {
		t.Error("bin/hsnas listens to HSNAS_FAULT")
	}
}

// TestStaleLock leaves the lock file of a process that was killed: nothing has to
// be mended, and nobody waits.
func TestStaleLock(t *testing.T) {
	e := experiments(t, *points|*faults)[0]
	runs := t.TempDir()
	for range 3 {
		end, err := run(e.command(runs, "kill@corpus:ended:#1", e.args("corpus")...), 0)
		if err != nil || !end.killed {
			t.Fatalf("%v, code %d", err, end.code)
		}
	}
	text, err := os.ReadFile(e.path(runs, ".lock"))
	if err != nil || !regexp.MustCompile(`^process \d+ on .`).Match(text) {
		t.Fatalf("no lock file of a killed process: %q, %v", text, err)
	}
	end, err := run(e.command(runs, "", e.args("corpus", "--no-wait")...), time.Minute)
	if err != nil || end.code != 0 || strings.Contains(end.stderr, "in use") {
		t.Errorf("code %d, %v: %s", end.code, err, end.stderr)
	}
	if err := e.same(runs, "corpus"); err != nil {
		t.Error(err)
	}
}
