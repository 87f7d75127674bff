package schemas

// BenchmarkModel is a row of benchmark/models.parquet: one model file that was
// benchmarked.
type BenchmarkModel struct {
	Name   string
	ID     string
	File   string
	SHA256 string
	Bytes  int64
}

var benchmarkModels = table[BenchmarkModel]{name: "benchmark_models", version: 1, columns: []column[BenchmarkModel]{
	text("name", "name of the benchmarked model", func(r *BenchmarkModel) *string { return &r.Name }),
	text("id", "identifier of the architecture", func(r *BenchmarkModel) *string { return &r.ID }),
	text("file", "the file, relative to the run directory", func(r *BenchmarkModel) *string { return &r.File }),
	text("sha256", "checksum of the file", func(r *BenchmarkModel) *string { return &r.SHA256 }),
	integer("bytes", "B", "size of the file", func(r *BenchmarkModel) *int64 { return &r.Bytes }),
}}

// WriteBenchmarkModels writes benchmark/models.parquet.
func WriteBenchmarkModels(path string, rows []BenchmarkModel, p Provenance) error {
	return benchmarkModels.write(path, rows, p)
}

// ReadBenchmarkModels reads what WriteBenchmarkModels wrote.
func ReadBenchmarkModels(path string) ([]BenchmarkModel, error) { return benchmarkModels.read(path) }
