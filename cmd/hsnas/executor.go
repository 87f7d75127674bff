package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/slurm"
	"hsnas/pipeline"
	"hsnas/pipeline/cluster"
)

// The executors, by name.
const (
	executorLocal = "local"
	executorSlurm = "slurm"
)

func executorFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "executor", Value: executorLocal,
		Usage: "`EXECUTOR` of stages that divide: local, or slurm for the cluster that the experiment's section slurm describes",
	}
}

// setExecutor makes the options say where stages run. A run that may still have jobs on
// a cluster goes on there.
func setExecutor(c *cli.Context, e *Experiment, dir string, o *pipeline.Options) (err error) {
	switch name := c.String("executor"); name {
	case executorSlurm:
		if o.DryRun { // which can be asked for anywhere
			return nil
		}
		o.Shared = func() (bool, error) { return cluster.Busy(dir) }
		o.Executor, err = slurmExecutor(e, dir, o)
		return err
	case executorLocal:
		o.Shared = func() (bool, error) { return false, refuseJobs(dir) }
		if o.DryRun {
			return nil
		}
		return refuseJobs(dir) // now, and not after another process has been waited for
	default:
		return config.Errorf("", 0, "--executor: unknown %q%s", name, config.DidYouMean(name, []string{executorLocal, executorSlurm}))
	}
}

// refuseJobs refuses a run that may have jobs on a cluster.
func refuseJobs(dir string) error {
	busy, err := cluster.Busy(dir)
	if err == nil && busy {
		err = config.Errorf("", 0, "the run %s may have jobs on a cluster; go on with --executor slurm, or end them: hsnas cancel --run %s",
			filepath.Base(dir), filepath.Base(dir))
	}
	return err
}

func slurmExecutor(e *Experiment, dir string, o *pipeline.Options) (*cluster.Slurm, error) {
	client, err := slurm.Open()
	if err != nil {
		return nil, err
	}
	client.Logf = o.Report.Logf
	program, sum, err := thisProgram()
	if err != nil {
		return nil, err
	}
	return &cluster.Slurm{
		Scheduler: client, Settings: e.Slurm, Program: sum,
		Command:     []string{program, "run-shard", "--run", filepath.Base(dir)},
		Environment: map[string]string{runsVariable: absolute(runsFolder())},
	}, nil
}

// thisProgram is the file of this program and its SHA-256: jobs run the same.
func thisProgram() (file, sum string, err error) {
	if file, err = os.Executable(); err == nil {
		sum, err = atomicfile.SHA256(file)
	}
	if err != nil {
		return "", "", fmt.Errorf("cannot read this program: %w", err)
	}
	return file, sum, nil
}
