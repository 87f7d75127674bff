package label

import (
	"fmt"
	"math"

	"hsnas/internal/progress"
	"hsnas/schemas"
)

// tables turns the answers into rows, and refuses a run without any label.
func tables(p Params, questions []question, answers []answer, rep progress.Reporter) ([]schemas.Label, []schemas.Request, error) {
	var labels []schemas.Label
	var requests []schemas.Request
	gaps := 0
	for i, q := range questions {
		a := answers[i]
		if a.gap != "" {
			gaps++
			rep.Logf("gap: %s: %s", q.request.CustomID, a.gap)
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
		requests = append(requests, requestRow(p, q, a))
	}
	if gaps == len(questions) && !p.AllowMissing {
		return nil, nil, fmt.Errorf("label: none of the %d requests was answered usably; the first: %s", gaps, answers[0].gap)
	}
	rep.Logf("%d labels from %d requests, %d gaps", len(labels), len(questions), gaps)
	return labels, requests, nil
}

// requestRow describes the last ask of a question; tokens, tries and seconds are
// those of all its asks.
func requestRow(p Params, q question, a answer) schemas.Request {
	row := schemas.Request{
		RequestKey: a.key, CustomID: q.request.CustomID, Split: q.split, Set: q.set,
		Sample: int32(q.request.Sample), Queries: int32(len(q.ids)), Source: p.Source, Seconds: math.NaN(),
	}
	for i, r := range a.responses {
		row.Model, row.Fingerprint, row.FinishReason = r.Model, r.Fingerprint, r.FinishReason
		row.Attempts += int32(r.Tries)
		row.PromptTokens = sum(row.PromptTokens, r.PromptTokens)
		row.CompletionTokens = sum(row.CompletionTokens, r.CompletionTokens)
		if r.Seconds != nil && i == 0 {
			row.Seconds = *r.Seconds
		} else if r.Seconds != nil {
			row.Seconds += *r.Seconds
		}
	}
	return row
}

// sum adds counts of which each may be unknown.
func sum(a, b *int64) *int64 {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	total := *a + *b
	return &total
}
