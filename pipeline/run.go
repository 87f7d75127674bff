package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"hsnas/internal/atomicfile"
	"hsnas/internal/fault"
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
	// Rows counts the rows of an output for the manifest, where it has rows and
	// the stage did not tell. It may be nil.
	Rows func(path string) (rows int64, ok bool)
	// Resume is the command that takes up a run that ended early.
	Resume string
	// NoWait makes a run directory that another process has an error, where Run would
	// wait for it.
	NoWait bool
	Report progress.Reporter
	// Executor runs stages that split; nil runs them here.
	Executor Executor
	// Shared says whether jobs elsewhere may be writing into the run directory, whose
	// temporary files are left alone then. It is asked once the run is this process's, as
	// who had it before may have submitted some; an error ends the run. Nil is no jobs.
	Shared func() (bool, error)
}

// forced is the reason for which a stage runs that is up to date.
const forced = "forced"

// run is one call of Run.
type run struct {
	*state
	options Options
	report  progress.Reporter
	shared  bool // what Options.Shared says
}

// Run brings the artifacts of the run directory dir up to date. A stage runs if
// it never ended, if one of its ingredients changed, or if an output is missing
// or damaged; the reason is reported.
//
// The manifest says "running" before a stage starts and "done", with the
// checksums of the outputs, after the last of them is on the disk: a process
// that is killed in between leaves a stage that runs again from its inputs.
//
// One process at a time works in a run directory; another waits. Faults of the
// user's, an unknown stage for example, are *config.Errors.
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
	unlock, err := lock(ctx, dir, o.NoWait, o.Report)
	if err != nil {
		return err
	}
	defer unlock()
	r := &run{options: o, report: o.Report}
	if o.Shared != nil {
		if r.shared, err = o.Shared(); err != nil {
			return err
		}
	}
	if err := r.open(ctx, dir, stages); err != nil {
		return err
	}
	return r.all(ctx, stages, chosen)
}

// open reads the state, clears what a killed process left, and stores the
// configuration.
func (r *run) open(ctx context.Context, dir string, stages []Stage) (err error) {
	if r.state, err = readState(ctx, dir, stages); err != nil {
		return err
	}
	if !r.shared {
		if _, err := atomicfile.Clean(dir); err != nil {
			return fmt.Errorf("cannot clear the run directory %s: %w", dir, err)
		}
	}
	if len(r.manifest.Stages) == 0 { // first of all files, so that the directory is known as a run's
		if err := r.store(); err != nil {
			return err
		}
	}
	if len(r.options.Experiment) == 0 {
		return nil
	}
	if err := r.asideExperiment(); err != nil {
		return err
	}
	return writeExperiment(dir, r.options.Experiment)
}

// all runs the chosen stages, and mentions those before them that it leaves
// though they are out of date.
func (r *run) all(ctx context.Context, stages []Stage, chosen []bool) error {
	last := 0
	for i := range chosen {
		if chosen[i] {
			last = i
		}
	}
	left := map[string]bool{}
	for i, s := range stages {
		if chosen[i] {
			if err := r.stage(ctx, s); err != nil {
				return err
			}
			continue
		}
		in, err := r.ingredients(s, left)
		if why := r.reasons(s, in); err == nil && i < last && len(why) > 0 {
			left[s.Name] = true
			progress.LogStage(r.report, s.Name, "is left out of date: %s", why[0])
		}
	}
	return nil
}

// stage runs one stage where that is needed.
func (r *run) stage(ctx context.Context, s Stage) error {
	if ctx.Err() != nil {
		return r.interrupted(s.Name)
	}
	in, err := r.ingredients(s, nil)
	if err != nil {
		return err
	}
	why := r.reasons(s, in)
	if len(why) == 0 && r.options.Force {
		why = []string{forced}
	}
	if len(why) == 0 {
		progress.LogStage(r.report, s.Name, "up to date")
		return nil
	}
	for _, reason := range why {
		progress.LogStage(r.report, s.Name, "runs: %s", reason)
	}
	if in, err = r.freshIngredients(ctx, s); err != nil {
		return err
	}
	return r.execute(ctx, s, in)
}

// execute runs a stage and records how it ended.
func (r *run) execute(ctx context.Context, s Stage, in Ingredients) error {
	fault.Stage(s.Name)
	defer fault.Stage("")
	log, closeLog, err := openLog(r.dir, s.Name)
	if err != nil {
		return err
	}
	defer closeLog()
	if err := r.asideDamaged(s.Name); err != nil {
		return err
	}
	record := &Record{
		Stage: s.Name, State: Running, Key: in.key(s.Name), Ingredients: in, Started: time.Now().UTC(),
		Host: thisHost(), Libraries: r.options.Libraries,
	}
	r.manifest.put(record)
	if err := r.store(); err != nil {
		return err
	}
	log.Info("started", "key", record.Key)
	report := progress.ForStage(r.report, s.Name)
	result, err := r.perform(ctx, s, Call{Dir: r.dir, Key: record.Key, Log: log, Report: logged{report, log}})
	report.Done()
	fault.Point("ended", "")
	if err == nil {
		record.Outputs, err = r.collect(ctx, s, result)
	}
	fault.Point("hashed", "")
	record.Ended = time.Now().UTC()
	record.Seconds = record.Ended.Sub(record.Started).Seconds()
	return r.finish(ctx, record, err, log)
}

// call runs a stage. A panic in its own goroutine is an error like others, so
// that the manifest and the log tell of it.
func call(ctx context.Context, s Stage, c Call) (result Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.Log.Error("panic", "value", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("a fault of the program, see logs/%s.log in the run directory: %v", s.Name, p)
		}
	}()
	return s.Run(ctx, c)
}

// collect hashes the outputs that a stage wrote.
func (r *run) collect(ctx context.Context, s Stage, result Result) ([]Artifact, error) {
	files, err := listOutputs(r.dir, s.Outputs)
	if err != nil {
		return nil, err
	}
	if err := r.hash(ctx, files); err != nil {
		return nil, err
	}
	var out []Artifact
	for _, f := range files {
		sum := r.sums[f]
		if sum.Err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", f, cause(sum.Err))
		}
		a := Artifact{Path: f, SHA256: sum.SHA256, Bytes: sum.Bytes}
		n, ok := result.Rows[f]
		if !ok && r.options.Rows != nil {
			n, ok = r.options.Rows(local(r.dir, f))
		}
		if ok {
			a.Rows = &n
		}
		out = append(out, a)
	}
	return out, nil
}

// finish writes the end of a stage to the manifest and the log.
func (r *run) finish(ctx context.Context, record *Record, err error, log *slog.Logger) error {
	switch {
	case err == nil:
		record.State = Done
	case ctx.Err() != nil:
		record.State = Interrupted
	default:
		record.State, record.Error = Failed, err.Error()
	}
	log.Info("ended", "state", record.State, "error", record.Error, "seconds", record.Seconds)
	writeErr := r.store()
	log.Info("bookkeeping", "seconds", r.spentSince())
	switch {
	case record.State == Interrupted:
		return r.interrupted(record.Stage)
	case err == nil && writeErr != nil:
		return writeErr
	case err == nil:
		progress.LogStage(r.report, record.Stage, "done in %.1f s", record.Seconds)
		return nil
	case r.options.Resume == "":
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
