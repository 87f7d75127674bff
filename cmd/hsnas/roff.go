package main

import (
	"fmt"
	"strings"
)

// roff is a manual page in the macros of man(7), which every man reads.
type roff struct {
	text  strings.Builder
	fresh bool // a section has just begun
}

// escaped keeps what roff would take for its own: backslashes, hyphens that are to be
// typed, quotes, and a dot or a quote that begins a line.
var escaped = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, `"`, `\(dq`, "\n.", "\n\\&.")

func escape(text string) string {
	if text = escaped.Replace(text); strings.HasPrefix(text, ".") {
		return `\&` + text
	}
	return text
}

func bold(text string) string   { return `\fB` + escape(text) + `\fR` }
func italic(text string) string { return `\fI` + escape(text) + `\fR` }

// macro is a line that begins with a macro's name; its arguments are escaped here.
func (r *roff) macro(name string, args ...string) {
	r.text.WriteString("." + name)
	for _, a := range args {
		fmt.Fprintf(&r.text, ` "%s"`, escape(a))
	}
	r.text.WriteByte('\n')
	r.fresh = name == "SH" || name == "SS"
}

// line is text that is marked up already.
func (r *roff) line(marked string) {
	r.text.WriteString(marked + "\n")
	r.fresh = false
}

// paragraph is plain text, whose `code` becomes bold.
func (r *roff) paragraph(text string) {
	if !r.fresh {
		r.macro("PP")
	}
	r.line(marked(text))
}

// item is a paragraph behind a term that is marked up already.
func (r *roff) item(term, text string) {
	r.macro("TP")
	r.line(term)
	r.line(marked(text))
}

// example is text that is kept as it is.
func (r *roff) example(text string) {
	r.macro("PP")
	r.macro("nf")
	r.line(escape(strings.TrimSuffix(text, "\n")))
	r.macro("fi")
}

// marked makes what stands between backquotes bold.
func marked(text string) string {
	parts := strings.Split(text, "`")
	for i := range parts {
		if i%2 == 1 {
			parts[i] = bold(parts[i])
		} else {
			parts[i] = escape(parts[i])
		}
	}
	return strings.Join(parts, "")
}
