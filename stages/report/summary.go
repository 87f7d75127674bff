package report

import (
	"fmt"
	"slices"
	"strings"

	"hsnas/schemas"
)

// summary says what was run on what.
func (w *writer) summary() {
	m := w.task.Metric
	items := []string{
		fmt.Sprintf("Space: %s (%s), %d hyperparameters.", w.task.Space.Name, w.task.Space.Title, len(w.task.Space.Hyperparameters)),
		fmt.Sprintf("Metric: %s on the validation set, %s, in [%g, %g].", m.Name, better(m.Minimize()), m.Min, m.Max),
	}
	items = append(items, w.architectureSets()...)
	items = append(items, w.truth()...)
	items = append(items, w.answers()...)
	w.heading(2, "What was run")
	w.list(items...)
}

func better(minimize bool) string {
	if minimize {
		return "lower is better"
	}
	return "higher is better"
}

// architectureSets counts the architectures of each set, by split where the
// set has splits.
func (w *writer) architectureSets() []string {
	var items []string
	for _, set := range []string{schemas.SetDemonstration, schemas.SetTest, schemas.SetExtra, schemas.SetUnlabelled} {
		bySplit, splits, ids := map[string]int{}, []string{}, map[string]bool{}
		for _, a := range w.art.architectures {
			if a.Set != set {
				continue
			}
			if bySplit[a.Split] == 0 {
				splits = append(splits, a.Split)
			}
			bySplit[a.Split]++
			ids[a.ID] = true
		}
		if len(splits) == 0 {
			continue
		}
		slices.Sort(splits)
		item := fmt.Sprintf("%s set: %s", strings.ToUpper(set[:1])+set[1:], count(len(ids), "architecture", "different architectures"))
		if splits[0] != "" {
			parts := make([]string, len(splits))
			for i, s := range splits {
				parts[i] = fmt.Sprintf("%s: %d", s, bySplit[s])
			}
			item += " (split " + strings.Join(parts, ", ") + ")"
		}
		items = append(items, item+".")
	}
	return items
}

var truthSources = map[string]string{
	schemas.SourcePublished: "published by others, trained from scratch by them",
	schemas.SourceTable:     "from the task's table",
	schemas.SourceTrained:   "trained from scratch here",
}

// truth says where measured scores come from.
func (w *writer) truth() []string {
	bySource := map[string]int{}
	for _, t := range w.art.tfs {
		bySource[t.Source]++
	}
	var items []string
	for _, source := range []string{schemas.SourcePublished, schemas.SourceTable, schemas.SourceTrained} {
		if n := bySource[source]; n > 0 {
			items = append(items, fmt.Sprintf("Truth: %s of %s, %s.", w.task.Metric.Name, count(n, "architecture", "architectures"), truthSources[source]))
		}
	}
	return items
}

var answerSources = map[string]string{
	"replay": "recorded answers, replayed: no LLM was asked in this run",
	"batch":  "answers from a batch file",
	"live":   "answers of a live endpoint",
}

// answers says which LLM gave the labels, how, and what is missing.
func (w *writer) answers() []string {
	type origin struct{ source, model string }
	requests, tokens, order := map[origin]int{}, map[origin]int64{}, []origin{}
	for _, r := range w.art.requests {
		o := origin{r.Source, r.Model}
		if requests[o] == 0 {
			order = append(order, o)
		}
		requests[o]++
		for _, n := range []*int64{r.PromptTokens, r.CompletionTokens} {
			if n != nil {
				tokens[o] += *n
			}
		}
	}
	var items []string
	for _, o := range order {
		source, ok := answerSources[o.source]
		if !ok {
			source = o.source
		}
		item := fmt.Sprintf("LLM: %s, %s (%s", o.model, count(requests[o], "request", "requests"), source)
		if tokens[o] > 0 {
			item += fmt.Sprintf("; %d tokens", tokens[o])
		}
		items = append(items, item+").")
	}
	return append(items, w.gaps()...)
}

func (w *writer) gaps() []string {
	if len(w.art.labels) == 0 {
		return nil
	}
	gaps := 0
	for _, l := range w.art.labels {
		if l.Gap != "" {
			gaps++
		}
	}
	return []string{fmt.Sprintf("Labels: %d; asked for, but without a usable answer: %d.", len(w.art.labels)-gaps, gaps)}
}
