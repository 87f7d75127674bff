package torture

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

var (
	points  = flag.Int("points", 0, "how many of the points kill a process")
	random  = flag.Int("random", 0, "how many processes are killed at random")
	seed    = flag.Uint64("seed", 1, "of the random moments")
	workers = flag.Int("workers", 2, "processes side by side")
	results = flag.String("report", "", "file that the results are written to, as Markdown")
)

// death is a process to be killed.
type death struct {
	e     *experiment
	stage *stage
	plan  string        // HSNAS_FAULT, "" for a random moment
	after time.Duration // of a random moment
}

func (d death) String() string {
	return fmt.Sprintf("%s, stage %s, %s", d.e.name, d.stage.name, cmp.Or(d.plan, "after "+d.after.String()))
}

// tally counts what became of the kills of a stage.
type tally struct{ points, atPoints, random, recovered, missed int }

// TestKills kills hsnas at points of every stage and at random, resumes it and
// compares what it wrote with the undisturbed run.
func TestKills(t *testing.T) {
	start := time.Now()
	all := experiments(t, *points|*random)
	t.Logf("undisturbed in %.0f s", time.Since(start).Seconds())
	deaths := append(atPoints(all, *points), atRandom(all, *random, *seed)...)
	tallies := map[*stage]*tally{}
	for _, e := range all {
		for i := range e.stages {
			tallies[&e.stages[i]] = &tally{points: len(e.stages[i].points)}
		}
	}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(*workers)
	dir := t.TempDir()
	for i, d := range deaths {
		group.Go(func() error {
			missed, err := d.die(filepath.Join(dir, fmt.Sprint(i)))
			mu.Lock()
			defer mu.Unlock()
			n := tallies[d.stage]
			switch {
			case err != nil:
				t.Errorf("%s: %v", d, err)
			case missed:
				t.Logf("%s: the process ended before", d)
				n.missed++
			default:
				n.recovered++
			}
			switch {
			case missed:
			case d.plan == "":
				n.random++
			default:
				n.atPoints++
			}
			return nil
		})
	}
	_ = group.Wait()
	text := table(all, tallies, time.Since(start))
	t.Logf("\n%s", text)
	if *results != "" {
		if err := os.WriteFile(*results, text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// atPoints are kills at n points, spread evenly over all: at the first time that a
// point is passed, and at the last as well where a file is written again and again.
func atPoints(all []*experiment, n int) []death {
	var out []death
	for _, e := range all {
		for i := range e.stages {
			s := &e.stages[i]
			for _, p := range s.points {
				out = append(out, death{e: e, stage: s, plan: p.plan("kill", 1)})
				if p.times > 1 && p.stage != "" && rewritten.MatchString(p.file) {
					out = append(out, death{e: e, stage: s, plan: p.plan("kill", p.times)})
				}
			}
		}
	}
	return spread(out, n)
}

// rewritten are the manifest, journals and checkpoints.
var rewritten = regexp.MustCompile(`^run\.json$|\.jsonl$|^checkpoint`)

// atRandom are n kills at moments that are uniform over what a stage takes, each
// stage in its turn.
func atRandom(all []*experiment, n int, seed uint64) []death {
	r := rand.New(rand.NewPCG(seed, 0))
	var stages []death
	for _, e := range all {
		for i := range e.stages {
			stages = append(stages, death{e: e, stage: &e.stages[i]})
		}
	}
	var out []death
	for i := range n {
		d := stages[i%len(stages)]
		d.after = 1 + time.Duration(r.Int64N(int64(d.stage.took)))
		out = append(out, d)
	}
	return out
}

// die runs a stage until it is killed, has it go on and compares. missed says that
// the process ended before its time had come.
func (d death) die(runs string) (missed bool, err error) {
	name := d.stage.name
	after := d.after
	for try := 0; ; try++ {
		if err := os.RemoveAll(runs); err != nil {
			return false, err
		}
		if err := os.CopyFS(runs, os.DirFS(d.e.before(name))); err != nil {
			return false, err
		}
		end, err := run(d.e.command(runs, d.plan, d.e.args(name)...), after)
		if err != nil {
			return false, err
		}
		if end.killed {
			break
		}
		if end.code != 0 {
			return false, fmt.Errorf("it failed before it was killed: %s", end.message())
		}
		if d.plan != "" || try == 20 {
			return true, d.e.same(runs, name)
		}
		after = 1 + after*3/4
	}
	l, err := d.e.inspect(runs, name)
	if err != nil {
		return false, fmt.Errorf("after the kill: %w", err)
	}
	if err := d.e.resume(runs, name, l); err != nil {
		return false, err
	}
	return false, os.RemoveAll(runs)
}

// resume runs a stage to its end and compares what it wrote, and what it found.
func (e *experiment) resume(runs, stage string, l left) error {
	end, err := run(e.command(runs, "", e.args(stage)...), 0)
	if err != nil {
		return err
	}
	if end.code != 0 {
		return fmt.Errorf("it does not go on: %s", end.message())
	}
	if err := e.same(runs, stage); err != nil {
		return err
	}
	if err := e.kept(runs, l); err != nil {
		return err
	}
	if !slices.Contains(timed, stage) {
		return nil
	}
	return e.timesHold(runs, stage)
}

// timesHold compares the artifacts of a stage, which all follow from measured times,
// with what an undisturbed run makes of the same times.
func (e *experiment) timesHold(runs, stage string) error {
	kept := stage + "/rounds.jsonl"
	again := runs + "-again"
	defer os.RemoveAll(again)
	if err := os.CopyFS(again, os.DirFS(e.before(stage))); err != nil {
		return err
	}
	rounds, err := os.ReadFile(e.path(runs, kept))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(e.path(again, stage), 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(e.path(again, kept), rounds, 0o666); err != nil {
		return err
	}
	end, err := run(e.command(again, "", e.args(stage)...), 0)
	if err != nil || end.code != 0 {
		return fmt.Errorf("the same times again: %v %s", err, end.message())
	}
	files, err := e.outputs(again, stage)
	if err != nil {
		return err
	}
	for _, file := range files {
		a, err := os.ReadFile(e.path(runs, file))
		if err != nil {
			return err
		}
		b, err := os.ReadFile(e.path(again, file))
		if err != nil {
			return err
		}
		if !bytes.Equal(a, b) {
			return fmt.Errorf("%s is not what the same times give undisturbed", file)
		}
	}
	if now, _ := os.ReadFile(e.path(again, kept)); !bytes.Equal(now, rounds) {
		return fmt.Errorf("rounds that were finished were timed again")
	}
	return nil
}

// table is the report.
func table(all []*experiment, tallies map[*stage]*tally, took time.Duration) []byte {
	var out bytes.Buffer
	var sum tally
	fmt.Fprintf(&out, "# Killed and resumed\n\n`just torture` on %d cores: see [docs/crash-safety.md](../../docs/crash-safety.md). A stage is killed where the table says, resumed, and its artifacts\n"+
		"compared with those of an undisturbed run, bit for bit, measured times aside.\n\n", runtime.NumCPU())
	fmt.Fprintln(&out, "| experiment | stage | undisturbed, s | points | killed at points | killed at random | recovered |\n| --- | --- | --- | --- | --- | --- | --- |")
	for _, e := range all {
		for i := range e.stages {
			s := &e.stages[i]
			n := tallies[s]
			fmt.Fprintf(&out, "| %s | %s | %.1f | %d | %d | %d | %d |\n", e.name, s.name, s.took.Seconds(), n.points, n.atPoints, n.random, n.recovered)
			sum.points, sum.atPoints, sum.random = sum.points+n.points, sum.atPoints+n.atPoints, sum.random+n.random
			sum.recovered, sum.missed = sum.recovered+n.recovered, sum.missed+n.missed
		}
	}
	fmt.Fprintf(&out, "| | all | | %d | %d | %d | %d |\n\n", sum.points, sum.atPoints, sum.random, sum.recovered)
	fmt.Fprintf(&out, "%d of %d kills recovered in %.0f s, %d processes side by side, random moments of seed %d.", sum.recovered, sum.atPoints+sum.random, took.Seconds(), *workers, *seed)
	if sum.missed > 0 {
		fmt.Fprintf(&out, " Processes that ended before their moment had come, and do not count: %d.", sum.missed)
	}
	fmt.Fprintln(&out)
	for _, line := range notes {
		fmt.Fprintf(&out, "\n%s\n", line)
	}
	return []byte(strings.TrimSpace(out.String()) + "\n")
}
