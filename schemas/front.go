package schemas

// Winner is a row of search/front.parquet: one of the best architectures that a
// search found within one limit.
type Winner struct {
	Search        string
	Constraint    string
	Limit         float64 // NaN for a search without a limit
	Unit          string
	Seed          int64
	Rank          int32
	ID            string
	Architecture  string
	Score         float64
	Scorer        string
	StudentScore  float64 // NaN where the search has no student
	BaselineScore float64 // NaN where the search has no baseline predictor
	Cost          float64 // NaN for a search without a limit
	GFLOPs        float64 // NaN where the task has no cost model
	Params        *int64  // nil where the task has no cost model
}

var front = table[Winner]{name: "front", version: 1, columns: []column[Winner]{
	text("search", "name of the search", func(r *Winner) *string { return &r.Search }),
	text("constraint", "name of the constrained cost, empty for a search without a limit", func(r *Winner) *string { return &r.Constraint }),
	maybeNumber("limit", "as in column unit", "largest cost admitted; null without a limit", func(r *Winner) *float64 { return &r.Limit }),
	text("unit", "unit of limit and cost", func(r *Winner) *string { return &r.Unit }),
	integer("seed", "", "seed of the search", func(r *Winner) *int64 { return &r.Seed }),
	small("rank", "", "place among the winners of the search and limit, from 1", func(r *Winner) *int32 { return &r.Rank }),
	text("id", "identifier of the architecture", func(r *Winner) *string { return &r.ID }),
	text("architecture", "canonical JSON", func(r *Winner) *string { return &r.Architecture }),
	number("score", "as the scorer", "predicted quality, by the last scorer of the search: in the metric, of a supernet minus its loss in nats a token", func(r *Winner) *float64 { return &r.Score }),
	text("scorer", "predictor that gave the score", func(r *Winner) *string { return &r.Scorer }),
	maybeNumber("student_score", "metric", "quality predicted by LLM-Distill-PP; null without one", func(r *Winner) *float64 { return &r.StudentScore }),
	maybeNumber("baseline_score", "as the scorer", "quality predicted by the baseline predictor: in the metric, of a supernet minus its loss in nats a token; null without one", func(r *Winner) *float64 { return &r.BaselineScore }),
	maybeNumber("cost", "as in column unit", "predicted cost; null without a limit", func(r *Winner) *float64 { return &r.Cost }),
	maybeNumber("gflops", "GFLOP", "floating-point operations for one sentence; null without a cost model", func(r *Winner) *float64 { return &r.GFLOPs }),
	maybeInteger("params", "parameters", "parameters without embeddings; null without a cost model", func(r *Winner) **int64 { return &r.Params }),
}}

// WriteFront writes search/front.parquet.
func WriteFront(path string, rows []Winner, p Provenance) error { return front.write(path, rows, p) }

// ReadFront reads what WriteFront wrote.
func ReadFront(path string) ([]Winner, error) { return front.read(path) }
