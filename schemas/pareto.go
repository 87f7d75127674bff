package schemas

// ParetoPoint is a row of search/pareto.parquet: an architecture of the fronts that a
// search with objectives has found.
type ParetoPoint struct {
	Search       string
	Constraint   string
	Limit        float64 // NaN for a search without a limit
	Seed         int64
	ID           string
	Architecture string
	Objectives   string
	Values       []float64
	Rank         int32
	Crowding     float64 // NaN at the ends of a front
	Scorer       string
	Reference    []float64
}

var pareto = table[ParetoPoint]{name: "pareto", version: 1, columns: []column[ParetoPoint]{
	text("search", "name of the search", func(r *ParetoPoint) *string { return &r.Search }),
	text("constraint", "name of the constrained cost, empty for a search without a limit", func(r *ParetoPoint) *string { return &r.Constraint }),
	maybeNumber("limit", "as in front.parquet", "largest cost admitted; null without a limit", func(r *ParetoPoint) *float64 { return &r.Limit }),
	integer("seed", "", "seed of the search", func(r *ParetoPoint) *int64 { return &r.Seed }),
	text("id", "identifier of the architecture", func(r *ParetoPoint) *string { return &r.ID }),
	text("architecture", "canonical JSON", func(r *ParetoPoint) *string { return &r.Architecture }),
	text("objectives", "names of the objectives, separated by commas", func(r *ParetoPoint) *string { return &r.Objectives }),
	numbers("values", "as the objectives", "their values in that order; the quality is the baseline's, in the metric, of a supernet minus its loss in nats a token", func(r *ParetoPoint) *[]float64 { return &r.Values }),
	small("rank", "", "front that it is on, from 1: what nothing dominates that the baseline has scored in this search", func(r *ParetoPoint) *int32 { return &r.Rank }),
	maybeNumber("crowding", "", "crowding distance on its front; null at the ends, where it is infinite", func(r *ParetoPoint) *float64 { return &r.Crowding }),
	text("scorer", "predictor that gave the quality", func(r *ParetoPoint) *string { return &r.Scorer }),
	numbers("reference", "as the objectives", "point that hypervolumes are measured from, in the order of the objectives", func(r *ParetoPoint) *[]float64 { return &r.Reference }),
}}

// WritePareto writes search/pareto.parquet.
func WritePareto(path string, rows []ParetoPoint, p Provenance) error {
	return pareto.write(path, rows, p)
}

// ReadPareto reads what WritePareto wrote.
func ReadPareto(path string) ([]ParetoPoint, error) { return pareto.read(path) }
