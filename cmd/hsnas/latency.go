package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"

	"github.com/urfave/cli/v2"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/published"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/benchmark"
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

func measureCommand(taskFlag cli.Flag) *cli.Command {
	return &cli.Command{
		Name:  "measure",
		Usage: "time architectures sampled from the task's space",
		Description: "Appends a row for each architecture to a CSV file with the columns of HAT's latency\n" +
			"datasets. Architectures that the file has already are not measured again, so a command\n" +
			"that was ended goes on where it was.",
		Flags: []cli.Flag{
			taskFlag,
			&cli.StringFlag{Name: "out", Usage: "`FILE` to append to", Required: true},
			&cli.IntFlag{Name: "n", Usage: "`N` architectures in all", Value: 200},
			&cli.IntFlag{Name: "repetitions", Usage: "`N` timed repetitions of each", Value: 20},
			&cli.StringFlag{Name: "device", Usage: "`DEVICE`: cpu, webgpu, cuda or cuda:N", Value: "cpu"},
			&cli.IntFlag{Name: "threads", Usage: "`N` threads on the CPU", Value: 1},
			&cli.Uint64Flag{Name: "seed", Usage: "`N` that the architectures are drawn with", Value: 1},
		},
		Action: func(c *cli.Context) error {
			t, err := task.Load(c.String("task"))
			if err != nil {
				return err
			}
			m, err := newMeasurement(c, t)
			if err != nil {
				return err
			}
			return m.run(c)
		},
	}
}

// measurement is one call of latency measure.
type measurement struct {
	task    *task.Task
	runtime *ort.Runtime
	params  benchmark.Params
	archs   []space.Architecture // those that the file does not have yet, in order
	file    string
	fresh   bool // the file needs its header
}

func newMeasurement(c *cli.Context, t *task.Task) (*measurement, error) {
	if t.Family != task.HAT {
		return nil, config.Errorf("", 0, "latency measure times models of the family %s alone, which the task %s does not name", task.HAT, t.Name)
	}
	m := &measurement{task: t, params: benchmark.Defaults(), file: c.String("out")}
	m.params.Device, m.params.Threads, m.params.Repetitions, m.params.Rounds = c.String("device"), c.Int("threads"), c.Int("repetitions"), 1
	if _, err := ort.Provider(m.params.Device); err != nil {
		return nil, err
	}
	if err := m.params.Validate(); err != nil {
		return nil, config.Errorf("", 0, "--%v", err)
	}
	done := 0
	if _, err := os.Stat(m.file); err == nil {
		rows, err := published.ReadLatency(m.file)
		if err != nil {
			return nil, err
		}
		done = len(rows)
	} else {
		m.fresh = true
	}
	if done >= c.Int("n") {
		return nil, config.Errorf("", 0, "%s has %d architectures already; raise --n for more", m.file, done)
	}
	r := rand.New(rand.NewPCG(c.Uint64("seed"), 0))
	for i := range c.Int("n") {
		if a := t.Space.Sample(r); i >= done {
			m.archs = append(m.archs, a)
		}
	}
	var err error
	m.runtime, err = ort.Open()
	return m, err
}

// run measures one architecture after the other; each row is on the disk before
// the next begins.
func (m *measurement) run(c *cli.Context) error {
	report := progress.New(c.App.ErrWriter)
	features, err := predictor.FeatureSet(m.task, predictor.HATMeans)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(m.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return config.Errorf("", 0, "cannot write --out: %v", err)
	}
	defer out.Close()
	w := csv.NewWriter(out)
	if m.fresh {
		if err := w.Write(published.LatencyHeader()); err != nil {
			return err
		}
	}
	report.Start("measuring", len(m.archs))
	defer report.Done()
	for _, a := range m.archs {
		row, err := m.one(c, features, a)
		if err != nil {
			return err
		}
		if err := w.Write(row); err != nil {
			return err
		}
		if w.Flush(); w.Error() != nil {
			return fmt.Errorf("writing %s: %w", m.file, w.Error())
		}
		if err := out.Sync(); err != nil {
			return fmt.Errorf("writing %s: %w", m.file, err)
		}
		report.Add(1)
	}
	return nil
}

// one exports an architecture with random weights, times it and returns its row.
func (m *measurement) one(c *cli.Context, f predictor.Features, a space.Architecture) ([]string, error) {
	folder, err := os.MkdirTemp("", "hsnas-latency-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	model, err := nn.Export(folder+"/model", m.task, a, nn.Random(1))
	if err != nil {
		return nil, err
	}
	rows, err := benchmark.Model(c.Context, m.runtime, model, m.task, m.params)
	if err != nil {
		return nil, err
	}
	values, err := f.Rows([]space.Architecture{a})
	if err != nil {
		return nil, err
	}
	var out []string
	for j, v := range values[0] {
		out = append(out, strconv.FormatFloat(v*f.Scales[j], 'g', -1, 64))
	}
	times := map[string]schemas.Benchmark{}
	for _, r := range rows {
		times[r.Part] = r
	}
	encoder, decoder := times[schemas.PartEncoder], times[schemas.PartDecoder]
	for _, ms := range []float64{encoder.TrimmedMeanMS, decoder.TrimmedMeanMS, encoder.StdMS, decoder.StdMS} {
		out = append(out, strconv.FormatFloat(ms, 'g', -1, 64))
	}
	return out, nil
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
			if c.Bool("json") {
				return json.NewEncoder(c.App.Writer).Encode(map[string]any{
					"dataset": fit.Score.Dataset, "n_test": fit.Score.NTest, "rmse_ms": fit.Score.RMSEMS,
					"mape": fit.Score.MAPE, "tau": fit.Score.Tau, "in_order_linear_mape": fit.InOrderMAPE,
				})
			}
			fmt.Fprintf(c.App.Writer, "%s: RMSE %.2f ms, MAPE %.1f %%, tau %.3f on %d held-out architectures; a linear fit misses the last tenth in file order by %.1f %%\n",
				fit.Score.Dataset, fit.Score.RMSEMS, 100*fit.Score.MAPE, fit.Score.Tau, fit.Score.NTest, 100*fit.InOrderMAPE)
			return nil
		},
	}
}
