package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// experiment is a tiny experiment that has been run once, undisturbed.
type experiment struct {
	program
	name, file string
	root       string // of the snapshots
	stages     []stage
}

// stage is what the undisturbed run knows about a stage.
type stage struct {
	name   string
	took   time.Duration
	points []point
}

// point is a point of the program's, by stage, name and file, and how often the
// stage passed it.
type point struct {
	stage, name, file string
	times             int
}

// plan has a process do something at the n-th time that it passes the point.
func (p point) plan(action string, n int) string {
	return fmt.Sprintf("%s@%s:%s:%s#%d", action, p.stage, p.name, p.file, n)
}

// The experiments, and which of their stages are tortured: each once, where it
// does most.
var chosen = []struct {
	name   string
	stages []string // in order
	only   []string // of these; nil for all
}{
	{"micro", []string{"corpus", "sample", "tfs", "supernet", "label", "distill", "latency", "export", "search", "finalists", "winners", "report"}, nil},
	{"hat", []string{"sample", "tfs", "label", "distill", "export", "search", "benchmark", "report"}, []string{"benchmark"}},
	{"matrix", []string{"sample", "tfs", "label-full", "label-no-role", "ablations"}, []string{"label-no-role", "ablations"}},
}

// undisturbed runs all of them, stage by stage, with a copy of the run directory
// between two.
func undisturbed(t *testing.T, p program) []*experiment {
	t.Helper()
	var out []*experiment
	for _, c := range chosen {
		file, err := filepath.Abs(filepath.Join("testdata", c.name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		e := &experiment{program: p, name: c.name, file: file, root: filepath.Join(folder, c.name)}
		for _, name := range c.stages {
			s := e.run(t, name)
			if c.only == nil || slices.Contains(c.only, name) {
				e.stages = append(e.stages, s)
			}
		}
		out = append(out, e)
	}
	return out
}

// before is the copy of the runs as they were when a stage began, after as they
// were when it had ended.
func (e *experiment) before(stage string) string { return filepath.Join(e.root, stage, "before") }
func (e *experiment) after(stage string) string  { return filepath.Join(e.root, stage, "after") }

// args are those of hsnas for one stage.
func (e *experiment) args(stage string, more ...string) []string {
	return append([]string{"run", "-x", e.file, "--yes", "--only", stage}, more...)
}

// run runs a stage and keeps what it passed and wrote.
func (e *experiment) run(t *testing.T, name string) stage {
	t.Helper()
	runs := filepath.Join(e.root, "runs")
	if err := os.MkdirAll(runs, 0o777); err != nil {
		t.Fatal(err)
	}
	clone(t, runs, e.before(name))
	c := e.command(runs, "", e.args(name)...)
	trace := filepath.Join(e.root, name, "trace")
	c.Env = append(c.Env, "HSNAS_FAULT_TRACE="+trace)
	end, err := run(c, 0)
	if err != nil || end.code != 0 {
		t.Fatalf("%s, stage %s, undisturbed: %v\n%s", e.name, name, err, end.stderr)
	}
	clone(t, runs, e.after(name))
	return stage{name, end.took, readTrace(t, trace)}
}

func readTrace(t *testing.T, file string) []point {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []point
	at := map[string]int{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if _, seen := at[line]; !seen {
			f := strings.Split(line, "\t")
			at[line] = len(out)
			out = append(out, point{stage: f[0], name: f[1], file: f[2]})
		}
		out[at[line]].times++
	}
	return out
}

func clone(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}
