package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/stages/latency"
)

func measureCommand(taskFlag cli.Flag) *cli.Command {
	return &cli.Command{
		Name:  "measure",
		Usage: "time architectures sampled from the task's space",
		Description: "Appends a row for each architecture to a CSV file with the columns of HAT's latency\n" +
			"datasets, and says in a file beside it, FILE.json, how they were measured. A command that\n" +
			"was ended goes on where it was: neither rows nor finished sittings are measured again.\n" +
			"Architectures are timed in turns, in rounds; a time is the fastest repetition, and what\n" +
			"slowed the machine for longer is estimated and taken out. Models of\n" +
			"the family hat follow HAT's protocol, the decode cut short with --steps; those of the\n" +
			"family micro are timed on one thread of the CPU.",
		Flags: []cli.Flag{
			taskFlag,
			&cli.StringFlag{Name: "out", Usage: "`FILE` to append to", Required: true},
			&cli.IntFlag{Name: "n", Usage: "`N` architectures in all", Value: 200},
			&cli.IntFlag{Name: "rounds", Usage: "`N` rounds; where not given 8 for the family micro, 3 for the family hat"},
			&cli.IntFlag{Name: "repetitions", Usage: "`N` timed repetitions of each, over all rounds; where not given 48 and 36"},
			&cli.IntFlag{Name: "steps", Usage: "`N` decoder steps of the family hat; where not given the task's, 30 for WMT"},
			&cli.IntFlag{Name: "beam", Usage: "`N` hypotheses of the family hat", Value: nn.DefaultBeam},
			&cli.StringFlag{Name: "device", Usage: "`DEVICE`: cpu, webgpu, cuda or cuda:N", Value: "cpu"},
			&cli.IntFlag{Name: "threads", Usage: "`N` threads on the CPU", Value: 1},
			&cli.IntFlag{Name: "memory", Usage: "`N` GiB that models may take that are open together", Value: 2},
			&cli.Uint64Flag{Name: "seed", Usage: "`N` that the architectures are drawn with", Value: 1},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		},
		Action: func(c *cli.Context) error {
			t, err := task.Load(c.String("task"))
			if err != nil {
				return err
			}
			campaign, err := newCampaign(c, t)
			if err != nil {
				return err
			}
			s, err := campaign.Run(c.Context, progress.New(c.App.ErrWriter))
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return json.NewEncoder(c.App.Writer).Encode(s)
			}
			fmt.Fprintf(c.App.Writer, "%s: %d architectures on %s, of which %d were there\n", s.File, s.N, s.Device, s.Kept)
			return nil
		},
	}
}

// newCampaign checks the flags and opens the machine.
func newCampaign(c *cli.Context, t *task.Task) (*latency.Campaign, error) {
	switch {
	case t.Family == "":
		return nil, config.Errorf("", 0, "latency measure times models of the families %s and %s alone, and the task %s names neither", task.HAT, task.Micro, t.Name)
	case t.Family == task.Micro && (c.String("device") != "cpu" || c.Int("threads") != 1):
		return nil, config.Errorf("", 0, "latency measure times models of the family %s on one thread of the CPU alone; leave out --device and --threads", task.Micro)
	case t.Family == task.Micro && (c.IsSet("steps") || c.IsSet("beam")):
		return nil, config.Errorf("", 0, "latency measure times whole sentences of the family %s, greedily; leave out --steps and --beam", task.Micro)
	}
	p := latency.Defaults()
	if t.Family == task.HAT {
		p.Rounds, p.Repetitions, p.Warmup = 3, 36, 0
	}
	p.Seed = c.Uint64("seed")
	if c.IsSet("rounds") {
		p.Rounds = c.Int("rounds")
	}
	if c.IsSet("repetitions") {
		p.Repetitions = c.Int("repetitions")
		if !c.IsSet("rounds") {
			p.Rounds = max(1, min(p.Rounds, p.Repetitions))
		}
	}
	if err := p.Validate(); err != nil {
		return nil, config.Errorf("", 0, "--%v", err)
	}
	h := latency.HAT{Device: c.String("device"), Threads: c.Int("threads"), Steps: t.Model.TargetTokens, Beam: c.Int("beam"), Seed: p.Seed}
	if c.IsSet("steps") {
		h.Steps = c.Int("steps")
	}
	for _, f := range []struct {
		name  string
		value int
	}{{"n", c.Int("n")}, {"threads", h.Threads}, {"steps", h.Steps}, {"beam", h.Beam}, {"memory", c.Int("memory")}} {
		if f.value < 1 {
			return nil, config.Errorf("", 0, "--%s: expected 1 or more, found %d", f.name, f.value)
		}
	}
	if _, err := ort.Provider(h.Device); err != nil {
		return nil, err
	}
	if cores := runtime.NumCPU(); h.Threads > cores {
		return nil, config.Errorf("", 0, "--threads: %d threads on a machine of %d cores would time the waiting for one another", h.Threads, cores)
	}
	return latency.NewCampaign(t, p, h, c.String("out"), c.Int("n"), int64(c.Int("memory"))<<30)
}
