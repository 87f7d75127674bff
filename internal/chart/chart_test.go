package chart

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"

	"gonum.org/v1/plot"
)

var everything = Panel{
	Title: `a "title" & <more>`, X: Axis{Label: "latency, ms"}, Y: Axis{Label: "BLEU"}, Height: 240,
	Marks: []Mark{
		Bars{Edges: []float64{1, 2, 3}, Heights: []float64{1, 4}, Style: Style{Color: Grid}},
		Line{Through: []Point{{1, 1}, {math.NaN(), 2}, {2, 3}, {3, 4}}, Style: Style{Color: Series(0), Dash: DashDot}},
		Interval{Lo: Point{1, 1}, Hi: Point{3, 1}, Style: Style{Color: Series(1)}},
		Interval{Lo: Point{1, math.NaN()}, Hi: Point{1, 3}},
		Rule{Along: Diagonal, Style: Style{Color: Muted, Dash: Dashed}},
		Rule{Along: Upright, At: 2, Style: Style{Color: Ink, Dash: Dotted}},
		Points{At: []Point{{1, 2}, {math.Inf(1), 2}}, Style: Style{Color: Series(5), Shape: Inverted, Open: true}},
		Points{At: []Point{{1, 3}, {2, 3}}, Style: Style{Color: Series(6), Shape: Cross}},
	},
}

// TestSVG: what a page needs, and what would make it look like another page.
func TestSVG(t *testing.T) {
	svg, err := everything.SVG(`from "1" to 3`)
	if err != nil {
		t.Fatal(err)
	}
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("not well formed: %v", err)
		}
	}
	for _, want := range []string{
		`aria-label="a &#34;title&#34; &amp; &lt;more&gt;. from &#34;1&#34; to 3"`, `role="img"`, `viewBox="0 0 360 240"`, ">latency, ms</text>", ">BLEU</text>",
		"stroke:var(--s1)", "stroke:var(--s2)", "stroke:var(--s6)", "fill:var(--grid)", "fill:var(--paper)", "stroke:var(--s1)", "stroke:var(--ink)", "stroke:var(--muted)",
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("the drawing lacks %s", want)
		}
	}
	for _, foreign := range []string{"font-family", "NaN", "Inf", "<?xml", "xmlns:xlink", "#"} {
		if at := strings.Index(strings.ReplaceAll(svg, "&#34;", ""), foreign); at >= 0 {
			t.Errorf("the drawing has %q", foreign)
		}
	}
	if again, _ := everything.SVG(`from "1" to 3`); again != svg {
		t.Error("the same panel gave another drawing")
	}
}

// TestColors: every colour has its variable, and a drawing of it names that one.
func TestColors(t *testing.T) {
	seen := map[string]bool{}
	for c := Ink; c < series1+seriesColors; c++ {
		svg, err := Swatch(Style{Color: c}, true)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(svg, "fill:var("+c.Variable()+")") || !strings.Contains(svg, "stroke:var("+c.Variable()+")") {
			t.Errorf("colour %s: %s", c.Variable(), svg)
		}
		seen[c.Variable()] = true
	}
	if len(seen) != int(series1)+seriesColors {
		t.Errorf("%d variables for %d colours", len(seen), int(series1)+seriesColors)
	}
}

// TestNumbered: neighbours differ in shape and in dash, so that a reader who tells
// no colours apart tells them apart; the first ten all differ.
func TestNumbered(t *testing.T) {
	seen := map[string]int{}
	for i := range 10 {
		a, b := Numbered(i), Numbered(i+1)
		if a.Shape == b.Shape || a.Dash == b.Dash || a.Color == b.Color {
			t.Errorf("%d and %d: %+v, %+v", i, i+1, a, b)
		}
		key := fmt.Sprint(a.Shape, a.Open)
		if j, ok := seen[key]; ok {
			t.Errorf("%d and %d have one glyph", j, i)
		}
		seen[key] = i
	}
}

func labels(ticks plot.ConstantTicks) string {
	var out []string
	for _, t := range ticks {
		out = append(out, t.Label)
	}
	return strings.Join(out, " ")
}

func TestTicks(t *testing.T) {
	for _, test := range []struct {
		lo, hi float64
		want   string
	}{
		{0, 10, "0 2 4 6 8 10"},
		{0, 1, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{-0.3, 0.3, "-0.2 0.0 0.2"},
		{25.04, 26.1, "25.2 25.4 25.6 25.8 26.0"},
		{0, 3000, "0 1000 2000 3000"},
		{0.00012, 0.00031, "0.00015 0.00020 0.00025 0.00030"},
		{-3.9, -3.1, "-3.8 -3.6 -3.4 -3.2"},
	} {
		if got := labels(linearTicks(test.lo, test.hi)); got != test.want {
			t.Errorf("linear, %g to %g: %s, want %s", test.lo, test.hi, got, test.want)
		}
	}
	for _, test := range []struct {
		lo, hi float64
		want   string
	}{
		{0.1, 2.1, "0.1 0.2 0.5 1 2"}, {3, 40, "5 10 20"}, {1, 1e5, "1 10 100 1e+03 1e+04 1e+05"}, {0.12, 0.19, "0.12 0.14 0.16 0.18"},
	} {
		if got := labels(logTicks(test.lo, test.hi)); got != test.want {
			t.Errorf("logarithmic, %g to %g: %s, want %s", test.lo, test.hi, got, test.want)
		}
	}
}

// TestDegenerate: no value, one value, and values that have no logarithm.
func TestDegenerate(t *testing.T) {
	for name, p := range map[string]Panel{
		"nothing":      {},
		"one point":    {Marks: []Mark{Points{At: []Point{{3, 3}}}}},
		"zero":         {X: Axis{Zero: true}, Marks: []Mark{Points{At: []Point{{0, 0}}}}},
		"log of minus": {X: Axis{Log: true}, Marks: []Mark{Points{At: []Point{{-1, 1}, {2, 2}}}}},
		"log of one":   {X: Axis{Log: true}, Marks: []Mark{Points{At: []Point{{2, 1}}}}},
		"categories":   {Y: Axis{Names: []string{"a", strings.Repeat("x", 50)}}, Marks: []Mark{Points{At: []Point{{2, Row(1)}}}}},
	} {
		p.Title, p.X.Label, p.Height = name, "x", 200
		svg, err := p.SVG("")
		if err != nil || strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: %v\n%s", name, err, svg)
		}
	}
	if _, err := (Panel{X: Axis{Label: "x"}, Height: 100}).SVG(""); err == nil {
		t.Error("a panel without a title was drawn")
	}
}

var pathStart = regexp.MustCompile(`<path d="M([0-9.]+),([0-9.]+)`)

// TestPlaces: of three points on a line the middle one is in the middle, on linear
// and on logarithmic axes.
func TestPlaces(t *testing.T) {
	for _, test := range []struct {
		axis Axis
		x    [3]float64
	}{{Axis{Label: "x"}, [3]float64{1, 2, 3}}, {Axis{Label: "x", Log: true}, [3]float64{0.1, 1, 10}}} {
		p := Panel{Title: "t", X: test.axis, Height: 200, Marks: []Mark{Points{At: []Point{{test.x[0], 0}, {test.x[1], 1}, {test.x[2], 2}}, Style: Style{Color: Series(0), Shape: Tick}}}}
		svg, err := p.SVG("")
		if err != nil {
			t.Fatal(err)
		}
		var at [][]float64
		for _, line := range strings.Split(svg, "\n") {
			if m := pathStart.FindStringSubmatch(line); m != nil && strings.Contains(line, "--s1") {
				var x, y float64
				fmt.Sscan(m[1], &x)
				fmt.Sscan(m[2], &y)
				at = append(at, []float64{x, y})
			}
		}
		if len(at) != 3 || math.Abs(at[0][0]+at[2][0]-2*at[1][0]) > 0.05 || math.Abs(at[0][1]+at[2][1]-2*at[1][1]) > 0.05 || at[2][0] < at[0][0]+100 {
			t.Errorf("log %v: points at %v", test.axis.Log, at)
		}
	}
}
