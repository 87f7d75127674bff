package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/benchmark"
)

// benchmarkCommand times an exported model.
func benchmarkCommand() *cli.Command {
	standard := benchmark.Defaults()
	return &cli.Command{
		Name:  "benchmark",
		Usage: "the latency of an exported model",
		Description: "HAT's protocol: one sentence of the task's length, the encoder once, then as many\n" +
			"decoder steps with cached keys and values, all hypotheses of a beam at once. GFLOPs are\n" +
			"those of one repetition.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "model", Usage: "`DIR` that hsnas export wrote", Required: true},
			&cli.StringFlag{Name: "task", Usage: "path of the `TASK` file, for a model of a task that does not ship"},
			&cli.StringFlag{Name: "device", Usage: "`DEVICE`: cpu, webgpu, cuda or cuda:N", Value: standard.Device},
			&cli.IntFlag{Name: "threads", Usage: "`N` threads on the CPU", Value: standard.Threads},
			&cli.IntFlag{Name: "warmup", Usage: "`N` repetitions before the timed ones", Value: standard.Warmup},
			&cli.IntFlag{Name: "repetitions", Usage: "`N` timed repetitions", Value: standard.Repetitions},
			&cli.IntFlag{Name: "beam", Usage: "`N` hypotheses", Value: standard.Beam},
			&cli.Uint64Flag{Name: "seed", Usage: "`N` that the tokens are drawn with", Value: standard.Seed},
			&cli.BoolFlag{Name: "json", Usage: "an array of rows instead of a table"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return config.Errorf("", 0, "benchmark takes no arguments, found %q; see hsnas benchmark --help", c.Args().Slice())
			}
			p := standard
			p.Device, p.Threads, p.Warmup, p.Seed = c.String("device"), c.Int("threads"), c.Int("warmup"), c.Uint64("seed")
			p.Repetitions, p.Beam, p.Rounds = c.Int("repetitions"), c.Int("beam"), 1
			rows, err := timeFolder(c, c.String("model"), p)
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return printBenchmarkJSON(c.App.Writer, rows)
			}
			return printBenchmark(c.App.Writer, rows)
		},
	}
}

// timeFolder checks the settings before the files, and the files before ONNX Runtime sees
// any of them.
func timeFolder(c *cli.Context, dir string, p benchmark.Params) ([]schemas.Benchmark, error) {
	if _, err := ort.Provider(p.Device); err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, config.Errorf("", 0, "--%v", err)
	}
	m, err := nn.Open(dir)
	if err != nil {
		return nil, err
	}
	t, err := taskOfModel(m, c.String("task"))
	if err != nil {
		return nil, err
	}
	rt, err := ort.Open()
	if err != nil {
		return nil, err
	}
	return benchmark.Model(c.Context, rt, m, t, p)
}

// taskOfModel is the task that a model was exported for; path names its file where it does
// not ship.
func taskOfModel(m nn.Model, path string) (*task.Task, error) {
	if path == "" {
		t, err := task.Load(m.Task)
		if err != nil {
			return nil, fmt.Errorf("%s: its task: %w; give the task's file with --task", m.File(nn.ModelFile), err)
		}
		return t, nil
	}
	t, err := task.Load(path)
	if err == nil && t.Name != m.Task {
		err = config.Errorf("", 0, "the model in %s is of task %s, --task is %s", m.Dir, m.Task, t.Name)
	}
	return t, err
}

func printBenchmark(w io.Writer, rows []schemas.Benchmark) error {
	r := rows[0]
	fmt.Fprintf(w, "%s on %s (%s), %d threads, beam %d, %d tokens, %d repetitions\n", r.ID, r.Device, r.Provider, r.Threads, r.Beam, r.Tokens, r.Repetitions)
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "part\tmiddle 80 %\tmean\tstd\tp50\tp90\tp99 ms\tGFLOP\tGFLOP/s\t")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.1f\t\n",
			r.Part, r.TrimmedMeanMS, r.MeanMS, r.StdMS, r.P50MS, r.P90MS, r.P99MS, r.GFLOPs, r.GFLOPsPerS)
	}
	return table.Flush()
}

// benchmarkRow is a row as --json prints it, named like the columns of benchmark.parquet.
type benchmarkRow struct {
	ID            string  `json:"id"`
	Device        string  `json:"device"`
	Provider      string  `json:"provider"`
	Threads       int32   `json:"threads"`
	Part          string  `json:"part"`
	Beam          int32   `json:"beam"`
	Tokens        int32   `json:"tokens"`
	Warmup        int32   `json:"warmup"`
	Repetitions   int32   `json:"repetitions"`
	MeanMS        float64 `json:"mean_ms"`
	TrimmedMeanMS float64 `json:"trimmed_mean_ms"`
	StdMS         float64 `json:"std_ms"`
	P50MS         float64 `json:"p50_ms"`
	P90MS         float64 `json:"p90_ms"`
	P99MS         float64 `json:"p99_ms"`
	GFLOPs        float64 `json:"gflops"`
	GFLOPsPerS    float64 `json:"gflops_per_s"`
	Weights       string  `json:"weights"`
	ModelSHA256   string  `json:"model_sha256"`
}

func printBenchmarkJSON(w io.Writer, rows []schemas.Benchmark) error {
	out := make([]benchmarkRow, len(rows))
	for i, r := range rows {
		out[i] = benchmarkRow{
			ID: r.ID, Device: r.Device, Provider: r.Provider, Threads: r.Threads, Part: r.Part, Beam: r.Beam, Tokens: r.Tokens,
			Warmup: r.Warmup, Repetitions: r.Repetitions, MeanMS: r.MeanMS, TrimmedMeanMS: r.TrimmedMeanMS, StdMS: r.StdMS,
			P50MS: r.P50MS, P90MS: r.P90MS, P99MS: r.P99MS, GFLOPs: r.GFLOPs, GFLOPsPerS: r.GFLOPsPerS, Weights: r.Weights, ModelSHA256: r.ModelSHA256,
		}
	}
	return json.NewEncoder(w).Encode(out)
}
