package benchmark

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"hsnas/internal/config"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
	"hsnas/schemas"
)

// never is why a variant is not run on a device whatever the model, "" where it may be.
func (v variant) never(p Params) string {
	if v.precision == nn.Float16 && device(p) == "CPU" {
		return "ONNX Runtime's CPU has few kernels of half precision and casts to float32 and back for the rest, which tells nothing of half precision; give --device webgpu or cuda"
	}
	return ""
}

// sift tells the points that the device can run from those that it cannot, each with the
// reason. Whether it has what a precision takes is seen when a model is run; of fp32, which
// everything is compared with, that is left to the measurement.
func sift(ctx context.Context, rt *ort.Runtime, p Params, all []*timed) (runs, refused []*timed, err error) {
	why := map[nn.Precision]string{nn.Float32: ""}
	for _, c := range all {
		precision := c.variant.precision
		reason, known := why[precision]
		if !known {
			if reason, err = c.refusal(ctx, rt, p); err != nil {
				return nil, nil, err
			}
			why[precision] = reason
		}
		if c.why = reason; reason == "" {
			runs = append(runs, c)
		} else {
			refused = append(refused, c)
		}
	}
	return runs, refused, nil
}

// refusal is why the device cannot run the model, "" where it can.
func (c *timed) refusal(ctx context.Context, rt *ort.Runtime, p Params) (string, error) {
	if c.why != "" || device(p) == "CPU" {
		return c.why, nil
	}
	err := c.tryOut(ctx, rt, p)
	switch {
	case err == nil:
		return "", nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	}
	if fault := (*ort.PlacementError)(nil); errors.As(err, &fault) {
		return fmt.Sprintf("not supported by this device: it has no %s", strings.Join(fault.Operators, ", ")), nil
	}
	if strings.Contains(err.Error(), "requires f16") {
		return "not supported by this device: its shaders have no half precision (WebGPU's shader-f16)", nil
	}
	return "not supported by this device: " + strings.ReplaceAll(err.Error(), c.model.Dir+"/", ""), nil
}

// tryOut runs the model for one token.
func (c *timed) tryOut(ctx context.Context, rt *ort.Runtime, p Params) error {
	t, err := nn.Load(rt, c.model, ort.Options{Device: p.Device, Threads: p.Threads, Optimization: c.variant.level})
	if err != nil {
		return err
	}
	w, err := nn.NewStopwatch(t, nn.Protocol{TargetTokens: 1, Beam: 1})
	if err == nil {
		_, err = w.Once(ctx)
	}
	return joinClose(err, t.Close)
}

// refusedRows say of points that were not timed why.
func refusedRows(p Params, refused []*timed) ([]schemas.Benchmark, error) {
	provider, hardware, err := hardwareOf(p.Device)
	if err != nil {
		return nil, err
	}
	nan := math.NaN()
	rows := make([]schemas.Benchmark, len(refused))
	for i, c := range refused {
		rows[i] = schemas.Benchmark{
			Name: c.name, ID: c.arch.ID(), Architecture: c.arch.String(), Device: p.Device, Provider: provider + ", " + hardware.Name,
			DeviceName: hardware.Name, Driver: hardware.Driver, DeviceGiB: gibibytes(hardware.MemoryBytes), Threads: int32(p.Threads),
			Variant: c.variant.name, Part: schemas.PartTotal, Sentences: int32(c.sentences), SourceTokens: int32(c.source),
			Beam: int32(p.Beam), Tokens: int32(c.steps), Warmup: int32(p.Warmup),
			MeanMS: nan, TrimmedMeanMS: nan, StdMS: nan, P50MS: nan, P90MS: nan, P99MS: nan,
			MeanLoMS: nan, MeanHiMS: nan, P50LoMS: nan, P50HiMS: nan, P90LoMS: nan, P90HiMS: nan, P99LoMS: nan, P99HiMS: nan,
			CPUMS: nan, GFLOPs: nan, GFLOPsPerS: nan, PredictedMS: nan, LogitDifference: nan, PeakMB: nan,
			LoadBefore: nan, LoadAfter: nan, TemperatureC: nan, Note: c.why,
		}
	}
	return rows, nil
}

// refuse is the error that a single model is not timed.
func refuse(c *timed) error { return config.Errorf("", 0, "variant %q: %s", c.variant.name, c.why) }
