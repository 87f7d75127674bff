package schemas

// SearchProgress is a row of search/progress.parquet: how far a search was after a
// generation.
type SearchProgress struct {
	Search              string
	Constraint          string
	Limit               float64 // NaN for a search without a limit
	Seed                int64
	Iteration           int32
	Scorer              string
	ScorerKind          string
	StudentEvaluations  int64
	BaselineEvaluations int64
	Best                float64
	Tau                 float64 // NaN where the student was not reviewed
	Hypervolume         float64 // NaN for a search without objectives
}

var searchProgress = table[SearchProgress]{name: "search_progress", version: 1, columns: []column[SearchProgress]{
	text("search", "name of the search", func(r *SearchProgress) *string { return &r.Search }),
	text("constraint", "name of the constrained cost, empty for a search without a limit", func(r *SearchProgress) *string { return &r.Constraint }),
	maybeNumber("limit", "as in front.parquet", "largest cost admitted; null without a limit", func(r *SearchProgress) *float64 { return &r.Limit }),
	integer("seed", "", "seed of the search", func(r *SearchProgress) *int64 { return &r.Seed }),
	small("iteration", "", "generation, from 0", func(r *SearchProgress) *int32 { return &r.Iteration }),
	text("scorer", "predictor in charge of the generation", func(r *SearchProgress) *string { return &r.Scorer }),
	text("scorer_kind", "llm-distill, surrogate, supernet or control", func(r *SearchProgress) *string { return &r.ScorerKind }),
	integer("student_evaluations", "architectures", "scored so far in this search by the student, or the control that takes its place", func(r *SearchProgress) *int64 { return &r.StudentEvaluations }),
	integer("baseline_evaluations", "architectures", "scored so far in this search by the baseline, probes and the judged front among them", func(r *SearchProgress) *int64 { return &r.BaselineEvaluations }),
	number("best", "as the scorer", "best score so far by the predictor in charge", func(r *SearchProgress) *float64 { return &r.Best }),
	maybeNumber("tau", "", "Kendall's tau-b between student and baseline on the probes of this generation; null without", func(r *SearchProgress) *float64 { return &r.Tau }),
	maybeNumber("hypervolume", "product of the objectives' units", "dominated by all that the baseline has scored so far, up to the reference of pareto.parquet; null without objectives", func(r *SearchProgress) *float64 { return &r.Hypervolume }),
}}

// WriteSearchProgress writes search/progress.parquet.
func WriteSearchProgress(path string, rows []SearchProgress, p Provenance) error {
	return searchProgress.write(path, rows, p)
}

// ReadSearchProgress reads what WriteSearchProgress wrote.
func ReadSearchProgress(path string) ([]SearchProgress, error) { return searchProgress.read(path) }
