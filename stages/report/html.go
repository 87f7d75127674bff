package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"hsnas/internal/chart"
)

// htmlName is the name of the HTML beside the Markdown, which links to it.
const htmlName = "report.html"

//go:embed page.css
var pageCSS string

//go:embed page.html.tmpl
var pageTemplate string

var pageHTML = template.Must(template.New("page").Parse(pageTemplate))

// view is what the template shows.
type view struct {
	Title    string
	CSS      template.CSS
	Sections []*section
}

// section is a heading of the second level and what is below it. The first has no
// heading: it is what stands before.
type section struct {
	ID, Title string
	Blocks    []viewBlock
}

// viewBlock is one of these.
type viewBlock struct {
	Heading *viewHeading
	Text    template.HTML
	List    []template.HTML
	Table   *viewTable
	Figure  *viewFigure
}

type viewHeading struct{ ID, Title string }

type viewTable struct {
	Label    string
	Folded   bool
	Headings []viewCell
	Rows     [][]viewCell
}

type viewCell struct {
	HTML  template.HTML
	Class string
}

type viewFigure struct {
	ID, Few string // Few: a class for figures of one panel
	Number  int
	Caption template.HTML
	Panels  []viewPanel
	Legend  []viewEntry
}

type viewPanel struct {
	Title template.HTML
	SVG   template.HTML
}

type viewEntry struct {
	Swatch template.HTML
	Text   string
}

// html writes the page as one file of HTML that needs no other.
func (p *page) html() ([]byte, error) {
	v := view{CSS: template.CSS(pageCSS)}
	ids := map[string]int{}
	current, label := &section{}, ""
	v.Sections = append(v.Sections, current)
	for _, b := range p.blocks {
		switch b := b.(type) {
		case heading:
			label = b.text
			switch b.level {
			case 1:
				v.Title = b.text
			case 2:
				current = &section{ID: unique(ids, b.text), Title: b.text}
				v.Sections = append(v.Sections, current)
			default:
				current.Blocks = append(current.Blocks, viewBlock{Heading: &viewHeading{unique(ids, b.text), b.text}})
			}
		default:
			shown, err := show(b, label)
			if err != nil {
				return nil, err
			}
			current.Blocks = append(current.Blocks, shown)
		}
	}
	if len(v.Sections[0].Blocks) == 0 {
		v.Sections = v.Sections[1:]
	}
	var out bytes.Buffer
	if err := pageHTML.Execute(&out, v); err != nil {
		return nil, fmt.Errorf("writing the report as HTML: %w", err)
	}
	return out.Bytes(), nil
}

// show translates a block below the heading label.
func show(b any, label string) (viewBlock, error) {
	switch b := b.(type) {
	case paragraph:
		return viewBlock{Text: inline(b.text)}, nil
	case list:
		var items []template.HTML
		for _, item := range b.items {
			items = append(items, inline(item))
		}
		return viewBlock{List: items}, nil
	case table:
		return viewBlock{Table: b.view(label)}, nil
	case drawing:
		f, err := b.view()
		return viewBlock{Figure: f}, err
	}
	return viewBlock{}, fmt.Errorf("a fault of the program: the report has a block %T", b)
}

// inline is text with `code` as HTML.
func inline(text string) template.HTML {
	var out strings.Builder
	for i, part := range strings.Split(text, "`") {
		part = strings.ReplaceAll(template.HTMLEscapeString(part), " %", "\u00a0%") // no line begins with a sign of per cent
		if i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		out.WriteString(part)
	}
	return template.HTML(out.String())
}

// unique makes an id of a heading.
func unique(taken map[string]int, text string) string {
	id := strings.Trim(strings.Map(func(r rune) rune {
		if r = unicode.ToLower(r); r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '-'
	}, text), "-")
	for strings.Contains(id, "--") {
		id = strings.ReplaceAll(id, "--", "-")
	}
	if taken[id]++; taken[id] > 1 {
		id = fmt.Sprintf("%s-%d", id, taken[id])
	}
	return id
}

func (t table) view(label string) *viewTable {
	out := &viewTable{Label: label, Folded: t.folded}
	names, right := t.columns()
	class := make([]string, len(names))
	for i, name := range names {
		if right[i] {
			class[i] = "n"
		}
		out.Headings = append(out.Headings, viewCell{inline(name), class[i]})
		if name == "note" {
			class[i] = "note"
		}
		if !right[i] && t.long(i) {
			class[i] = strings.TrimSpace(class[i] + " text")
		}
	}
	for _, row := range t.rows {
		var cells []viewCell
		for i, c := range row {
			cell := viewCell{inline(c), class[i]}
			if names[i] == verdictColumn {
				cell.Class = strings.TrimSpace(verdictClass(c) + " " + class[i])
			}
			cells = append(cells, cell)
		}
		out.Rows = append(out.Rows, cells)
	}
	return out
}

// longest is how many characters a column may be wide before its text is broken.
const longest = 32

// long says whether a column is of text that has to be broken into lines.
func (t table) long(column int) bool {
	return slices.ContainsFunc(t.rows, func(row []string) bool {
		return column < len(row) && utf8.RuneCountInString(row[column]) > longest && strings.Contains(row[column], " ")
	})
}

// verdictClass marks what a reader looks for in a column of verdicts.
func verdictClass(text string) string {
	switch {
	case text == reproduced:
		return "verdict same"
	case strings.HasPrefix(text, differs):
		return "verdict other"
	}
	return "verdict"
}

func (d drawing) view() (*viewFigure, error) {
	out := &viewFigure{ID: d.anchor(), Number: d.number, Caption: inline(d.caption)}
	if len(d.panels) == 1 {
		out.Few = "single"
	}
	for _, p := range d.panels {
		svg, err := p.SVG(p.description)
		if err != nil {
			return nil, fmt.Errorf("drawing figure %s: %w", d.id, err)
		}
		out.Panels = append(out.Panels, viewPanel{inline(p.Title), template.HTML(svg)})
	}
	for _, e := range d.legend {
		swatch, err := chart.Swatch(e.style, e.line)
		if err != nil {
			return nil, fmt.Errorf("drawing the legend of figure %s: %w", d.id, err)
		}
		out.Legend = append(out.Legend, viewEntry{template.HTML(swatch), e.text})
	}
	return out, nil
}
