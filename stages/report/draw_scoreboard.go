package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"hsnas/internal/chart"
	"hsnas/schemas"
)

// class is what kind of predictor one is, as figures tell them apart.
type class int

const (
	withLLM class = iota
	distilled
	inherited
	standIn
	control
)

var classes = []struct {
	class class
	text  string
	style chart.Style
}{
	{withLLM, "asks the LLM", chart.Style{Color: chart.Series(0), Shape: chart.Disc}},
	{distilled, "distilled from the LLM's labels", chart.Style{Color: chart.Series(1), Shape: chart.Diamond}},
	{inherited, "supernet", chart.Style{Color: chart.Series(2), Shape: chart.Triangle}},
	{standIn, "surrogate, no supernet", chart.Style{Color: chart.Series(2), Shape: chart.Triangle, Open: true}},
	{control, "control: no LLM", chart.Style{Color: chart.Muted, Shape: chart.Square, Open: true}},
}

func classOf(predictor string) class {
	family, _, _ := strings.Cut(predictor, ":")
	switch {
	case predictor == "combined:no-llm":
		return control
	case family == "llm-pp" || family == "combined":
		return withLLM
	case predictor == "distill" || family == "student":
		return distilled
	case family == schemas.ScorerSupernet:
		return inherited
	case family == schemas.ScorerSurrogate:
		return standIn
	}
	return control
}

func (c class) style() chart.Style { return classes[c].style }

// classLegend names the classes that there are among predictors.
func classLegend(predictors []string) []entry {
	var out []entry
	for _, c := range classes {
		if slices.ContainsFunc(predictors, func(p string) bool { return classOf(p) == c.class }) {
			out = append(out, entry{style: c.style, text: c.text})
		}
	}
	return out
}

// drawScoreboard shows every predictor's errors with their intervals, the most
// exact first.
func (w *writer) drawScoreboard() {
	var rows []schemas.Score
	for _, s := range w.art.scores {
		if s.Split == schemas.SplitMean {
			rows = append(rows, s)
		}
	}
	if len(rows) == 0 {
		return
	}
	slices.SortStableFunc(rows, func(a, b schemas.Score) int {
		if n := cmp.Compare(boolInt(math.IsNaN(a.MAE)), boolInt(math.IsNaN(b.MAE))); n != 0 {
			return n
		}
		if n := cmp.Compare(a.MAE, b.MAE); n != 0 && !math.IsNaN(a.MAE) {
			return n
		}
		return cmp.Compare(b.Tau, a.Tau)
	})
	var names []string
	for _, s := range rows {
		names = append(names, s.Predictor)
	}
	mae := scorePanel("Mean absolute error", "MAE, "+w.task.Metric.Name+" (less is better)", rows, func(s schemas.Score) (x, lo, hi float64) { return s.MAE, s.MAELo, s.MAEHi })
	mae.X.Log = true
	tau := scorePanel("Kendall tau-b", "tau (more is better)", rows, func(s schemas.Score) (x, lo, hi float64) { return s.Tau, s.TauLo, s.TauHi })
	w.drawing(drawing{
		id: "scoreboard", panels: []panel{mae, tau}, legend: classLegend(names),
		caption: fmt.Sprintf("Every predictor against measured %s, mean over the splits with 95 %% bootstrap intervals, the most exact first; the line is llm-pp. Errors on a logarithmic axis.", w.task.Metric.Name),
	})
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// scorePanel has a row for each score that has a value.
func scorePanel(title, label string, rows []schemas.Score, of func(schemas.Score) (x, lo, hi float64)) panel {
	out := panel{Panel: chart.Panel{Title: title, X: chart.Axis{Label: label}}}
	var marks []chart.Mark
	var said []string
	for _, s := range rows {
		x, lo, hi := of(s)
		if math.IsNaN(x) {
			continue
		}
		y, style := chart.Row(len(out.Y.Names)), classOf(s.Predictor).style()
		out.Y.Names = append(out.Y.Names, s.Predictor)
		marks = append(marks,
			chart.Interval{Lo: chart.Point{X: lo, Y: y}, Hi: chart.Point{X: hi, Y: y}, Style: chart.Style{Color: style.Color}},
			chart.Points{At: []chart.Point{{X: x, Y: y}}, Style: style})
		if s.Predictor == "llm-pp" {
			out.Marks = append(out.Marks, chart.Rule{Along: chart.Upright, At: x, Style: chart.Style{Color: style.Color, Dash: chart.Dashed, Width: 1}})
		}
		said = append(said, s.Predictor+" "+number(x, 3)+interval(lo, hi, 3))
	}
	out.Marks = append(out.Marks, marks...)
	out.Height = chart.RowsHeight(len(out.Y.Names))
	out.description = strings.Join(said, "; ")
	return out
}
