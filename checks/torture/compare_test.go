package torture

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"hsnas/internal/atomicfile"
	"hsnas/pipeline"
	"hsnas/schemas"
)

// measured are the columns that hold times that were measured, and what follows
// from them: all else of an artifact is compared bit for bit. The artifacts of the
// stages of timed are dealt with in timesHold.
var measured = map[string][]string{
	"runs.parquet":     {"cpu_seconds", "wall_seconds"},
	"training.parquet": {"cpu_seconds", "step_ms", "score_ms"},
	"requests.parquet": {"seconds"},
	"ledger.parquet":   {"seconds"},
	"samples.parquet":  {"ms"},
	"roofline.parquet": {"peak_gflops_per_s", "peak_gb_per_s", "compute_ms", "memory_ms", "bound_ms", "binds", "p50_ms", "gflops_per_s", "share"},
	"benchmark.parquet": {
		"discarded_blocks", "disturbed_blocks", "mean_ms", "trimmed_mean_ms", "std_ms", "p50_ms", "p90_ms", "p99_ms", "mean_lo_ms", "mean_hi_ms",
		"p50_lo_ms", "p50_hi_ms", "p90_lo_ms", "p90_hi_ms", "p99_lo_ms", "p99_hi_ms", "cpu_ms", "gflops_per_s", "peak_mb", "load_before", "load_after",
		"temperature_c",
	},
}

// timed are the stages whose every artifact follows from measured times, which they
// keep in rounds.jsonl.
var timed = []string{"latency", "finalists"}

// grows are files that lines are added to, each for good.
var grows = []string{"label/journal.jsonl", "latency/rounds.jsonl", "finalists/rounds.jsonl"}

// same compares a stage's artifacts with those of the undisturbed run, and the
// manifest with both.
func (e *experiment) same(runs, stage string) error {
	got, err := e.outputs(runs, stage)
	if err != nil {
		return err
	}
	want, err := e.outputs(e.after(stage), stage)
	if err != nil {
		return err
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("the stage wrote %v, undisturbed %v", got, want)
	}
	if slices.Contains(timed, stage) {
		return nil
	}
	for _, file := range got {
		if err := e.sameFile(e.path(runs, file), e.path(e.after(stage), file)); err != nil {
			return err
		}
	}
	return nil
}

func (e *experiment) path(runs, file string) string {
	return filepath.Join(runs, e.name, filepath.FromSlash(file))
}

// outputs are the files of a stage that is done; each must hold what the manifest
// says.
func (e *experiment) outputs(runs, stage string) ([]string, error) {
	m, err := pipeline.ReadManifest(filepath.Join(runs, e.name))
	if err != nil {
		return nil, err
	}
	r := m.Record(stage)
	if r == nil || r.State != pipeline.Done {
		return nil, fmt.Errorf("the stage %s is not done", stage)
	}
	var files []string
	for _, a := range r.Outputs {
		files = append(files, a.Path)
		if sum, err := atomicfile.SHA256(e.path(runs, a.Path)); err != nil || sum != a.SHA256 {
			return nil, fmt.Errorf("%s is not what the manifest says: %v", a.Path, err)
		}
	}
	return files, nil
}

// sameFile compares two files bit for bit, measured columns aside.
func (e *experiment) sameFile(got, want string) error {
	a, err := os.ReadFile(got)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(want)
	if err != nil {
		return err
	}
	if bytes.Equal(a, b) {
		return nil
	}
	aside, ok := measured[filepath.Base(want)]
	if !ok || !strings.HasSuffix(want, ".parquet") {
		return fmt.Errorf("%s holds other bytes", got)
	}
	return sameTable(got, want, aside)
}

func sameTable(got, want string, aside []string) error {
	a, err := schemas.Open(got)
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := schemas.Open(want)
	if err != nil {
		return err
	}
	defer b.Close()
	if a.Schema != b.Schema || a.Provenance != b.Provenance || a.Rows != b.Rows || !reflect.DeepEqual(a.Columns, b.Columns) {
		return fmt.Errorf("%s is another table: %s, %+v, %d rows", got, a.Schema, a.Provenance, a.Rows)
	}
	x, err := rows(a)
	if err != nil {
		return err
	}
	y, err := rows(b)
	if err != nil {
		return err
	}
	for i := range x {
		for j, c := range a.Columns {
			if !slices.Contains(aside, c.Name) && fmt.Sprintf("%#v", x[i][j]) != fmt.Sprintf("%#v", y[i][j]) {
				return fmt.Errorf("%s, row %d: %s is %v, undisturbed %v", got, i, c.Name, x[i][j], y[i][j])
			}
		}
	}
	return nil
}

func rows(v *schemas.View) (out [][]any, err error) {
	for row, err := range v.Each() {
		if err != nil {
			return nil, err
		}
		out = append(out, slices.Clone(row))
	}
	return out, nil
}

// left is what a process that was killed or failed has left behind.
type left struct {
	grown    map[string][]byte // whole lines of the files of grows
	finished map[string][]byte // results of single trainings
}

// inspect looks at a run directory that a process has left in the midst of a
// stage: what the manifest calls done is as it was, no artifact is half-written,
// and the stage does not count as done unless it is.
func (e *experiment) inspect(runs, stage string) (left, error) {
	l := left{map[string][]byte{}, map[string][]byte{}}
	m, err := pipeline.ReadManifest(filepath.Join(runs, e.name))
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil // killed before there was a manifest
	}
	if err != nil {
		return l, err
	}
	for _, r := range m.Stages {
		if r.State == pipeline.Done {
			if _, err := e.outputs(runs, r.Stage); err != nil {
				return l, err
			}
		}
	}
	files, err := e.outputs(e.after(stage), stage)
	if err != nil {
		return l, err
	}
	for _, file := range files {
		if slices.Contains(timed, stage) {
			continue
		}
		if err := e.sameFile(e.path(runs, file), e.path(e.after(stage), file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return l, fmt.Errorf("half-written: %w", err)
		}
	}
	for _, file := range grows {
		text, _ := os.ReadFile(e.path(runs, file))
		l.grown[file] = text[:bytes.LastIndexByte(text, '\n')+1]
	}
	results, _ := filepath.Glob(filepath.Join(runs, e.name, stage, "state", "*-*.json"))
	for _, file := range results {
		if stage == "search" {
			continue // the state of a search goes on
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return l, err
		}
		l.finished[path.Join(stage, "state", filepath.Base(file))] = text
	}
	return l, nil
}

// kept checks that what a process had left is still there, and that nothing
// temporary is.
func (e *experiment) kept(runs string, l left) error {
	for file, was := range l.grown {
		if text, _ := os.ReadFile(e.path(runs, file)); !bytes.HasPrefix(text, was) {
			return fmt.Errorf("%s has lost lines", file)
		}
	}
	for file, was := range l.finished {
		if text, _ := os.ReadFile(e.path(runs, file)); !bytes.Equal(text, was) {
			return fmt.Errorf("%s was made again", file)
		}
	}
	return filepath.WalkDir(runs, func(path string, d fs.DirEntry, err error) error {
		if err == nil && atomicfile.IsTemporary(d.Name()) {
			return fmt.Errorf("%s was left", path)
		}
		return err
	})
}
