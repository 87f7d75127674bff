package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"hsnas/internal/chart"
	"hsnas/internal/metric"
	"hsnas/schemas"
)

// searchNames are the searches of the run in the order in which they ran.
func (w *writer) searchNames() []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, l := range w.art.ledger {
		add(l.Search)
	}
	for _, f := range w.art.front {
		add(f.Search)
	}
	for _, p := range w.art.progress {
		add(p.Search)
	}
	return names
}

// searchStyle is the same for one search in every figure.
func (w *writer) searchStyle(search string) chart.Style {
	return chart.Numbered(max(0, slices.Index(w.searchNames(), search)))
}

// searchLegend names searches in the order in which they ran.
func (w *writer) searchLegend(shown []string, lines bool) []entry {
	var out []entry
	for _, name := range w.searchNames() {
		if slices.Contains(shown, name) {
			out = append(out, entry{style: w.searchStyle(name), line: lines, text: name})
		}
	}
	return out
}

// baselineName is what scores by the baseline are: a surrogate is called so.
func (w *writer) baselineName() string {
	switch {
	case w.scored(schemas.ScorerSurrogate):
		return w.task.Metric.Name + " by the surrogate"
	case w.scored(schemas.ScorerSupernet):
		return "minus the supernet's loss, nats a token"
	}
	return "score by the baseline"
}

// byBaseline says whether the baseline was in charge of a generation.
func byBaseline(p schemas.SearchProgress) bool {
	return p.ScorerKind == schemas.ScorerSurrogate || p.ScorerKind == schemas.ScorerSupernet
}

// drawTrajectories shows what the searches had reached by how many evaluations
// of the baseline, a panel for each limit: the dominated hypervolume of searches
// for fronts, otherwise the best score by the baseline.
func (w *writer) drawTrajectories() {
	fronts := slices.ContainsFunc(w.art.progress, func(p schemas.SearchProgress) bool { return !math.IsNaN(p.Hypervolume) })
	label, value := "best "+w.baselineName(), func(p schemas.SearchProgress) float64 {
		if !byBaseline(p) {
			return math.NaN() // scores of another predictor are no part of this axis
		}
		return p.Best
	}
	if fronts {
		label, value = "hypervolume", func(p schemas.SearchProgress) float64 { return p.Hypervolume }
	}
	var panels []panel
	var shown []string
	for _, limit := range w.progressLimits() {
		p := panel{Panel: chart.Panel{
			Title: "Searches " + w.within(limit), Height: 270, X: chart.Axis{Label: "architectures that the baseline has scored", Zero: true}, Y: chart.Axis{Label: label},
		}}
		var said []string
		for _, search := range w.searchNames() {
			marks, last := w.trajectory(search, limit, value)
			if len(marks) == 0 {
				continue
			}
			p.Marks = append(p.Marks, marks...)
			if !slices.Contains(shown, search) {
				shown = append(shown, search)
			}
			said = append(said, fmt.Sprintf("%s ends at %s after %s", search, digits(last.Y, 3), number(last.X, 0)))
		}
		if len(p.Marks) > 0 {
			p.description = strings.Join(said, "; ")
			panels = append(panels, p)
		}
	}
	w.drawing(drawing{id: "trajectories", panels: panels, legend: w.searchLegend(shown, true), caption: w.trajectoryCaption(fronts, shown)})
}

func (w *writer) trajectoryCaption(fronts bool, shown []string) string {
	text := "Best score so far by the baseline, after each generation that it was in charge of"
	if fronts {
		text = "Hypervolume that everything dominates which the baseline has scored so far, after each generation"
	}
	text += ", against the evaluations by the baseline that it took: mean over the seeds, each seed as a thin line."
	if w.scored(schemas.ScorerSurrogate) {
		text += " The baseline is a surrogate, no supernet."
	}
	var never []string
	for _, name := range w.searchNames() {
		if !slices.Contains(shown, name) {
			never = append(never, name)
		}
	}
	if len(never) > 0 {
		text += fmt.Sprintf(" The baseline was never in charge of %s.", strings.Join(never, ", "))
	}
	return text
}

func (w *writer) progressLimits() []float64 {
	var limits []float64
	for _, p := range w.art.progress {
		if !slices.ContainsFunc(limits, func(l float64) bool { return sameLimit(l, p.Limit) }) {
			limits = append(limits, p.Limit)
		}
	}
	slices.SortFunc(limits, cmp.Compare[float64])
	return limits
}

// limit words a limit with the unit of the searches' constraint.
func (w *writer) limit(limit float64) string {
	for _, f := range w.art.front {
		if sameLimit(f.Limit, limit) {
			if math.IsNaN(limit) {
				return "none"
			}
			return strings.TrimSpace(digits(limit, 0) + " " + f.Unit)
		}
	}
	return limitText(limit, "")
}

// within words a limit in a sentence.
func (w *writer) within(limit float64) string {
	if math.IsNaN(limit) {
		return "without a limit"
	}
	return "within " + w.limit(limit)
}

// trajectory draws one search within one limit: its seeds thin, their mean at each
// generation on top. It returns where the mean ends.
func (w *writer) trajectory(search string, limit float64, value func(schemas.SearchProgress) float64) (marks []chart.Mark, last chart.Point) {
	style := w.searchStyle(search)
	bySeed, byIteration := map[int64][]chart.Point{}, map[int32][]chart.Point{}
	var seeds []int64
	var iterations []int32
	for _, p := range w.art.progress {
		at := chart.Point{X: float64(p.BaselineEvaluations), Y: value(p)}
		if p.Search != search || !sameLimit(p.Limit, limit) || math.IsNaN(at.Y) {
			continue
		}
		if bySeed[p.Seed] == nil {
			seeds = append(seeds, p.Seed)
		}
		if byIteration[p.Iteration] == nil {
			iterations = append(iterations, p.Iteration)
		}
		bySeed[p.Seed] = append(bySeed[p.Seed], at)
		byIteration[p.Iteration] = append(byIteration[p.Iteration], at)
	}
	if len(seeds) == 0 {
		return nil, last
	}
	if len(seeds) > 1 {
		for _, s := range seeds {
			marks = append(marks, chart.Line{Through: bySeed[s], Style: chart.Style{Color: style.Color, Width: 0.5}})
		}
	}
	slices.Sort(iterations)
	var mean []chart.Point
	for _, i := range iterations {
		if len(byIteration[i]) == len(seeds) { // where a search handed over later than another there is no mean
			mean = append(mean, meanPoint(byIteration[i]))
		}
	}
	if len(mean) == 0 {
		return marks, bySeed[seeds[0]][len(bySeed[seeds[0]])-1]
	}
	line := style
	line.Width = 1.6
	return append(marks, chart.Line{Through: mean, Style: line}, chart.Points{At: thinned(mean), Style: style}), mean[len(mean)-1]
}

func meanPoint(points []chart.Point) chart.Point {
	var x, y []float64
	for _, p := range points {
		x, y = append(x, p.X), append(y, p.Y)
	}
	return chart.Point{X: metric.Mean(x), Y: metric.Mean(y)}
}

// thinned keeps about ten points, the first and the last among them.
func thinned(points []chart.Point) []chart.Point {
	const most = 10
	step := (len(points) + most - 1) / most
	var out []chart.Point
	for i, p := range points {
		if (len(points)-1-i)%step == 0 || i == 0 {
			out = append(out, p)
		}
	}
	return out
}
