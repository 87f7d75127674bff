package schemas

// Request is a row of label/requests.parquet: one request to the LLM and what
// it took.
type Request struct {
	RequestKey       string
	CustomID         string
	Split            string
	Set              string
	Sample           int32
	Queries          int32
	Source           string // live, batch-api, batch or replay
	Model            string
	Fingerprint      string
	PromptTokens     *int64 // nil where the answer did not say
	CompletionTokens *int64
	FinishReason     string
	Asks             int32
	Attempts         int32
	Seconds          float64 // NaN where it was not measured
	Dollars          float64 // NaN where the price or the tokens are not known
}

var requests = table[Request]{name: "requests", version: 2, columns: []column[Request]{
	text("request_key", "content hash of the request", func(r *Request) *string { return &r.RequestKey }),
	text("custom_id", "name of the request in a batch file", func(r *Request) *string { return &r.CustomID }),
	text("split", "split whose demonstrations were in the prompt", func(r *Request) *string { return &r.Split }),
	text("set", "role of the queried architectures", func(r *Request) *string { return &r.Set }),
	small("sample", "", "number of the answer to the same question, from 1", func(r *Request) *int32 { return &r.Sample }),
	small("queries", "architectures", "architectures asked about", func(r *Request) *int32 { return &r.Queries }),
	text("source", "where the answer came from: live, batch-api, batch (a response file) or replay", func(r *Request) *string { return &r.Source }),
	text("model", "model that answered, as it names itself", func(r *Request) *string { return &r.Model }),
	text("fingerprint", "the endpoint's mark of its configuration, empty where it gives none", func(r *Request) *string { return &r.Fingerprint }),
	maybeInteger("prompt_tokens", "tokens", "tokens of the prompts of all asks; null where not given", func(r *Request) **int64 { return &r.PromptTokens }),
	maybeInteger("completion_tokens", "tokens", "tokens of all answers; null where not given", func(r *Request) **int64 { return &r.CompletionTokens }),
	text("finish_reason", "why the answer ended", func(r *Request) *string { return &r.FinishReason }),
	small("asks", "", "answers that came: one that cannot be read is asked for again", func(r *Request) *int32 { return &r.Asks }),
	small("attempts", "", "HTTP requests that the asks took; 0 for batches and recordings", func(r *Request) *int32 { return &r.Attempts }),
	maybeNumber("seconds", "s", "latency: what the HTTP requests took that brought the answers; null where not measured", func(r *Request) *float64 { return &r.Seconds }),
	maybeNumber("dollars", "US dollars", "price of all asks; null where the price or the tokens are not known, and for recordings", func(r *Request) *float64 { return &r.Dollars }),
}}

// WriteRequests writes label/requests.parquet.
func WriteRequests(path string, rows []Request, p Provenance) error {
	return requests.write(path, rows, p)
}

// ReadRequests reads what WriteRequests wrote.
func ReadRequests(path string) ([]Request, error) { return requests.read(path) }
