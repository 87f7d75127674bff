package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"hsnas/internal/chart"
	"hsnas/internal/metric"
	"hsnas/schemas"
)

// costs says what the run took: answers of the LLM, evaluations, training.
func (w *writer) costs() {
	w.heading(2, "Costs")
	if len(w.art.requests)+len(w.art.ledger) == 0 {
		w.paragraph("Nothing to count: the run has neither a label nor a search stage.")
		return
	}
	w.answerCosts()
	w.searchCosts()
	w.trainingCosts()
}

// bill is what the answers of one model from one source took.
type bill struct {
	model, source       string
	requests, asks      int
	prompt, completion  int64
	seconds, dollars    float64
	told, timed, priced bool // whether anything is known
}

func (w *writer) bills() []*bill {
	var bills []*bill
	of := func(r schemas.Request) *bill {
		for _, b := range bills {
			if b.model == r.Model && b.source == r.Source {
				return b
			}
		}
		bills = append(bills, &bill{model: r.Model, source: r.Source})
		return bills[len(bills)-1]
	}
	for _, r := range w.art.requests {
		b := of(r)
		b.requests++
		b.asks += int(r.Asks)
		if r.PromptTokens != nil && r.CompletionTokens != nil {
			b.prompt, b.completion, b.told = b.prompt+*r.PromptTokens, b.completion+*r.CompletionTokens, true
		}
		if !math.IsNaN(r.Seconds) {
			b.seconds, b.timed = b.seconds+r.Seconds, true
		}
		if !math.IsNaN(r.Dollars) {
			b.dollars, b.priced = b.dollars+r.Dollars, true
		}
	}
	return bills
}

// answerCosts writes what the LLM took, as far as its answers say.
func (w *writer) answerCosts() {
	var rows [][]string
	for _, b := range w.bills() {
		row := []string{b.model, b.source, fmt.Sprint(b.requests), fmt.Sprint(b.asks), absent, absent, absent, absent}
		if b.told {
			row[4], row[5] = fmt.Sprint(b.prompt), fmt.Sprint(b.completion)
		}
		if b.timed {
			row[6] = number(b.seconds, 1)
		}
		if b.priced {
			row[7] = number(b.dollars, 4)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return
	}
	w.paragraph("Answers of the LLM. What a recording does not say, its price among it, is not guessed.")
	w.table([]string{"LLM", "source", ">requests", ">answers", ">prompt tokens", ">answer tokens", ">seconds", ">US dollars"}, rows)
}

// searchCost is what one search within one limit took, by seed.
type searchCost struct {
	search            string
	limit             float64
	student, baseline map[int64]float64 // evaluations by seed
	seconds           float64           // of all scorers
}

func (w *writer) searchCostsOf() []*searchCost {
	var out []*searchCost
	of := func(l schemas.Ledger) *searchCost {
		for _, c := range out {
			if c.search == l.Search && sameLimit(c.limit, l.Limit) {
				return c
			}
		}
		out = append(out, &searchCost{search: l.Search, limit: l.Limit, student: map[int64]float64{}, baseline: map[int64]float64{}})
		return out[len(out)-1]
	}
	for _, l := range w.art.ledger {
		c := of(l)
		c.seconds += l.Seconds
		switch l.ScorerKind {
		case schemas.ScorerSurrogate, schemas.ScorerSupernet:
			c.baseline[l.Seed] += float64(l.Evaluations)
			c.student[l.Seed] += 0
		case schemas.ScorerLLMDistill, schemas.ScorerControl:
			c.student[l.Seed] += float64(l.Evaluations)
			c.baseline[l.Seed] += 0
		}
	}
	return out
}

// inOrder returns the values by rising seed, so that their mean is the same to the
// last bit whenever it is computed.
func inOrder(bySeed map[int64]float64) []float64 {
	var out []float64
	for _, seed := range slices.Sorted(maps.Keys(bySeed)) {
		out = append(out, bySeed[seed])
	}
	return out
}

// Looks of who scored how many.
var (
	studentGlyph  = chart.Style{Color: chart.Series(1), Shape: chart.Diamond}
	baselineGlyph = chart.Style{Color: chart.Series(2), Shape: chart.Triangle}
)

// searchCosts draws evaluations and writes seconds; evaluations by limit and scorer
// are in the section of the searches.
func (w *writer) searchCosts() {
	costs := w.searchCostsOf()
	if len(costs) == 0 {
		return
	}
	by := "the baseline"
	if w.scored(schemas.ScorerSurrogate) {
		by += ", a surrogate"
	}
	p := panel{Panel: chart.Panel{Title: "Architectures scored by a search", X: chart.Axis{Label: "architectures, mean over the seeds", Zero: true}}}
	var rows [][]string
	var said []string
	for _, c := range costs {
		name, y := c.search, chart.Row(len(p.Y.Names))
		student, baseline := metric.Mean(inOrder(c.student)), metric.Mean(inOrder(c.baseline))
		if len(w.progressLimits()) > 1 {
			name += ", " + w.limit(c.limit)
		}
		p.Y.Names = append(p.Y.Names, name)
		p.Marks = append(p.Marks,
			chart.Line{Through: []chart.Point{{X: student, Y: y}, {X: baseline, Y: y}}, Style: chart.Style{Color: chart.Grid, Width: 1.2}},
			chart.Points{At: []chart.Point{{X: student, Y: y}}, Style: studentGlyph},
			chart.Points{At: []chart.Point{{X: baseline, Y: y}}, Style: baselineGlyph})
		said = append(said, fmt.Sprintf("%s: %s and %s", name, number(student, 0), number(baseline, 0)))
		rows = append(rows, []string{
			c.search, w.limit(c.limit), fmt.Sprint(len(c.baseline)), withSpread(inOrder(c.student), 0), withSpread(inOrder(c.baseline), 0), number(c.seconds, 2),
		})
	}
	p.Height, p.description = chart.RowsHeight(len(p.Y.Names)), "by the student and by "+by+", "+strings.Join(said, "; ")
	w.paragraph("Searches: architectures scored by the student or the control in its place and by %s, mean over the seeds and in brackets the standard deviation; seconds are measured here, of all scorers and seeds together.", by)
	w.table([]string{"search", ">limit", ">seeds", ">by the student", ">by the baseline", ">seconds"}, rows)
	w.drawing(drawing{
		id: "costs", panels: []panel{p}, legend: []entry{{studentGlyph, false, "by the student, or the control in its place"}, {baselineGlyph, false, "by " + by}},
		caption: "Architectures that each search had scored, mean over its seeds: what HS-NAS claims to save are those by the baseline.",
	})
}

// trainingCosts writes the processor time of what was trained in this run.
func (w *writer) trainingCosts() {
	var items []string
	if s := w.art.training; s != nil {
		items = append(items, fmt.Sprintf("Supernet: %s s of processor time.", number(s.CPUSeconds, 0)))
	}
	seconds, n := 0.0, 0
	for _, r := range w.art.runs {
		if r.Source == schemas.SourceTrained && !math.IsNaN(r.CPUSeconds) {
			seconds, n = seconds+r.CPUSeconds, n+1
		}
	}
	if n > 0 {
		items = append(items, fmt.Sprintf("Training from scratch: %s s of processor time for %s.", number(seconds, 0), count(n, "training", "trainings")))
	}
	w.list(items...)
}
