package schemas

// Finalist is a row of finalists/finalists.parquet: an architecture that a search
// ended at, timed on the device that the search kept to.
type Finalist struct {
	Search       string
	Constraint   string
	Limit        float64 // NaN for a search without a limit
	Seed         int64
	Kind         string // FinalistBest or FinalistFront
	Place        int32
	ID           string
	Architecture string
	Dataset      string
	Device       string
	PredictedMS  float64
	EncoderMS    float64 // NaN where it was not timed, as what follows
	DecoderMS    float64
	MeasuredMS   float64
	MeasuredHiMS float64 // NaN for one round
	LimitMS      float64 // NaN without a limit of the latency
	ExcessMS     float64
	Rounds       int32
	Repetitions  int32
	ControlMS    float64
	ControlCV    float64
	ControlThen  float64
	Note         string
}

// The values of column kind.
const (
	FinalistBest  = "best"
	FinalistFront = "front"
)

var finalists = table[Finalist]{name: "finalists", version: 1, columns: []column[Finalist]{
	text("search", "name of the search", func(r *Finalist) *string { return &r.Search }),
	text("constraint", "name of the constrained cost, empty for a search without a limit", func(r *Finalist) *string { return &r.Constraint }),
	maybeNumber("limit", "as in front.parquet", "largest cost admitted; null without a limit", func(r *Finalist) *float64 { return &r.Limit }),
	integer("seed", "", "seed of the search", func(r *Finalist) *int64 { return &r.Seed }),
	text("kind", "best of the search, or a point of the front that it was for", func(r *Finalist) *string { return &r.Kind }),
	small("place", "", "place among the finalists of the search, limit and kind, from 1", func(r *Finalist) *int32 { return &r.Place }),
	text("id", "identifier of the architecture", func(r *Finalist) *string { return &r.ID }),
	text("architecture", "canonical JSON", func(r *Finalist) *string { return &r.Architecture }),
	text("dataset", "dataset of the latency predictor that the search kept to", func(r *Finalist) *string { return &r.Dataset }),
	text("device", "device that measured", func(r *Finalist) *string { return &r.Device }),
	number("predicted_ms", "ms", "predicted time of one sentence", func(r *Finalist) *float64 { return &r.PredictedMS }),
	maybeNumber("encoder_ms", "ms", "measured time of the encoder; null where it was not timed, as in the columns that follow", func(r *Finalist) *float64 { return &r.EncoderMS }),
	maybeNumber("decoder_ms", "ms", "measured time of all decoder steps", func(r *Finalist) *float64 { return &r.DecoderMS }),
	maybeNumber("measured_ms", "ms", "measured time of one sentence, by the protocol of the dataset: the fastest repetitions at the average pace of the rounds", func(r *Finalist) *float64 { return &r.MeasuredMS }),
	maybeNumber("measured_hi_ms", "ms", "upper end of its 95 % interval, whose lower end it is: what half of the rounds would have given; null for one round", func(r *Finalist) *float64 { return &r.MeasuredHiMS }),
	maybeNumber("limit_ms", "ms", "limit of the latency; null without one", func(r *Finalist) *float64 { return &r.LimitMS }),
	maybeNumber("excess_ms", "ms", "measured_ms minus limit_ms: above 0 the limit does not hold", func(r *Finalist) *float64 { return &r.ExcessMS }),
	small("rounds", "", "rounds of the measurement, 0 where there was none", func(r *Finalist) *int32 { return &r.Rounds }),
	small("repetitions", "", "timed repetitions, over all rounds", func(r *Finalist) *int32 { return &r.Repetitions }),
	maybeNumber("control_ms", "ms", "fastest time of the control, the largest architecture", func(r *Finalist) *float64 { return &r.ControlMS }),
	maybeNumber("control_cv", "fraction", "coefficient of variation of the control's times; null for one", func(r *Finalist) *float64 { return &r.ControlCV }),
	maybeNumber("control_then_ms", "ms", "fastest time of the control when the dataset was measured; null where that is not known", func(r *Finalist) *float64 { return &r.ControlThen }),
	text("note", "why it was not timed, empty where it was", func(r *Finalist) *string { return &r.Note }),
}}

// WriteFinalists writes finalists/finalists.parquet.
func WriteFinalists(path string, rows []Finalist, p Provenance) error {
	return finalists.write(path, rows, p)
}

// ReadFinalists reads what WriteFinalists wrote.
func ReadFinalists(path string) ([]Finalist, error) { return finalists.read(path) }
