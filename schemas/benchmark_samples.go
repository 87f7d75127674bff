package schemas

// BenchmarkSample is a row of benchmark/samples.parquet: one timed repetition.
type BenchmarkSample struct {
	Name         string
	ID           string
	Variant      string
	Sentences    int32
	SourceTokens int32
	Part         string // PartEncoder, ...
	Block        int32
	Repetition   int32
	MS           float64
}

var benchmarkSamples = table[BenchmarkSample]{name: "benchmark_samples", version: 2, columns: []column[BenchmarkSample]{
	text("name", "name of the benchmarked model", func(r *BenchmarkSample) *string { return &r.Name }),
	text("id", "identifier of the architecture", func(r *BenchmarkSample) *string { return &r.ID }),
	text("variant", "how the model was run", func(r *BenchmarkSample) *string { return &r.Variant }),
	small("sentences", "", "sentences of a batch", func(r *BenchmarkSample) *int32 { return &r.Sentences }),
	small("source_tokens", "tokens", "source tokens of a sentence", func(r *BenchmarkSample) *int32 { return &r.SourceTokens }),
	text("part", "encoder, decoder (all steps), total, step (the mean of them) or search", func(r *BenchmarkSample) *string { return &r.Part }),
	small("block", "", "number of the block, from 0", func(r *BenchmarkSample) *int32 { return &r.Block }),
	small("repetition", "", "number of the repetition, from 0", func(r *BenchmarkSample) *int32 { return &r.Repetition }),
	number("ms", "ms", "time of the repetition", func(r *BenchmarkSample) *float64 { return &r.MS }),
}}

// WriteBenchmarkSamples writes benchmark/samples.parquet.
func WriteBenchmarkSamples(path string, rows []BenchmarkSample, p Provenance) error {
	return benchmarkSamples.write(path, rows, p)
}

// ReadBenchmarkSamples reads what WriteBenchmarkSamples wrote.
func ReadBenchmarkSamples(path string) ([]BenchmarkSample, error) { return benchmarkSamples.read(path) }
