package ablations

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"

	"hsnas/internal/llm"
	"hsnas/internal/metric"
	"hsnas/internal/predictor"
	"hsnas/internal/prompt"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// matrix is everything that the stage reads.
type matrix struct {
	task   *task.Task
	splits []string
	tests  map[string][]string // test architectures by split
	truth  map[string]float64
	cells  []*cell
	prices *llm.Prices // nil without
}

// cell is what was said about one variant, and what it took.
type cell struct {
	name, group, ask string
	answered         int32
	outcome          predictor.Outcome
	use              map[string]*use // by split, and schemas.SplitMean for all
}

// use is what the requests about a split took.
type use struct {
	requests, answered int32
	prompt, completion int64
	estimated          bool
	spreads            []float64 // over the samples of each architecture
}

func read(in Inputs) (*matrix, error) {
	m := &matrix{task: in.Task, tests: map[string][]string{}, truth: map[string]float64{}}
	archs, err := schemas.ReadArchitectures(in.Architectures)
	if err != nil {
		return nil, err
	}
	for _, a := range archs {
		if a.Set != schemas.SetTest {
			continue
		}
		if m.tests[a.Split] == nil {
			m.splits = append(m.splits, a.Split)
		}
		m.tests[a.Split] = append(m.tests[a.Split], a.ID)
	}
	truth, err := schemas.ReadTFS(in.TFS)
	if err != nil {
		return nil, err
	}
	for _, t := range truth {
		m.truth[t.ID] = t.Score
	}
	for _, a := range in.Cells {
		c, err := m.cell(a)
		if err != nil {
			return nil, fmt.Errorf("cell %s: %w", a.Name, err)
		}
		m.cells = append(m.cells, c)
	}
	return m, nil
}

func (m *matrix) cell(a Answers) (*cell, error) {
	c := &cell{name: a.Name, group: a.Group, ask: a.Ask, use: map[string]*use{schemas.SplitMean: {}}}
	for _, s := range m.splits {
		c.use[s] = &use{}
	}
	labels, err := schemas.ReadLabels(a.Labels)
	if err != nil {
		return nil, err
	}
	labels = slices.DeleteFunc(labels, func(l schemas.Label) bool { return l.Set != schemas.SetTest })
	requests, err := schemas.ReadRequests(a.Requests)
	if err != nil {
		return nil, err
	}
	lengths, err := promptLengths(a.Prompts)
	if err != nil {
		return nil, err
	}
	c.count(requests, labels, lengths)
	c.outcome = predictor.Outcome{Predictor: c.name, OrderOnly: c.ask != prompt.Values}
	for _, split := range m.splits {
		if o, ok := m.outcome(c, split, labels); ok {
			c.outcome.Splits = append(c.outcome.Splits, o)
		}
	}
	return c, nil
}

// promptLengths are the bytes of all messages of a batch file's requests.
func promptLengths(path string) (map[string]int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for line := range bytes.Lines(text) {
		var r struct {
			CustomID string `json:"custom_id"`
			Body     struct{ Messages []struct{ Content string } }
		}
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, message := range r.Body.Messages {
			out[r.CustomID] += int64(len(message.Content))
		}
	}
	return out, nil
}

// answerTokens are those of an answer a query, where the service does not say: a
// prediction as JSON takes about 14, a place in a ranking 3, and the better of a
// pair 6.
var answerTokens = map[string]int64{prompt.Values: 14, prompt.Ranking: 3, prompt.Pairs: 3}

// count sums up requests and tokens.
func (c *cell) count(requests []schemas.Request, labels []schemas.Label, lengths map[string]int64) {
	gaps := map[string]bool{}
	for _, l := range labels {
		if math.IsNaN(l.Prediction) {
			gaps[l.CustomID] = true
		}
	}
	for _, r := range requests {
		if r.Set != schemas.SetTest {
			continue
		}
		for _, u := range []*use{c.use[r.Split], c.use[schemas.SplitMean]} {
			u.requests++
			if !gaps[r.CustomID] {
				u.answered++
			}
			if r.PromptTokens == nil || r.CompletionTokens == nil {
				u.estimated = true
				u.prompt += lengths[r.CustomID] / llm.BytesPerToken
				u.completion += int64(r.Queries) * answerTokens[c.ask]
			} else {
				u.prompt += *r.PromptTokens
				u.completion += *r.CompletionTokens
			}
		}
	}
	c.answered = c.use[schemas.SplitMean].answered
}

// outcome is what the labels say about a split's test set, the mean over samples;
// ok is false where they say nothing.
func (m *matrix) outcome(c *cell, split string, labels []schemas.Label) (o predictor.SplitOutcome, ok bool) {
	said := map[string][]float64{}
	var games []game
	for i, l := range labels {
		if l.Split != split || math.IsNaN(l.Prediction) {
			continue
		}
		said[l.ID] = append(said[l.ID], l.Prediction)
		if c.ask == prompt.Pairs && l.Prediction == 1 {
			games = append(games, game{winner: l.ID, loser: other(labels, i).ID})
		}
	}
	o.Split = split
	ids := slices.DeleteFunc(slices.Clone(m.tests[split]), func(id string) bool { return said[id] == nil })
	strengths := bradleyTerry(ids, games)
	for _, id := range ids {
		y := metric.Mean(said[id])
		if c.ask == prompt.Pairs {
			y = strengths[id]
		}
		if c.ask != prompt.Values && m.task.Metric.Minimize() {
			y = -y // better is lower there, while orders have the best highest
		}
		if len(said[id]) > 1 && c.ask == prompt.Values {
			c.spread(split, metric.Std(said[id]))
		}
		o.IDs, o.Prediction, o.Truth = append(o.IDs, id), append(o.Prediction, y), append(o.Truth, m.truth[id])
	}
	return o, len(ids) > 1
}

// spread notes the deviation of an architecture's samples.
func (c *cell) spread(split string, s float64) {
	for _, u := range []*use{c.use[split], c.use[schemas.SplitMean]} {
		u.spreads = append(u.spreads, s)
	}
}

// other is the label of the same pair: the row before or after.
func other(labels []schemas.Label, i int) schemas.Label {
	if i > 0 && labels[i-1].CustomID == labels[i].CustomID {
		return labels[i-1]
	}
	return labels[i+1]
}
