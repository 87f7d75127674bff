package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"hsnas/schemas"
)

// The searches that the saved share is computed from.
const (
	hybridSearch   = "hs-nas"
	baselineSearch = "baseline-only"
)

// surrogateNote is said wherever a surrogate did something.
const surrogateNote = "A surrogate is no supernet: it is a regressor that stands in for one where its weights are not at hand"

// search writes the winners, who scored how many, and HAT's results beside.
func (w *writer) search() {
	w.heading(2, "Search")
	if len(w.art.front) == 0 {
		w.paragraph("No winners: the run has no search stage.")
		return
	}
	w.paragraph("The best architecture of each search within each limit, over all seeds. Scores are what their scorers say, of %s or of what is named beside them, never measurements, and so is a cost in ms; "+
		"both predictors are asked about every winner, whichever one chose it.", w.task.Metric.Name)
	if w.scored(schemas.ScorerSurrogate) {
		w.paragraph("%s.", w.surrogate())
	}
	if w.scored(schemas.ScorerSupernet) {
		w.paragraph("The baseline is the supernet that this run has trained. What it says is no %s: it is minus the loss on the validation set with inherited weights, in nats a token.", w.task.Metric.Name)
	}
	w.winners()
	w.drawFront()
	w.ledger()
	w.saved()
	w.drawTrajectories()
	w.fronts()
	w.hat()
}

// scored says whether a scorer of a kind scored anything.
func (w *writer) scored(kind string) bool {
	return slices.ContainsFunc(w.art.ledger, func(l schemas.Ledger) bool { return l.ScorerKind == kind })
}

// supernet says whether scores of a scorer are minus the loss of a supernet,
// larger for better whatever the metric.
func (w *writer) supernet(scorer string) bool {
	return slices.ContainsFunc(w.art.ledger, func(l schemas.Ledger) bool { return l.Scorer == scorer && l.ScorerKind == schemas.ScorerSupernet })
}

// surrogate explains the surrogate, with what the scoreboard knows of it.
func (w *writer) surrogate() string {
	for _, s := range w.art.scores {
		if s.Predictor == schemas.ScorerSurrogate && s.Note != "" {
			return surrogateNote + ". This one is " + s.Note
		}
	}
	return surrogateNote
}

// kind returns what a scorer is, for people: "supernet:hat (surrogate)".
func (w *writer) kind(scorer string) string {
	for _, l := range w.art.ledger {
		if l.Scorer == scorer && l.ScorerKind != scorer {
			return scorer + " (" + l.ScorerKind + ")"
		}
	}
	return scorer
}

func limitText(limit float64, unit string) string {
	if math.IsNaN(limit) {
		return "none"
	}
	return strings.TrimSpace(trim(limit) + " " + unit)
}

// trim writes a limit as a user would: 150, 0.5.
func trim(x float64) string { return fmt.Sprintf("%g", x) }

// contest is one search within one limit, all its seeds together.
type contest struct {
	winners []schemas.Winner // different architectures, best first
	seeds   int
	lo, hi  float64 // scores of the seeds' own best
}

// contests groups the front, ordered by limit and otherwise as the searches ran.
func (w *writer) contests() []contest {
	var order []schemas.Winner // the first row of each
	for _, f := range w.art.front {
		if !slices.ContainsFunc(order, func(o schemas.Winner) bool { return sameContest(o, f) }) {
			order = append(order, f)
		}
	}
	slices.SortStableFunc(order, func(a, b schemas.Winner) int {
		return cmp.Or(cmp.Compare(a.Constraint, b.Constraint), cmp.Compare(a.Limit, b.Limit))
	})
	contests := make([]contest, len(order))
	for i, o := range order {
		contests[i] = w.contest(o)
	}
	return contests
}

func sameContest(a, b schemas.Winner) bool {
	return a.Search == b.Search && a.Constraint == b.Constraint && sameLimit(a.Limit, b.Limit)
}

func (w *writer) contest(first schemas.Winner) contest {
	c := contest{lo: math.Inf(1), hi: math.Inf(-1)}
	var all []schemas.Winner
	for _, f := range w.art.front {
		if !sameContest(first, f) {
			continue
		}
		all = append(all, f)
		if f.Rank == 1 {
			c.seeds++
			c.lo, c.hi = min(c.lo, f.Score), max(c.hi, f.Score)
		}
	}
	slices.SortStableFunc(all, func(a, b schemas.Winner) int {
		if w.task.Metric.Minimize() && !w.supernet(first.Scorer) {
			return cmp.Compare(a.Score, b.Score)
		}
		return cmp.Compare(b.Score, a.Score)
	})
	seen := map[string]bool{}
	for _, f := range all {
		if !seen[f.ID] && len(c.winners) < w.params.Winners {
			seen[f.ID] = true
			c.winners = append(c.winners, f)
		}
	}
	return c
}

func (w *writer) winners() {
	decimals := w.task.Metric.Decimals + 1
	baseline := "by the baseline"
	switch {
	case w.scored(schemas.ScorerSurrogate):
		baseline += " (surrogate)"
	case w.scored(schemas.ScorerSupernet):
		baseline += " (minus loss)"
	}
	var rows [][]string
	for _, c := range w.contests() {
		for _, f := range c.winners {
			params := absent
			if f.Params != nil {
				params = digits(float64(*f.Params)/1e6, 2)
			}
			rows = append(rows, []string{
				f.Constraint, limitText(f.Limit, f.Unit), f.Search, "`" + f.ID + "`", w.kind(f.Scorer), number(f.StudentScore, decimals),
				number(f.BaselineScore, decimals), fmt.Sprintf("%d: %s to %s", c.seeds, number(c.lo, decimals), number(c.hi, decimals)),
				digits(f.Cost, 1), digits(w.measured(f.Search, f.Limit, f.Seed, f.ID), 1), digits(f.GFLOPs, 2), params,
			})
		}
	}
	w.table([]string{
		"constraint", ">limit", "search", "winner", "chosen by", ">by the student", ">" + baseline, ">seeds: best scores", ">cost", ">latency, ms, measured", ">GFLOPs", ">params, 10^6",
	}, rows)
	w.architectures()
}

// architectures writes out each listed winner once.
func (w *writer) architectures() {
	var items []string
	seen := map[string]bool{}
	for _, c := range w.contests() {
		for _, f := range c.winners {
			if !seen[f.ID] {
				seen[f.ID] = true
				items = append(items, fmt.Sprintf("`%s` `%s`", f.ID, f.Architecture))
			}
		}
	}
	w.list(items...)
}

// ledger writes who scored how many architectures.
func (w *writer) ledger() {
	if len(w.art.ledger) == 0 {
		return
	}
	var rows [][]string
	for _, l := range w.accounts() {
		rows = append(rows, []string{
			l.Search, limitText(l.Limit, ""), l.Scorer, l.ScorerKind, fmt.Sprint(l.Evaluations), fmt.Sprint(l.Remembered), fmt.Sprint(l.Shared),
		})
	}
	w.heading(3, "Evaluations")
	w.paragraph("How many architectures each scorer scored, all seeds together; a score that is already known is remembered, not computed again. " +
		"What another search had computed before is shared: it counts as an evaluation all the same.")
	w.table([]string{"search", ">limit", "scorer", "kind", ">evaluations", ">remembered", ">shared"}, rows)
}

// accounts are the rows of the ledger with the seeds added up.
func (w *writer) accounts() []schemas.Ledger {
	var out []schemas.Ledger
	for _, l := range w.art.ledger {
		i := slices.IndexFunc(out, func(o schemas.Ledger) bool {
			return o.Search == l.Search && sameLimit(o.Limit, l.Limit) && o.Scorer == l.Scorer
		})
		if i < 0 {
			out = append(out, l)
			continue
		}
		out[i].Evaluations += l.Evaluations
		out[i].Remembered += l.Remembered
		out[i].Shared += l.Shared
	}
	return out
}

// saved writes the share of the baseline's evaluations that hs-nas does without.
func (w *writer) saved() {
	var items []string
	var limits []float64
	for _, l := range w.art.ledger {
		if l.Search == baselineSearch && !slices.ContainsFunc(limits, func(x float64) bool { return sameLimit(x, l.Limit) }) {
			limits = append(limits, l.Limit)
		}
	}
	slices.Sort(limits)
	for _, limit := range limits {
		hybrid, alone := w.baselineEvaluations(hybridSearch, limit), w.baselineEvaluations(baselineSearch, limit)
		if alone > 0 && hybrid >= 0 {
			items = append(items, fmt.Sprintf("limit %s: %d instead of %d evaluations by the baseline predictor, %s saved", limitText(limit, ""), hybrid, alone,
				percent(1-float64(hybrid)/float64(alone))))
		}
	}
	if len(items) == 0 {
		return
	}
	what := "supernet evaluations"
	if w.scored(schemas.ScorerSurrogate) {
		what = "evaluations of a surrogate, whose time says nothing of a supernet's"
	}
	w.paragraph("What %s saves against %s, counted in %s. The paper: %s of the search hours; hours are not comparable.", hybridSearch, baselineSearch, what,
		w.figures.Search.SavedHours)
	w.list(items...)
}

func sameLimit(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// baselineEvaluations counts what the baseline predictor scored in a search
// within a limit; -1 where the ledger has nothing of it.
func (w *writer) baselineEvaluations(search string, limit float64) int64 {
	n, found := int64(0), false
	for _, l := range w.art.ledger {
		if l.Search != search || !sameLimit(l.Limit, limit) {
			continue
		}
		found = true
		if l.ScorerKind == schemas.ScorerSurrogate || l.ScorerKind == schemas.ScorerSupernet {
			n += l.Evaluations
		}
	}
	if !found {
		return -1
	}
	return n
}

// hat writes HAT's published results for the task.
func (w *writer) hat() {
	found := w.figures.Search.Tasks[w.task.Name]
	if len(found) == 0 {
		return
	}
	var rows [][]string
	for _, f := range found {
		rows = append(rows, []string{number(f.LatencyMS, 1), number(f.BLEU, 1), number(f.GFLOPs, 2), number(f.ParamsM, 2), "not comparable"})
	}
	w.heading(3, "HAT's published winners")
	w.paragraph("On %s, from %s. Not comparable with the scores above: these are BLEU of trained architectures on the test set, ours are predictions for the validation set. "+
		"GFLOPs here are matrix products alone, without the output layer.", w.figures.Search.Device, w.figures.Search.Source)
	w.table([]string{">latency, ms", ">test BLEU", ">GFLOPs", ">params, 10^6", verdictColumn}, rows)
}
