package report

import (
	"fmt"
	"math"
	"slices"

	"hsnas/internal/chart"
	"hsnas/internal/metric"
	"hsnas/schemas"
)

// drawLatency shows, for each device, how latencies are distributed over the space
// and how well the chosen predictor foretells those that it was not fitted to.
func (w *writer) drawLatency() {
	var panels []panel
	for _, l := range w.art.latency {
		if !l.Chosen {
			continue
		}
		var all []float64
		var tested []chart.Point
		for _, r := range w.art.latencyRows {
			if r.Dataset != l.Dataset {
				continue
			}
			all = append(all, r.LatencyMS)
			if r.Part == schemas.PartTest {
				tested = append(tested, chart.Point{X: r.LatencyMS, Y: r.PredictedMS})
			}
		}
		if len(all) == 0 {
			continue
		}
		panels = append(panels, w.distribution(l, all))
		if len(tested) > 0 {
			panels = append(panels, foretold(l, tested))
		}
	}
	w.drawing(drawing{id: "latency", panels: panels, caption: "Latencies of architectures of the space, measured, and what the chosen predictor says of the test rows; on the dashed line it is right. " +
		"Upright lines are the limits that the searches kept to, where they are of this dataset."})
}

func (w *writer) distribution(l schemas.LatencyScore, all []float64) panel {
	out := panel{Panel: chart.Panel{
		Title: l.Dataset + ": latencies measured", Height: 240, X: chart.Axis{Label: "latency, ms"}, Y: chart.Axis{Label: "architectures", Zero: true},
		Marks: []chart.Mark{histogram(all)},
	}}
	out.description = fmt.Sprintf("%s on %s, median %s ms, from %s to %s ms", count(len(all), "architecture", "architectures"), l.Device,
		digits(metric.Quantile(all, 0.5), 1), digits(slices.Min(all), 1), digits(slices.Max(all), 1))
	if l.Dataset == w.art.latency[0].Dataset { // searches keep to the first device
		for _, limit := range w.progressLimits() {
			if limit >= slices.Min(all) && limit <= slices.Max(all) {
				out.Marks = append(out.Marks, chart.Rule{Along: chart.Upright, At: limit, Style: chart.Style{Color: chart.Ink, Dash: chart.Dashed, Width: 1.2}})
			}
		}
	}
	return out
}

// histogram has about as many bars as the root of the number of values.
func histogram(values []float64) chart.Bars {
	n := min(max(int(math.Sqrt(float64(len(values)))), 5), 30)
	lo, hi := slices.Min(values), slices.Max(values)
	if lo == hi {
		hi = lo + 1
	}
	out := chart.Bars{Heights: make([]float64, n), Style: chart.Style{Color: chart.Series(0)}}
	for i := range n + 1 {
		out.Edges = append(out.Edges, lo+(hi-lo)*float64(i)/float64(n))
	}
	for _, v := range values {
		out.Heights[min(int((v-lo)/(hi-lo)*float64(n)), n-1)]++
	}
	return out
}

func foretold(l schemas.LatencyScore, tested []chart.Point) panel {
	return panel{Panel: chart.Panel{
		Title: fmt.Sprintf("%s: error %s, tau %s", l.Dataset, percent(l.MAPE), number(l.Tau, 3)), Height: 240,
		X: chart.Axis{Label: "measured latency, ms"}, Y: chart.Axis{Label: "predicted, ms"},
		Marks: []chart.Mark{
			chart.Points{At: tested, Style: chart.Style{Color: chart.Series(0), Radius: 2.2}},
			chart.Rule{Along: chart.Diagonal, Style: chart.Style{Color: chart.Ink, Dash: chart.Dashed, Width: 1}},
		},
	}, description: fmt.Sprintf("predicted against measured latency of %s by %s", count(len(tested), "test architecture", "test architectures"), l.Regressor)}
}
