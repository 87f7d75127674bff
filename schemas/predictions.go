package schemas

// Prediction is a row of distill/predictions.parquet: what one predictor says
// of one test architecture.
type Prediction struct {
	Predictor  string
	Split      string
	ID         string
	Prediction float64
	Truth      float64
	Lo, Hi     float64 // NaN for predictors without intervals
}

var predictions = table[Prediction]{name: "predictions", version: 2, columns: []column[Prediction]{
	text("predictor", "name of the predictor", func(r *Prediction) *string { return &r.Predictor }),
	text("split", "split that it was fitted and tested on", func(r *Prediction) *string { return &r.Split }),
	text("id", "identifier of the test architecture", func(r *Prediction) *string { return &r.ID }),
	number("prediction", "metric", "predicted quality; of the predictor supernet minus its loss in nats a token, an order only", func(r *Prediction) *float64 { return &r.Prediction }),
	number("truth", "metric", "quality after training from scratch", func(r *Prediction) *float64 { return &r.Truth }),
	maybeNumber("lo", "metric", "lower end of the predictor's 90 % interval; null for predictors without", func(r *Prediction) *float64 { return &r.Lo }),
	maybeNumber("hi", "metric", "upper end of the predictor's 90 % interval; null for predictors without", func(r *Prediction) *float64 { return &r.Hi }),
}}

// WritePredictions writes distill/predictions.parquet.
func WritePredictions(path string, rows []Prediction, p Provenance) error {
	return predictions.write(path, rows, p)
}

// ReadPredictions reads what WritePredictions wrote.
func ReadPredictions(path string) ([]Prediction, error) { return predictions.read(path) }
