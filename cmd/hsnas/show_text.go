package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"hsnas/internal/tabular"
)

// textContent is a file that is read line by line; JSON is indented, CSV aligned.
type textContent struct {
	kind string // text, json, jsonl, csv or binary
	file *os.File
}

func openText(place string) (content, error) {
	f, err := os.Open(place)
	if err != nil {
		return nil, err
	}
	t := &textContent{kind: "text", file: f}
	switch ext := path.Ext(filepath.ToSlash(place)); ext {
	case ".json", ".jsonl", ".csv":
		t.kind = ext[1:]
	}
	start := make([]byte, 4096)
	n, err := f.ReadAt(start, 0)
	if err != nil && err != io.EOF {
		f.Close()
		return nil, err
	}
	if !isText(start[:n]) {
		t.kind = "binary"
	}
	return t, nil
}

// isText says whether bytes are UTF-8 without zeros; the last rune may be cut.
func isText(start []byte) bool {
	for i := 0; i < utf8.UTFMax && len(start) > 0 && !utf8.Valid(start); i++ {
		start = start[:len(start)-1]
	}
	return utf8.Valid(start) && !bytes.ContainsRune(start, 0)
}

func (t *textContent) close() { t.file.Close() }

// lines returns the first n lines, all where n is negative, and whether there are more.
func (t *textContent) lines(n int64) (lines []string, more bool, err error) {
	var source io.Reader = t.file
	if t.kind == "json" {
		source, err = indented(t.file)
		if err != nil {
			return nil, false, err
		}
	}
	in := bufio.NewReader(source)
	for n < 0 || int64(len(lines)) < n {
		line, err := in.ReadString('\n')
		if line != "" {
			lines = append(lines, strings.TrimRight(line, "\r\n"))
		}
		if err == io.EOF {
			return lines, false, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
	_, err = in.Peek(1)
	return lines, err == nil, nil
}

// indented is a JSON document as people read it; what is none stays as it is.
func indented(r io.Reader) (io.Reader, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if json.Indent(&out, text, "", "  ") != nil {
		return bytes.NewReader(text), nil
	}
	return &out, nil
}

func (t *textContent) fields(o showOptions) (map[string]any, error) {
	out := map[string]any{"kind": t.kind}
	if t.kind == "binary" {
		return out, nil
	}
	if t.kind == "json" {
		text, err := io.ReadAll(t.file)
		if err == nil && json.Valid(text) {
			out["json"] = json.RawMessage(text)
			return out, nil
		}
		return out, fmt.Errorf("%s is no JSON", t.file.Name())
	}
	lines, more, err := t.lines(o.lines)
	if lines == nil {
		lines = []string{}
	}
	out["lines"], out["more"] = lines, more
	return out, err
}

func (t *textContent) print(w io.Writer, o showOptions) error {
	if t.kind == "binary" {
		_, err := fmt.Fprintln(w, "\nIt is no text and of no kind that is known here.")
		return err
	}
	lines, more, err := t.lines(o.lines)
	if err != nil || o.lines == 0 {
		return err
	}
	fmt.Fprintln(w)
	if t.kind != "csv" || !printCSV(w, lines, o.width) {
		for _, line := range lines {
			line = strings.ReplaceAll(line, "\t", "    ")
			line = tabular.Printable(line)
			if t.kind == "jsonl" && o.width > 0 {
				line = tabular.Shorten(line, o.width)
			}
			fmt.Fprintln(w, line)
		}
	}
	if more {
		_, err = fmt.Fprintln(w, "... more lines; --rows N or --all prints them")
	}
	return err
}

// printCSV prints lines as a table; false where they are none.
func printCSV(w io.Writer, lines []string, width int) bool {
	records, err := csv.NewReader(strings.NewReader(strings.Join(lines, "\n"))).ReadAll()
	if err != nil || len(records) == 0 {
		return false
	}
	out := tabular.New(w, tabular.Text, records[0], width)
	for _, r := range records[1:] {
		row := make([]any, len(r))
		for i := range r {
			row[i] = r[i]
		}
		_ = out.Row(row) // it keeps rows: errors come with Close
	}
	return out.Close() == nil
}
