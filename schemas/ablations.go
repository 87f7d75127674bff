package schemas

// Ablation is a row of ablations/ablations.parquet: how good the LLM's answers to
// one variant of the prompt are on the test architectures of one split, or on
// average, and what they take. A value that is undefined is NaN.
type Ablation struct {
	Task, Metric, Cell, Group, Split string // Split is SplitMean for the mean over the splits

	Requests, Answered int32 // as planned, and those with a usable answer
	Architectures      int32 // test architectures of Score's figures

	MAE, Tau       float64
	MAEStd, TauStd float64
	MAELo, MAEHi   float64
	TauLo, TauHi   float64

	PMAE, PTau float64 // paired, against the reference cell
	Spread     float64

	PromptTokens, CompletionTokens int64
	TokensEstimated                bool
	Dollars                        float64
	PriceModel                     string

	Note string
}

var ablations = table[Ablation]{name: "ablations", version: 1, columns: []column[Ablation]{
	text("task", "name of the task", func(r *Ablation) *string { return &r.Task }),
	text("metric", "what mae is in the unit of", func(r *Ablation) *string { return &r.Metric }),
	text("cell", "name of the variant of the prompt", func(r *Ablation) *string { return &r.Cell }),
	text("group", "what the variant varies", func(r *Ablation) *string { return &r.Group }),
	text("split", "name of the split, or mean", func(r *Ablation) *string { return &r.Split }),
	small("requests", "", "requests of the cell, all splits for mean", func(r *Ablation) *int32 { return &r.Requests }),
	small("answered", "", "requests whose answer could be used", func(r *Ablation) *int32 { return &r.Answered }),
	small("architectures", "architectures", "test architectures that were answered about", func(r *Ablation) *int32 { return &r.Architectures }),
	maybeNumber("mae", "metric", "mean absolute error; null for an order, and where nothing is answered", func(r *Ablation) *float64 { return &r.MAE }),
	maybeNumber("tau", "", "Kendall tau-b; null where undefined", func(r *Ablation) *float64 { return &r.Tau }),
	maybeNumber("mae_std", "metric", "standard deviation of mae over the splits", func(r *Ablation) *float64 { return &r.MAEStd }),
	maybeNumber("tau_std", "", "standard deviation of tau over the splits", func(r *Ablation) *float64 { return &r.TauStd }),
	maybeNumber("mae_lo", "metric", "lower end of the 95 % bootstrap interval of mae", func(r *Ablation) *float64 { return &r.MAELo }),
	maybeNumber("mae_hi", "metric", "upper end of the 95 % bootstrap interval of mae", func(r *Ablation) *float64 { return &r.MAEHi }),
	maybeNumber("tau_lo", "", "lower end of the 95 % bootstrap interval of tau", func(r *Ablation) *float64 { return &r.TauLo }),
	maybeNumber("tau_hi", "", "upper end of the 95 % bootstrap interval of tau", func(r *Ablation) *float64 { return &r.TauHi }),
	maybeNumber("p_mae_vs_reference", "", "p-value of the paired bootstrap: mae equal to the reference cell's", func(r *Ablation) *float64 { return &r.PMAE }),
	maybeNumber("p_tau_vs_reference", "", "p-value of the paired bootstrap: tau equal to the reference cell's", func(r *Ablation) *float64 { return &r.PTau }),
	maybeNumber("spread", "metric", "standard deviation over the samples of one architecture, on average; null for one sample", func(r *Ablation) *float64 { return &r.Spread }),
	integer("prompt_tokens", "tokens", "tokens of the prompts", func(r *Ablation) *int64 { return &r.PromptTokens }),
	integer("completion_tokens", "tokens", "tokens of the answers", func(r *Ablation) *int64 { return &r.CompletionTokens }),
	flag("tokens_estimated", "whether the tokens are estimated from lengths, as the answers do not say", func(r *Ablation) *bool { return &r.TokensEstimated }),
	maybeNumber("dollars", "USD", "price of all requests of the cell at the prices of price_model; null without", func(r *Ablation) *float64 { return &r.Dollars }),
	text("price_model", "model of the price table whose prices dollars are at", func(r *Ablation) *string { return &r.PriceModel }),
	text("note", "what a reader of the row should know", func(r *Ablation) *string { return &r.Note }),
}}

// WriteAblations writes ablations/ablations.parquet.
func WriteAblations(path string, rows []Ablation, p Provenance) error {
	return ablations.write(path, rows, p)
}

// ReadAblations reads what WriteAblations wrote.
func ReadAblations(path string) ([]Ablation, error) { return ablations.read(path) }
