package label

import (
	"fmt"
	"math"

	"hsnas/internal/llm"
	"hsnas/internal/progress"
	"hsnas/schemas"
)

// namedGaps is how many gaps are logged one by one.
const namedGaps = 10

// tables turns the answers into rows, and refuses a run without any label.
func tables(p Params, price *price, questions []question, answers []answer, rep progress.Reporter) ([]schemas.Label, []schemas.Request, error) {
	var labels []schemas.Label
	var requests []schemas.Request
	gaps := 0
	for i, q := range questions {
		a := answers[i]
		if a.gap != "" {
			if gaps++; gaps <= namedGaps {
				rep.Logf("gap: %s: %s", q.request.CustomID, a.gap)
			}
		}
		for j, id := range q.ids {
			row := schemas.Label{
				ID: id, Set: q.set, Split: q.split, Sample: int32(q.request.Sample), Prediction: math.NaN(),
				Gap: a.gap, RequestKey: a.key, CustomID: q.request.CustomID,
			}
			if a.gap == "" {
				row.Prediction = a.predictions[j]
			}
			labels = append(labels, row)
		}
		requests = append(requests, requestRow(p, price, q, a))
	}
	if gaps == len(questions) && !p.AllowMissing {
		return nil, nil, fmt.Errorf("label: none of the %d requests was answered usably; the first: %s", gaps, answers[0].gap)
	}
	if gaps > namedGaps {
		rep.Logf("and %d gaps more; labels.parquet names all of them in its column gap", gaps-namedGaps)
	}
	rep.Logf("%d labels from %d requests, %d gaps", len(labels), len(questions), gaps)
	return labels, requests, nil
}

// requestRow describes the last ask of a question; tokens, dollars, tries and
// seconds are those of all its asks.
func requestRow(p Params, price *price, q question, a answer) schemas.Request {
	row := schemas.Request{
		RequestKey: a.key, CustomID: q.request.CustomID, Split: q.split, Set: q.set,
		Sample: int32(q.request.Sample), Queries: int32(len(q.ids)), Source: p.Source,
		Asks: int32(len(a.responses)), Attempts: int32(a.tries), Seconds: math.NaN(), Dollars: dollars(price, a.responses),
		PromptTokens:     sum(a.responses, func(r llm.Response) *int64 { return r.PromptTokens }),
		CompletionTokens: sum(a.responses, func(r llm.Response) *int64 { return r.CompletionTokens }),
	}
	for i, r := range a.responses {
		row.Source, row.Model, row.Fingerprint, row.FinishReason = r.Source, r.Model, r.Fingerprint, r.FinishReason
		row.Attempts += int32(r.Tries)
		if r.Seconds != nil && i == 0 {
			row.Seconds = *r.Seconds
		} else if r.Seconds != nil {
			row.Seconds += *r.Seconds
		}
	}
	return row
}

// dollars is what answers cost, NaN where a price or a count is not known. What was
// recorded costs nobody anything now, and what it did cost is not known.
func dollars(price *price, responses []llm.Response) float64 {
	if price == nil || len(responses) == 0 {
		return math.NaN()
	}
	total := 0.0
	for _, r := range responses {
		if r.Source == Replay || r.PromptTokens == nil || r.CompletionTokens == nil {
			return math.NaN()
		}
		total += price.of(r.Source).Dollars(*r.PromptTokens, *r.CompletionTokens)
	}
	return total
}

// sum adds what answers took; nil where one does not say, as a part is no sum.
func sum(responses []llm.Response, count func(llm.Response) *int64) *int64 {
	if len(responses) == 0 {
		return nil
	}
	var total int64
	for _, r := range responses {
		n := count(r)
		if n == nil {
			return nil
		}
		total += *n
	}
	return &total
}
