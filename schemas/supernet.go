package schemas

// SupernetScore is a row of tfs/supernet.parquet or supernet/supernet.parquet: the
// quality of one architecture with the weights that it inherits from a supernet.
type SupernetScore struct {
	ID       string
	Supernet string // hat, sandwich, mos-layer, mos-neuron; trained for one trained here
	Score    float64
}

var supernetScores = table[SupernetScore]{name: "supernet", version: 1, columns: []column[SupernetScore]{
	text("id", "identifier of the architecture", func(r *SupernetScore) *string { return &r.ID }),
	text("supernet", "name of the supernet: hat, sandwich, mos-layer or mos-neuron, or trained for one trained here", func(r *SupernetScore) *string { return &r.Supernet }),
	number("score", "metric", "quality with inherited weights, on the validation set; of one trained here minus the loss in nats a token", func(r *SupernetScore) *float64 { return &r.Score }),
}}

// WriteSupernetScores writes tfs/supernet.parquet.
func WriteSupernetScores(path string, rows []SupernetScore, p Provenance) error {
	return supernetScores.write(path, rows, p)
}

// ReadSupernetScores reads what WriteSupernetScores wrote.
func ReadSupernetScores(path string) ([]SupernetScore, error) { return supernetScores.read(path) }
