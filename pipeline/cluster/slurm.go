package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hsnas/internal/config"
	"hsnas/internal/slurm"
	"hsnas/pipeline"
)

// Scheduler is what the executor needs of Slurm; slurm.Client documents it.
type Scheduler interface {
	MaxArraySize(ctx context.Context) (int, error)
	Submit(ctx context.Context, j slurm.Job) (id string, err error)
	Queue(ctx context.Context) ([]slurm.Task, error)
	Show(ctx context.Context, id string) ([]slurm.Task, error)
	Cancel(ctx context.Context, ids ...string) error
}

// Slurm is the executor.
type Slurm struct {
	Scheduler Scheduler
	Settings  Settings
	// Command is what a job runs, program and arguments; the stage, the submission and the
	// task are added. Program is the SHA-256 of the program.
	Command []string
	Program string
	// Environment are variables for it beside those that this process has.
	Environment map[string]string
	// Wait waits until it is time for the next look; nil waits Settings.PollSeconds.
	Wait func(ctx context.Context) error

	largest int // tasks of an array, 0 while not known
}

// Execute implements pipeline.Executor. It goes on with jobs that an earlier call has
// submitted for the same key, and submits what no job is at. When ctx ends the jobs go
// on; when a shard fails for good they are cancelled.
func (x *Slurm) Execute(ctx context.Context, s pipeline.Stage, c pipeline.Call) (pipeline.Result, bool, error) {
	waves, err := s.Waves(ctx, c)
	if err != nil {
		return pipeline.Result{}, false, err
	}
	w, err := x.open(ctx, s, c, waves) // ends jobs of other parameters, though there may be none of these
	if err != nil || len(waves) == 0 {
		return pipeline.Result{}, false, err
	}
	c.Report.Start(s.Name+" on Slurm, shards", w.total())
	for {
		done, err := w.step(ctx)
		switch {
		case done:
			return pipeline.Result{Rows: w.rows}, true, w.leave(ctx, "done")
		case ctx.Err() != nil:
			c.Report.Logf("%-10s its jobs go on without this process; hsnas cancel ends them", s.Name)
			return pipeline.Result{}, false, ctx.Err()
		case err != nil:
			return pipeline.Result{}, false, w.failed(ctx, err)
		}
		_ = x.wait(ctx)
	}
}

func (x *Slurm) wait(ctx context.Context) error {
	if x.Wait != nil {
		return x.Wait(ctx)
	}
	timer := time.NewTimer(x.Settings.poll())
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// failed ends the jobs where what happened is no fault of Slurm's, which may pass, and
// those that were submitted while hsnas cancel ended the others.
func (w *work) failed(ctx context.Context, err error) error {
	var user *config.Error
	var shard *shardError
	if !errors.As(err, &user) && !errors.As(err, &shard) && !errors.Is(err, pipeline.ErrInterrupted) {
		return err
	}
	if e := w.leave(ctx, "failed"); e != nil {
		w.call.Report.Logf("%-10s its jobs may go on: %v", w.stage.Name, e)
	}
	return err
}

// leave ends what is left of the jobs, and then writes down that nothing is expected of
// them.
func (w *work) leave(ctx context.Context, why string) error {
	var alive []*array
	for _, a := range w.open {
		if slices.ContainsFunc(a.Tasks, func(shards []string) bool { return len(w.left(shards)) > 0 }) {
			alive = append(alive, a)
		}
	}
	ids, err := idsOf(ctx, w.Scheduler, alive)
	if err == nil {
		err = w.Scheduler.Cancel(ctx, ids...)
	}
	if err != nil {
		return err
	}
	for _, a := range w.open {
		if err := a.end(why); err != nil {
			return err
		}
	}
	w.open = nil
	return nil
}

// script is what a task runs. It becomes the program, so that Slurm's signals reach that.
func (x *Slurm) script(a *array) string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	fmt.Fprintf(&b, "export GOMAXPROCS=%d\n", x.Settings.cpus())
	for _, name := range sortedKeys(x.Environment) {
		fmt.Fprintf(&b, "export %s=%s\n", name, quoted(x.Environment[name]))
	}
	b.WriteString("exec")
	for _, word := range x.Command {
		b.WriteString(" " + quoted(word))
	}
	task := "0"
	if len(a.Tasks) > 1 {
		task = `"$SLURM_ARRAY_TASK_ID"`
	}
	fmt.Fprintf(&b, " --stage %s --submission %s --task %s\n", a.Stage, a.Name, task)
	return b.String()
}

// quoted is a word for the shell.
func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
