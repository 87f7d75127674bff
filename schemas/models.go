package schemas

// Model is a row of export/models.parquet: one exported ONNX model.
type Model struct {
	Name         string
	Kind         string // student, surrogate, control, latency or cost
	File         string
	SHA256       string
	Bytes        int64
	Features     string
	Target       string
	Opset        int32
	MaxAbsDiffGo float64 // NaN where there is no Go implementation to compare with
}

var models = table[Model]{name: "models", version: 1, columns: []column[Model]{
	text("name", "name of the model", func(r *Model) *string { return &r.Name }),
	text("kind", "what it predicts with: student, surrogate, control, latency or cost", func(r *Model) *string { return &r.Kind }),
	text("file", "the model, relative to the run directory", func(r *Model) *string { return &r.File }),
	text("sha256", "checksum of the file", func(r *Model) *string { return &r.SHA256 }),
	integer("bytes", "B", "size of the file", func(r *Model) *int64 { return &r.Bytes }),
	text("features", "name of the feature set that is its input", func(r *Model) *string { return &r.Features }),
	text("target", "what it predicts", func(r *Model) *string { return &r.Target }),
	small("opset", "", "ONNX operator set", func(r *Model) *int32 { return &r.Opset }),
	maybeNumber("max_abs_diff_go", "as the target", "largest difference from the Go implementation on the run's architectures; null where there is none", func(r *Model) *float64 { return &r.MaxAbsDiffGo }),
}}

// WriteModels writes export/models.parquet.
func WriteModels(path string, rows []Model, p Provenance) error { return models.write(path, rows, p) }

// ReadModels reads what WriteModels wrote.
func ReadModels(path string) ([]Model, error) { return models.read(path) }
