package chart

import (
	"errors"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes of text in units of a panel.
const (
	tickSize  = 10.5
	labelSize = 11
)

// surface is where marks are drawn: the area between the axes.
type surface struct {
	area draw.Canvas
	plot *plot.Plot
}

// at is the place of a point of data. On a logarithmic axis the caller has seen to
// it that there is nothing below zero.
func (s *surface) at(p Point) vg.Point {
	return vg.Point{X: s.area.X(s.plot.X.Norm(p.X)), Y: s.area.Y(s.plot.Y.Norm(p.Y))}
}

func (s *surface) stroke(style Style, points ...vg.Point) {
	if len(points) < 2 {
		return
	}
	line := draw.LineStyle{Color: style.Color.rgba(), Width: style.width(), Dashes: dashes[style.Dash]}
	s.area.StrokeLines(line, s.area.ClipLinesXY(points)...)
}

func (s *surface) fill(style Style, points ...vg.Point) {
	s.area.FillPolygon(style.Color.rgba(), points)
}

func (s *surface) glyph(style Style, at vg.Point) {
	drawGlyph(s.area, style, at)
}

// drawGlyph draws one glyph. An open one covers what lies below it.
func drawGlyph(c draw.Canvas, style Style, at vg.Point) {
	outline := glyphPath(style, at)
	if style.Shape == Cross || style.Shape == Tick {
		c.SetLineStyle(draw.LineStyle{Color: style.Color.rgba(), Width: 1.6})
		c.Stroke(outline)
		return
	}
	if !style.Open {
		c.SetColor(style.Color.rgba())
		c.Fill(outline)
		return
	}
	c.SetColor(Paper.rgba())
	c.Fill(outline)
	c.SetLineStyle(draw.LineStyle{Color: style.Color.rgba(), Width: 1.3})
	c.Stroke(outline)
}

// corners of the shapes, for a radius of 1; areas are about those of the disc.
var corners = map[Shape][][2]vg.Length{
	Square:   {{-.88, -.88}, {.88, -.88}, {.88, .88}, {-.88, .88}},
	Triangle: {{-1.15, -.85}, {1.15, -.85}, {0, 1.2}},
	Inverted: {{-1.15, .85}, {1.15, .85}, {0, -1.2}},
	Diamond:  {{-1.2, 0}, {0, -1.2}, {1.2, 0}, {0, 1.2}},
}

func glyphPath(style Style, at vg.Point) vg.Path {
	var p vg.Path
	r := style.radius()
	move := func(x, y vg.Length) { p.Move(vg.Point{X: at.X + x*r, Y: at.Y + y*r}) }
	line := func(x, y vg.Length) { p.Line(vg.Point{X: at.X + x*r, Y: at.Y + y*r}) }
	switch style.Shape {
	case Disc:
		move(1, 0)
		p.Arc(at, r, 0, 2*math.Pi)
	case Tick:
		move(0, -1.2)
		line(0, 1.2)
		return p
	case Cross:
		move(-.9, -.9)
		line(.9, .9)
		move(-.9, .9)
		line(.9, -.9)
		return p
	}
	for i, c := range corners[style.Shape] {
		if i == 0 {
			move(c[0], c[1])
			continue
		}
		line(c[0], c[1])
	}
	p.Close()
	return p
}

// content draws the grid and the marks: what gonum calls a plotter.
type content struct {
	marks        []Mark
	xGrid, yGrid []plot.Tick
}

// Plot implements plot.Plotter.
func (g content) Plot(c draw.Canvas, p *plot.Plot) {
	s := &surface{area: c, plot: p}
	thin := Style{Color: Grid, Width: 0.8}
	for _, t := range g.xGrid {
		Rule{Along: Upright, At: t.Value, Style: thin}.draw(s)
	}
	for _, t := range g.yGrid {
		Rule{Along: Level, At: t.Value, Style: thin}.draw(s)
	}
	for _, m := range g.marks {
		m.draw(s)
	}
}

// layOut makes the plot of a panel.
func (p Panel) layOut() *plot.Plot {
	out := plot.New()
	out.BackgroundColor = nil
	var x, y []float64
	for _, m := range p.Marks {
		for _, e := range m.extent() {
			if e.defined() {
				x, y = append(x, e.X), append(y, e.Y)
			}
		}
	}
	p.X.lay(&out.X, x)
	p.Y.lay(&out.Y, y)
	out.Add(content{marks: p.Marks, xGrid: out.X.Tick.Marker.Ticks(0, 0), yGrid: out.Y.Tick.Marker.Ticks(0, 0)})
	return out
}

// lay sets the range, ticks and looks of one axis that has to show values.
func (a Axis) lay(out *plot.Axis, values []float64) {
	lo, hi := span(append(values, a.Reach...))
	switch {
	case a.Names != nil:
		out.Min, out.Max = Row(len(a.Names)-1)-0.6, 0.6
		var ticks plot.ConstantTicks
		for i, name := range a.Names {
			ticks = append(ticks, plot.Tick{Value: Row(i), Label: short(name)})
		}
		out.Tick.Marker = ticks
	case a.Log && lo > 0:
		out.Scale = plot.LogScale{}
		out.Min, out.Max = logRange(lo, hi)
		out.Tick.Marker = logTicks(out.Min, out.Max)
	default:
		out.Min, out.Max = linearRange(lo, hi, a.Zero)
		out.Tick.Marker = linearTicks(out.Min, out.Max)
	}
	out.Padding = 0
	out.LineStyle = draw.LineStyle{Color: Muted.rgba(), Width: 1}
	out.Tick.Length, out.Tick.LineStyle = 3, draw.LineStyle{Color: Grid.rgba(), Width: 0.8}
	out.Label.Text, out.Label.Padding = a.Label, 4
	styled(&out.Label.TextStyle, labelSize, Ink)
	styled(&out.Tick.Label, tickSize, Muted)
	if a.Names != nil {
		out.LineStyle.Width, out.Tick.Length = 0, 0
		styled(&out.Tick.Label, tickSize, Ink)
	}
}

func styled(s *text.Style, size float64, c Color) {
	s.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(size)}
	s.Color = c.rgba()
}

// longest is the number of characters of a category that fit beside a panel.
const longest = 30

func short(name string) string {
	if r := []rune(name); len(r) > longest {
		return string(r[:longest-1]) + "…"
	}
	return name
}

// check says what is wrong with a panel that cannot be drawn.
func (p Panel) check() error {
	if p.Title == "" || p.Height <= 0 || p.X.Label == "" {
		return errors.New("chart: a panel needs a title, a height and a label of its horizontal axis")
	}
	return nil
}
