package schemas

// Label is a row of label/labels.parquet: what the LLM predicted for one
// architecture in one request, or why there is no prediction.
type Label struct {
	ID         string
	Set        string
	Split      string
	Sample     int32
	Prediction float64 // NaN where Gap says why
	Gap        string
	RequestKey string
	CustomID   string
}

var labels = table[Label]{name: "labels", version: 1, columns: []column[Label]{
	text("id", "identifier of the architecture", func(r *Label) *string { return &r.ID }),
	text("set", "role in the protocol: test or unlabelled", func(r *Label) *string { return &r.Set }),
	text("split", "split whose demonstrations were in the prompt", func(r *Label) *string { return &r.Split }),
	small("sample", "", "number of the answer to the same question, from 1", func(r *Label) *int32 { return &r.Sample }),
	maybeNumber("prediction", "metric", "predicted quality; null where there is none", func(r *Label) *float64 { return &r.Prediction }),
	text("gap", "why there is no prediction, empty where there is one", func(r *Label) *string { return &r.Gap }),
	text("request_key", "content hash of the request, as in requests.parquet and the journal", func(r *Label) *string { return &r.RequestKey }),
	text("custom_id", "name of the request in a batch file", func(r *Label) *string { return &r.CustomID }),
}}

// WriteLabels writes label/labels.parquet.
func WriteLabels(path string, rows []Label, p Provenance) error { return labels.write(path, rows, p) }

// ReadLabels reads what WriteLabels wrote.
func ReadLabels(path string) ([]Label, error) { return labels.read(path) }
