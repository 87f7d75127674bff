package main

import (
	"encoding/json"
	"fmt"

	"github.com/urfave/cli/v2"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/task"
	"hsnas/stages/latency"
)

// latencyCommand measures architectures on this machine and learns from such
// measurements.
func latencyCommand() *cli.Command {
	taskFlag := &cli.StringFlag{Name: "task", Usage: "`TASK` that ships, or the path of a task file", Required: true}
	return &cli.Command{
		Name:        "latency",
		Usage:       "measure latencies on this machine; fit a predictor to measurements; judge it",
		Subcommands: []*cli.Command{measureCommand(taskFlag), fitCommand(taskFlag), latencyEvalCommand(taskFlag)},
	}
}

func fitCommand(taskFlag cli.Flag) *cli.Command {
	return &cli.Command{
		Name:  "fit",
		Usage: "fit a predictor to a dataset, and test it on rows held out",
		Description: "DATASET is one of HAT's published ones, wmt14ende_gpu_titanxp for example, or a CSV file\n" +
			"that latency measure wrote. With --from and --few the predictor of another device is\n" +
			"carried over to that of DATASET, by a few of its rows.",
		Flags: []cli.Flag{
			taskFlag,
			&cli.StringFlag{Name: "dataset", Usage: "`DATASET`", Required: true},
			&cli.StringFlag{Name: "from", Usage: "`DEVICES` to adapt: a published dataset, a CSV file, several with commas, or any; leave-one-out chooses of several"},
			&cli.IntFlag{Name: "few", Usage: "`N` rows of the dataset to adapt with", Value: 20},
			&cli.Uint64Flag{Name: "seed", Usage: "`N` that rows are held out and drawn with", Value: 1},
			&cli.StringFlag{Name: "out", Usage: "`FILE` for the predictor, ONNX"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		},
		Action: func(c *cli.Context) error {
			t, err := task.Load(c.String("task"))
			if err != nil {
				return err
			}
			if c.IsSet("few") && !c.IsSet("from") {
				return config.Errorf("", 0, "--few is for --from DEVICE; leave it out to fit to all rows, or give --from %s", latency.AnySource)
			}
			if c.IsSet("from") {
				return fitFew(c, t)
			}
			return fitWhole(c, t)
		},
	}
}

// fitWhole fits to all rows that are not held out.
func fitWhole(c *cli.Context, t *task.Task) error {
	p := latency.Defaults()
	p.Seed = c.Uint64("seed")
	fit, err := latency.FitDataset(c.Context, p, t, c.String("dataset"))
	if err != nil {
		return err
	}
	if err := writeModel(c, fit.Model); err != nil {
		return err
	}
	s := fit.Score()
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(map[string]any{
			"dataset": s.Dataset, "regressor": s.Regressor, "features": s.Features, "n_test": s.NTest, "rmse_ms": s.RMSEMS,
			"mape": s.MAPE, "tau": latency.Figure(s.Tau), "in_order_linear_mape": fit.InOrderMAPE,
		})
	}
	fmt.Fprintf(c.App.Writer, "%s, %s on %s: RMSE %.2f ms, MAPE %.1f %%, tau %.3f on %d held-out architectures; a linear fit misses the last tenth in file order by %.1f %%\n",
		s.Dataset, s.Regressor, s.Features, s.RMSEMS, 100*s.MAPE, s.Tau, s.NTest, 100*fit.InOrderMAPE)
	return nil
}

// fitFew adapts the predictor of another device.
func fitFew(c *cli.Context, t *task.Task) error {
	fit, err := latency.Adapt(t, c.String("dataset"), c.String("from"), c.Int("few"), c.Uint64("seed"))
	if err != nil {
		return err
	}
	if err := writeModel(c, fit.Model); err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(fit)
	}
	fmt.Fprintf(c.App.Writer, "%s from %s by %d measurements: leave-one-out error on these %.1f %%; MAPE %.1f %%, tau %.3f on %d held-out architectures\n",
		fit.Dataset, fit.Source, fit.Few, 100*fit.LOO, 100*fit.MAPE, fit.Tau, fit.NTest)
	return nil
}

func writeModel(c *cli.Context, model []byte) error {
	if out := c.String("out"); out != "" {
		return atomicfile.Write(out, model)
	}
	return nil
}
