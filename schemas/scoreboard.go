package schemas

// Score is a row of distill/scoreboard.parquet: how good one predictor is on
// the test architectures of one split, or on average. A value that is undefined
// is NaN: the tau of a constant predictor, the deviation of one split.
type Score struct {
	Task, Predictor, Split string // Split is SplitMean for the mean over the splits

	MAE, Tau       float64
	MAEStd, TauStd float64
	MAELo, MAEHi   float64
	TauLo, TauHi   float64

	N int32

	PMAEvsLLMPP, PTauVsLLMPP       float64
	PMAEvsCombined, PTauVsCombined float64

	Coverage, Width float64 // NaN for predictors without intervals

	Note string
}

// SplitMean is the split of rows that average over all splits.
const SplitMean = "mean"

var scoreboard = table[Score]{name: "scoreboard", version: 2, columns: []column[Score]{
	text("task", "name of the task", func(r *Score) *string { return &r.Task }),
	text("predictor", "name of the predictor", func(r *Score) *string { return &r.Predictor }),
	text("split", "name of the split, or mean", func(r *Score) *string { return &r.Split }),
	maybeNumber("mae", "metric", "mean absolute error; null for predictors of an order only", func(r *Score) *float64 { return &r.MAE }),
	maybeNumber("tau", "", "Kendall tau-b; null where undefined", func(r *Score) *float64 { return &r.Tau }),
	maybeNumber("mae_std", "metric", "standard deviation of mae over the splits", func(r *Score) *float64 { return &r.MAEStd }),
	maybeNumber("tau_std", "", "standard deviation of tau over the splits", func(r *Score) *float64 { return &r.TauStd }),
	maybeNumber("mae_lo", "metric", "lower end of the 95 % bootstrap interval of mae", func(r *Score) *float64 { return &r.MAELo }),
	maybeNumber("mae_hi", "metric", "upper end of the 95 % bootstrap interval of mae", func(r *Score) *float64 { return &r.MAEHi }),
	maybeNumber("tau_lo", "", "lower end of the 95 % bootstrap interval of tau", func(r *Score) *float64 { return &r.TauLo }),
	maybeNumber("tau_hi", "", "upper end of the 95 % bootstrap interval of tau", func(r *Score) *float64 { return &r.TauHi }),
	small("n", "architectures", "test architectures", func(r *Score) *int32 { return &r.N }),
	maybeNumber("p_mae_vs_llm_pp", "", "p-value of the paired bootstrap: mae equal to that of llm-pp", func(r *Score) *float64 { return &r.PMAEvsLLMPP }),
	maybeNumber("p_tau_vs_llm_pp", "", "p-value of the paired bootstrap: tau equal to that of llm-pp", func(r *Score) *float64 { return &r.PTauVsLLMPP }),
	maybeNumber("p_mae_vs_combined", "", "p-value of the paired bootstrap: mae equal to that of combined", func(r *Score) *float64 { return &r.PMAEvsCombined }),
	maybeNumber("p_tau_vs_combined", "", "p-value of the paired bootstrap: tau equal to that of combined", func(r *Score) *float64 { return &r.PTauVsCombined }),
	maybeNumber("coverage", "", "share of the truths inside the predictor's 90 % intervals; null for predictors without", func(r *Score) *float64 { return &r.Coverage }),
	maybeNumber("width", "metric", "mean width of the intervals", func(r *Score) *float64 { return &r.Width }),
	text("note", "what a reader of the row should know", func(r *Score) *string { return &r.Note }),
}}

// WriteScoreboard writes distill/scoreboard.parquet.
func WriteScoreboard(path string, rows []Score, p Provenance) error {
	return scoreboard.write(path, rows, p)
}

// ReadScoreboard reads what WriteScoreboard wrote.
func ReadScoreboard(path string) ([]Score, error) { return scoreboard.read(path) }
