package torture

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mounted runs a script in a mount namespace of its own, with the run directory's
// parent, which is $1; what it mounts is gone when it ends.
func mounted(t *testing.T, e *experiment, runs, script string, args ...string) string {
	t.Helper()
	how := []string{"--mount"}
	if os.Getuid() != 0 {
		how = []string{"--user", "--map-root-user", "--mount"}
	}
	if out, err := exec.Command("unshare", append(how, "mount", "-t", "tmpfs", "tmpfs", runs)...).CombinedOutput(); err != nil {
		t.Skipf("nothing can be mounted here: %v %s", err, out)
	}
	hsnas := e.command(runs, "")
	c := exec.Command("unshare", append(how, append([]string{"bash", "-euc", script, "bash", runs}, args...)...)...)
	c.Env = append(hsnas.Env, "HSNAS="+hsnas.Path)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// TestFullDisk fills a disk of its own, but for some KiB.
func TestFullDisk(t *testing.T) {
	const script = `
runs=$1 before=$2 out=$3 free=$4
shift 4
mount -t tmpfs -o size=64m tmpfs "$runs"
cp -r "$before/." "$runs"
room=$(df --output=avail -k "$runs" | tail -n 1)
head -c $(((room - free) * 1024)) /dev/zero > "$runs/.filler"
code=0
"$HSNAS" "$@" 2> "$out/stderr" > /dev/null || code=$?
echo $code > "$out/code"
mkdir "$out/left" "$out/resumed"
cp -r "$runs/." "$out/left"
rm "$runs/.filler" "$out/left/.filler"
"$HSNAS" "$@" 2> "$out/stderr-resumed"
cp -r "$runs/." "$out/resumed"
`
	failures := 0
	e := experiments(t, *faults)[0]
	for _, stage := range []string{"label", "supernet", "distill"} {
		for _, free := range []int{0, 12, 48} {
			out := t.TempDir()
			mounted(t, e, t.TempDir(), script, append([]string{e.before(stage), out, fmt.Sprint(free)}, e.args(stage)...)...)
			code, _ := os.ReadFile(filepath.Join(out, "code"))
			stderr, _ := os.ReadFile(filepath.Join(out, "stderr"))
			if string(code) != "0\n" {
				failures++
				end := ended{stderr: string(stderr)}
				_, _ = fmt.Sscan(string(code), &end.code)
				if err := e.failed(filepath.Join(out, "left"), stage, end); err != nil {
					t.Errorf("%s, %d KiB: %v", stage, free, err)
				}
			}
			l, err := e.inspect(filepath.Join(out, "left"), stage)
			if err == nil {
				err = e.same(filepath.Join(out, "resumed"), stage)
			}
			if err == nil {
				err = e.kept(filepath.Join(out, "resumed"), l)
			}
			if err != nil {
				t.Errorf("%s, %d KiB: %v", stage, free, err)
			}
		}
	}
	if failures < 5 {
		t.Errorf("the disk was full in %d runs of 9", failures)
	}
	note(t, "A real file system was full in %d runs of 9: the same.", failures)
}

// TestReadOnlyDisk runs hsnas where nothing can be written: a run that is up to date
// needs nothing, any other ends with one line.
func TestReadOnlyDisk(t *testing.T) {
	const script = `
runs=$1
mount --bind "$runs" "$runs"
mount -o remount,bind,ro "$runs"
shift
"$HSNAS" "$@" 2>&1 || echo "code $?"
`
	e := experiments(t, *faults)[0]
	for _, c := range []struct{ stage, from, want string }{
		{"corpus", e.before("corpus"), "hsnas: cannot make the run directory RUNS/micro: read-only file system\ncode 1\n"},
		{"sample", e.before("sample"), "hsnas: cannot write RUNS/micro/logs/sample.log: read-only file system\ncode 1\n"},
		{"corpus", e.after("corpus"), "corpus     up to date\nRUNS/micro\n"},
	} {
		runs := t.TempDir()
		if err := os.CopyFS(runs, os.DirFS(c.from)); err != nil {
			t.Fatal(err)
		}
		got := strings.ReplaceAll(mounted(t, e, runs, script, e.args(c.stage)...), runs, "RUNS")
		if !strings.HasSuffix(got, c.want) {
			t.Errorf("%s:\ngot  %swant %s", c.stage, got, c.want)
		}
		if err := e.resume(runs, c.stage, left{}); err != nil {
			t.Errorf("%s: %v", c.stage, err)
		}
	}
}

// TestLimits lets a process open few files, and write but short ones.
func TestLimits(t *testing.T) {
	e := experiments(t, *faults)[0]
	failures := 0
	for _, limit := range []string{"-n 8", "-n 10", "-n 12", "-n 16", "-f 1", "-f 8"} {
		for _, stage := range []string{"corpus", "distill", "export"} {
			runs := t.TempDir()
			if err := os.CopyFS(runs, os.DirFS(e.before(stage))); err != nil {
				t.Fatal(err)
			}
			c := e.command(runs, "", e.args(stage)...)
			c.Args = append([]string{"bash", "-c", "ulimit " + limit + `; exec "$0" "$@"`, c.Path}, c.Args[1:]...)
			c.Path = "/bin/bash"
			end, err := run(c, 0)
			if err != nil {
				t.Fatal(err)
			}
			if end.code != 0 {
				failures++
				text := end.message()
				if end.code != 1 || !strings.Contains(text, "too many open files") && !strings.Contains(text, "file too large") || strings.Count(end.stderr, "hsnas: ") != 1 {
					t.Errorf("ulimit %s, %s: code %d, %s", limit, stage, end.code, end.stderr)
				}
			}
			l, err := e.inspect(runs, stage)
			if err == nil {
				err = e.resume(runs, stage, l)
			}
			if err != nil {
				t.Errorf("ulimit %s, %s: %v", limit, stage, err)
			}
		}
	}
	if failures == 0 {
		t.Error("no limit was felt")
	}
	note(t, "%d of 18 runs felt their ulimit, -n or -f: the same.", failures)
}
