package main

import (
	"runtime"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/ort"
	"hsnas/internal/progress"
	"hsnas/internal/slurm"
	"hsnas/pipeline"
	"hsnas/pipeline/cluster"
)

// runShardCommand is what a job of a cluster runs.
func runShardCommand() *cli.Command {
	return &cli.Command{
		Name:  "run-shard",
		Usage: "do shards of a stage of a run, as jobs of --executor slurm do",
		Description: "Leaves the result of each shard where the stage looks for it, and an exit file in shards/STAGE of the run.\n" +
			"What is done is not done again. The shard \"whole\" is the stage itself, once all others are done.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "run", Usage: "`RUN` that the stage belongs to", Required: true},
			&cli.StringFlag{Name: "stage", Usage: "`STAGE` that has shards", Required: true},
			&cli.StringSliceFlag{Name: "shard", Usage: "`SHARD` to do; may be given several times"},
			&cli.StringFlag{Name: "submission", Usage: "`NAME` of the submission that a job belongs to"},
			&cli.IntFlag{Name: "task", Usage: "`NUMBER` of the submission's task"},
		},
		Action: func(c *cli.Context) error {
			dir, e, err := openRun(c.String("run"))
			if err != nil {
				return err
			}
			stages, err := e.Stages()
			if err != nil {
				return err
			}
			o := pipeline.ShardOptions{
				Stage: c.String("stage"), Shards: c.StringSlice("shard"), Side: runtime.GOMAXPROCS(0),
				Code: exitCode, Processor: ort.Processor(), Report: progress.New(c.App.ErrWriter),
			}
			if name := c.String("submission"); name != "" {
				err = ofSubmission(&o, dir, name, c.Int("task"))
			}
			if err != nil {
				return err
			}
			if len(o.Shards) == 0 {
				return config.Errorf("", 0, "run-shard needs --shard, or --submission and --task")
			}
			return pipeline.RunShards(c.Context, dir, stages, o)
		},
	}
}

// ofSubmission makes the options those of a task. It refuses to be another program than
// the one that planned it.
func ofSubmission(o *pipeline.ShardOptions, dir, name string, task int) error {
	s, err := cluster.ReadSubmission(dir, o.Stage, name)
	if err != nil {
		return err
	}
	file, sum, err := thisProgram()
	if err != nil {
		return err
	}
	if sum != s.Program {
		return config.Errorf("", 0, "%s is another version than the one that submitted %s; run hsnas run again, which submits what is left", file, name)
	}
	if task < 0 || task >= len(s.Tasks) {
		return config.Errorf("", 0, "--task: %d, expected 0 to %d for the submission %s", task, len(s.Tasks)-1, name)
	}
	o.Shards, o.Key, o.By = s.Tasks[task], s.Key, cluster.By(name, task)
	return nil
}

// cancelCommand ends the jobs of a run.
func cancelCommand() *cli.Command {
	return &cli.Command{
		Name:  "cancel",
		Usage: "end the jobs that a run has on a cluster; what is done is kept",
		Flags: []cli.Flag{&cli.StringFlag{Name: "run", Usage: "`RUN` whose jobs end", Required: true}},
		Action: func(c *cli.Context) error {
			dir, _, err := openRun(c.String("run"))
			if err != nil {
				return err
			}
			client, err := slurm.Open()
			if err != nil {
				return err
			}
			n, err := cluster.Cancel(c.Context, client, dir)
			if err != nil {
				return err
			}
			progress.New(c.App.ErrWriter).Logf("%d jobs of %s cancelled; go on with hsnas run", n, dir)
			return nil
		},
	}
}
