package schemas

// TFSRun is a row of tfs/runs.parquet: one training of one architecture from
// scratch, here or recorded in a table that ships.
type TFSRun struct {
	ID          string
	Seed        int64
	Score       float64 // on the validation set, NaN where the training diverged
	TestScore   float64
	ValidLoss   float64 // nats a token, without smoothing
	LossCurve   []float64
	CPUSeconds  float64 // of the training steps; NaN where not known
	WallSeconds float64 // with the evaluation
	Source      string  // SourceTable or SourceTrained
	Recorded    float64 // Score of the same training in the table, NaN where it has none
	Fault       string  // why there is no score, "" where there is one
}

var tfsRuns = table[TFSRun]{name: "tfs-runs", version: 1, columns: []column[TFSRun]{
	text("id", "identifier of the architecture", func(r *TFSRun) *string { return &r.ID }),
	integer("seed", "", "seed of the parameters at the start and of the order of the batches", func(r *TFSRun) *int64 { return &r.Seed }),
	maybeNumber("score", "metric", "quality on the validation set; null where the training diverged", func(r *TFSRun) *float64 { return &r.Score }),
	maybeNumber("test_score", "metric", "the same on the test set", func(r *TFSRun) *float64 { return &r.TestScore }),
	maybeNumber("valid_loss", "nats a token", "cross entropy on the validation set, without smoothing", func(r *TFSRun) *float64 { return &r.ValidLoss }),
	numbers("loss_curve", "nats a token", "training loss with smoothing, the mean of each ten steps", func(r *TFSRun) *[]float64 { return &r.LossCurve }),
	maybeNumber("cpu_seconds", "s", "processor time of the training steps, on one thread; null where not known", func(r *TFSRun) *float64 { return &r.CPUSeconds }),
	maybeNumber("wall_seconds", "s", "time of training and evaluation, of the last attempt alone where it was resumed", func(r *TFSRun) *float64 { return &r.WallSeconds }),
	text("source", "where it was trained: table (recorded there) or trained (here)", func(r *TFSRun) *string { return &r.Source }),
	maybeNumber("recorded_score", "metric", "score of the same training in the table that ships; null where it has none, and for its own rows", func(r *TFSRun) *float64 { return &r.Recorded }),
	text("fault", "why there is no score, empty where there is one", func(r *TFSRun) *string { return &r.Fault }),
}}

// WriteTFSRuns writes tfs/runs.parquet.
func WriteTFSRuns(path string, rows []TFSRun, p Provenance) error {
	return tfsRuns.write(path, rows, p)
}

// ReadTFSRuns reads what WriteTFSRuns wrote.
func ReadTFSRuns(path string) ([]TFSRun, error) { return tfsRuns.read(path) }
