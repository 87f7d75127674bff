package benchmark

import (
	"fmt"
	"math"
	"math/rand/v2"

	"hsnas/internal/metric"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
	"hsnas/internal/roofline"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// draws is how many resamples an interval is made of.
const draws = 1000

// benchmarkRows are the rows of benchmark.parquet.
func benchmarkRows(t *task.Task, p Params, all []*timed) ([]schemas.Benchmark, error) {
	provider, hardware, err := hardwareOf(p.Device)
	if err != nil {
		return nil, err
	}
	var rows []schemas.Benchmark
	for _, c := range all {
		work, err := c.work(t)
		if err != nil {
			return nil, err
		}
		for _, s := range parts(c.times, c.search) {
			row := c.row(s)
			row.Provider, row.DeviceName, row.Driver = provider+", "+hardware.Name, hardware.Name, hardware.Driver
			row.DeviceGiB = gibibytes(hardware.MemoryBytes)
			row.GFLOPs = float64(work[s.part].flop) / 1e9
			row.GFLOPsPerS = row.GFLOPs / (row.TrimmedMeanMS / 1e3)
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// row is what a point and one of its series say by themselves.
func (c *timed) row(s series) schemas.Benchmark {
	p := c.p
	row := schemas.Benchmark{
		Name: c.name, ID: c.arch.ID(), Architecture: c.arch.String(), Device: p.Device, Threads: int32(p.Threads),
		Variant: c.variant.name, Part: s.part, Sentences: int32(c.sentences), SourceTokens: int32(c.source), Beam: int32(p.Beam),
		Tokens: int32(c.steps), Warmup: int32(p.Warmup), Repetitions: int32(len(s.ms)),
		Discarded: int32(c.discarded), Disturbed: int32(c.disturbed),
		MeanMS: metric.Mean(s.ms), TrimmedMeanMS: metric.TrimmedMean(s.ms), StdMS: spread(s.ms),
		P50MS: metric.Quantile(s.ms, 0.5), P90MS: metric.Quantile(s.ms, 0.9), P99MS: metric.Quantile(s.ms, 0.99),
		PredictedMS: math.NaN(), Weights: c.model.Weights, ModelSHA256: c.model.SHA256(),
		LogitDifference: c.difference, PeakMB: math.NaN(), Pinned: c.conditions.pinned, Governor: c.conditions.governor,
		LoadBefore: c.conditions.before, LoadAfter: c.conditions.after, TemperatureC: c.conditions.temperature,
	}
	if row.CPUMS = math.NaN(); p.Threads == 1 && device(p) == "CPU" {
		row.CPUMS = metric.Quantile(s.cpu, 0.5)
	}
	if c.peak > 0 {
		row.PeakMB = float64(c.peak) / 1e6
	}
	row.MeanLoMS, row.MeanHiMS = c.interval(s.ms, metric.Mean)
	for q, ends := range map[float64][2]*float64{0.5: {&row.P50LoMS, &row.P50HiMS}, 0.9: {&row.P90LoMS, &row.P90HiMS}, 0.99: {&row.P99LoMS, &row.P99HiMS}} {
		*ends[0], *ends[1] = c.interval(s.ms, func(ms []float64) float64 { return metric.Quantile(ms, q) })
	}
	if s.part == schemas.PartTotal && c.dataset != "" && c.standard() {
		row.PredictedMS, row.PredictedDataset = c.predicted, c.dataset
	}
	return row
}

// standard says whether a point is what latency predictors predict: one sentence of the
// task's length in float32.
func (c *timed) standard() bool {
	return c.variant.name == variants[0].name && c.sentences == 1 && c.source == c.model.SourceTokens
}

// interval is the 95 % bootstrap interval of a statistic of times.
func (c *timed) interval(ms []float64, stat func([]float64) float64) (low, high float64) {
	x := metric.Bootstrap(len(ms), draws, rand.New(rand.NewPCG(c.p.Seed, 0x69)), func(items []int) float64 { return stat(metric.Pick(ms, items)) })
	return x.Lo, x.Hi
}

// spread is the standard deviation, 0 for a single repetition.
func spread(ms []float64) float64 {
	if len(ms) < 2 {
		return 0
	}
	return metric.Std(ms)
}

// load is the work of one part.
type load struct{ flop, bytes int64 }

// work is that of every part of one repetition. A translation computes what encoder and
// decoder do, but for its first step, which has one row.
func (c *timed) work(t *task.Task) (map[string]load, error) {
	shape, err := nn.ShapeOf(t, c.arch)
	if err != nil {
		return nil, err
	}
	n := int64(c.sentences)
	flop := nn.WorkOf(shape, c.source, c.steps, c.p.Beam)
	moved := nn.TrafficOf(shape, c.sentences, c.source, c.steps, c.p.Beam, c.variant.precision.WeightBytes())
	encoder := load{n * flop.Encoder, moved.Encoder}
	decoder := load{n * flop.Decoder, moved.Decoder}
	both := load{encoder.flop + decoder.flop, encoder.bytes + decoder.bytes}
	step := load{decoder.flop / int64(c.steps), decoder.bytes / int64(c.steps)}
	return map[string]load{
		schemas.PartEncoder: encoder, schemas.PartDecoder: decoder, schemas.PartTotal: both, schemas.PartStep: step, schemas.PartSearch: both,
	}, nil
}

// rooflineRows are the rows of roofline.parquet.
func rooflineRows(t *task.Task, p Params, limits roofline.Limits, all []*timed) ([]schemas.Roofline, error) {
	var rows []schemas.Roofline
	for _, c := range all {
		work, err := c.work(t)
		if err != nil {
			return nil, err
		}
		for _, s := range parts(c.times, c.search) {
			w := work[s.part]
			b := limits.BoundOf(w.flop, w.bytes)
			if c.variant.precision != nn.Float32 { // the peak is not of such products
				b = limits.BoundOf(0, w.bytes)
				b.ComputeMS = math.NaN()
			}
			p50 := metric.Quantile(s.ms, 0.5)
			rows = append(rows, schemas.Roofline{
				Name: c.name, ID: c.arch.ID(), Variant: c.variant.name, Part: s.part, Sentences: int32(c.sentences),
				SourceTokens: int32(c.source), Tokens: int32(c.steps), Beam: int32(p.Beam),
				GFLOPs: float64(w.flop) / 1e9, GB: float64(w.bytes) / 1e9, PeakGFLOPsPerS: limits.GFLOPsPerS, PeakGBPerS: limits.GBPerS,
				ComputeMS: b.ComputeMS, MemoryMS: b.MemoryMS, BoundMS: b.MS, Binds: b.Binds,
				P50MS: p50, GFLOPsPerS: float64(w.flop) / 1e6 / p50, Share: b.MS / p50,
			})
		}
	}
	return rows, nil
}

// sampleRows are the rows of samples.parquet.
func sampleRows(all []*timed) (rows []schemas.BenchmarkSample) {
	for _, c := range all {
		for _, s := range parts(c.times, c.search) {
			for i, ms := range s.ms {
				rows = append(rows, schemas.BenchmarkSample{
					Name: c.name, ID: c.arch.ID(), Variant: c.variant.name, Sentences: int32(c.sentences), SourceTokens: int32(c.source),
					Part: s.part, Block: c.blocks[i], Repetition: int32(i), MS: ms,
				})
			}
		}
	}
	return rows
}

// hardwareOf says what computes on a device: the execution provider and the hardware.
func hardwareOf(device string) (provider string, h ort.Hardware, err error) {
	if provider, err = ort.Provider(device); err == nil {
		h, err = ort.HardwareOf(device)
	}
	if err != nil {
		return "", h, fmt.Errorf("benchmark: %w", err)
	}
	return provider, h, nil
}

// gibibytes is NaN where the size is not known.
func gibibytes(bytes int64) float64 {
	if bytes == 0 {
		return math.NaN()
	}
	return float64(bytes) / (1 << 30)
}
