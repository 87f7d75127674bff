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

// qualityObjective is the objective that is no cost.
const qualityObjective = "quality"

// publishedStyle is how winners that others published look.
var publishedStyle = chart.Style{Color: chart.Ink, Shape: chart.Diamond, Open: true, Radius: 4.2}

// drawFront shows quality against cost of what the searches found, and HAT's
// published winners where the task has them.
func (w *writer) drawFront() {
	var panels []panel
	var shown []string
	caption := ""
	if len(w.art.pareto) > 0 {
		panels, shown = w.paretoPanels()
		caption = "What no architecture dominates that the baseline has scored: the fronts of each search, all seeds together."
	} else {
		panels, shown = w.winnerPanels()
		caption = "The winner of each search within each limit, one for each seed, by its predicted cost; a line joins the best ones."
	}
	if len(panels) == 0 {
		return
	}
	caption += " Scores are the baseline's, " + w.baselineName() + ", never measurements."
	legend := w.searchLegend(shown, true)
	if at := w.publishedWinners(); len(at) > 0 {
		published := chart.Points{At: at, Style: publishedStyle}
		legend = append(legend, entry{style: publishedStyle, text: "HAT, published: measured, trained, test set"})
		caption += fmt.Sprintf(" Diamonds are HAT's published winners, latency measured on %s and test %s after training: not comparable in level with predictions for the validation set.",
			w.figures.Search.Device, w.task.Metric.Name)
		panels = append(panels, panel{Panel: chart.Panel{
			Title: "HAT's published winners", Height: 300, X: chart.Axis{Label: "measured latency on " + w.figures.Search.Device + ", ms"},
			Y: chart.Axis{Label: "test " + w.task.Metric.Name}, Marks: []chart.Mark{published},
		}, description: count(len(at), "architecture", "architectures")})
	}
	w.drawing(drawing{id: "front", panels: panels, legend: legend, caption: caption})
}

func (w *writer) publishedWinners() []chart.Point {
	var at []chart.Point
	for _, f := range w.figures.Search.Tasks[w.task.Name] {
		at = append(at, chart.Point{X: f.LatencyMS, Y: f.BLEU})
	}
	return at
}

// winnerPanels shows the winners of searches for the best.
func (w *writer) winnerPanels() (panels []panel, shown []string) {
	byConstraint := map[string]int{}
	for _, search := range w.searchNames() {
		for _, constraint := range w.constraints() {
			var all, best []chart.Point
			for _, c := range w.contests() {
				if first := c.winners[0]; first.Search == search && first.Constraint == constraint {
					best = append(best, chart.Point{X: first.Cost, Y: first.BaselineScore})
				}
			}
			unit := ""
			for _, f := range w.art.front {
				if f.Search == search && f.Constraint == constraint && f.Rank == 1 {
					all, unit = append(all, chart.Point{X: f.Cost, Y: f.BaselineScore}), f.Unit
				}
			}
			best, all = drawable(best), drawable(all)
			if len(all) == 0 {
				continue
			}
			i, ok := byConstraint[constraint]
			if !ok {
				i = len(panels)
				byConstraint[constraint] = i
				panels = append(panels, panel{Panel: chart.Panel{
					Title: "Winners by " + costName(constraint), Height: 300,
					X: chart.Axis{Label: "predicted " + costName(constraint) + ", " + unit}, Y: chart.Axis{Label: w.baselineName()},
				}})
			}
			style := w.searchStyle(search)
			slices.SortStableFunc(best, func(a, b chart.Point) int { return cmp.Compare(a.X, b.X) })
			panels[i].Marks = append(panels[i].Marks, chart.Line{Through: best, Style: style}, chart.Points{At: all, Style: style})
			panels[i].description += separated(panels[i].description, fmt.Sprintf("%s: best %s", search, pointsText(best)))
			if !slices.Contains(shown, search) {
				shown = append(shown, search)
			}
		}
	}
	return panels, shown
}

func separated(before, text string) string {
	if before == "" {
		return text
	}
	return "; " + text
}

func pointsText(points []chart.Point) string {
	var out []string
	for _, p := range points {
		out = append(out, digits(p.Y, 2)+" at "+digits(p.X, 1))
	}
	return strings.Join(out, ", ")
}

// costName is the name of a constraint without its unit: "latency".
func costName(constraint string) string {
	if constraint == "" {
		return "cost"
	}
	return strings.TrimSuffix(constraint, "_ms")
}

func (w *writer) constraints() []string {
	var out []string
	for _, f := range w.art.front {
		if !slices.Contains(out, f.Constraint) {
			out = append(out, f.Constraint)
		}
	}
	return out
}

// drawable leaves out points without a cost or a score.
func drawable(points []chart.Point) []chart.Point {
	return slices.DeleteFunc(points, func(p chart.Point) bool { return math.IsNaN(p.X) || math.IsNaN(p.Y) })
}

// paretoPanels shows the fronts of searches with objectives: the quality against
// every cost.
func (w *writer) paretoPanels() (panels []panel, shown []string) {
	objectives := strings.Split(w.art.pareto[0].Objectives, ",")
	quality := slices.Index(objectives, qualityObjective)
	if quality < 0 {
		return nil, nil
	}
	for k, cost := range objectives {
		if k == quality {
			continue
		}
		p := panel{Panel: chart.Panel{Title: "Fronts: quality and " + costName(cost), Height: 300, X: chart.Axis{Label: costLabel(cost)}, Y: chart.Axis{Label: w.baselineName()}}}
		for _, search := range w.searchNames() {
			var at []chart.Point
			for _, x := range w.art.pareto {
				if x.Search == search && x.Rank == 1 {
					at = append(at, chart.Point{X: x.Values[k], Y: x.Values[quality]})
				}
			}
			front := w.undominated(at)
			if len(front) == 0 {
				continue
			}
			style := w.searchStyle(search)
			style.Radius = 2.6
			p.Marks = append(p.Marks, chart.Line{Through: stairs(front), Style: style}, chart.Points{At: front, Style: style})
			p.description += separated(p.description, fmt.Sprintf("%s: %s, best %s", search, count(len(front), "architecture", "architectures"), digits(front[len(front)-1].Y, 3)))
			if !slices.Contains(shown, search) {
				shown = append(shown, search)
			}
		}
		panels = append(panels, p)
	}
	return panels, shown
}

func costLabel(cost string) string {
	if cost == "latency_ms" {
		return "predicted latency, ms"
	}
	return cost
}

// undominated are the points that no other is both cheaper and better than, by
// rising cost.
func (w *writer) undominated(points []chart.Point) []chart.Point {
	lower := w.task.Metric.Minimize() && !w.scored(schemas.ScorerSupernet)
	slices.SortStableFunc(points, func(a, b chart.Point) int {
		if lower {
			return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y))
		}
		return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(b.Y, a.Y))
	})
	var out []chart.Point
	for _, p := range points {
		if n := len(out); n > 0 && (lower && p.Y >= out[n-1].Y || !lower && p.Y <= out[n-1].Y) {
			continue
		}
		out = append(out, p)
	}
	return out
}

// stairs joins a front as it is: what lies between two points is not reached.
func stairs(front []chart.Point) []chart.Point {
	var out []chart.Point
	for i, p := range front {
		if i > 0 {
			out = append(out, chart.Point{X: p.X, Y: front[i-1].Y})
		}
		out = append(out, p)
	}
	return out
}
