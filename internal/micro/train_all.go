package micro

import (
	"context"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"hsnas/internal/config"
	"hsnas/internal/progress"
)

// Workers is how many computations of one thread each run side by side: as many
// as were asked for, 0 meaning all cores, but no more than there are cores.
func Workers(asked int) int {
	cores := runtime.GOMAXPROCS(0)
	if asked == 0 {
		return cores
	}
	return min(asked, cores)
}

// TrainAll trains jobs, each on a thread of its own and as many side by side as
// workers; two trainings of one thread each are faster than one of two. What is
// known already is not trained again. The results are in the order of the jobs,
// whatever the number of workers.
func (s *Scratch) TrainAll(ctx context.Context, jobs []Job, workers int, rep progress.Reporter) ([]Trained, error) {
	if n := Workers(workers); workers > n {
		rep.Logf("%d trainings side by side were asked for, this machine has %d cores: %d run at a time", workers, n, n)
	}
	s.Warn = rep.Logf
	known := 0
	for _, j := range jobs {
		if s.Known(j) {
			known++
		}
	}
	if known > 0 {
		rep.Logf("%d of %d trainings are known from an earlier attempt", known, len(jobs))
	}
	rep.Start("training from scratch, steps", len(jobs)*s.Recipe.Steps)
	defer rep.Done()
	s.Progress = rep.Add
	out := make([]Trained, len(jobs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(Workers(workers))
	for _, i := range longestFirst(s.Dims, jobs) {
		group.Go(func() error {
			var err error
			out[i], err = s.Train(ctx, jobs[i])
			if err == nil && out[i].Diverged != "" {
				rep.Logf("%s: %s; the other trainings go on", jobs[i], out[i].Diverged)
			}
			return err
		})
	}
	return out, group.Wait()
}

// longestFirst orders jobs so that no core is left with a long one at the end.
func longestFirst(d Dims, jobs []Job) []int {
	order, size := make([]int, len(jobs)), make([]int, len(jobs))
	for i, j := range jobs {
		order[i] = i
		if s, err := ShapeOf(d, j.Arch); err == nil {
			if l, err := NewLayout(d, s); err == nil {
				size[i] = l.Size()
			}
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return size[b] - size[a] })
	return order
}

// Names are the names of jobs.
func Names(jobs []Job) []string {
	names := make([]string, len(jobs))
	for i, j := range jobs {
		names[i] = j.Name()
	}
	return names
}

// TrainNamed trains the one of jobs that has a name, and returns the file of its result.
func (s *Scratch) TrainNamed(ctx context.Context, jobs []Job, name string, rep progress.Reporter) (file string, err error) {
	i := slices.Index(Names(jobs), name)
	if i < 0 {
		return "", config.Errorf("", 0, "there is no training %q", name)
	}
	_, err = s.TrainAll(ctx, jobs[i:i+1], 1, rep)
	return s.file(jobs[i], "json"), err
}
