package chart

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// SVG returns the panel as an element of HTML. Screen readers say its title and
// description. Its text is text, in the fonts of the page.
func (p Panel) SVG(description string) (string, error) {
	if err := p.check(); err != nil {
		return "", err
	}
	canvas := vgsvg.New(Width, vg.Length(p.Height))
	p.layOut().Draw(draw.Crop(draw.New(canvas), margin, -margin, margin, -margin))
	label := strings.TrimSuffix(p.Title, ".")
	if description != "" {
		label += ". " + description
	}
	return element(canvas, fmt.Sprintf(`class="plot" role="img" aria-label="%s"`, html.EscapeString(label)), Width, p.Height)
}

// margin keeps text from the edge, whose metrics in the page's fonts are not quite
// those that it was laid out by.
const margin = 4

// Size of the swatches of a legend.
const (
	swatchWidth  = 30
	swatchHeight = 12
)

// Swatch returns a small drawing of a style for a legend, which screen readers
// pass over: its glyph, on its line if it has one.
func Swatch(s Style, line bool) (string, error) {
	canvas := vgsvg.New(swatchWidth, swatchHeight)
	c := draw.New(canvas)
	if line {
		c.StrokeLines(draw.LineStyle{Color: s.Color.rgba(), Width: s.width(), Dashes: dashes[s.Dash]},
			[]vg.Point{{X: 1, Y: swatchHeight / 2}, {X: swatchWidth - 1, Y: swatchHeight / 2}})
	}
	if s.Radius >= 0 {
		drawGlyph(c, s, vg.Point{X: swatchWidth / 2, Y: swatchHeight / 2})
	}
	return element(canvas, `class="swatch" aria-hidden="true"`, swatchWidth, swatchHeight)
}

// element wraps what was drawn, without the prologue of a file.
func element(canvas *vgsvg.Canvas, attributes string, width, height float64) (string, error) {
	var file bytes.Buffer
	if _, err := canvas.WriteTo(&file); err != nil {
		return "", err
	}
	_, body, _ := strings.Cut(file.String(), "<g ")
	body = "<g " + strings.TrimSuffix(strings.TrimSpace(body), "</svg>")
	return fmt.Sprintf("<svg %s viewBox=\"0 0 %g %g\" width=\"%g\" height=\"%g\">\n%s</svg>", attributes, width, height, width, height, themed(body)), nil
}

var (
	standIn = regexp.MustCompile(`(fill|stroke):#F000([0-9A-F]{2})`)
	fonts   = regexp.MustCompile(`font-family:[^;"]*;font-variant:[^;"]*;font-weight:[^;"]*;font-style:[^;"]*;`)
)

// themed puts the page's colours and fonts in the place of the drawing's.
func themed(body string) string {
	body = fonts.ReplaceAllString(body, "")
	return standIn.ReplaceAllStringFunc(body, func(s string) string {
		m := standIn.FindStringSubmatch(s)
		n, _ := strconv.ParseUint(m[2], 16, 8)
		return m[1] + ":var(" + Color(n).Variable() + ")"
	})
}
