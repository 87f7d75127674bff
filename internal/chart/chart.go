// Package chart draws panels, small plots of one pair of axes, as SVG that
// stands in a page of HTML. Colours are CSS variables of the page, so that one
// drawing is readable on light and dark ground; what tells marks apart is their
// shape and dash as well, never colour alone. The same panel gives the same bytes.
//
// gonum/plot lays the axes out and draws; no other package imports it.
package chart

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// Width of every panel in units of its own, which are pixels on a phone; a page
// scales panels up where there is more room.
const Width = 360

// Panel is one plot.
type Panel struct {
	Title  string // what a reader hears of the drawing; the page prints it above
	X, Y   Axis
	Marks  []Mark // drawn in this order
	Height float64
}

// Axis of a panel. The zero value is linear, and as long as the marks need.
type Axis struct {
	Label string    // with the unit
	Log   bool      // logarithmic, if all that is drawn is positive
	Zero  bool      // zero is part of a linear axis
	Reach []float64 // values that the axis has to show besides those of the marks
	Names []string  // of an axis of categories, the first on top: see Row
}

// Row is the place of the category i on the vertical axis.
func Row(i int) float64 { return -float64(i) }

// RowsHeight is the height of a panel with so many categories.
func RowsHeight(n int) float64 { return 52 + 18*float64(n) }

// Point is a place in the units of the axes.
type Point struct{ X, Y float64 }

// defined says whether a point can be drawn.
func (p Point) defined() bool {
	return !math.IsNaN(p.X) && !math.IsInf(p.X, 0) && !math.IsNaN(p.Y) && !math.IsInf(p.Y, 0)
}

// Mark is something that a panel shows.
type Mark interface {
	// extent are points that the axes have to reach.
	extent() []Point
	draw(c *surface)
}

// Points are glyphs.
type Points struct {
	At    []Point
	Style Style
}

// Line joins points, in their order.
type Line struct {
	Through []Point
	Style   Style
}

// Interval is a line between two points with caps at its ends.
type Interval struct {
	Lo, Hi Point
	Style  Style
}

// Rule is a line over the whole panel that does not stretch its axes: through At
// along one axis, or along y = x.
type Rule struct {
	Along Direction
	At    float64
	Style Style
}

// Direction of a Rule.
type Direction int

// Upright is x = At, Level is y = At, Diagonal is y = x.
const (
	Upright Direction = iota
	Level
	Diagonal
)

// Bars stand side by side on the horizontal axis: the i-th reaches from
// Edges[i] to Edges[i+1] and up to Heights[i].
type Bars struct {
	Edges, Heights []float64
	Style          Style
}

func (m Points) extent() []Point   { return m.At }
func (m Line) extent() []Point     { return m.Through }
func (m Interval) extent() []Point { return []Point{m.Lo, m.Hi} }
func (Rule) extent() []Point       { return nil }

func (m Bars) extent() []Point {
	var out []Point
	for i, h := range m.Heights {
		out = append(out, Point{m.Edges[i], 0}, Point{m.Edges[i+1], h})
	}
	return out
}

func (m Points) draw(c *surface) {
	for _, p := range m.At {
		if p.defined() {
			c.glyph(m.Style, c.at(p))
		}
	}
}

func (m Line) draw(c *surface) {
	var run []vg.Point
	for _, p := range m.Through {
		if p.defined() {
			run = append(run, c.at(p))
			continue
		}
		c.stroke(m.Style, run...)
		run = nil
	}
	c.stroke(m.Style, run...)
}

func (m Interval) draw(c *surface) {
	if !m.Lo.defined() || !m.Hi.defined() {
		return
	}
	const half = 3 // of a cap
	lo, hi := c.at(m.Lo), c.at(m.Hi)
	across := vg.Point{Y: half}
	if m.Lo.X == m.Hi.X {
		across = vg.Point{X: half}
	}
	c.stroke(m.Style, lo, hi)
	for _, end := range []vg.Point{lo, hi} {
		c.stroke(Style{Color: m.Style.Color, Width: m.Style.Width}, end.Sub(across), end.Add(across))
	}
}

func (m Rule) draw(c *surface) {
	x, y := c.plot.X, c.plot.Y
	switch m.Along {
	case Upright:
		c.stroke(m.Style, c.at(Point{m.At, y.Min}), c.at(Point{m.At, y.Max}))
	case Level:
		c.stroke(m.Style, c.at(Point{x.Min, m.At}), c.at(Point{x.Max, m.At}))
	case Diagonal:
		lo, hi := max(x.Min, y.Min), min(x.Max, y.Max)
		if lo < hi {
			c.stroke(m.Style, c.at(Point{lo, lo}), c.at(Point{hi, hi}))
		}
	}
}

func (m Bars) draw(c *surface) {
	for i, h := range m.Heights {
		lo, hi := c.at(Point{m.Edges[i], 0}), c.at(Point{m.Edges[i+1], h})
		c.fill(m.Style, lo, vg.Point{X: hi.X, Y: lo.Y}, hi, vg.Point{X: lo.X, Y: hi.Y})
	}
}
