package report

import (
	"bytes"
	"fmt"
	"strings"
)

// markdown writes the page as Markdown. Figures are named and lie in htmlName.
func (p *page) markdown() []byte {
	var out bytes.Buffer
	for _, b := range p.blocks {
		if out.Len() > 0 {
			out.WriteByte('\n')
		}
		switch b := b.(type) {
		case heading:
			fmt.Fprintf(&out, "%s %s\n", strings.Repeat("#", b.level), b.text)
		case paragraph:
			fmt.Fprintf(&out, "%s\n", b.text)
		case list:
			for _, item := range b.items {
				fmt.Fprintf(&out, "- %s\n", item)
			}
		case table:
			b.markdown(&out)
		case drawing:
			fmt.Fprintf(&out, "[Figure %d](%s#%s): %s\n", b.number, htmlName, b.anchor(), b.caption)
		}
	}
	return out.Bytes()
}

// columns splits the headings into names and whether a column is of numbers.
func (t table) columns() (names []string, right []bool) {
	for _, h := range t.headings {
		name, numbers := strings.CutPrefix(h, ">")
		names, right = append(names, name), append(right, numbers)
	}
	return names, right
}

func (t table) markdown(out *bytes.Buffer) {
	names, right := t.columns()
	rules := make([]string, len(names))
	for i := range rules {
		rules[i] = "---"
		if right[i] {
			rules[i] = "---:"
		}
	}
	for _, row := range append([][]string{names, rules}, t.rows...) {
		for _, c := range row {
			c = strings.Join(strings.Fields(c), " ")
			fmt.Fprintf(out, "| %s ", strings.ReplaceAll(c, "|", `\|`))
		}
		out.WriteString("|\n")
	}
}

// anchor is the id of the figure in the HTML.
func (d drawing) anchor() string { return "fig-" + d.id }
