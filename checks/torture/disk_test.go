package torture

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"hsnas/pipeline"
)

var faults = flag.Int("faults", 0, "how many times each kind of disk fault is injected")

// kinds are the faults of a disk: an operation, and the error that it ends with; a +
// has all that come after it in the stage fail as well.
var kinds = []struct{ point, action, then string }{
	{"write", "ENOSPC", "+"}, // the disk is full, and stays so
	{"write", "ENOSPC", ""},
	{"write", "EIO", ""},
	{"write", "short", ""},
	{"write", "EDQUOT", "+"},
	{"sync", "EIO", ""},
	{"sync", "ENOSPC", "+"}, // of a file system that finds room late
	{"rename", "EIO", ""},
	{"rename", "EROFS", "+"}, // mounted read-only after an error
	{"create", "EROFS", "+"},
	{"create", "EMFILE", ""},
	{"open", "EMFILE", ""}, // of a journal
	{"sync-folder", "EIO", ""},
	{"mkdir", "ENOSPC", ""},
}

// oneLine is what hsnas says of a fault: what, where, and how to go on.
var oneLine = regexp.MustCompile(`^hsnas: .*/[^ ]+: (no space left on device|input/output error|short write|disk quota exceeded|read-only file system|too many open files)( \(to go on once that is mended: hsnas run .*\))?$`)

// injection is a fault at a place.
type injection struct {
	e     *experiment
	stage string
	plan  string
}

// TestDiskFaults has operations on the disk fail: hsnas ends with one line and the
// code 1, leaves nothing that is half-written or counts, and the next run without
// the fault writes what it would have written.
func TestDiskFaults(t *testing.T) {
	all := experiments(t, *faults)
	var group errgroup.Group
	group.SetLimit(*workers)
	dir := t.TempDir()
	count := 0
	for _, k := range kinds {
		places := placesOf(all, k.point)
		if len(places) == 0 {
			t.Errorf("no stage passes a point %s", k.point)
		}
		for _, in := range spread(places, *faults) {
			count++
			in.plan = k.action + "@" + in.plan + k.then
			runs := filepath.Join(dir, fmt.Sprint(count))
			group.Go(func() error {
				if err := in.fail(runs); err != nil {
					t.Errorf("%s, %s: %v", in.e.name, in.plan, err)
				}
				return nil
			})
		}
	}
	_ = group.Wait()
	note(t, "%d faults of the disk injected, of %d kinds: each was one line and exit code 1, and the next run wrote what the undisturbed one did.", count, len(kinds))
}

// placesOf are the places at which an operation is done: every file of every stage.
func placesOf(all []*experiment, point string) []injection {
	var out []injection
	for _, e := range all {
		for _, s := range e.stages {
			for _, p := range s.points {
				if p.name == point {
					out = append(out, injection{e, s.name, strings.TrimPrefix(p.plan("", 1), "@")})
				}
			}
		}
	}
	return out
}

// spread takes n, evenly.
func spread[T any](all []T, n int) []T {
	if n >= len(all) {
		return all
	}
	var some []T
	for i := range n {
		some = append(some, all[(2*i+1)*len(all)/(2*n)])
	}
	return some
}

// fail runs a stage with the fault, and again without.
func (in injection) fail(runs string) error {
	if err := os.CopyFS(runs, os.DirFS(in.e.before(in.stage))); err != nil {
		return err
	}
	end, err := run(in.e.command(runs, in.plan, in.e.args(in.stage)...), 0)
	if err != nil {
		return err
	}
	if err := in.e.failed(runs, in.stage, end); err != nil {
		return err
	}
	l, err := in.e.inspect(runs, in.stage)
	if err != nil {
		return err
	}
	return cmp.Or(in.e.resume(runs, in.stage, l), os.RemoveAll(runs))
}

// failed checks how a process ended whose disk failed.
func (e *experiment) failed(runs, stage string, end ended) error {
	if end.code != 1 || !oneLine.MatchString(end.message()) || strings.Count(end.stderr, "hsnas: ") != 1 {
		return fmt.Errorf("code %d, %s", end.code, end.stderr)
	}
	m, err := pipeline.ReadManifest(filepath.Join(runs, e.name))
	if err != nil {
		return nil // as inspect will say, unless there is none yet
	}
	r := m.Record(stage)
	if r == nil || r.State != pipeline.Done {
		return nil
	}
	// The manifest could be written, but not flushed: what it says is true.
	if !strings.Contains(end.message(), "cannot flush the folder") {
		return fmt.Errorf("the stage counts as done: %s", end.message())
	}
	return e.same(runs, stage)
}
