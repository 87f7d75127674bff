package schemas

// Benchmark is a row of benchmark/benchmark.parquet: the latency distribution
// of one part of one exported architecture on one device.
type Benchmark struct {
	Name         string
	ID           string
	Architecture string
	Device       string
	Provider     string
	DeviceName   string
	Driver       string  // empty for the CPU
	DeviceGiB    float64 // NaN where the system does not tell
	Threads      int32
	Variant      string
	Part         string // PartEncoder, ...
	Sentences    int32
	SourceTokens int32
	Beam         int32
	Tokens       int32
	Warmup       int32
	Repetitions  int32
	Discarded    int32
	Disturbed    int32

	MeanMS        float64
	TrimmedMeanMS float64
	StdMS         float64
	P50MS         float64
	P90MS         float64
	P99MS         float64
	MeanLoMS      float64
	MeanHiMS      float64
	P50LoMS       float64
	P50HiMS       float64
	P90LoMS       float64
	P90HiMS       float64
	P99LoMS       float64
	P99HiMS       float64
	CPUMS         float64 // NaN where several threads or a GPU compute

	GFLOPs           float64 // NaN where the task has no cost model
	GFLOPsPerS       float64
	PredictedMS      float64 // NaN where there is no predictor for the part
	PredictedDataset string

	Weights     string // "random:1" or a file
	ModelSHA256 string

	LogitDifference float64 // NaN for fp32, which the others are compared with, and where it was not run
	PeakMB          float64 // NaN where the system does not tell
	Pinned          bool
	Governor        string
	LoadBefore      float64
	LoadAfter       float64
	TemperatureC    float64

	Note string // why the variant was not timed; its times are NaN
}

// The values of column part.
const (
	PartEncoder = "encoder"
	PartDecoder = "decoder"
	PartTotal   = "total"
	PartStep    = "step"
	PartSearch  = "search"
)

var benchmarks = table[Benchmark]{name: "benchmark", version: 3, columns: []column[Benchmark]{
	text("name", "name of the benchmarked model", func(r *Benchmark) *string { return &r.Name }),
	text("id", "identifier of the architecture", func(r *Benchmark) *string { return &r.ID }),
	text("architecture", "canonical JSON", func(r *Benchmark) *string { return &r.Architecture }),
	text("device", "device as asked for: cpu, webgpu or cuda", func(r *Benchmark) *string { return &r.Device }),
	text("provider", "what computed: execution provider and hardware", func(r *Benchmark) *string { return &r.Provider }),
	text("device_name", "name of the processor or GPU", func(r *Benchmark) *string { return &r.DeviceName }),
	text("driver", "the GPU's driver and its version, empty for the CPU", func(r *Benchmark) *string { return &r.Driver }),
	maybeNumber("device_memory_gib", "GiB", "memory of the GPU, for the CPU the machine's; null where the system does not tell", func(r *Benchmark) *float64 { return &r.DeviceGiB }),
	small("threads", "", "threads of the CPU, 0 for the runtime's own choice", func(r *Benchmark) *int32 { return &r.Threads }),
	text("variant", "how the model was run: fp32, fp16 (weights and activations of half precision), int8 (weights and products of 8 bits), or fp32 with another level of graph optimisation", func(r *Benchmark) *string { return &r.Variant }),
	text("part", "encoder, decoder (all steps), total, step (the mean of them) or search (a whole translation by beam search)", func(r *Benchmark) *string { return &r.Part }),
	small("sentences", "", "sentences of a batch", func(r *Benchmark) *int32 { return &r.Sentences }),
	small("source_tokens", "tokens", "source tokens of a sentence", func(r *Benchmark) *int32 { return &r.SourceTokens }),
	small("beam", "", "beam width", func(r *Benchmark) *int32 { return &r.Beam }),
	small("tokens", "tokens", "decoder steps", func(r *Benchmark) *int32 { return &r.Tokens }),
	small("warmup", "", "repetitions before the measurement, at least", func(r *Benchmark) *int32 { return &r.Warmup }),
	small("repetitions", "", "timed repetitions", func(r *Benchmark) *int32 { return &r.Repetitions }),
	small("discarded_blocks", "", "blocks that were measured again, as the control drifted", func(r *Benchmark) *int32 { return &r.Discarded }),
	small("disturbed_blocks", "", "blocks that count although the control drifted, after all attempts", func(r *Benchmark) *int32 { return &r.Disturbed }),
	maybeNumber("mean_ms", "ms", "mean; null where the variant was not timed, as in all columns of times", func(r *Benchmark) *float64 { return &r.MeanMS }),
	maybeNumber("trimmed_mean_ms", "ms", "mean of the middle 80 %", func(r *Benchmark) *float64 { return &r.TrimmedMeanMS }),
	maybeNumber("std_ms", "ms", "standard deviation", func(r *Benchmark) *float64 { return &r.StdMS }),
	maybeNumber("p50_ms", "ms", "median", func(r *Benchmark) *float64 { return &r.P50MS }),
	maybeNumber("p90_ms", "ms", "90th percentile", func(r *Benchmark) *float64 { return &r.P90MS }),
	maybeNumber("p99_ms", "ms", "99th percentile", func(r *Benchmark) *float64 { return &r.P99MS }),
	maybeNumber("mean_lo_ms", "ms", "lower end of the mean's 95 % bootstrap interval", func(r *Benchmark) *float64 { return &r.MeanLoMS }),
	maybeNumber("mean_hi_ms", "ms", "its upper end", func(r *Benchmark) *float64 { return &r.MeanHiMS }),
	maybeNumber("p50_lo_ms", "ms", "lower end of the median's interval", func(r *Benchmark) *float64 { return &r.P50LoMS }),
	maybeNumber("p50_hi_ms", "ms", "its upper end", func(r *Benchmark) *float64 { return &r.P50HiMS }),
	maybeNumber("p90_lo_ms", "ms", "lower end of the 90th percentile's interval", func(r *Benchmark) *float64 { return &r.P90LoMS }),
	maybeNumber("p90_hi_ms", "ms", "its upper end", func(r *Benchmark) *float64 { return &r.P90HiMS }),
	maybeNumber("p99_lo_ms", "ms", "lower end of the 99th percentile's interval", func(r *Benchmark) *float64 { return &r.P99LoMS }),
	maybeNumber("p99_hi_ms", "ms", "its upper end", func(r *Benchmark) *float64 { return &r.P99HiMS }),
	maybeNumber("cpu_ms", "ms", "median of the time that the processor computed; null where several threads or a GPU compute", func(r *Benchmark) *float64 { return &r.CPUMS }),
	maybeNumber("gflops", "GFLOP", "floating-point operations of one repetition; null without a cost model", func(r *Benchmark) *float64 { return &r.GFLOPs }),
	maybeNumber("gflops_per_s", "GFLOP/s", "gflops by the trimmed mean", func(r *Benchmark) *float64 { return &r.GFLOPsPerS }),
	maybeNumber("predicted_ms", "ms", "time that the latency predictor gives; null without one", func(r *Benchmark) *float64 { return &r.PredictedMS }),
	text("predicted_dataset", "dataset of that latency predictor, empty without one", func(r *Benchmark) *string { return &r.PredictedDataset }),
	text("weights", "where the weights come from, random:SEED for random ones", func(r *Benchmark) *string { return &r.Weights }),
	text("model_sha256", "checksum of the model file", func(r *Benchmark) *string { return &r.ModelSHA256 }),
	maybeNumber("logit_difference", "", "largest difference of a logit from fp32's, in standard deviations of these; null for fp32 itself and without it", func(r *Benchmark) *float64 { return &r.LogitDifference }),
	maybeNumber("peak_mb", "MB", "peak resident memory of the process while the model was open; null where the system does not tell", func(r *Benchmark) *float64 { return &r.PeakMB }),
	flag("pinned", "whether the process was kept on one core", func(r *Benchmark) *bool { return &r.Pinned }),
	text("governor", "clock governor, empty where the system does not tell", func(r *Benchmark) *string { return &r.Governor }),
	maybeNumber("load_before", "", "load average of a minute before the measurement", func(r *Benchmark) *float64 { return &r.LoadBefore }),
	maybeNumber("load_after", "", "the same after it, the measurement itself counted", func(r *Benchmark) *float64 { return &r.LoadAfter }),
	maybeNumber("temperature_c", "C", "hottest sensor after the measurement; null where there is none", func(r *Benchmark) *float64 { return &r.TemperatureC }),
	text("note", "why the variant was not timed, empty where it was", func(r *Benchmark) *string { return &r.Note }),
}}

// WriteBenchmarks writes benchmark/benchmark.parquet.
func WriteBenchmarks(path string, rows []Benchmark, p Provenance) error {
	return benchmarks.write(path, rows, p)
}

// ReadBenchmarks reads what WriteBenchmarks wrote.
func ReadBenchmarks(path string) ([]Benchmark, error) { return benchmarks.read(path) }
