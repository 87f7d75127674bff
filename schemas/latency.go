package schemas

// LatencyScore is a row of latency/latency.parquet: a regressor fitted to one
// dataset and its error on the test part. One of each dataset's is chosen.
type LatencyScore struct {
	Dataset      string
	Device       string
	Regressor    string
	Features     string
	Chosen       bool
	File         string
	NTrain       int32
	NValid       int32
	NTest        int32
	CVMAPE       float64 // NaN where not cross-validated
	CVTau        float64
	RMSEMS       float64
	MAPE         float64
	Tau          float64 // NaN where undefined
	Source       string  // "published" or "measured"
	ControlMS    float64 // NaN without a control
	ControlCV    float64
	ControlDrift float64
	LossCurve    []float64
}

var latencyScores = table[LatencyScore]{name: "latency", version: 3, columns: []column[LatencyScore]{
	text("dataset", "name of the dataset", func(r *LatencyScore) *string { return &r.Dataset }),
	text("device", "device that was measured", func(r *LatencyScore) *string { return &r.Device }),
	text("regressor", "kind of the regressor: mlp, ridge, relative-ridge or trees", func(r *LatencyScore) *string { return &r.Regressor }),
	text("features", "name of the feature set that it was fitted on", func(r *LatencyScore) *string { return &r.Features }),
	flag("chosen", "whether it is the dataset's predictor, chosen by cv_mape where there are several", func(r *LatencyScore) *bool { return &r.Chosen }),
	text("file", "the exported predictor, relative to the run directory; empty where it is not the chosen one", func(r *LatencyScore) *string { return &r.File }),
	small("n_train", "architectures", "rows it was fitted on", func(r *LatencyScore) *int32 { return &r.NTrain }),
	small("n_valid", "architectures", "rows that chose when to stop", func(r *LatencyScore) *int32 { return &r.NValid }),
	small("n_test", "architectures", "rows it was tested on", func(r *LatencyScore) *int32 { return &r.NTest }),
	maybeNumber("cv_mape", "fraction", "mean absolute relative error by cross-validation on the rows outside the test; null where not cross-validated", func(r *LatencyScore) *float64 { return &r.CVMAPE }),
	maybeNumber("cv_tau", "", "Kendall tau-b by that cross-validation; null where undefined", func(r *LatencyScore) *float64 { return &r.CVTau }),
	number("rmse_ms", "ms", "root mean square error on the test rows", func(r *LatencyScore) *float64 { return &r.RMSEMS }),
	number("mape", "fraction", "mean absolute error relative to the measured value, on the test rows", func(r *LatencyScore) *float64 { return &r.MAPE }),
	maybeNumber("tau", "", "Kendall tau-b on the test rows; null where undefined", func(r *LatencyScore) *float64 { return &r.Tau }),
	text("source", "where the dataset comes from: published or measured", func(r *LatencyScore) *string { return &r.Source }),
	maybeNumber("control_ms", "ms", "fastest time of the control architecture; null where none was timed", func(r *LatencyScore) *float64 { return &r.ControlMS }),
	maybeNumber("control_cv", "fraction", "coefficient of variation of the control architecture's times; null where none was timed", func(r *LatencyScore) *float64 { return &r.ControlCV }),
	maybeNumber("control_drift", "fraction", "change of the control's median time from the first round to the last; null where there are no two", func(r *LatencyScore) *float64 { return &r.ControlDrift }),
	numbers("loss_curve", "", "training loss by epoch; empty for closed-form fits", func(r *LatencyScore) *[]float64 { return &r.LossCurve }),
}}

// WriteLatencyScores writes latency/latency.parquet.
func WriteLatencyScores(path string, rows []LatencyScore, p Provenance) error {
	return latencyScores.write(path, rows, p)
}

// ReadLatencyScores reads what WriteLatencyScores wrote.
func ReadLatencyScores(path string) ([]LatencyScore, error) { return latencyScores.read(path) }
