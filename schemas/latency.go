package schemas

// LatencyScore is a row of latency/latency.parquet: the latency predictor of
// one dataset and its error on the test part.
type LatencyScore struct {
	Dataset   string
	Device    string
	File      string
	NTrain    int32
	NValid    int32
	NTest     int32
	RMSEMS    float64
	MAPE      float64
	Tau       float64 // NaN where undefined
	Source    string  // "published" or "measured"
	LossCurve []float64
}

var latencyScores = table[LatencyScore]{name: "latency", version: 1, columns: []column[LatencyScore]{
	text("dataset", "name of the dataset", func(r *LatencyScore) *string { return &r.Dataset }),
	text("device", "device that was measured", func(r *LatencyScore) *string { return &r.Device }),
	text("file", "the exported predictor, relative to the run directory", func(r *LatencyScore) *string { return &r.File }),
	small("n_train", "architectures", "rows it was fitted on", func(r *LatencyScore) *int32 { return &r.NTrain }),
	small("n_valid", "architectures", "rows that chose when to stop", func(r *LatencyScore) *int32 { return &r.NValid }),
	small("n_test", "architectures", "rows it was tested on", func(r *LatencyScore) *int32 { return &r.NTest }),
	number("rmse_ms", "ms", "root mean square error on the test rows", func(r *LatencyScore) *float64 { return &r.RMSEMS }),
	number("mape", "fraction", "mean absolute error relative to the measured value, on the test rows", func(r *LatencyScore) *float64 { return &r.MAPE }),
	maybeNumber("tau", "", "Kendall tau-b on the test rows; null where undefined", func(r *LatencyScore) *float64 { return &r.Tau }),
	text("source", "where the dataset comes from: published or measured", func(r *LatencyScore) *string { return &r.Source }),
	numbers("loss_curve", "", "training loss by epoch", func(r *LatencyScore) *[]float64 { return &r.LossCurve }),
}}

// WriteLatencyScores writes latency/latency.parquet.
func WriteLatencyScores(path string, rows []LatencyScore, p Provenance) error {
	return latencyScores.write(path, rows, p)
}

// ReadLatencyScores reads what WriteLatencyScores wrote.
func ReadLatencyScores(path string) ([]LatencyScore, error) { return latencyScores.read(path) }
