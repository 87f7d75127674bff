package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/progress"
)

// finished returns a run directory in which chain ran, and its external file.
func finished(t *testing.T) (dir, external string) {
	t.Helper()
	dir, external = filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(external, []byte("abc"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), dir, chain(external, 1), Options{}); err != nil {
		t.Fatal(err)
	}
	return dir, external
}

// TestInputsAreTrustedOnlyWhole leaves out the stage that would mend an input.
func TestInputsAreTrustedOnlyWhole(t *testing.T) {
	for _, test := range []struct {
		fault func(path string) error
		want  string
	}{
		{os.Remove, "stage parity needs draw/out.txt, but draw/out.txt is missing; run that stage first: --only draw"},
		{func(p string) error { return os.WriteFile(p, []byte("x"), 0o666) }, "stage parity needs draw/out.txt, but draw/out.txt is damaged; run that stage first: --only draw"},
	} {
		dir, external := finished(t)
		if err := test.fault(filepath.Join(dir, "draw", "out.txt")); err != nil {
			t.Fatal(err)
		}
		err := Run(t.Context(), dir, chain(external, 1), Options{From: "parity"})
		var usage *config.Error
		if !errors.As(err, &usage) || err.Error() != test.want {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
	dir, external := finished(t)
	broken := chain(external, 2)
	broken[0].Run = func(context.Context, Call) (Result, error) { return Result{}, errors.New("no luck") }
	if err := Run(t.Context(), dir, broken, Options{}); err == nil {
		t.Fatal("the broken stage went through")
	}
	err := Run(t.Context(), dir, chain(external, 1), Options{Only: "parity"})
	want := "stage parity needs draw/out.txt, but stage draw did not end well: it failed: no luck; run that stage first: --only draw"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestStagesLeftOutOfDateAreMentioned(t *testing.T) {
	dir, external := finished(t)
	heard := &told{Reporter: progress.Discard}
	if err := Run(t.Context(), dir, chain(external, 2), Options{From: "sum", Report: heard}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"draw       is left out of date: params: draw.seed 1 -> 2",
		"parity     is left out of date: input draw/out.txt will be made again",
		"sum        up to date",
	}
	if !slices.Equal(heard.lines, want) {
		t.Errorf("got  %q\nwant %q", heard.lines, want)
	}
}

// TestFolderShrinks checks that files of an earlier attempt neither stay in an
// output folder nor count, in this run or the next.
func TestFolderShrinks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	run := func(n int, want string) {
		t.Helper()
		heard := &told{Reporter: progress.Discard}
		err := Run(t.Context(), dir, []Stage{
			{Name: "fill", Params: seedParams{n}, Outputs: []string{"fill/"}, Run: func(_ context.Context, c Call) (Result, error) {
				for i := range n {
					if err := atomicfile.Write(filepath.Join(c.Path("fill/"), fmt.Sprint(i)), nil); err != nil {
						return Result{}, err
					}
				}
				return Result{}, nil
			}},
			{Name: "list", Inputs: []string{"fill/"}, Outputs: []string{"list.txt"}, Run: func(_ context.Context, c Call) (Result, error) {
				files, err := filesIn(c.Path("fill/"))
				return Result{}, errors.Join(err, atomicfile.Write(c.Path("list.txt"), fmt.Append(nil, files)))
			}},
		}, Options{Report: heard})
		if err != nil {
			t.Fatal(err)
		}
		if got := heard.runs(); got != want {
			t.Errorf("%d files:\n got  %q\n want %q", n, got, want)
		}
	}
	run(3, "fill: it has not run yet\nlist: it has not run yet")
	run(1, "fill: params: fill.seed 3 -> 1\nlist: input fill/ changed")
	run(1, "")
	if text, _ := os.ReadFile(filepath.Join(dir, "list.txt")); string(text) != "[0]" {
		t.Errorf("the folder holds %s", text)
	}
	run(0, "fill: params: fill.seed 1 -> 0\nlist: input fill/ changed")
	run(0, "")
}

func TestOutputThatIsNotWritten(t *testing.T) {
	dir, external := finished(t)
	lazy := chain(external, 2)
	lazy[0].Run = func(context.Context, Call) (Result, error) { return Result{}, nil }
	err := Run(t.Context(), dir, lazy, Options{})
	if err == nil || err.Error() != "stage draw: it did not write draw/out.txt" {
		t.Errorf("an old file passed for a new one: %v", err)
	}
	more := chain(external, 1)
	more[1].Outputs = append(more[1].Outputs, "parity/more.txt")
	heard := &told{Reporter: progress.Discard}
	err = Run(t.Context(), dir, more, Options{Report: heard})
	if err == nil || err.Error() != "stage parity: it did not write parity/more.txt" || !strings.Contains(heard.runs(), "parity: output parity/more.txt is new") {
		t.Errorf("got %v after %s", err, heard.runs())
	}
}

func TestPanicIsAnError(t *testing.T) {
	dir, external := finished(t)
	stages := chain(external, 2)
	stages[0].Run = func(context.Context, Call) (Result, error) { panic("index out of range") }
	err := Run(t.Context(), dir, stages, Options{})
	if want := "stage draw: a fault of the program, see logs/draw.log in the run directory: index out of range"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if log, _ := os.ReadFile(filepath.Join(dir, "logs", "draw.log")); !strings.Contains(string(log), "state_test.go") {
		t.Errorf("the log does not tell where: %s", log)
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	dir, external := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(external, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	heard := &told{Reporter: progress.Discard}
	if err := Run(t.Context(), dir, chain(external, 1), Options{DryRun: true, Report: heard}); err != nil {
		t.Fatal(err)
	}
	if len(heard.lines) != 3 || heard.lines[2] != "sum        would run: it has not run yet" {
		t.Errorf("got %q", heard.lines)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the run directory: %v", err)
	}
	dir, external = finished(t)
	heard = &told{Reporter: progress.Discard}
	if err := Run(t.Context(), dir, chain(external, 2), Options{DryRun: true, Force: true, Report: heard}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"draw       would run: params: draw.seed 1 -> 2",
		"parity     would run: input draw/out.txt will be made again",
		"sum        would run: input parity/out.txt will be made again",
	}
	if !slices.Equal(heard.lines, want) {
		t.Errorf("got  %q\nwant %q", heard.lines, want)
	}
}

func TestForeignFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	err := Run(t.Context(), dir, chain("none", 1), Options{})
	want := dir + " is no run directory: it has thesis.tex but no run.json; choose another --name"
	var usage *config.Error
	if !errors.As(err, &usage) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	dir, external := finished(t)
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), dir, chain(external, 1), Options{Force: true}); err != nil {
		t.Errorf("notes in a run directory: %v", err)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "notes.txt")); string(text) != "mine" {
		t.Error("the user's notes are gone")
	}
}

func TestMissingExternalFile(t *testing.T) {
	dir, external := finished(t)
	if err := os.Remove(external); err != nil {
		t.Fatal(err)
	}
	want := "stage draw: cannot read " + external + ": no such file or directory"
	if err := Run(t.Context(), dir, chain(external, 1), Options{}); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	states, err := Inspect(t.Context(), dir, chain(external, 1))
	if err != nil || states[0].State != "stale" || states[0].Reason != want {
		t.Errorf("states %+v, %v", states, err)
	}
}

func TestRowsAreKept(t *testing.T) {
	dir, external := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(external, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	stages := chain(external, 1)
	work := stages[0].Run
	stages[0].Run = func(ctx context.Context, c Call) (Result, error) {
		_, err := work(ctx, c)
		return Result{Rows: map[string]int64{"draw/out.txt": 5}}, err
	}
	count := func(path string) (int64, bool) { return 9, strings.HasSuffix(path, "parity/out.txt") }
	if err := Run(t.Context(), dir, stages, Options{Rows: count}); err != nil {
		t.Fatal(err)
	}
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	draw, _ := m.Artifact("draw/out.txt")
	parity, _ := m.Artifact("parity/out.txt")
	sum, _ := m.Artifact("sum/out.txt")
	if *draw.Rows != 5 || *parity.Rows != 9 || sum.Rows != nil {
		t.Errorf("rows: %v, %v, %v", draw, parity, sum)
	}
}

func TestWrongGraphs(t *testing.T) {
	for _, test := range []struct {
		stages []Stage
		want   string
	}{
		{[]Stage{{Name: "a"}, {Name: "a"}}, `there are two stages named "a"`},
		{[]Stage{{Name: "a", Outputs: []string{"x"}}, {Name: "b", Outputs: []string{"x"}}}, "the stages a and b both write x"},
		{[]Stage{{Name: "a", Inputs: []string{"x"}}}, "stage a reads x, which no stage writes"},
		{[]Stage{{Name: "a", Outputs: []string{"../x"}}}, `stage a writes "../x", outside the run directory`},
		{[]Stage{{Name: "a", Inputs: []string{"y"}, Outputs: []string{"x"}}, {Name: "b", Inputs: []string{"x"}, Outputs: []string{"y"}}}, "the stages depend on each other in a circle"},
	} {
		if err := Run(t.Context(), filepath.Join(t.TempDir(), "run"), test.stages, Options{}); err == nil || err.Error() != test.want {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
}

// BenchmarkUpToDate is a run of 32 MB of outputs in which nothing is to do.
func BenchmarkUpToDate(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "run")
	stages := []Stage{{Name: "fill", Outputs: []string{"fill/"}, Run: func(_ context.Context, c Call) (Result, error) {
		for i := range 8 {
			if err := os.WriteFile(filepath.Join(c.Path("fill/"), fmt.Sprint(i)), make([]byte, 4<<20), 0o666); err != nil {
				return Result{}, err
			}
		}
		return Result{}, nil
	}}}
	if err := Run(b.Context(), dir, stages, Options{}); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(32 << 20)
	for b.Loop() {
		if err := Run(b.Context(), dir, stages, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
