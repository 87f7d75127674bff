package main

import (
	"bytes"
	"encoding/json"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/cost"
	"hsnas/internal/task"
)

// costCommand computes parameters and FLOPs of architectures.
func costCommand() *cli.Command {
	return &cli.Command{
		Name:      "cost",
		Usage:     "parameters and FLOPs of architectures, exact",
		ArgsUsage: "[FILE|-]",
		Description: "Reads one architecture as JSON from each line and writes one JSON object for each:\n" +
			"params and embedding_params, and flops and flops_without_last_layer of one forward\n" +
			"pass over one sentence pair of the task's lengths.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "task", Usage: "`TASK` that ships, or the path of a task file", Required: true},
		},
		Action: func(c *cli.Context) error {
			t, err := task.Load(c.String("task"))
			if err != nil {
				return err
			}
			if !t.HasCostModel() {
				return config.Errorf("", 0, "task %s has no cost model: it names no model family", t.Name)
			}
			input, err := openInput(c)
			if err != nil {
				return err
			}
			defer input.Close()
			var out bytes.Buffer // nothing is printed unless every line is right
			lines := json.NewEncoder(&out)
			err = input.each(func(text []byte) error {
				a, err := t.Space.ParseArchitecture(text)
				if err != nil {
					return err
				}
				figures, err := cost.Of(t, a)
				if err != nil {
					return err
				}
				return lines.Encode(figures)
			})
			if err != nil {
				return err
			}
			_, err = out.WriteTo(c.App.Writer)
			return err
		},
	}
}
