package chart

import (
	"image/color"
	"strconv"

	"gonum.org/v1/plot/vg"
)

// Color is the name of a CSS variable of the page.
type Color int

// Colors of a page; Series(i) are those that tell data apart.
const (
	Ink   Color = iota // text, and what matters most
	Muted              // axes, controls
	Grid
	Paper // the ground
	series1
)

// seriesColors is how many colours there are for data.
const seriesColors = 6

// Series returns the i-th colour for data, again from the first after the last.
func Series(i int) Color { return series1 + Color(i%seriesColors) }

// Variable returns the name of the colour's CSS variable.
func (c Color) Variable() string {
	switch c {
	case Ink:
		return "--ink"
	case Muted:
		return "--muted"
	case Grid:
		return "--grid"
	case Paper:
		return "--paper"
	}
	return "--s" + strconv.Itoa(int(c-series1)+1)
}

// rgba is what stands for the colour until the drawing is done: see themed.
func (c Color) rgba() color.Color { return color.RGBA{R: 0xf0, B: uint8(c), A: 0xff} }

// Shape of a glyph.
type Shape int

// Shapes; the zero value is a disc.
const (
	Disc Shape = iota
	Square
	Triangle
	Diamond
	Inverted // a triangle on its tip
	Cross
	Tick // an upright line
)

// Dash of a line.
type Dash int

// Dashes; the zero value is a solid line.
const (
	Solid Dash = iota
	Dashed
	Dotted
	DashDot
)

var dashes = map[Dash][]vg.Length{Dashed: {5, 3}, Dotted: {1.5, 2.5}, DashDot: {6, 2.5, 1.5, 2.5}}

// Style of a mark.
type Style struct {
	Color  Color
	Shape  Shape
	Open   bool // outline alone
	Dash   Dash
	Width  float64 // of lines, 1.4 if 0
	Radius float64 // of glyphs, 3.6 if 0
}

func (s Style) width() vg.Length {
	if s.Width == 0 {
		return 1.4
	}
	return vg.Length(s.Width)
}

func (s Style) radius() vg.Length {
	if s.Radius == 0 {
		return 3.6
	}
	return vg.Length(s.Radius)
}

// Numbered returns the style of the i-th of things that must be told apart:
// colour, shape and dash all differ from those of its neighbours.
func Numbered(i int) Style {
	return Style{Color: Series(i), Shape: Shape(i % 5), Dash: Dash(i % 4), Open: i >= 5 && i%10 >= 5}
}
