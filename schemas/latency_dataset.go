package schemas

// LatencyRow is a row of latency/dataset.parquet: one measured architecture of
// one device, and what the predictor says of it.
type LatencyRow struct {
	Dataset      string
	Device       string
	Row          int32
	ID           string // "" where the dataset has features alone
	Architecture string
	Part         string // PartTrain, PartValid or PartTest
	Features     []float64
	EncoderMS    float64 // NaN where only the total was measured
	DecoderMS    float64
	LatencyMS    float64
	StdMS        float64 // NaN where not measured in rounds
	PredictedMS  float64
}

// The values of column part.
const (
	PartTrain = "train"
	PartValid = "valid"
	PartTest  = "test"
)

var latencyRows = table[LatencyRow]{name: "latency_dataset", version: 2, columns: []column[LatencyRow]{
	text("dataset", "name of the dataset", func(r *LatencyRow) *string { return &r.Dataset }),
	text("device", "device that was measured", func(r *LatencyRow) *string { return &r.Device }),
	small("row", "", "place in the dataset, from 0", func(r *LatencyRow) *int32 { return &r.Row }),
	text("id", "identifier of the architecture, empty where the dataset has features alone", func(r *LatencyRow) *string { return &r.ID }),
	text("architecture", "canonical JSON, empty where the dataset has features alone", func(r *LatencyRow) *string { return &r.Architecture }),
	text("part", "use in fitting the predictor: train, valid or test", func(r *LatencyRow) *string { return &r.Part }),
	numbers("features", "", "the chosen predictor's input", func(r *LatencyRow) *[]float64 { return &r.Features }),
	maybeNumber("encoder_ms", "ms", "measured time of the encoder; null where not measured", func(r *LatencyRow) *float64 { return &r.EncoderMS }),
	maybeNumber("decoder_ms", "ms", "measured time of all decoder steps; null where not measured", func(r *LatencyRow) *float64 { return &r.DecoderMS }),
	number("latency_ms", "ms", "measured time of one sentence", func(r *LatencyRow) *float64 { return &r.LatencyMS }),
	maybeNumber("std_ms", "ms", "standard deviation of that time between rounds; null where not measured in rounds", func(r *LatencyRow) *float64 { return &r.StdMS }),
	number("predicted_ms", "ms", "predicted time of one sentence", func(r *LatencyRow) *float64 { return &r.PredictedMS }),
}}

// WriteLatencyDataset writes latency/dataset.parquet.
func WriteLatencyDataset(path string, rows []LatencyRow, p Provenance) error {
	return latencyRows.write(path, rows, p)
}

// ReadLatencyDataset reads what WriteLatencyDataset wrote.
func ReadLatencyDataset(path string) ([]LatencyRow, error) { return latencyRows.read(path) }
