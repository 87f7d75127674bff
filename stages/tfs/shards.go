package tfs

import (
	"context"
	"fmt"

	"hsnas/internal/micro"
	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Shards names the trainings of the stage, each a shard of its own; none where the truth
// is read.
func Shards(p Params, in Inputs) ([]string, error) {
	jobs, err := shards(p, in)
	return micro.Names(jobs), err
}

func shards(p Params, in Inputs) ([]micro.Job, error) {
	if err := p.Validate(); err != nil || in.Task.Family != task.Micro {
		return nil, err
	}
	archs, g, err := known(in)
	if err != nil {
		return nil, err
	}
	t := &training{params: p, task: in.Task, archs: archs, gathered: g, rep: progress.Discard}
	if err := t.readRecorded(); err != nil {
		return nil, err
	}
	return t.jobs()
}

// RunShard does one of the trainings and returns the file of its result, in the folder
// state: Run takes it from there.
func RunShard(ctx context.Context, p Params, in Inputs, state, shard string, rep progress.Reporter) (file string, err error) {
	jobs, err := shards(p, in)
	if err != nil {
		return "", err
	}
	c, err := schemas.LoadCorpus(in.Corpus)
	if err != nil {
		return "", err
	}
	scratch, err := micro.NewScratch(in.Task, c, p.Recipe, state)
	if err != nil {
		return "", err
	}
	if file, err = scratch.TrainNamed(ctx, jobs, shard, rep); err != nil {
		return "", fmt.Errorf("tfs: %w", err)
	}
	return file, nil
}
