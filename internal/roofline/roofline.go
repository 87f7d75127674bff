// Package roofline measures the two limits of a machine as ONNX Runtime meets them, with
// the provider and the threads that models run with, and says which of the two binds a
// model (Williams, Waterman, Patterson, CACM 52(4), 2009): a time is at least its
// operations by the peak and at least its bytes by the bandwidth.
package roofline

import (
	"context"
	"fmt"
	"math"
	"time"

	"hsnas/internal/onnx"
	"hsnas/internal/ort"
)

// Limits are what a device reached.
type Limits struct {
	GFLOPsPerS float64 `json:"peak_gflops_per_s"` // of float32, in a product of matrices of PeakSize
	GBPerS     float64 `json:"peak_gb_per_s"`     // 10^9 bytes, of weights that are read once
}

// PeakSize is the order of the matrices whose product is timed: 3 MB, which lie in the
// processor's caches, and 0.27 GFLOP: long against a call, and short enough to end before
// another process gets the core.
const PeakSize = 512

// StreamRows and StreamColumns are those of the weights that are read: 128 MB, more than
// the caches of processors of today.
const StreamRows, StreamColumns = 8192, 4096

// PeakGraph is y = x w with square matrices, w constant, as weights are.
func PeakGraph() ([]byte, error) {
	g := onnx.NewGraph("peak")
	shape := onnx.Dims(PeakSize, PeakSize)
	x := g.Input("x", onnx.Float32, shape...)
	w := g.Floats([]int64{PeakSize, PeakSize}, numbers(PeakSize*PeakSize))
	g.OutputAs("y", g.Op("MatMul", shape, []*onnx.Value{x, w}), onnx.Float32, shape...)
	return g.Marshal()
}

// StreamGraph is a vector times a matrix far larger than the caches, as the convolution
// that a decoder step is made of (see nn). A copy would write as much as it reads, and
// reading is what a decoder does.
func StreamGraph() ([]byte, error) {
	g := onnx.NewGraph("stream")
	x := g.Input("x", onnx.Float32, onnx.Dims(1, StreamColumns, 1, 1)...)
	w := g.Floats([]int64{StreamRows, StreamColumns, 1, 1}, numbers(StreamRows*StreamColumns))
	shape := onnx.Dims(1, StreamRows, 1, 1)
	g.OutputAs("y", g.Op("Conv", shape, []*onnx.Value{x, w}, onnx.IntsAttr("kernel_shape", 1, 1)), onnx.Float32, shape...)
	return g.Marshal()
}

// numbers are n different ones of the size of weights; none is so small that it is slow.
func numbers(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i%251+1) / 4096
	}
	return x
}

// Measure times both graphs. The shortest of the repetitions counts: a limit is what the
// machine can do, and whatever else it does only takes away.
func Measure(ctx context.Context, rt *ort.Runtime, o ort.Options) (Limits, error) {
	peak, err := fastest(ctx, rt, PeakGraph, []int64{PeakSize, PeakSize}, o)
	if err != nil {
		return Limits{}, err
	}
	stream, err := fastest(ctx, rt, StreamGraph, []int64{1, StreamColumns, 1, 1}, o)
	if err != nil {
		return Limits{}, err
	}
	const flop, bytes = 2.0 * PeakSize * PeakSize * PeakSize, 4.0 * StreamRows * StreamColumns
	return Limits{GFLOPsPerS: flop / peak / 1e9, GBPerS: bytes / stream / 1e9}, nil
}

// long is how long each graph is repeated: some hundred times on one core.
const long = time.Second

// fastest is the shortest of some runs in seconds.
func fastest(ctx context.Context, rt *ort.Runtime, build func() ([]byte, error), shape []int64, o ort.Options) (float64, error) {
	model, err := build()
	if err != nil {
		return 0, err
	}
	o.Name = "roofline"
	s, err := rt.LoadBytes(model, o)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	ort.LargePages()
	size, err := ort.Elements(shape)
	if err != nil {
		return 0, err
	}
	x, err := ort.NewFloats(shape, numbers(size))
	if err != nil {
		return 0, err
	}
	defer x.Destroy()
	best := math.Inf(1)
	for begun := time.Now(); time.Since(begun) < long; {
		out := make([]*ort.Tensor, 1)
		start := time.Now()
		if err := s.Run(ctx, []*ort.Tensor{x}, out); err != nil {
			return 0, fmt.Errorf("roofline: %w", err)
		}
		best = min(best, time.Since(start).Seconds())
		out[0].Destroy()
	}
	return best, nil
}

// The values of Bound.Binds.
const (
	Compute = "compute"
	Memory  = "memory"
)

// Bound is the least time that some work can take.
type Bound struct {
	ComputeMS, MemoryMS float64
	MS                  float64 // the larger of the two
	Binds               string  // Compute or Memory
}

// BoundOf is the bound of an amount of work.
func (l Limits) BoundOf(flop, bytes int64) Bound {
	b := Bound{ComputeMS: float64(flop) / l.GFLOPsPerS / 1e6, MemoryMS: float64(bytes) / l.GBPerS / 1e6, Binds: Compute}
	if b.MS = b.ComputeMS; b.MemoryMS > b.MS {
		b.MS, b.Binds = b.MemoryMS, Memory
	}
	return b
}
