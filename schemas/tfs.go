package schemas

// TFS is a row of tfs/tfs.parquet: the measured quality of one architecture
// trained from scratch, the truth that predictors are held against.
type TFS struct {
	ID        string
	Score     float64 // on the validation set, in the unit of Metric
	TestScore float64 // NaN where it was not measured
	Metric    string
	Source    string // SourcePublished, SourceTable or SourceTrained
}

// The values of column source.
const (
	SourcePublished = "published"
	SourceTable     = "table"
	SourceTrained   = "trained"
)

var tfs = table[TFS]{name: "tfs", version: 1, columns: []column[TFS]{
	text("id", "identifier of the architecture", func(r *TFS) *string { return &r.ID }),
	number("score", "metric", "quality after training from scratch, on the validation set", func(r *TFS) *float64 { return &r.Score }),
	maybeNumber("test_score", "metric", "the same on the test set; null where not measured", func(r *TFS) *float64 { return &r.TestScore }),
	text("metric", "name of the task's metric", func(r *TFS) *string { return &r.Metric }),
	text("source", "where the score comes from: published, table (the task's) or trained (here)", func(r *TFS) *string { return &r.Source }),
}}

// WriteTFS writes tfs/tfs.parquet.
func WriteTFS(path string, rows []TFS, p Provenance) error { return tfs.write(path, rows, p) }

// ReadTFS reads what WriteTFS wrote.
func ReadTFS(path string) ([]TFS, error) { return tfs.read(path) }
