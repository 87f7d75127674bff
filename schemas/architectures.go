package schemas

// Architecture is a row of sample/architectures.parquet: one architecture in
// one place of the protocol.
type Architecture struct {
	ID           string
	Set          string // SetDemonstration, SetTest, SetExtra or SetUnlabelled
	Split        string
	Position     int32
	Architecture string // canonical JSON

	// nil where the task has no cost model
	Params                *int64
	EmbeddingParams       *int64
	FLOPs                 *int64
	FLOPsWithoutLastLayer *int64
}

// The values of column set.
const (
	SetDemonstration = "demonstration"
	SetTest          = "test"
	SetExtra         = "extra" // measured, but no predictor learns from it or is held against it
	SetUnlabelled    = "unlabelled"
)

var architectures = table[Architecture]{name: "architectures", version: 1, columns: []column[Architecture]{
	text("id", "identifier of the architecture: 16 hex digits of the SHA-256 of its canonical JSON", func(r *Architecture) *string { return &r.ID }),
	text("set", "role in the protocol: demonstration, test, extra (measured, in neither) or unlabelled", func(r *Architecture) *string { return &r.Set }),
	text("split", "name of the split, empty for a set that all splits share", func(r *Architecture) *string { return &r.Split }),
	small("position", "", "place within the set and split, from 0", func(r *Architecture) *int32 { return &r.Position }),
	text("architecture", "canonical JSON", func(r *Architecture) *string { return &r.Architecture }),
	maybeInteger("params", "parameters", "parameters without embeddings", func(r *Architecture) **int64 { return &r.Params }),
	maybeInteger("embedding_params", "parameters", "parameters of the embeddings", func(r *Architecture) **int64 { return &r.EmbeddingParams }),
	maybeInteger("flops", "FLOP", "floating-point operations for one sentence of the task's length", func(r *Architecture) **int64 { return &r.FLOPs }),
	maybeInteger("flops_without_last_layer", "FLOP", "the same without the projection to the vocabulary", func(r *Architecture) **int64 { return &r.FLOPsWithoutLastLayer }),
}}

// WriteArchitectures writes sample/architectures.parquet.
func WriteArchitectures(path string, rows []Architecture, p Provenance) error {
	return architectures.write(path, rows, p)
}

// ReadArchitectures reads what WriteArchitectures wrote.
func ReadArchitectures(path string) ([]Architecture, error) { return architectures.read(path) }
