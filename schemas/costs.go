package schemas

// MeasuredCost is a row of tfs/costs.parquet: one measured cost of one
// architecture of a user's own table.
type MeasuredCost struct {
	ID    string
	Cost  string // name, latency_ms for example
	Unit  string
	Value float64
}

var costs = table[MeasuredCost]{name: "costs", version: 1, columns: []column[MeasuredCost]{
	text("id", "identifier of the architecture", func(r *MeasuredCost) *string { return &r.ID }),
	text("cost", "name of the cost, latency_ms for example", func(r *MeasuredCost) *string { return &r.Cost }),
	text("unit", "unit of the value", func(r *MeasuredCost) *string { return &r.Unit }),
	number("value", "as in column unit", "the measured cost", func(r *MeasuredCost) *float64 { return &r.Value }),
}}

// WriteMeasuredCosts writes tfs/costs.parquet.
func WriteMeasuredCosts(path string, rows []MeasuredCost, p Provenance) error {
	return costs.write(path, rows, p)
}

// ReadMeasuredCosts reads what WriteMeasuredCosts wrote.
func ReadMeasuredCosts(path string) ([]MeasuredCost, error) { return costs.read(path) }
