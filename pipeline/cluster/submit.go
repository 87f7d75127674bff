package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hsnas/internal/config"
	"hsnas/internal/slurm"
	"hsnas/pipeline"
)

// submit submits the shards that are neither done nor in a job, each wave to run after
// the one before.
func (w *work) submit(ctx context.Context) error {
	for wave, shards := range w.waves {
		left := w.uncovered(shards)
		if len(left) == 0 {
			continue
		}
		after, known := w.after(wave)
		if !known {
			return nil // until it is known what it waits for
		}
		if err := w.arrays(ctx, wave, left, after); err != nil {
			return err
		}
	}
	return nil
}

// uncovered are the shards that nobody does.
func (w *work) uncovered(shards []string) []string {
	covered := map[string]bool{}
	for _, a := range w.open {
		for i, task := range a.Tasks {
			for _, shard := range task {
				covered[shard] = covered[shard] || !a.settled[i]
			}
		}
	}
	return slices.DeleteFunc(w.left(shards), func(s string) bool { return covered[s] })
}

// after are the jobs that a wave has to wait for: of the last one before it that is not
// done; none where all are.
// It is not known while a submission's number is not, nor as long as one of them has lost
// a task: Slurm would cancel at once what waits for it.
func (w *work) after(wave int) (ids []string, known bool) {
	for wave--; wave >= 0 && len(w.left(w.waves[wave])) == 0; wave-- {
	}
	for _, a := range w.open {
		if a.Wave != wave {
			continue
		}
		if a.id == "" || a.lost {
			return nil, false
		}
		ids = append(ids, a.id)
	}
	return ids, true
}

// arrays submits shards in arrays that the cluster admits.
func (w *work) arrays(ctx context.Context, wave int, shards, after []string) error {
	var tasks [][]string
	for task := range slices.Chunk(shards, max(1, w.Settings.ShardsPerTask)) {
		tasks = append(tasks, task)
	}
	for chunk := range slices.Chunk(tasks, w.tasksPerArray(ctx)) {
		if err := w.array(ctx, wave, chunk, after); err != nil {
			return err
		}
	}
	return nil
}

// usualLimit is Slurm's own default of MaxArraySize, less one.
const usualLimit = 1000

// tasksPerArray is the smaller of what the cluster and the user admit.
func (w *work) tasksPerArray(ctx context.Context) int {
	if w.largest == 0 {
		var err error
		if w.largest, err = w.Scheduler.MaxArraySize(ctx); err != nil {
			w.logf("Slurm does not tell how large arrays may be, %d is assumed: %v", usualLimit, err)
			w.largest = usualLimit
		}
	}
	if n := w.Settings.TasksPerArray; n > 0 {
		return min(n, w.largest)
	}
	return w.largest
}

// array submits one array.
func (w *work) array(ctx context.Context, wave int, tasks [][]string, after []string) error {
	a := &array{
		Submission: Submission{
			Name:  strings.Join([]string{"hsnas", filepath.Base(w.call.Dir), w.stage.Name, strings.ToLower(rand.Text()[:10])}, "-"),
			Stage: w.stage.Name, Key: w.call.Key, Program: w.Program, Wave: wave, Tasks: tasks,
		},
		folder: jobs(w.call.Dir, w.stage.Name, w.call.Key), settled: make([]bool, len(tasks)), missing: make([]int, len(tasks)),
	}
	if err := a.write(); err != nil {
		return err
	}
	w.open = append(w.open, a)
	id, err := w.Scheduler.Submit(ctx, slurm.Job{
		Name: a.Name, Tasks: len(tasks), Running: w.Settings.Running, After: after,
		Output: a.output(), Options: w.options(), Script: w.script(a),
	})
	if err != nil {
		var refused *config.Error
		if errors.As(err, &refused) { // it is certain that there is no such job
			w.open = w.open[:len(w.open)-1]
			if e := a.end("refused"); e != nil {
				w.logf("%v", e)
			}
			return err
		}
		return err
	}
	w.logf("%s", announcement(id, tasks, after))
	return a.submitted(id)
}

// announcement says what was submitted.
func announcement(id string, tasks [][]string, after []string) string {
	text := "submitted job " + id
	if shards := slices.Concat(tasks...); shards[0] == pipeline.Whole {
		text += ", the stage itself"
	} else {
		text += ": " + plural(len(shards), "shard") + " in " + plural(len(tasks), "task")
	}
	if len(after) > 0 {
		text += ", after " + strings.Join(after, ", ")
	}
	return text
}

// options are those of sbatch. What is timed has its node to itself.
func (w *work) options() []string {
	if w.stage.Split.Timed {
		return append(w.Settings.sbatch(), "--exclusive")
	}
	return w.Settings.sbatch()
}

func (a *array) output() string {
	name := strings.ReplaceAll(filepath.Join(a.folder, a.Name), "%", "%%")
	if len(a.Tasks) > 1 {
		return name + ".%a.out"
	}
	return name + ".0.out"
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
