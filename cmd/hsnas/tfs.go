package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/corpus"
	"hsnas/internal/measured"
	"hsnas/internal/metric"
	"hsnas/internal/micro"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// tfsCommand trains architectures from scratch and writes a table of their scores.
func tfsCommand() *cli.Command {
	return &cli.Command{
		Name:      "tfs",
		Usage:     "train architectures from scratch; write the table of their scores",
		ArgsUsage: "[FILE|-]",
		Description: "Reads one {\"set\":SET,\"architecture\":{...}} from each line, SET being demonstration, test or\n" +
			"extra, trains each with every seed on the task's generated corpus, and writes OUT.csv, the\n" +
			"means over the seeds, and OUT.runs.csv, one row for each training. As many trainings as there\n" +
			"are cores run side by side, one thread each. What --work has of an earlier attempt, results\n" +
			"and checkpoints, is not computed again.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "task", Usage: "`TASK` of the family micro", Required: true},
			&cli.StringFlag{Name: "out", Usage: "`FILE` ending in .csv", Required: true},
			&cli.StringFlag{Name: "work", Usage: "`FOLDER` of results and checkpoints", Required: true},
			&cli.Uint64SliceFlag{Name: "seed", Usage: "`N`, once for each seed", Value: cli.NewUint64Slice(1, 2)},
			&cli.IntFlag{Name: "workers", Usage: "`N` trainings side by side; 0 for one on each core"},
		},
		Action: func(c *cli.Context) error {
			t, err := task.Load(c.String("task"))
			if err != nil {
				return err
			}
			if !strings.HasSuffix(c.String("out"), ".csv") {
				return config.Errorf("", 0, "--out %s: expected a name that ends in .csv", c.String("out"))
			}
			if n := c.Int("workers"); n < 0 {
				return config.Errorf("", 0, "--workers %d: expected 0 for one on each core, or more", n)
			}
			seeds := c.Uint64Slice("seed")
			for i, seed := range seeds {
				if slices.Contains(seeds[:i], seed) {
					return config.Errorf("", 0, "--seed %d is given twice", seed)
				}
			}
			rows, err := readSets(c, t)
			if err != nil {
				return err
			}
			return trainTable(c.Context, c, t, rows)
		},
	}
}

// readSets reads architectures with the role of each.
func readSets(c *cli.Context, t *task.Task) ([]measured.Row, error) {
	input, err := openInput(c)
	if err != nil {
		return nil, err
	}
	defer input.Close()
	var rows []measured.Row
	seen := map[string]bool{}
	err = input.each(func(text []byte) error {
		var line struct {
			Set          string          `json:"set"`
			Architecture json.RawMessage `json:"architecture"`
		}
		if err := json.Unmarshal(text, &line); err != nil || line.Architecture == nil {
			return fmt.Errorf(`expected {"set":"test","architecture":{...}}`)
		}
		if line.Set != measured.Demonstration && line.Set != measured.Test && line.Set != measured.Extra {
			return fmt.Errorf("set %q, expected demonstration, test or extra", line.Set)
		}
		a, err := t.Space.ParseArchitecture(line.Architecture)
		if err != nil {
			return err
		}
		if seen[a.Key()] {
			return fmt.Errorf("architecture %s again, expected each once", a.ID())
		}
		seen[a.Key()] = true
		rows = append(rows, measured.Row{Arch: a, Set: line.Set})
		return nil
	})
	if err == nil && len(rows) == 0 {
		err = config.Errorf(input.name, 0, "no architectures")
	}
	return rows, err
}

// trainTable trains every row with every seed and writes both tables.
func trainTable(ctx context.Context, c *cli.Context, t *task.Task, rows []measured.Row) error {
	set := corpus.Micro(corpus.Sizes{Train: corpus.MicroTrain, Valid: corpus.MicroValid, Test: corpus.MicroTest})
	scratch, err := micro.NewScratch(t, corpus.New(set.Train, set.Valid, set.Test), micro.SettingA(), c.String("work"))
	if err != nil {
		return err
	}
	seeds := c.Uint64Slice("seed")
	var jobs []micro.Job
	for _, r := range rows {
		for _, seed := range seeds {
			jobs = append(jobs, micro.Job{Arch: r.Arch, Seed: seed})
		}
	}
	results, err := scratch.TrainAll(ctx, jobs, c.Int("workers"), progress.New(c.App.ErrWriter))
	if err != nil {
		return fmt.Errorf("tfs: %w; run the same command again to go on", err)
	}
	var runs []measured.Run
	for i, r := range results {
		if r.Diverged != "" {
			return fmt.Errorf("tfs: %s: %s", jobs[i], r.Diverged)
		}
		runs = append(runs, runOf(jobs[i].Arch, jobs[i].Seed, r))
	}
	for i := range rows {
		of := runs[i*len(seeds) : (i+1)*len(seeds)]
		rows[i].Score = meanOf(of, func(r measured.Run) float64 { return r.Score })
		rows[i].TestScore = meanOf(of, func(r measured.Run) float64 { return r.TestScore })
	}
	out := c.String("out")
	if err := measured.Write(out, t.Space, rows); err != nil {
		return err
	}
	return measured.WriteRuns(strings.TrimSuffix(out, ".csv")+".runs.csv", runs)
}

func runOf(a space.Architecture, seed uint64, r micro.Trained) measured.Run {
	return measured.Run{
		ID: a.ID(), Seed: seed, Score: r.Valid, TestScore: r.Test, ValidLoss: r.ValidLoss,
		CPUSeconds: r.CPUSeconds, WallSeconds: r.WallSeconds, Losses: r.Losses,
	}
}

func meanOf(runs []measured.Run, of func(measured.Run) float64) float64 {
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = of(r)
	}
	return metric.Mean(values)
}
