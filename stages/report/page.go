package report

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// page writes Markdown.
type page struct{ text bytes.Buffer }

// absent stands where a value does not exist.
const absent = "-"

func (p *page) heading(level int, format string, args ...any) {
	if p.text.Len() > 0 {
		p.text.WriteByte('\n')
	}
	fmt.Fprintf(&p.text, "%s %s\n", strings.Repeat("#", level), fmt.Sprintf(format, args...))
}

func (p *page) paragraph(format string, args ...any) {
	fmt.Fprintf(&p.text, "\n%s\n", fmt.Sprintf(format, args...))
}

// list writes one line for each item, none for none.
func (p *page) list(items ...string) {
	if len(items) == 0 {
		return
	}
	p.text.WriteByte('\n')
	for _, item := range items {
		fmt.Fprintf(&p.text, "- %s\n", item)
	}
}

// table writes a table. A heading that begins with ">" is of a column of
// numbers, aligned to the right.
func (p *page) table(headings []string, rows [][]string) {
	p.text.WriteByte('\n')
	names := make([]string, len(headings))
	rules := make([]string, len(headings))
	for i, h := range headings {
		name, right := strings.CutPrefix(h, ">")
		names[i], rules[i] = name, "---"
		if right {
			rules[i] = "---:"
		}
	}
	p.row(names)
	p.row(rules)
	for _, row := range rows {
		p.row(row)
	}
}

func (p *page) row(cells []string) {
	for _, c := range cells {
		c = strings.Join(strings.Fields(c), " ")
		fmt.Fprintf(&p.text, "| %s ", strings.ReplaceAll(c, "|", `\|`))
	}
	p.text.WriteString("|\n")
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
