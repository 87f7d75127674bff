package report

import (
	"fmt"
	"math"
	"strings"

	"hsnas/internal/chart"
	"hsnas/internal/metric"
	"hsnas/schemas"
)

// drawWinners shows the quality after training of each search's winners.
func (w *writer) drawWinners(trials []trial) {
	name := w.task.Metric.Name
	panels := []panel{
		w.trialPanel("Validation set", name+" after training", trials, func(r schemas.WinnerTrained) float64 { return r.Score }),
		w.trialPanel("Test set", name+" after training", trials, func(r schemas.WinnerTrained) float64 { return r.TestScore }),
	}
	if len(panels[0].Marks) == 0 {
		return
	}
	w.drawing(drawing{
		id: "winners", panels: panels,
		legend:  []entry{{style: w.seedStyle(), text: "winner of one seed"}, {style: meanStyle, text: "mean over the seeds"}},
		caption: fmt.Sprintf("Measured %s of the winners, trained from scratch. Two trainings of one architecture differ by a standard deviation of %s.", name, number(w.seedSpread(), w.task.Metric.Decimals)),
	})
}

var meanStyle = chart.Style{Color: chart.Ink, Shape: chart.Diamond, Radius: 4.4}

func (w *writer) seedStyle() chart.Style {
	return chart.Style{Color: chart.Series(0), Open: true}
}

// trialPanel has a row for each search within each limit.
func (w *writer) trialPanel(title, label string, trials []trial, of func(schemas.WinnerTrained) float64) panel {
	out := panel{Panel: chart.Panel{Title: title, X: chart.Axis{Label: label}}}
	var said []string
	for _, t := range trials {
		y := chart.Row(len(out.Y.Names))
		out.Y.Names = append(out.Y.Names, w.trialName(t, trials))
		var at []chart.Point
		for _, v := range column(t.rows, of) {
			if !math.IsNaN(v) {
				at = append(at, chart.Point{X: v, Y: y})
			}
		}
		if len(at) == 0 {
			continue
		}
		mean := metric.Mean(column(t.rows, of))
		out.Marks = append(out.Marks, chart.Points{At: []chart.Point{{X: mean, Y: y}}, Style: meanStyle}, chart.Points{At: at, Style: w.seedStyle()})
		said = append(said, out.Y.Names[len(out.Y.Names)-1]+" "+number(mean, w.task.Metric.Decimals))
	}
	out.Height, out.description = chart.RowsHeight(len(out.Y.Names)), strings.Join(said, "; ")
	return out
}

// trialName names the limit too where there are several.
func (w *writer) trialName(t trial, all []trial) string {
	for _, other := range all {
		if !sameLimit(other.limit, t.limit) {
			return t.search + ", " + w.limit(t.limit)
		}
	}
	return t.search
}
