package tabular

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

const (
	gap     = 2  // blanks between columns
	widest  = 60 // of a text or a list where the line has no bound
	tight   = 8  // what a text is never cut below
	ellipse = "..."
)

// Width is the number of columns of the terminal behind w, 0 where it is none.
func Width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// textWriter keeps all rows, as the width of a column depends on the last one too.
type textWriter struct {
	w       io.Writer
	columns []string
	width   int
	rows    [][]string
	texts   []bool // whether a column has a value that may be cut
}

func (t *textWriter) Row(values []any) error {
	if t.texts == nil {
		t.texts = make([]bool, len(t.columns))
	}
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = Cell(v)
		switch v.(type) {
		case nil, bool, int64, int32, int, float64:
		default:
			t.texts[i] = true
		}
	}
	t.rows = append(t.rows, cells)
	return nil
}

func (t *textWriter) Close() error {
	if t.texts == nil {
		t.texts = make([]bool, len(t.columns))
	}
	widths, left := t.fit()
	var out strings.Builder
	line := func(cells []string) {
		var text strings.Builder
		for i, width := range widths {
			cell := Shorten(cells[i], width)
			pad := strings.Repeat(" ", width-utf8.RuneCountInString(cell))
			if i > 0 {
				text.WriteString(strings.Repeat(" ", gap))
			}
			if t.texts[i] {
				text.WriteString(cell + pad)
			} else {
				text.WriteString(pad + cell)
			}
		}
		out.WriteString(strings.TrimRight(text.String(), " ") + "\n")
	}
	line(t.columns)
	for _, row := range t.rows {
		line(row)
	}
	if len(left) > 0 {
		fmt.Fprintf(&out, "(no room for: %s)\n", strings.Join(left, ", "))
	}
	_, err := io.WriteString(t.w, out.String())
	return err
}

// fit returns the widths of the columns that there is room for, and the names of the others.
// Texts give way first, the widest before others; then columns do, the last before others.
func (t *textWriter) fit() (widths []int, left []string) {
	natural := make([]int, len(t.columns))
	for i, name := range t.columns {
		natural[i] = utf8.RuneCountInString(name)
		for _, row := range t.rows {
			natural[i] = max(natural[i], utf8.RuneCountInString(row[i]))
		}
	}
	for n := len(t.columns); ; n-- {
		widest := widest
		if t.width > 0 {
			widest = t.width
		}
		for ; ; widest-- {
			widths = t.cut(natural[:n], widest)
			if t.width == 0 && n > 0 {
				widths[n-1] = natural[n-1] // nothing stands behind it
			}
			if t.width == 0 || total(widths) <= t.width || n == 1 && widest <= tight {
				return widths, t.columns[n:]
			}
			if widest <= tight {
				break
			}
		}
	}
}

// cut bounds the columns of texts.
func (t *textWriter) cut(natural []int, widest int) []int {
	widths := make([]int, len(natural))
	for i, n := range natural {
		widths[i] = n
		if t.texts[i] {
			widths[i] = min(n, max(widest, min(tight, n)))
		}
	}
	return widths
}

func total(widths []int) int {
	sum := gap * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}

// Shorten cuts text to width runes, with dots where something is missing.
func Shorten(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	runes := []rune(text)
	if width <= len(ellipse) {
		return string(runes[:width])
	}
	return string(runes[:width-len(ellipse)]) + ellipse
}
