package report

import (
	"fmt"
	"math"
	"strings"

	"hsnas/internal/metric"
	"hsnas/schemas"
)

// finding sums the page up: each claim with the control that could beat it.
func (w *writer) finding() {
	var items []string
	items = append(items, w.ranOn())
	items = append(items, w.predictorFinding()...)
	items = append(items, w.searchFinding()...)
	items = append(items, w.verdictFinding()...)
	w.heading(2, "Summary")
	w.list(items...)
}

// ranOn says in a line what was run on what.
func (w *writer) ranOn() string {
	truth := "no measured score"
	if len(w.art.tfs) > 0 {
		truth = map[string]string{
			schemas.SourcePublished: "scores that others have published", schemas.SourceTable: "scores of a table", schemas.SourceTrained: "scores trained here",
		}[w.art.tfs[0].Source]
	}
	answers := "no LLM"
	if b := w.bills(); len(b) > 0 {
		answers = b[0].model
		if b[0].source == "replay" {
			answers += ", recorded answers"
		}
	}
	return fmt.Sprintf("On %s (%s): %s; %s; baseline: %s.", w.task.Title, w.task.Metric.Name, truth, answers, w.baselineKind())
}

func (w *writer) baselineKind() string {
	switch {
	case w.scored(schemas.ScorerSurrogate):
		return "a surrogate, which is no supernet"
	case w.scored(schemas.ScorerSupernet):
		return "a supernet trained here"
	}
	return "none"
}

// bestControl is the control without any LLM whose error is the least.
func (w *writer) bestControl() (schemas.Score, bool) {
	best, found := schemas.Score{}, false
	for _, s := range w.art.scores {
		if s.Split == schemas.SplitMean && strings.HasPrefix(s.Predictor, "control:") && !math.IsNaN(s.MAE) && (!found || s.MAE < best.MAE) {
			best, found = s, true
		}
	}
	return best, found
}

func (w *writer) predictorFinding() []string {
	llm, ok := w.score("llm-pp", schemas.SplitMean)
	if !ok {
		return nil
	}
	text := fmt.Sprintf("LLM-PP: MAE %s%s %s, tau %s%s, over %s.", number(llm.MAE, 3), interval(llm.MAELo, llm.MAEHi, 3), w.task.Metric.Name,
		number(llm.Tau, 3), interval(llm.TauLo, llm.TauHi, 3), count(int(llm.N), "prediction", "predictions"))
	if c, ok := w.bestControl(); ok {
		text += fmt.Sprintf(" The control with the least error, without any LLM, %s: MAE %s, tau %s%s.", c.Predictor, number(c.MAE, 3), number(c.Tau, 3), pText(c.PMAEvsLLMPP))
	}
	items := []string{text}
	with, ok := w.score("combined", schemas.SplitMean)
	without, ok2 := w.score("combined:no-llm", schemas.SplitMean)
	if ok && ok2 {
		items = append(items, fmt.Sprintf("Combined with size and supernet: MAE %s, tau %s; the same without the LLM: MAE %s, tau %s%s.",
			number(with.MAE, 3), number(with.Tau, 3), number(without.MAE, 3), number(without.Tau, 3), pText(without.PMAEvsCombined)))
	}
	return items
}

// pText words the p-value of a difference in MAE, nothing where there is none.
func pText(p float64) string {
	if math.IsNaN(p) {
		return ""
	}
	return " (p of the difference in MAE " + number(p, 3) + ")"
}

// searchFinding holds HS-NAS against every other search, limit by limit: by trained
// winners where there are any, otherwise by the baseline's scores.
func (w *writer) searchFinding() []string {
	if trials := trialsOf(w.art.winners); len(trials) > 0 {
		return w.trainedFinding(trials)
	}
	var items []string
	contests, decimals := w.contests(), w.task.Metric.Decimals+1
	for _, hs := range contests {
		first := hs.winners[0]
		if first.Search != hybridSearch {
			continue
		}
		var all []string
		for _, c := range contests {
			if o := c.winners[0]; o.Constraint == first.Constraint && sameLimit(o.Limit, first.Limit) {
				all = append(all, fmt.Sprintf("%s %s (%s)", o.Search, number(o.BaselineScore, decimals),
					count(int(max(0, w.baselineEvaluations(o.Search, o.Limit))), "evaluation", "evaluations")))
			}
		}
		items = append(items, fmt.Sprintf("Winners %s, not trained: %s of the best of %s, and evaluations by the baseline, all seeds together: %s.",
			w.within(first.Limit), w.baselineName(), count(hs.seeds, "seed", "seeds"), strings.Join(all, "; ")))
	}
	return items
}

// trainedFinding names every search beside HS-NAS, the controls too.
func (w *writer) trainedFinding(trials []trial) []string {
	var items []string
	d, noise := w.task.Metric.Decimals, ""
	if spread := w.seedSpread(); !math.IsNaN(spread) {
		noise = fmt.Sprintf(" Two trainings of one architecture differ by a standard deviation of %s.", number(spread, d))
	}
	for _, hs := range trials {
		if hs.search != hybridSearch {
			continue
		}
		var others []string
		for _, t := range trials {
			if sameLimit(t.limit, hs.limit) {
				others = append(others, fmt.Sprintf("%s %s (%s)", t.search, withSpread(column(t.rows, func(r schemas.WinnerTrained) float64 { return r.Score }), d),
					count(int(math.Round(metric.Mean(column(t.rows, func(r schemas.WinnerTrained) float64 { return float64(r.Evaluations) })))), "evaluation", "evaluations")))
			}
		}
		items = append(items, fmt.Sprintf("Winners %s, trained from scratch, validation %s and evaluations by the baseline, mean over %s: %s.%s",
			w.within(hs.limit), w.task.Metric.Name, count(len(hs.rows), "seed", "seeds"), strings.Join(others, "; "), noise))
	}
	return items
}

// verdictFinding counts the verdicts on published figures, and on those computed
// beforehand apart from them.
func (w *writer) verdictFinding() []string {
	var published, beforehand tally
	for _, t := range w.knownTables() {
		of := &beforehand
		if t.Published {
			of = &published
		}
		for _, row := range t.rows {
			of.add(row[3])
			of.add(row[6])
		}
	}
	var items []string
	if n := published.n(); n > 0 {
		items = append(items, fmt.Sprintf("Of %s of this task %s.", count(n, "published figure", "published figures"), published))
	}
	if n := beforehand.n(); n > 0 {
		items = append(items, fmt.Sprintf("Of %s that other programs computed beforehand %s.", count(n, "figure", "figures"), beforehand))
	}
	return items
}

// tally counts verdicts.
type tally struct{ same, other, none int }

func (t *tally) add(verdict string) {
	switch {
	case verdict == reproduced:
		t.same++
	case strings.HasPrefix(verdict, differs):
		t.other++
	case verdict != absent:
		t.none++
	}
}

func (t tally) n() int { return t.same + t.other + t.none }

func (t tally) String() string {
	return fmt.Sprintf("%d are reproduced to the last decimal, %d differ, %d cannot be compared", t.same, t.other, t.none)
}
