// Package tabular prints rows of plain values: as a table that fits the terminal, as CSV,
// as JSON and as JSON Lines.
//
// A value is nil, a bool, an int64, a float64, a string, a time.Time, or a list or map of
// these; what else there is prints as Go prints it. The table is for people and shortens
// texts and lists, never numbers; the other formats keep every value whole.
package tabular

import (
	"encoding/csv"
	"fmt"
	"io"
)

// Writer takes rows, each as long as the list of columns. Nothing may be printed before
// Close.
type Writer interface {
	Row(values []any) error
	Close() error
}

// Format is the name of an output format.
type Format string

// The formats.
const (
	Text  Format = "table"
	CSV   Format = "csv"
	JSON  Format = "json"  // one array of objects
	Lines Format = "jsonl" // one object a line
)

// New returns a Writer of a format. width bounds the lines of Text, 0 for any length.
func New(w io.Writer, f Format, columns []string, width int) Writer {
	switch f {
	case CSV:
		out := &csvWriter{w: csv.NewWriter(w)}
		_ = out.w.Write(columns) // an error is kept for Close
		return out
	case JSON:
		return &jsonWriter{w: w, columns: columns, array: true}
	case Lines:
		return &jsonWriter{w: w, columns: columns}
	}
	return &textWriter{w: w, columns: columns, width: width}
}

type csvWriter struct{ w *csv.Writer }

func (c *csvWriter) Row(values []any) error {
	record := make([]string, len(values))
	for i, v := range values {
		record[i] = whole(v)
	}
	return c.w.Write(record)
}

func (c *csvWriter) Close() error {
	c.w.Flush()
	return c.w.Error()
}

type jsonWriter struct {
	w       io.Writer
	columns []string
	array   bool
	begun   bool
}

func (j *jsonWriter) Row(values []any) error {
	text, err := Object(j.columns, values)
	if err != nil {
		return err
	}
	before, after := "", "\n"
	if j.array {
		before, after = "[", ""
		if j.begun {
			before = ",\n"
		}
	}
	j.begun = true
	_, err = fmt.Fprintf(j.w, "%s%s%s", before, text, after)
	return err
}

func (j *jsonWriter) Close() error {
	end := "]\n"
	switch {
	case !j.array:
		return nil
	case !j.begun:
		end = "[]\n"
	}
	_, err := io.WriteString(j.w, end)
	return err
}
