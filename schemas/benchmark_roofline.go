package schemas

// Roofline is a row of benchmark/roofline.parquet: how near one row of
// benchmark.parquet came to what the machine can do.
type Roofline struct {
	Name         string
	ID           string
	Variant      string
	Part         string
	Sentences    int32
	SourceTokens int32
	Tokens       int32
	Beam         int32

	GFLOPs         float64
	GB             float64
	PeakGFLOPsPerS float64
	PeakGBPerS     float64
	ComputeMS      float64 // NaN where the peak is not of the model's numbers
	MemoryMS       float64
	BoundMS        float64
	Binds          string
	P50MS          float64
	GFLOPsPerS     float64
	Share          float64
}

var rooflines = table[Roofline]{name: "roofline", version: 1, columns: []column[Roofline]{
	text("name", "name of the benchmarked model", func(r *Roofline) *string { return &r.Name }),
	text("id", "identifier of the architecture", func(r *Roofline) *string { return &r.ID }),
	text("variant", "how the model was run", func(r *Roofline) *string { return &r.Variant }),
	text("part", "encoder, decoder (all steps), total, step (one) or search", func(r *Roofline) *string { return &r.Part }),
	small("sentences", "", "sentences of a batch", func(r *Roofline) *int32 { return &r.Sentences }),
	small("source_tokens", "tokens", "source tokens of a sentence", func(r *Roofline) *int32 { return &r.SourceTokens }),
	small("tokens", "tokens", "decoder steps", func(r *Roofline) *int32 { return &r.Tokens }),
	small("beam", "", "beam width", func(r *Roofline) *int32 { return &r.Beam }),
	number("gflops", "GFLOP", "floating-point operations of the matrix products", func(r *Roofline) *float64 { return &r.GFLOPs }),
	number("gigabytes", "GB", "10^9 bytes of weights and caches that have to be moved", func(r *Roofline) *float64 { return &r.GB }),
	number("peak_gflops_per_s", "GFLOP/s", "measured: a product of matrices of float32", func(r *Roofline) *float64 { return &r.PeakGFLOPsPerS }),
	number("peak_gb_per_s", "GB/s", "measured: weights that are read once", func(r *Roofline) *float64 { return &r.PeakGBPerS }),
	maybeNumber("compute_ms", "ms", "gflops by the peak; null where products are not of float32", func(r *Roofline) *float64 { return &r.ComputeMS }),
	number("memory_ms", "ms", "gigabytes by the bandwidth", func(r *Roofline) *float64 { return &r.MemoryMS }),
	number("bound_ms", "ms", "the larger of the two", func(r *Roofline) *float64 { return &r.BoundMS }),
	text("binds", "which of the two it is: compute or memory", func(r *Roofline) *string { return &r.Binds }),
	number("p50_ms", "ms", "median time", func(r *Roofline) *float64 { return &r.P50MS }),
	number("gflops_per_s", "GFLOP/s", "gflops by the median time", func(r *Roofline) *float64 { return &r.GFLOPsPerS }),
	number("share", "", "bound_ms by p50_ms: 1 is what the machine can do", func(r *Roofline) *float64 { return &r.Share }),
}}

// WriteRooflines writes benchmark/roofline.parquet.
func WriteRooflines(path string, rows []Roofline, p Provenance) error {
	return rooflines.write(path, rows, p)
}

// ReadRooflines reads what WriteRooflines wrote.
func ReadRooflines(path string) ([]Roofline, error) { return rooflines.read(path) }
