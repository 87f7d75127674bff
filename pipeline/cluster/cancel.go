package cluster

import (
	"context"
	"os"
	"slices"
)

// Cancel ends all jobs of a run and returns how many there were, arrays counting as one.
// A driver that waits for them ends too. Where Slurm does not answer they count as jobs
// of the run as before.
func Cancel(ctx context.Context, s Scheduler, dir string) (n int, err error) {
	left, err := arrays(dir, "*", "*")
	if err != nil || len(left) == 0 {
		return 0, err
	}
	defer func() {
		for _, a := range left {
			if err != nil {
				_ = os.Remove(a.file(endedEnding))
			}
		}
	}()
	for _, a := range left { // first, so that a driver takes none for lost
		if err := a.end(cancelled); err != nil {
			return 0, err
		}
	}
	ids, err := idsOf(ctx, s, left)
	if err != nil {
		return 0, err
	}
	return len(ids), s.Cancel(ctx, ids...)
}

// idsOf are Slurm's numbers of submissions; those that are not written down are looked
// for by name.
func idsOf(ctx context.Context, s Scheduler, all []*array) (ids []string, err error) {
	var names []string
	for _, a := range all {
		if a.id == "" {
			names = append(names, a.Name)
		} else {
			ids = append(ids, a.id)
		}
	}
	if len(names) == 0 {
		return ids, nil
	}
	queue, err := s.Queue(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range queue {
		if slices.Contains(names, t.Name) && !slices.Contains(ids, t.Job) {
			ids = append(ids, t.Job)
		}
	}
	return ids, nil
}
