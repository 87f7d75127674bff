package report

import (
	"fmt"
	"math"
	"strings"

	"hsnas/internal/chart"
	"hsnas/internal/metric"
	"hsnas/schemas"
)

// Looks of the distribution of measured times.
var (
	wholeStyle  = chart.Style{Color: chart.Muted, Width: 1.2}
	middleStyle = chart.Style{Color: chart.Series(0), Width: 5}
	medianStyle = chart.Style{Color: chart.Ink, Shape: chart.Diamond, Radius: 4.2}
	tailStyle   = chart.Style{Color: chart.Series(1), Shape: chart.Tick, Radius: 5}
)

// drawBenchmark shows the distribution of the times of every model that was run.
func (w *writer) drawBenchmark() {
	var panels []panel
	for _, part := range []struct{ name, title string }{
		{schemas.PartTotal, "Encoder and all decoder steps"}, {schemas.PartSearch, "A whole translation by beam search"},
	} {
		if p := w.timesPanel(part.name, part.title); len(p.Y.Names) > 0 {
			panels = append(panels, p)
		}
	}
	w.drawing(drawing{
		id: "benchmark", panels: panels,
		legend:  []entry{{wholeStyleOfLegend(), true, "least to greatest"}, {barOfLegend(), true, "25th to 75th percentile"}, {medianStyle, false, "median"}, {tailStyle, false, "90th and 99th percentile"}},
		caption: "Times of every timed repetition, each model in a row; device and protocol as above.",
	})
}

func wholeStyleOfLegend() chart.Style {
	s := wholeStyle
	s.Radius = -1
	return s
}

func barOfLegend() chart.Style {
	s := middleStyle
	s.Radius = -1
	return s
}

func (w *writer) timesPanel(part, title string) panel {
	out := panel{Panel: chart.Panel{Title: title, X: chart.Axis{Label: "time of a batch, ms"}}}
	var said []string
	for _, b := range w.art.benchmarks {
		if b.Part != part {
			continue
		}
		var times []float64
		for _, s := range w.art.samples {
			if s.Name == b.Name && s.Variant == b.Variant && s.Part == part && s.Sentences == b.Sentences && s.SourceTokens == b.SourceTokens {
				times = append(times, s.MS)
			}
		}
		if len(times) == 0 {
			continue
		}
		y := chart.Row(len(out.Y.Names))
		out.Y.Names = append(out.Y.Names, w.timedName(b))
		at := func(q float64) chart.Point { return chart.Point{X: metric.Quantile(times, q), Y: y} }
		out.Marks = append(out.Marks,
			chart.Line{Through: []chart.Point{at(0), at(1)}, Style: wholeStyle},
			chart.Line{Through: []chart.Point{at(.25), at(.75)}, Style: middleStyle},
			chart.Points{At: []chart.Point{at(.9), at(.99)}, Style: tailStyle},
			chart.Points{At: []chart.Point{at(.5)}, Style: medianStyle})
		said = append(said, fmt.Sprintf("%s median %s ms, 99th percentile %s ms", out.Y.Names[len(out.Y.Names)-1], digits(at(.5).X, 1), digits(at(.99).X, 1)))
	}
	out.Height, out.description = chart.RowsHeight(len(out.Y.Names)), strings.Join(said, "; ")
	return out
}

// timedName tells the runs of one model apart as far as there are several.
func (w *writer) timedName(b schemas.Benchmark) string {
	name := b.Name
	if b.Variant != plainVariant {
		name += ", " + b.Variant
	}
	for _, other := range w.art.benchmarks {
		if other.Sentences != b.Sentences || other.SourceTokens != b.SourceTokens {
			return fmt.Sprintf("%s, %dx%d", name, b.Sentences, b.SourceTokens)
		}
	}
	return name
}

// Parts as the roofline tells them apart.
var rooflineParts = []struct{ name, text string }{
	{schemas.PartEncoder, "encoder"},
	{schemas.PartDecoder, "decoder, all steps"},
	{schemas.PartStep, "decoder step"},
	{schemas.PartTotal, "encoder and decoder"},
	{schemas.PartSearch, "whole translation"},
}

// drawRoofline shows what each part of each model reached of what the machine can do.
func (w *writer) drawRoofline() {
	if len(w.art.rooflines) == 0 {
		return
	}
	first := w.art.rooflines[0]
	p := panel{Panel: chart.Panel{
		Title: fmt.Sprintf("Roofline: %s GFLOP/s, %s GB/s", number(first.PeakGFLOPsPerS, 1), number(first.PeakGBPerS, 1)), Height: 300,
		X: chart.Axis{Label: "operations a byte, FLOP/B", Log: true}, Y: chart.Axis{Label: "GFLOP/s", Log: true},
	}}
	d := drawing{id: "roofline", caption: "Each part of each model: operations a second against operations for each byte that has to be moved. Under the slope memory binds, under the level processors do; " +
		"open glyphs are of 8 bits, for which the level is not measured."}
	lo, hi := math.Inf(1), math.Inf(-1)
	for i, part := range rooflineParts {
		style := chart.Numbered(i)
		var plain, others []chart.Point
		for _, r := range w.art.rooflines {
			if r.Part != part.name || r.GB <= 0 || r.P50MS <= 0 || r.GFLOPs <= 0 {
				continue
			}
			at := chart.Point{X: r.GFLOPs / r.GB, Y: r.GFLOPs / r.P50MS * 1000}
			lo, hi = min(lo, at.X), max(hi, at.X)
			if math.IsNaN(r.ComputeMS) {
				others = append(others, at)
			} else {
				plain = append(plain, at)
			}
		}
		if len(plain)+len(others) == 0 {
			continue
		}
		open := style
		open.Open = true
		p.Marks = append(p.Marks, chart.Points{At: others, Style: open}, chart.Points{At: plain, Style: style})
		d.legend = append(d.legend, entry{style: style, text: part.text})
	}
	if len(p.Marks) == 0 {
		return
	}
	p.Marks = append([]chart.Mark{roof(first, lo, hi)}, p.Marks...)
	p.description = fmt.Sprintf("%s, as in the table below", count(len(w.art.rooflines), "measured part", "measured parts"))
	d.panels = []panel{p}
	w.drawing(d)
}

// roof is the least of what memory and processor allow, beyond lo and hi FLOP/B.
func roof(r schemas.Roofline, lo, hi float64) chart.Line {
	ridge := r.PeakGFLOPsPerS / r.PeakGBPerS
	lo, hi = min(lo, ridge)/1.5, max(hi, ridge)*1.5
	return chart.Line{Through: []chart.Point{{X: lo, Y: lo * r.PeakGBPerS}, {X: ridge, Y: r.PeakGFLOPsPerS}, {X: hi, Y: r.PeakGFLOPsPerS}}, Style: chart.Style{Color: chart.Ink, Width: 1.6}}
}
