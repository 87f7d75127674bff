package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"time"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/progress"
)

// ErrInterrupted is what Run returns, wrapped, when its context ended.
var ErrInterrupted = errors.New("interrupted")

// Options say which stages run, and how. The zero value runs whatever is not up
// to date.
type Options struct {
	From, To string // first and last stage to consider, "" for all
	Only     string // the one stage to consider
	Force    bool   // run the considered stages though they are up to date
	DryRun   bool   // only say what would run, and why
	// Experiment is the resolved configuration that the run directory keeps as
	// experiment.yaml.
	Experiment []byte
	// Libraries are versions for the manifest.
	Libraries map[string]string
	// Resume is the command that takes up a run that ended early.
	Resume string
	Report progress.Reporter
}

// run is one call of Run.
type run struct {
	dir      string
	stages   []Stage
	options  Options
	manifest *Manifest
	disk     *disk
	report   progress.Reporter
}

// Run brings the artifacts of the run directory dir up to date. A stage runs if
// it never ended, if one of its ingredients changed, or if an output is missing
// or damaged; the reason is reported.
//
// The manifest says "running" before a stage starts and "done", with the
// checksums of the outputs, after the last of them is on the disk: a process
// that is killed in between leaves a stage that runs again from its inputs.
func Run(ctx context.Context, dir string, stages []Stage, o Options) error {
	if o.Report == nil {
		o.Report = progress.Discard
	}
	stages, err := ordered(stages)
	if err != nil {
		return err
	}
	chosen, err := choose(stages, o)
	if err != nil {
		return err
	}
	if o.DryRun {
		return dryRun(ctx, dir, stages, chosen, o)
	}
	if err := makeRunDir(dir); err != nil {
		return err
	}
	unlock, err := lock(ctx, dir, o.Report)
	if err != nil {
		return err
	}
	defer unlock()
	r := &run{dir: dir, stages: stages, options: o, report: o.Report}
	if err := r.open(ctx); err != nil {
		return err
	}
	for i, s := range stages {
		if !chosen[i] {
			continue
		}
		if err := r.stage(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// open reads the manifest, clears what a killed process left, and stores the
// configuration.
func (r *run) open(ctx context.Context) error {
	var err error
	if r.manifest, err = readOrNew(r.dir); err != nil {
		return err
	}
	if len(r.options.Experiment) > 0 {
		file := filepath.Join(r.dir, "experiment.yaml")
		if was, err := os.ReadFile(file); err != nil || !bytes.Equal(was, r.options.Experiment) {
			if err := atomicfile.Write(file, r.options.Experiment); err != nil {
				return err
			}
		}
	}
	r.disk, err = hashOutputs(ctx, r.dir, r.manifest)
	return err
}

// readOrNew reads the manifest; a run that has none yet gets an empty one.
func readOrNew(dir string) (*Manifest, error) {
	m, err := ReadManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return &Manifest{Format: manifestFormat}, nil
	}
	return m, err
}

// stage runs one stage where that is needed.
func (r *run) stage(ctx context.Context, s Stage) error {
	if ctx.Err() != nil {
		return r.interrupted(s.Name)
	}
	in, err := ingredients(r.dir, s, r.disk, nil)
	if err != nil {
		return err
	}
	why := reasons(s, in, r.manifest, r.disk)
	if len(why) == 0 && r.options.Force {
		why = []string{"forced"}
	}
	if len(why) == 0 {
		r.report.Logf("%-10s up to date", s.Name)
		return nil
	}
	for _, reason := range why {
		r.report.Logf("%-10s runs: %s", s.Name, reason)
	}
	return r.execute(ctx, s, in)
}

// execute runs a stage and records how it ended.
func (r *run) execute(ctx context.Context, s Stage, in Ingredients) error {
	if err := prepareOutputs(r.dir, s); err != nil {
		return err
	}
	log, closeLog, err := openLog(r.dir, s.Name)
	if err != nil {
		return err
	}
	defer closeLog()
	record := &Record{
		Stage: s.Name, State: Running, Key: in.key(s.Name), Ingredients: in, Started: time.Now().UTC(),
		Host: thisHost(), Libraries: r.options.Libraries,
	}
	r.manifest.put(record)
	if err := r.manifest.write(r.dir); err != nil {
		return err
	}
	log.Info("started", "key", record.Key)
	result, err := s.Run(ctx, Call{Dir: r.dir, Key: record.Key, Log: log, Report: logged{r.report, log}})
	r.report.Done()
	if err == nil {
		record.Outputs, err = r.collect(ctx, s, result)
	}
	record.Ended = time.Now().UTC()
	record.Seconds = record.Ended.Sub(record.Started).Seconds()
	return r.finish(ctx, record, err, log)
}

// finish writes the end of a stage to the manifest and the log.
func (r *run) finish(ctx context.Context, record *Record, err error, log *slog.Logger) error {
	switch {
	case err == nil:
		record.State = Done
		r.report.Logf("%-10s done in %.1f s", record.Stage, record.Seconds)
	case ctx.Err() != nil:
		record.State = Interrupted
	default:
		record.State, record.Error = Failed, err.Error()
	}
	log.Info("ended", "state", record.State, "error", record.Error, "seconds", record.Seconds)
	if writeErr := r.manifest.write(r.dir); err == nil && writeErr != nil {
		return writeErr
	}
	switch record.State {
	case Done:
		return nil
	case Interrupted:
		return r.interrupted(record.Stage)
	}
	if r.options.Resume == "" {
		return fmt.Errorf("stage %s: %w", record.Stage, err)
	}
	return fmt.Errorf("stage %s: %w (to go on once that is mended: %s)", record.Stage, err, r.options.Resume)
}

func (r *run) interrupted(stage string) error {
	if r.options.Resume == "" {
		return fmt.Errorf("%w in stage %s", ErrInterrupted, stage)
	}
	return fmt.Errorf("%w in stage %s; go on with: %s", ErrInterrupted, stage, r.options.Resume)
}

// collect hashes the outputs that a stage wrote.
func (r *run) collect(ctx context.Context, s Stage, result Result) ([]Artifact, error) {
	files, err := listOutputs(r.dir, s.Outputs)
	if err != nil {
		return nil, err
	}
	if err := r.disk.add(ctx, r.dir, files); err != nil {
		return nil, err
	}
	var out []Artifact
	for _, f := range files {
		sum := r.disk.sums[f]
		if sum.Err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", f, cause(sum.Err))
		}
		a := Artifact{Path: f, SHA256: sum.SHA256, Bytes: sum.Bytes}
		if n, ok := result.Rows[f]; ok {
			a.Rows = &n
		}
		out = append(out, a)
	}
	return out, nil
}

// makeRunDir creates the run directory.
func makeRunDir(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return config.Errorf("", 0, "the run directory %s is a file; choose another --name", dir)
	}
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o777); err != nil {
		return fmt.Errorf("cannot make the run directory %s: %w", dir, cause(err))
	}
	return nil
}

// prepareOutputs makes the folders of a stage's outputs; what a killed process
// left there under a temporary name, and an output folder's old files, go.
func prepareOutputs(dir string, s Stage) error {
	for _, out := range s.Outputs {
		folder := local(dir, path.Dir(out))
		if isFolder(out) {
			folder = local(dir, out)
			if err := os.RemoveAll(folder); err != nil {
				return fmt.Errorf("cannot empty %s: %w", folder, cause(err))
			}
		}
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return fmt.Errorf("cannot make %s: %w", folder, cause(err))
		}
		if _, err := atomicfile.Clean(folder); err != nil {
			return err
		}
	}
	return nil
}

// openLog appends to the stage's log, one JSON object a line.
func openLog(dir, stage string) (*slog.Logger, func(), error) {
	file := filepath.Join(dir, "logs", stage+".log")
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot write %s: %w", file, cause(err))
	}
	return slog.New(slog.NewJSONHandler(f, nil)), func() { _ = f.Close() }, nil
}

// logged writes what a stage reports to its log as well.
type logged struct {
	progress.Reporter
	log *slog.Logger
}

func (l logged) Logf(format string, args ...any) {
	l.log.Info(fmt.Sprintf(format, args...))
	l.Reporter.Logf(format, args...)
}

func thisHost() Host {
	name, _ := os.Hostname()
	return Host{Name: name, OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}
}
