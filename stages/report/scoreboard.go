package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"hsnas/schemas"
)

// scoreboard writes every predictor with its intervals, then each split.
func (w *writer) scoreboard() {
	w.heading(2, "Predictors")
	if len(w.art.scores) == 0 {
		w.paragraph("No scoreboard: the run has no distill stage.")
		return
	}
	w.paragraph("Predicted against measured %s on the test architectures of each split: mean absolute error (MAE) and Kendall tau-b; mean over the splits, "+
		"standard deviation over them (std) where there are several, 95 %% bootstrap interval in brackets, p-value of the paired bootstrap against llm-pp.", w.task.Metric.Name)
	headings := []string{"predictor", ">MAE", ">std", ">tau", ">std", ">n", ">p (MAE)", ">p (tau)", "note"}
	var rows [][]string
	for _, s := range w.art.scores {
		if s.Split == schemas.SplitMean {
			rows = append(rows, []string{
				s.Predictor,
				number(s.MAE, 3) + interval(s.MAELo, s.MAEHi, 3), number(s.MAEStd, 3),
				number(s.Tau, 3) + interval(s.TauLo, s.TauHi, 3), number(s.TauStd, 3),
				fmt.Sprint(s.N), number(s.PMAEvsLLMPP, 3), number(s.PTauVsLLMPP, 3), s.Note,
			})
		}
	}
	w.table(without(">std", headings, rows))
	w.drawScoreboard()
	w.controls()
	w.intervals()
	w.drawPredictions()
	w.splits()
}

// without leaves the columns of a heading out in which nothing stands.
func without(heading string, headings []string, rows [][]string) ([]string, [][]string) {
	for i := len(headings) - 1; i >= 0; i-- {
		if headings[i] != heading || slices.ContainsFunc(rows, func(row []string) bool { return row[i] != absent }) {
			continue
		}
		headings = slices.Delete(headings, i, i+1)
		for r := range rows {
			rows[r] = slices.Delete(rows[r], i, i+1)
		}
	}
	return headings, rows
}

// intervals says how often the predictors' own intervals hold.
func (w *writer) intervals() {
	for _, s := range w.art.scores {
		if s.Split == schemas.SplitMean && !math.IsNaN(s.Coverage) {
			w.paragraph("The 90 %% intervals of %s cover %s %% of the %d truths; their mean width is %s %s.",
				s.Predictor, number(100*s.Coverage, 1), s.N, number(s.Width, 2), w.task.Metric.Name)
		}
	}
}

// controls says plainly how llm-pp stands against predictors without an LLM.
func (w *writer) controls() {
	llm, ok := w.score("llm-pp", schemas.SplitMean)
	if !ok {
		return
	}
	var lower, higher, all []string
	for _, s := range w.art.scores {
		if s.Split != schemas.SplitMean || !strings.HasPrefix(s.Predictor, "control:") {
			continue
		}
		all = append(all, s.Predictor)
		if s.MAE < llm.MAE {
			lower = append(lower, s.Predictor)
		}
		if s.Tau > llm.Tau {
			higher = append(higher, s.Predictor)
		}
	}
	if len(all) > 0 {
		w.paragraph("Of %s without any LLM, on the same demonstrations, those with a lower MAE than llm-pp: %s; with a higher tau: %s.",
			count(len(all), "control", "controls"), orNone(lower), orNone(higher))
	}
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// splits writes MAE / tau of every split in one table.
func (w *writer) splits() {
	var splits, predictors []string
	for _, s := range w.art.scores {
		if s.Split != schemas.SplitMean && !slices.Contains(splits, s.Split) {
			splits = append(splits, s.Split)
		}
		if !slices.Contains(predictors, s.Predictor) {
			predictors = append(predictors, s.Predictor)
		}
	}
	if len(splits) == 0 || w.oneSplit(splits, predictors) {
		return
	}
	slices.Sort(splits)
	headings := []string{"MAE / tau by split"}
	for _, s := range splits {
		headings = append(headings, ">"+s)
	}
	var rows [][]string
	for _, p := range predictors {
		row := []string{p}
		for _, split := range splits {
			cell := absent
			if s, ok := w.score(p, split); ok {
				cell = number(s.MAE, 3) + " / " + number(s.Tau, 3)
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	w.table(headings, rows)
}

// oneSplit says whether the mean over the splits is that of one, and says all of it.
func (w *writer) oneSplit(splits, predictors []string) bool {
	return len(splits) == 1 && !slices.ContainsFunc(predictors, func(p string) bool {
		_, ok := w.score(p, schemas.SplitMean)
		return !ok
	})
}

// score returns a row of the scoreboard.
func (w *writer) score(predictor, split string) (schemas.Score, bool) {
	for _, s := range w.art.scores {
		if s.Predictor == predictor && s.Split == split {
			return s, true
		}
	}
	return schemas.Score{MAE: math.NaN(), Tau: math.NaN()}, false
}

// known writes the known figures of the task beside ours.
func (w *writer) known() {
	tables := w.knownTables()
	if len(tables) == 0 {
		return
	}
	w.heading(2, "Known figures beside ours")
	w.paragraph(`Figures that others have published, and figures that other programs computed beforehand from the same data, to check this one. ` +
		`"Reproduced" means equal to the last decimal that is given.`)
	for _, t := range tables {
		from := "beforehand"
		if t.Published {
			from = "published"
		}
		headings := []string{"predictor", ">MAE, " + from, ">MAE, here", verdictColumn, ">tau, " + from, ">tau, here", verdictColumn}
		w.heading(3, "%s", t.Title)
		w.paragraph("Source: %s.", t.Source)
		w.table(headings, t.rows)
	}
}

// comparedTable is a known table with a row for each predictor that it has
// figures of for the task, with ours and the verdicts: see comparison.
type comparedTable struct {
	figureTable
	rows [][]string
}

func (w *writer) knownTables() []comparedTable {
	var tables []comparedTable
	if len(w.art.scores) == 0 {
		return nil
	}
	for _, t := range w.figures.Predictors.Tables {
		compared := comparedTable{figureTable: t}
		for _, r := range t.Rows {
			if f, ok := r.Cells[w.task.Name]; ok {
				compared.rows = append(compared.rows, w.comparison(t, r, f))
			}
		}
		if len(compared.rows) > 0 {
			tables = append(tables, compared)
		}
	}
	return tables
}

// comparison is one row: known, ours, verdict, for MAE and for tau.
func (w *writer) comparison(t figureTable, r figureRow, f figure) []string {
	ours, _ := w.score(r.Predictor, t.Split)
	row := []string{fmt.Sprintf("%s (%s)", r.Label, r.Predictor)}
	for _, pair := range []struct {
		ours      float64
		published *float64
	}{{ours.MAE, f.MAE}, {ours.Tau, f.Tau}} {
		there, says := absent, absent
		if pair.published != nil {
			there, says = number(*pair.published, t.Decimals), verdict(pair.ours, pair.published, t.Decimals)
			if t.NotComparable != "" {
				says = "not comparable: " + t.NotComparable
			}
		}
		row = append(row, there, number(pair.ours, t.Decimals+1), says)
	}
	return row
}
