package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/progress"
)

// told collects what a run reports.
type told struct {
	progress.Reporter
	mu    sync.Mutex
	lines []string
}

func (r *told) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

// runs returns the stages that ran, with their reasons.
func (r *told) runs() string {
	var out []string
	for _, l := range r.lines {
		if stage, reason, ok := strings.Cut(l, "runs: "); ok {
			out = append(out, strings.TrimSpace(stage)+": "+reason)
		}
	}
	return strings.Join(out, "\n")
}

type seedParams struct {
	Seed int `yaml:"seed"`
}

// chain is a pipeline of three stages: draw reads a file outside, parity keeps
// less than it reads, so that a change before it may end with it.
func chain(external string, seed int) []Stage {
	concat := func(out string, from ...string) func(context.Context, Call) (Result, error) {
		return func(_ context.Context, c Call) (Result, error) {
			var all []byte
			for _, f := range from {
				text, err := os.ReadFile(f)
				if err != nil {
					text, err = os.ReadFile(c.Path(f))
				}
				if err != nil {
					return Result{}, err
				}
				all = append(all, text...)
			}
			if strings.HasPrefix(out, "parity") {
				all = []byte{'0' + byte(len(all)%2)}
			} else {
				all = append(all, fmt.Sprint(seed)...)
			}
			return Result{}, atomicfile.Write(c.Path(out), all)
		}
	}
	return []Stage{
		{Name: "draw", Version: 1, Params: seedParams{seed}, External: []string{external}, Outputs: []string{"draw/out.txt"}, Run: concat("draw/out.txt", external)},
		{Name: "parity", Version: 1, Inputs: []string{"draw/out.txt"}, Outputs: []string{"parity/out.txt"}, Run: concat("parity/out.txt", "draw/out.txt")},
		{Name: "sum", Version: 1, Inputs: []string{"parity/out.txt"}, Outputs: []string{"sum/"}, Run: concat("sum/out.txt", "parity/out.txt")},
	}
}

func TestRunRedoesWhatChangedAlone(t *testing.T) {
	dir, external := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "in.txt")
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(external, "abc")
	seed, options := 1, Options{}
	step := func(what, want string) {
		t.Helper()
		heard := &told{Reporter: progress.Discard}
		options.Report = heard
		if err := Run(t.Context(), dir, chain(external, seed), options); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := heard.runs(); got != want {
			t.Errorf("%s:\n got  %q\n want %q", what, got, want)
		}
	}
	step("first run", "draw: it has not run yet\nparity: it has not run yet\nsum: it has not run yet")
	step("again", "")
	seed = 2
	step("another seed", "draw: params: draw.seed 1 -> 2\nparity: input draw/out.txt changed")
	write(external, "abcd")
	step("another length", "draw: file "+external+" changed\nparity: input draw/out.txt changed\nsum: input parity/out.txt changed")
	if err := os.Remove(filepath.Join(dir, "parity", "out.txt")); err != nil {
		t.Fatal(err)
	}
	step("an output deleted", "parity: output missing: parity/out.txt")
	write(filepath.Join(dir, "sum", "out.txt"), "damage")
	step("an output damaged", "sum: output damaged: sum/out.txt")
	options = Options{Only: "parity", Force: true}
	step("forced", "parity: forced")
	options = Options{DryRun: true}
	seed = 3
	step("dry run", "")
	options = Options{To: "draw"}
	step("up to draw", "draw: params: draw.seed 2 -> 3")
}

// TestRunAfterADeath ends the process' view of a run at each stage: the manifest
// says running, an output is there or not, a temporary file is left.
func TestRunAfterADeath(t *testing.T) {
	external := filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(external, []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(t.TempDir(), "run")
	if err := Run(t.Context(), whole, chain(external, 1), Options{}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		dir := filepath.Join(t.TempDir(), "run")
		stages := chain(external, 1)
		work := stages[i].Run
		stages[i].Run = func(ctx context.Context, c Call) (Result, error) {
			leftover := filepath.Join(filepath.Dir(c.Path(strings.TrimSuffix(stages[i].Outputs[0], "/")+"/x")), ".x.AAAA.hsnas-tmp")
			if i < 2 {
				leftover = filepath.Join(filepath.Dir(c.Path(stages[i].Outputs[0])), ".x.AAAA.hsnas-tmp")
			}
			_ = os.WriteFile(leftover, []byte("torn"), 0o644)
			_, _ = work(ctx, c)
			runtime.Goexit() // nothing after this runs, as after SIGKILL
			return Result{}, nil
		}
		var dead sync.WaitGroup
		dead.Go(func() { _ = Run(t.Context(), dir, stages, Options{}) })
		dead.Wait()
		heard := &told{Reporter: progress.Discard}
		if err := Run(t.Context(), dir, chain(external, 1), Options{Report: heard}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(heard.runs(), stages[i].Name+": it was killed before it ended") {
			t.Errorf("after a death in %s: %s", stages[i].Name, heard.runs())
		}
		for _, f := range []string{"draw/out.txt", "parity/out.txt", "sum/out.txt"} {
			want, _ := os.ReadFile(filepath.Join(whole, f))
			if got, err := os.ReadFile(filepath.Join(dir, f)); err != nil || string(got) != string(want) {
				t.Errorf("after a death in %s: %s holds %q, %v; want %q", stages[i].Name, f, got, err, want)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*", ".*hsnas-tmp")); len(left) > 0 {
			t.Errorf("temporary files left: %v", left)
		}
	}
}

func TestRunFaults(t *testing.T) {
	external := filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(external, []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(dir string, o Options) error { return Run(t.Context(), dir, chain(external, 1), o) }
	file := filepath.Join(t.TempDir(), "file")
	manifest := func(text string) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "run.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	newer, torn := manifest(`{"format": 99}`), manifest("{\n\"format\": 1,")
	for _, c := range []struct {
		dir  string
		o    Options
		want string
	}{
		{t.TempDir(), Options{Only: "drwa"}, `--only: unknown stage "drwa"; did you mean "draw"?`},
		{t.TempDir(), Options{From: "sum", To: "draw"}, "--from sum comes after --to draw"},
		{t.TempDir(), Options{Only: "sum"}, "stage sum needs parity/out.txt, but stage parity has not run yet; run that stage first: --only parity"},
		{file, Options{}, "the run directory " + file + " is a file; choose another --name"},
		{newer, Options{}, filepath.Join(newer, "run.json") + " has format 99, this program reads up to 2; use a newer hsnas, or another --name"},
		{torn, Options{}, filepath.Join(torn, "run.json") + ":2: the manifest is damaged: unexpected end of JSON input; restore it, or have hsnas verify move it aside and run every stage again"},
	} {
		if err := run(c.dir, c.o); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

func TestRunEndsEarly(t *testing.T) {
	external, dir := filepath.Join(t.TempDir(), "in.txt"), filepath.Join(t.TempDir(), "run")
	if err := os.WriteFile(external, []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stages := chain(external, 1)
	stages[1].Run = func(ctx context.Context, _ Call) (Result, error) {
		cancel()
		return Result{}, ctx.Err()
	}
	err := Run(ctx, dir, stages, Options{Resume: "hsnas run -x e"})
	if !errors.Is(err, ErrInterrupted) || err.Error() != "interrupted in stage parity; go on with: hsnas run -x e" {
		t.Errorf("interrupted: %v", err)
	}
	stages[1].Run = func(context.Context, Call) (Result, error) { return Result{}, errors.New("no luck") }
	err = Run(t.Context(), dir, stages, Options{Resume: "hsnas run -x e"})
	if err == nil || err.Error() != "stage parity: no luck (to go on once that is mended: hsnas run -x e)" {
		t.Errorf("failed: %v", err)
	}
	states, err := Inspect(t.Context(), dir, chain(external, 1))
	if err != nil || states[0].State != "done" || states[1].State != "failed" || states[2].State != "pending" {
		t.Errorf("states %+v, %v", states, err)
	}
}

func TestOverride(t *testing.T) {
	parse := func() *yaml.Node {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte("search: {iterations: 30}\nname: x\n"), &doc); err != nil {
			t.Fatal(err)
		}
		return doc.Content[0]
	}
	root := parse()
	if err := Override(root, []string{"search.iterations=10", "search.limits=[1, 2]", "new.key=text"}); err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(root)
	if err != nil || string(text) != "search: {iterations: 10, limits: [1, 2]}\nname: x\nnew:\n    key: text\n" {
		t.Errorf("%s, %v", text, err)
	}
	for set, want := range map[string]string{
		"search":      "--set search: expected KEY=VALUE, search.iterations=10 for example",
		"name.x=1":    "--set name.x=1: x is below a value that is no mapping",
		"search.a=[1": "--set search.a=[1: the value is no YAML",
	} {
		if err := Override(parse(), []string{set}); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestBlame: an error about what was set names the setting, one about the file its line.
func TestBlame(t *testing.T) {
	type section struct {
		Iterations int       `yaml:"iterations"`
		Limits     []float64 `yaml:"limits"`
	}
	const text = "name: x\nsearch:\n  iterations: 30\n"
	for set, want := range map[string]string{
		"search.iterations=x":     `--set search.iterations=x: expected a whole number, found "x"`,
		"search.limits=[1, a]":    `--set search.limits=[1, a]: search.limits[1]: expected a number, found "a"`,
		"searh.iterations=3":      `--set searh.iterations=3: unknown key "searh"; did you mean "search"?`,
		"search.iteration=3":      `--set search.iteration=3: unknown key "iteration" in search; did you mean "iterations"?`,
		"search={iterations: []}": `--set search={iterations: []}: search.iterations: expected a whole number, found a list`,
		"search.iterations=3":     `x.yaml:1: unknown key "name"; known: search`,
	} {
		root, err := config.Parse("x.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var into struct {
			Name   string  `yaml:"name"`
			Search section `yaml:"search"`
		}
		var nameless struct {
			Search section `yaml:"search"`
		}
		if err := Override(root, []string{"name=y", set}); err != nil {
			t.Fatal(err)
		}
		if err = config.DecodeNode("x.yaml", root, &into); err == nil {
			err = config.DecodeNode("x.yaml", root, &nameless)
		}
		if err = Blame(err, []string{"name=y", set}); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestSharedRunDirectory: what others may be writing is left alone.
func TestSharedRunDirectory(t *testing.T) {
	dir, external := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(external, []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, shared := range []bool{true, false} {
		ask := func() (bool, error) {
			if !locked(dir) { // who has the run now may submit jobs yet
				t.Error("asked before the run was this process's")
			}
			return shared, nil
		}
		if err := Run(t.Context(), dir, chain(external, 1), Options{Shared: ask}); err != nil {
			t.Fatal(err)
		}
		written, err := atomicfile.Create(filepath.Join(dir, "state"))
		if err != nil {
			t.Fatal(err)
		}
		if err := Run(t.Context(), dir, chain(external, 1), Options{Shared: ask}); err != nil {
			t.Fatal(err)
		}
		if err := written.Commit(); (err == nil) != shared {
			t.Errorf("shared %v: %v", shared, err)
		}
	}
	refuse := errors.New("jobs are at work")
	err := Run(t.Context(), dir, chain(external, 2), Options{Shared: func() (bool, error) { return true, refuse }})
	if text, e := os.ReadFile(filepath.Join(dir, "draw", "out.txt")); !errors.Is(err, refuse) || string(text) != "abc1" {
		t.Errorf("error %v, draw/out.txt %q, %v", err, text, e)
	}
}
