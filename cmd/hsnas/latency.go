package main

import (
	"encoding/json"
	"fmt"

	"github.com/urfave/cli/v2"

	"hsnas/internal/atomicfile"
	"hsnas/internal/task"
	"hsnas/stages/latency"
)

// latencyCommand measures architectures on this machine and learns from such
// measurements.
func latencyCommand() *cli.Command {
	taskFlag := &cli.StringFlag{Name: "task", Usage: "`TASK` that ships, or the path of a task file", Required: true}
	return &cli.Command{
		Name:        "latency",
		Usage:       "measure latencies on this machine; fit a predictor to measurements",
		Subcommands: []*cli.Command{measureCommand(taskFlag), fitCommand(taskFlag)},
	}
}

func fitCommand(taskFlag cli.Flag) *cli.Command {
	return &cli.Command{
		Name:        "fit",
		Usage:       "fit a predictor to a dataset, and test it on a tenth of it",
		Description: "DATASET is one of HAT's published ones, wmt14ende_gpu_titanxp for example, or a CSV file\nthat latency measure wrote.",
		Flags: []cli.Flag{
			taskFlag,
			&cli.StringFlag{Name: "dataset", Usage: "`DATASET`", Required: true},
			&cli.StringFlag{Name: "out", Usage: "`FILE` for the predictor, ONNX"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		},
		Action: func(c *cli.Context) error {
			t, err := task.Load(c.String("task"))
			if err != nil {
				return err
			}
			fit, err := latency.FitDataset(c.Context, latency.Defaults(), t, c.String("dataset"))
			if err != nil {
				return err
			}
			if out := c.String("out"); out != "" {
				if err := atomicfile.Write(out, fit.Model); err != nil {
					return err
				}
			}
			score := fit.Score()
			if c.Bool("json") {
				return json.NewEncoder(c.App.Writer).Encode(map[string]any{
					"dataset": score.Dataset, "n_test": score.NTest, "rmse_ms": score.RMSEMS,
					"mape": score.MAPE, "tau": score.Tau, "in_order_linear_mape": fit.InOrderMAPE,
				})
			}
			fmt.Fprintf(c.App.Writer, "%s: RMSE %.2f ms, MAPE %.1f %%, tau %.3f on %d held-out architectures; a linear fit misses the last tenth in file order by %.1f %%\n",
				score.Dataset, score.RMSEMS, 100*score.MAPE, score.Tau, score.NTest, 100*fit.InOrderMAPE)
			return nil
		},
	}
}
