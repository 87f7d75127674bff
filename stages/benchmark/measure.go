package benchmark

import (
	"context"
	"fmt"
	"math"
	"time"

	"hsnas/internal/config"
	"hsnas/internal/metric"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// samples are the timed repetitions of one model in milliseconds.
type samples struct{ encoder, decoder []float64 }

func (s *samples) add(t nn.Times) {
	s.encoder = append(s.encoder, milliseconds(t.Encoder))
	s.decoder = append(s.decoder, milliseconds(t.Decoder))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// parts are the series by the name of the part.
func (s *samples) parts() []series {
	total := make([]float64, len(s.encoder))
	for i := range total {
		total[i] = s.encoder[i] + s.decoder[i]
	}
	return []series{{schemas.PartEncoder, s.encoder}, {schemas.PartDecoder, s.decoder}, {schemas.PartTotal, total}}
}

type series struct {
	part string
	ms   []float64
}

// timeModel warms a model up and adds n timed repetitions.
func timeModel(ctx context.Context, rt *ort.Runtime, m nn.Model, p Params, n int, into *samples) error {
	t, err := nn.Load(rt, m, ort.Options{Device: p.Device, Threads: p.Threads})
	if err != nil {
		return err
	}
	defer t.Close()
	watch, err := nn.NewStopwatch(t, nn.Protocol{Beam: p.Beam, Seed: p.Seed})
	if err != nil {
		return err
	}
	for i := range p.Warmup + n {
		times, err := watch.Once(ctx)
		if err != nil {
			return err
		}
		if i >= p.Warmup {
			into.add(times)
		}
	}
	return nil
}

// Model times one exported model: p's repetitions in one round.
func Model(ctx context.Context, rt *ort.Runtime, m nn.Model, t *task.Task, p Params) ([]schemas.Benchmark, error) {
	if err := p.Validate(); err != nil {
		return nil, config.Errorf("", 0, "benchmark: %v", err)
	}
	a, err := t.Space.ParseArchitecture(m.Architecture)
	if err != nil {
		return nil, fmt.Errorf("%s: architecture: %w", m.File(nn.ModelFile), err)
	}
	var s samples
	if err := timeModel(ctx, rt, m, p, p.Repetitions, &s); err != nil {
		return nil, err
	}
	return rowsOf(t, p, timed{candidate: candidate{m.ID, a}, model: m, samples: s})
}

// timed is a candidate with what was measured.
type timed struct {
	candidate
	model     nn.Model
	samples   samples
	predicted float64 // milliseconds, NaN without a latency predictor
	dataset   string
}

// rowsOf are the rows of benchmark.parquet for one model.
func rowsOf(t *task.Task, p Params, c timed) ([]schemas.Benchmark, error) {
	shape, err := nn.ShapeOf(t, c.arch)
	if err != nil {
		return nil, err
	}
	provider, err := Provider(p.Device)
	if err != nil {
		return nil, err
	}
	work := nn.WorkOf(shape, c.model.SourceTokens, c.model.TargetTokens, p.Beam)
	flops := map[string]int64{
		schemas.PartEncoder: work.Encoder, schemas.PartDecoder: work.Decoder, schemas.PartTotal: work.Encoder + work.Decoder,
	}
	var rows []schemas.Benchmark
	for _, s := range c.samples.parts() {
		row := schemas.Benchmark{
			Name: c.name, ID: c.arch.ID(), Architecture: c.arch.String(), Device: p.Device, Provider: provider, Threads: int32(p.Threads),
			Part: s.part, Beam: int32(p.Beam), Tokens: int32(c.model.TargetTokens), Warmup: int32(p.Warmup), Repetitions: int32(len(s.ms)),
			MeanMS: metric.Mean(s.ms), TrimmedMeanMS: metric.TrimmedMean(s.ms), StdMS: spread(s.ms),
			P50MS: metric.Quantile(s.ms, 0.5), P90MS: metric.Quantile(s.ms, 0.9), P99MS: metric.Quantile(s.ms, 0.99),
			GFLOPs: float64(flops[s.part]) / 1e9, PredictedMS: math.NaN(),
			Weights: c.model.Weights, ModelSHA256: c.model.SHA256(),
		}
		row.GFLOPsPerS = row.GFLOPs / (row.TrimmedMeanMS / 1e3)
		if s.part == schemas.PartTotal && c.dataset != "" {
			row.PredictedMS, row.PredictedDataset = c.predicted, c.dataset
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// spread is the standard deviation, 0 for a single repetition.
func spread(ms []float64) float64 {
	if len(ms) < 2 {
		return 0
	}
	return metric.Std(ms)
}

// Provider says what computes on a device: the execution provider, and the processor's name
// where it is the CPU.
func Provider(device string) (string, error) {
	provider, err := ort.Provider(device)
	if err != nil || provider != "CPU" {
		return provider, err
	}
	return provider + ", " + ort.Processor(), nil
}
