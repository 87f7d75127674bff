package schemas

// Ledger is a row of search/ledger.parquet: what one scorer did, and what it
// took, in one search with one seed.
type Ledger struct {
	Search      string
	Limit       float64 // NaN for a search without a limit
	Seed        int64
	Scorer      string
	ScorerKind  string
	Evaluations int64
	Remembered  int64
	Shared      int64
	Spared      int64
	Seconds     float64
}

var ledger = table[Ledger]{name: "ledger", version: 3, columns: []column[Ledger]{
	text("search", "name of the search", func(r *Ledger) *string { return &r.Search }),
	maybeNumber("limit", "as in front.parquet", "largest cost admitted; null without a limit", func(r *Ledger) *float64 { return &r.Limit }),
	integer("seed", "", "seed of the search", func(r *Ledger) *int64 { return &r.Seed }),
	text("scorer", "predictor", func(r *Ledger) *string { return &r.Scorer }),
	text("scorer_kind", "llm-distill, surrogate, supernet or control; latency or cost for a constrained cost", func(r *Ledger) *string { return &r.ScorerKind }),
	integer("evaluations", "architectures", "architectures scored, the shared ones among them", func(r *Ledger) *int64 { return &r.Evaluations }),
	integer("remembered", "architectures", "scores taken from an earlier iteration instead", func(r *Ledger) *int64 { return &r.Remembered }),
	integer("shared", "architectures", "evaluations answered from another search's work, at no cost in time", func(r *Ledger) *int64 { return &r.Shared }),
	integer("spared", "architectures", "architectures that it scored in the baseline's place: the baseline was never asked about them in this search; 0 for the baseline and for costs", func(r *Ledger) *int64 { return &r.Spared }),
	number("seconds", "s", "time spent scoring, measured; shared evaluations take none", func(r *Ledger) *float64 { return &r.Seconds }),
}}

// WriteLedger writes search/ledger.parquet.
func WriteLedger(path string, rows []Ledger, p Provenance) error { return ledger.write(path, rows, p) }

// ReadLedger reads what WriteLedger wrote.
func ReadLedger(path string) ([]Ledger, error) { return ledger.read(path) }
