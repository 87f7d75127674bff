package schemas

// Benchmark is a row of benchmark/benchmark.parquet: the latency distribution
// of one part of one exported architecture on one device.
type Benchmark struct {
	Name         string
	ID           string
	Architecture string
	Device       string
	Provider     string
	Threads      int32
	Part         string // PartEncoder, PartDecoder or PartTotal
	Beam         int32
	Tokens       int32
	Warmup       int32
	Repetitions  int32

	MeanMS        float64
	TrimmedMeanMS float64
	StdMS         float64
	P50MS         float64
	P90MS         float64
	P99MS         float64

	GFLOPs           float64 // NaN where the task has no cost model
	GFLOPsPerS       float64
	PredictedMS      float64 // NaN where there is no predictor for the part
	PredictedDataset string

	Weights     string // "random:1" or a file
	ModelSHA256 string
}

// The values of column part.
const (
	PartEncoder = "encoder"
	PartDecoder = "decoder"
	PartTotal   = "total"
)

var benchmarks = table[Benchmark]{name: "benchmark", version: 1, columns: []column[Benchmark]{
	text("name", "name of the benchmarked model", func(r *Benchmark) *string { return &r.Name }),
	text("id", "identifier of the architecture", func(r *Benchmark) *string { return &r.ID }),
	text("architecture", "canonical JSON", func(r *Benchmark) *string { return &r.Architecture }),
	text("device", "device as asked for: cpu, webgpu or cuda", func(r *Benchmark) *string { return &r.Device }),
	text("provider", "what computed: execution provider and hardware", func(r *Benchmark) *string { return &r.Provider }),
	small("threads", "", "threads of the CPU, 0 for the runtime's own choice", func(r *Benchmark) *int32 { return &r.Threads }),
	text("part", "encoder, decoder (all steps) or total", func(r *Benchmark) *string { return &r.Part }),
	small("beam", "", "beam width", func(r *Benchmark) *int32 { return &r.Beam }),
	small("tokens", "tokens", "source tokens, and decoder steps", func(r *Benchmark) *int32 { return &r.Tokens }),
	small("warmup", "", "repetitions before the measurement", func(r *Benchmark) *int32 { return &r.Warmup }),
	small("repetitions", "", "timed repetitions", func(r *Benchmark) *int32 { return &r.Repetitions }),
	number("mean_ms", "ms", "mean", func(r *Benchmark) *float64 { return &r.MeanMS }),
	number("trimmed_mean_ms", "ms", "mean of the middle 80 %", func(r *Benchmark) *float64 { return &r.TrimmedMeanMS }),
	number("std_ms", "ms", "standard deviation", func(r *Benchmark) *float64 { return &r.StdMS }),
	number("p50_ms", "ms", "median", func(r *Benchmark) *float64 { return &r.P50MS }),
	number("p90_ms", "ms", "90th percentile", func(r *Benchmark) *float64 { return &r.P90MS }),
	number("p99_ms", "ms", "99th percentile", func(r *Benchmark) *float64 { return &r.P99MS }),
	maybeNumber("gflops", "GFLOP", "floating-point operations of one repetition; null without a cost model", func(r *Benchmark) *float64 { return &r.GFLOPs }),
	maybeNumber("gflops_per_s", "GFLOP/s", "gflops by the trimmed mean", func(r *Benchmark) *float64 { return &r.GFLOPsPerS }),
	maybeNumber("predicted_ms", "ms", "time that the latency predictor gives; null without one", func(r *Benchmark) *float64 { return &r.PredictedMS }),
	text("predicted_dataset", "dataset of that latency predictor, empty without one", func(r *Benchmark) *string { return &r.PredictedDataset }),
	text("weights", "where the weights come from, random:SEED for random ones", func(r *Benchmark) *string { return &r.Weights }),
	text("model_sha256", "checksum of the model file", func(r *Benchmark) *string { return &r.ModelSHA256 }),
}}

// WriteBenchmarks writes benchmark/benchmark.parquet.
func WriteBenchmarks(path string, rows []Benchmark, p Provenance) error {
	return benchmarks.write(path, rows, p)
}

// ReadBenchmarks reads what WriteBenchmarks wrote.
func ReadBenchmarks(path string) ([]Benchmark, error) { return benchmarks.read(path) }
