package schemas

// Ledger is a row of search/ledger.parquet: what one scorer did, and what it
// took, in one search.
type Ledger struct {
	Search      string
	Limit       float64 // NaN for a search without a limit
	Scorer      string
	ScorerKind  string
	Evaluations int64
	Remembered  int64
	Seconds     float64
}

var ledger = table[Ledger]{name: "ledger", version: 1, columns: []column[Ledger]{
	text("search", "name of the search", func(r *Ledger) *string { return &r.Search }),
	maybeNumber("limit", "as in front.parquet", "largest cost admitted; null without a limit", func(r *Ledger) *float64 { return &r.Limit }),
	text("scorer", "predictor", func(r *Ledger) *string { return &r.Scorer }),
	text("scorer_kind", "llm-distill, surrogate or supernet", func(r *Ledger) *string { return &r.ScorerKind }),
	integer("evaluations", "architectures", "architectures scored", func(r *Ledger) *int64 { return &r.Evaluations }),
	integer("remembered", "architectures", "scores taken from an earlier iteration instead", func(r *Ledger) *int64 { return &r.Remembered }),
	number("seconds", "s", "time spent scoring", func(r *Ledger) *float64 { return &r.Seconds }),
}}

// WriteLedger writes search/ledger.parquet.
func WriteLedger(path string, rows []Ledger, p Provenance) error { return ledger.write(path, rows, p) }

// ReadLedger reads what WriteLedger wrote.
func ReadLedger(path string) ([]Ledger, error) { return ledger.read(path) }
