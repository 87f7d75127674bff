package report

import (
	"fmt"
	"slices"
	"strings"

	"hsnas/internal/chart"
	"hsnas/schemas"
)

// drawPredictions shows predicted against measured quality of the main predictors
// and of the control that errs least.
func (w *writer) drawPredictions() {
	var panels []panel
	var values []float64
	splits, intervals := w.predictedSplits(), false
	for _, name := range w.mainPredictors() {
		p := w.predictionPanel(name, splits)
		if len(p.Marks) <= 1 {
			continue
		}
		for _, r := range w.art.predictions {
			if r.Predictor == name {
				values = append(values, r.Truth, r.Prediction)
				intervals = intervals || r.Lo < r.Hi
			}
		}
		panels = append(panels, p)
	}
	for i := range panels { // one scale, so that panels can be compared
		panels[i].X.Reach, panels[i].Y.Reach = values, values
	}
	d := drawing{id: "predicted", panels: panels, caption: fmt.Sprintf(
		"Predicted against measured validation %s on the test architectures, all panels at one scale; on the dashed line they are equal.", w.task.Metric.Name)}
	if intervals {
		d.caption += " Upright lines are the predictor's own 90 % intervals."
	}
	if len(splits) > 1 {
		for i, s := range splits {
			d.legend = append(d.legend, entry{style: splitStyle(i), text: "split " + s})
		}
	}
	w.drawing(d)
}

// mainPredictors are the LLM, its student, both with all that is at hand, and the
// control with the least error: what is claimed, and what it has to beat.
func (w *writer) mainPredictors() []string {
	names := []string{"llm-pp", "distill", "combined"}
	if best, ok := w.bestControl(); ok {
		names = append(names, best.Predictor)
	}
	return names
}

func (w *writer) predictedSplits() []string {
	var splits []string
	for _, p := range w.art.predictions {
		if !slices.Contains(splits, p.Split) {
			splits = append(splits, p.Split)
		}
	}
	slices.Sort(splits)
	return splits
}

// splitStyle tells splits apart within one panel.
func splitStyle(i int) chart.Style {
	s := chart.Numbered(i)
	s.Radius = 3.2
	return s
}

func (w *writer) predictionPanel(predictor string, splits []string) panel {
	name := w.task.Metric.Name
	out := panel{Panel: chart.Panel{
		Title: predictor, X: chart.Axis{Label: "measured " + name}, Y: chart.Axis{Label: "predicted " + name}, Height: 300,
		Marks: []chart.Mark{chart.Rule{Along: chart.Diagonal, Style: chart.Style{Color: chart.Muted, Dash: chart.Dashed, Width: 1}}},
	}}
	if s, ok := w.score(predictor, schemas.SplitMean); ok {
		out.Title += fmt.Sprintf(": MAE %s, tau %s", number(s.MAE, 3), number(s.Tau, 3))
	}
	n := 0
	for i, split := range splits {
		var at []chart.Point
		for _, r := range w.art.predictions {
			if r.Predictor != predictor || r.Split != split {
				continue
			}
			at = append(at, chart.Point{X: r.Truth, Y: r.Prediction})
			out.Marks = append(out.Marks, chart.Line{Through: []chart.Point{{X: r.Truth, Y: r.Lo}, {X: r.Truth, Y: r.Hi}}, Style: chart.Style{Color: chart.Muted, Width: 0.5}})
		}
		if len(at) > 0 {
			out.Marks = append(out.Marks, chart.Points{At: at, Style: splitStyle(i)})
			n += len(at)
		}
	}
	out.description = fmt.Sprintf("%s, predicted against measured %s", count(n, "prediction", "predictions"), strings.TrimSpace(name))
	return out
}
