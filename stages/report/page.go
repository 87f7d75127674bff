package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"hsnas/internal/chart"
)

// page is what the report says, in order, before it is Markdown or HTML: both are
// written from it, so that neither says what the other does not. Text is plain but
// for `code`.
type page struct {
	blocks  []any // heading, paragraph, list, table or drawing
	figures int
}

type heading struct {
	level int
	text  string
}

type paragraph struct{ text string }

type list struct{ items []string }

// table has headings of which those that begin with ">" are of columns of
// numbers, aligned to the right.
type table struct {
	headings []string
	rows     [][]string
	folded   bool // HTML opens it on demand
}

// drawing is a figure: HTML has it, Markdown says what it shows and where it is.
type drawing struct {
	id      string // "scoreboard" for #fig-scoreboard
	number  int
	caption string
	panels  []panel
	legend  []entry
}

// panel is one of a drawing's plots, with what a reader hears who does not see it.
type panel struct {
	chart.Panel
	description string
}

// entry is a line of a legend.
type entry struct {
	style chart.Style
	line  bool
	text  string
}

// absent stands where a value does not exist.
const absent = "-"

func (p *page) heading(level int, format string, args ...any) {
	p.blocks = append(p.blocks, heading{level, fmt.Sprintf(format, args...)})
}

func (p *page) paragraph(format string, args ...any) {
	p.blocks = append(p.blocks, paragraph{fmt.Sprintf(format, args...)})
}

// list writes one line for each item, none for none.
func (p *page) list(items ...string) {
	if len(items) > 0 {
		p.blocks = append(p.blocks, list{items})
	}
}

func (p *page) table(headings []string, rows [][]string) {
	p.blocks = append(p.blocks, table{headings: headings, rows: rows})
}

// foldedTable is a table that few will read.
func (p *page) foldedTable(headings []string, rows [][]string) {
	p.blocks = append(p.blocks, table{headings: headings, rows: rows, folded: true})
}

// drawing adds a figure, unless it has nothing to show.
func (p *page) drawing(d drawing) {
	if len(d.panels) == 0 {
		return
	}
	p.figures++
	d.number = p.figures
	p.blocks = append(p.blocks, d)
}

// number writes x with so many decimals, "-" for NaN.
func number(x float64, decimals int) string {
	if math.IsNaN(x) {
		return absent
	}
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-") // no minus zero
	}
	return s
}

// digits writes x with so many decimals, with more where three digits need them.
func digits(x float64, decimals int) string {
	if x != 0 && !math.IsNaN(x) {
		decimals = max(decimals, 2-int(math.Floor(math.Log10(math.Abs(x)))))
	}
	return number(x, decimals)
}

// percent writes a fraction, with one decimal.
func percent(x float64) string {
	if math.IsNaN(x) {
		return absent
	}
	return number(100*x, 1) + " %"
}

// interval writes " [lo, hi]", nothing where there is none.
func interval(lo, hi float64, decimals int) string {
	if math.IsNaN(lo) || math.IsNaN(hi) {
		return ""
	}
	return " [" + number(lo, decimals) + ", " + number(hi, decimals) + "]"
}

// count writes "1 row", "2 rows".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
