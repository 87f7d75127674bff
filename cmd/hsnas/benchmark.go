package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
	"hsnas/internal/roofline"
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
			"those of one repetition; bound is the least time that the machine's measured peak and\n" +
			"memory bandwidth allow. --roofline writes the two graphs that these are measured with.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "model", Usage: "`DIR` that hsnas export wrote"},
			&cli.StringFlag{Name: "task", Usage: "`FILE` of the task, for a model of one that does not ship"},
			&cli.StringFlag{Name: "device", Usage: "`DEVICE`: cpu, webgpu, cuda or cuda:N", Value: standard.Device},
			&cli.IntFlag{Name: "threads", Usage: "`N` threads on the CPU", Value: standard.Threads},
			&cli.IntFlag{Name: "warmup", Usage: "`N` repetitions before the timed ones", Value: standard.Warmup},
			&cli.IntFlag{Name: "repetitions", Usage: "`N` timed repetitions", Value: standard.Repetitions},
			&cli.IntFlag{Name: "beam", Usage: "`N` hypotheses", Value: standard.Beam},
			&cli.IntFlag{Name: "sentences", Usage: "`N` sentences of a batch", Value: 1},
			&cli.IntFlag{Name: "length", Usage: "`N` tokens of a sentence and of its translation; 0 for the task's own"},
			&cli.BoolFlag{Name: "search", Usage: "time a whole translation by beam search, too"},
			&cli.StringFlag{Name: "variant", Usage: "fp32, fp32-off, fp32-basic or fp32-extended: ONNX Runtime's graph `LEVEL`", Value: standard.Variants[0]},
			&cli.StringFlag{Name: "roofline", Usage: "write peak.onnx and stream.onnx to `DIR`, time them and end"},
			&cli.Uint64Flag{Name: "seed", Usage: "`N` that the tokens are drawn with", Value: standard.Seed},
			&cli.BoolFlag{Name: "json", Usage: "an array of rows instead of a table"},
		},
		Action: func(c *cli.Context) error {
			p := standard
			p.Device, p.Threads, p.Warmup, p.Seed = c.String("device"), c.Int("threads"), c.Int("warmup"), c.Uint64("seed")
			p.Repetitions, p.Beam, p.Rounds = c.Int("repetitions"), c.Int("beam"), 1
			p.Batches, p.Lengths, p.Search = []int{c.Int("sentences")}, []int{c.Int("length")}, c.Bool("search")
			p.Variants = []string{c.String("variant")}
			if c.IsSet("roofline") {
				return timeMachine(c, p)
			}
			if !c.IsSet("model") {
				return config.Errorf("", 0, "benchmark needs --model DIR; see hsnas benchmark --help")
			}
			if os.Getenv(probeVariable) != "" {
				m, err := nn.Open(c.String("model"))
				if err != nil {
					return err
				}
				return runProbe(c, m)
			}
			rows, roofs, err := timeFolder(c, c.String("model"), p)
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return printBenchmarkJSON(c.App.Writer, rows, roofs)
			}
			return printBenchmark(c.App.Writer, rows, roofs)
		},
	}
}

// timeFolder checks the settings before the files, and the files before ONNX Runtime sees
// any of them.
func timeFolder(c *cli.Context, dir string, p benchmark.Params) ([]schemas.Benchmark, []schemas.Roofline, error) {
	if _, err := ort.Provider(p.Device); err != nil {
		return nil, nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, nil, config.Errorf("", 0, "--%v", err)
	}
	m, err := nn.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	t, err := taskOfModel(m, c.String("task"))
	if err != nil {
		return nil, nil, err
	}
	if err := probe(c.Context, dir, p.Device); err != nil {
		return nil, nil, err
	}
	rt, err := ort.Open()
	if err != nil {
		return nil, nil, err
	}
	return benchmark.Model(c.Context, rt, m, t, p)
}

// timeMachine writes the graphs of the roofline and prints what they reach.
func timeMachine(c *cli.Context, p benchmark.Params) error {
	if err := p.Validate(); err != nil {
		return config.Errorf("", 0, "--%v", err)
	}
	dir := c.String("roofline")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for name, build := range map[string]func() ([]byte, error){"peak.onnx": roofline.PeakGraph, "stream.onnx": roofline.StreamGraph} {
		model, err := build()
		if err != nil {
			return err
		}
		if err := atomicfile.Write(filepath.Join(dir, name), model); err != nil {
			return err
		}
	}
	rt, err := ort.Open()
	if err != nil {
		return err
	}
	limits, err := roofline.Measure(c.Context, rt, ort.Options{Device: p.Device, Threads: p.Threads})
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(limits)
	}
	_, err = fmt.Fprintf(c.App.Writer, "peak %.1f GFLOP/s, memory %.1f GB/s\n", limits.GFLOPsPerS, limits.GBPerS)
	return err
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

func printBenchmark(w io.Writer, rows []schemas.Benchmark, roofs []schemas.Roofline) error {
	r := rows[0]
	fmt.Fprintf(w, "%s on %s (%s)%s, beam %d, %d tokens, %d repetitions\n", r.ID, r.Device, r.Provider, threadsOf(r), r.Beam, r.Tokens, r.Repetitions)
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "part\tmiddle 80 %\tmean\tstd\tp50\tp90\tp99 ms\tGFLOP\tGFLOP/s\tbound ms\tof it\t")
	for i, r := range rows {
		fmt.Fprintf(table, "%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.1f\t%.3f\t%.0f %%\t\n",
			r.Part, r.TrimmedMeanMS, r.MeanMS, r.StdMS, r.P50MS, r.P90MS, r.P99MS, r.GFLOPs, r.GFLOPsPerS, roofs[i].BoundMS, 100*roofs[i].Share)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	f := roofs[len(roofs)-1]
	_, err := fmt.Fprintf(w, "peak %.1f GFLOP/s, memory %.1f GB/s; %s binds the %s\n", f.PeakGFLOPsPerS, f.PeakGBPerS, f.Binds, f.Part)
	return err
}

// threadsOf says how many threads computed, nothing of a GPU.
func threadsOf(r schemas.Benchmark) string {
	if d, err := ort.ParseDevice(r.Device); err != nil || !d.CPU() {
		return ""
	}
	if r.Threads == 1 {
		return ", 1 thread"
	}
	return fmt.Sprintf(", %d threads", r.Threads)
}

// benchmarkRow is a row as --json prints it, named like the columns of benchmark.parquet.
type benchmarkRow struct {
	ID         string `json:"id"`
	Device     string `json:"device"`
	Provider   string `json:"provider"`
	DeviceName string `json:"device_name"`
	Driver     string `json:"driver"`
	// DeviceGiB is null where the system does not tell.
	DeviceGiB     *float64 `json:"device_memory_gib"`
	Threads       int32    `json:"threads"`
	Part          string   `json:"part"`
	Beam          int32    `json:"beam"`
	Tokens        int32    `json:"tokens"`
	Warmup        int32    `json:"warmup"`
	Repetitions   int32    `json:"repetitions"`
	MeanMS        float64  `json:"mean_ms"`
	TrimmedMeanMS float64  `json:"trimmed_mean_ms"`
	StdMS         float64  `json:"std_ms"`
	P50MS         float64  `json:"p50_ms"`
	P90MS         float64  `json:"p90_ms"`
	P99MS         float64  `json:"p99_ms"`
	GFLOPs        float64  `json:"gflops"`
	GFLOPsPerS    float64  `json:"gflops_per_s"`
	GB            float64  `json:"gigabytes"`
	PeakGFLOPs    float64  `json:"peak_gflops_per_s"`
	PeakGB        float64  `json:"peak_gb_per_s"`
	BoundMS       float64  `json:"bound_ms"`
	Binds         string   `json:"binds"`
	Share         float64  `json:"share"`
	PeakMB        *float64 `json:"peak_mb"`
	CPUMS         *float64 `json:"cpu_ms"`
	Variant       string   `json:"variant"`
	Sentences     int32    `json:"sentences"`
	SourceTokens  int32    `json:"source_tokens"`
	Weights       string   `json:"weights"`
	ModelSHA256   string   `json:"model_sha256"`
}

// known is nil for NaN, which JSON does not have.
func known(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	return &x
}

func printBenchmarkJSON(w io.Writer, rows []schemas.Benchmark, roofs []schemas.Roofline) error {
	out := make([]benchmarkRow, len(rows))
	for i, r := range rows {
		out[i] = benchmarkRow{
			ID: r.ID, Device: r.Device, Provider: r.Provider,
			DeviceName: r.DeviceName, Driver: r.Driver, DeviceGiB: known(r.DeviceGiB), Threads: r.Threads, Part: r.Part, Beam: r.Beam, Tokens: r.Tokens,
			Warmup: r.Warmup, Repetitions: r.Repetitions, MeanMS: r.MeanMS, TrimmedMeanMS: r.TrimmedMeanMS, StdMS: r.StdMS,
			P50MS: r.P50MS, P90MS: r.P90MS, P99MS: r.P99MS, GFLOPs: r.GFLOPs, GFLOPsPerS: r.GFLOPsPerS, Weights: r.Weights, ModelSHA256: r.ModelSHA256,
			GB: roofs[i].GB, PeakGFLOPs: roofs[i].PeakGFLOPsPerS, PeakGB: roofs[i].PeakGBPerS, BoundMS: roofs[i].BoundMS,
			Binds: roofs[i].Binds, Share: roofs[i].Share, PeakMB: known(r.PeakMB), CPUMS: known(r.CPUMS), Variant: r.Variant,
			Sentences: r.Sentences, SourceTokens: r.SourceTokens,
		}
	}
	return json.NewEncoder(w).Encode(out)
}
