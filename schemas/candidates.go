package schemas

// Candidate is a row of search/candidates.parquet: one architecture that a
// search looked at.
type Candidate struct {
	Search       string
	Constraint   string
	Limit        float64 // NaN for a search without a limit
	Seed         int64
	Iteration    int32
	Position     int32
	ID           string
	Origin       string // OriginSample, OriginMutation, OriginCrossover, OriginParent, OriginProbe or OriginFront
	Architecture string
	Scorer       string
	ScorerKind   string  // ScorerLLMDistill, ScorerSurrogate, ScorerSupernet or ScorerControl
	Score        float64 // NaN for a candidate that was not scored, being infeasible
	Cost         float64 // NaN for a search without a limit
	Feasible     bool
	Remembered   bool
}

// The values of column origin.
const (
	OriginSample    = "sample"
	OriginMutation  = "mutation"
	OriginCrossover = "crossover"
	OriginParent    = "parent"
	OriginProbe     = "probe" // a parent that the baseline scored to review the student
	OriginFront     = "front" // of the student's front, scored by the baseline at the end
)

// The values of column scorer_kind.
const (
	ScorerLLMDistill = "llm-distill"
	ScorerSurrogate  = "surrogate"
	ScorerSupernet   = "supernet"
	ScorerControl    = "control"
)

var candidates = table[Candidate]{name: "candidates", version: 1, columns: []column[Candidate]{
	text("search", "name of the search", func(r *Candidate) *string { return &r.Search }),
	text("constraint", "name of the constrained cost, empty for a search without a limit", func(r *Candidate) *string { return &r.Constraint }),
	maybeNumber("limit", "as cost", "largest cost admitted; null without a limit", func(r *Candidate) *float64 { return &r.Limit }),
	integer("seed", "", "seed of the search", func(r *Candidate) *int64 { return &r.Seed }),
	small("iteration", "", "iteration, from 0", func(r *Candidate) *int32 { return &r.Iteration }),
	small("position", "", "place within the iteration, from 0", func(r *Candidate) *int32 { return &r.Position }),
	text("id", "identifier of the architecture", func(r *Candidate) *string { return &r.ID }),
	text("origin", "how it arose: sample, mutation, crossover or parent; probe and front: one of these, scored by the baseline in review of the student or at the end", func(r *Candidate) *string { return &r.Origin }),
	text("architecture", "canonical JSON", func(r *Candidate) *string { return &r.Architecture }),
	text("scorer", "predictor that scored it", func(r *Candidate) *string { return &r.Scorer }),
	text("scorer_kind", "llm-distill, surrogate, supernet or control", func(r *Candidate) *string { return &r.ScorerKind }),
	maybeNumber("score", "as the scorer", "predicted quality: in the metric, of a supernet minus its loss in nats a token; null where not scored", func(r *Candidate) *float64 { return &r.Score }),
	maybeNumber("cost", "as in column constraint", "predicted cost; null without a limit", func(r *Candidate) *float64 { return &r.Cost }),
	flag("feasible", "whether the cost is within the limit", func(r *Candidate) *bool { return &r.Feasible }),
	flag("remembered", "whether the score was known from an earlier iteration", func(r *Candidate) *bool { return &r.Remembered }),
}}

// WriteCandidates writes search/candidates.parquet.
func WriteCandidates(path string, rows []Candidate, p Provenance) error {
	return candidates.write(path, rows, p)
}

// ReadCandidates reads what WriteCandidates wrote.
func ReadCandidates(path string) ([]Candidate, error) { return candidates.read(path) }
