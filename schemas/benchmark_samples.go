package schemas

// BenchmarkSample is a row of benchmark/samples.parquet: one timed repetition.
type BenchmarkSample struct {
	Name       string
	ID         string
	Part       string // PartEncoder, PartDecoder or PartTotal
	Repetition int32
	MS         float64
}

var benchmarkSamples = table[BenchmarkSample]{name: "benchmark_samples", version: 1, columns: []column[BenchmarkSample]{
	text("name", "name of the benchmarked model", func(r *BenchmarkSample) *string { return &r.Name }),
	text("id", "identifier of the architecture", func(r *BenchmarkSample) *string { return &r.ID }),
	text("part", "encoder, decoder (all steps) or total", func(r *BenchmarkSample) *string { return &r.Part }),
	small("repetition", "", "number of the repetition, from 0", func(r *BenchmarkSample) *int32 { return &r.Repetition }),
	number("ms", "ms", "time of the repetition", func(r *BenchmarkSample) *float64 { return &r.MS }),
}}

// WriteBenchmarkSamples writes benchmark/samples.parquet.
func WriteBenchmarkSamples(path string, rows []BenchmarkSample, p Provenance) error {
	return benchmarkSamples.write(path, rows, p)
}

// ReadBenchmarkSamples reads what WriteBenchmarkSamples wrote.
func ReadBenchmarkSamples(path string) ([]BenchmarkSample, error) { return benchmarkSamples.read(path) }
