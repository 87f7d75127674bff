package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"hsnas/internal/config"
	"hsnas/internal/tabular"
	"hsnas/schemas"
)

// tableContent is a Parquet file, of which no more is read than is printed.
type tableContent struct{ *schemas.View }

func openTable(place string) (content, error) {
	v, err := schemas.Open(place)
	if err != nil {
		return nil, err
	}
	return &tableContent{v}, nil
}

func (t *tableContent) close() { t.Close() }

func (t *tableContent) print(w io.Writer, o showOptions) error {
	fmt.Fprintf(w, "\nschema %s, %d rows\n", t.Schema, t.Rows)
	out := tabular.New(w, tabular.Text, []string{"column", "type", "unit", "meaning"}, o.width)
	for _, c := range t.Columns {
		kind := c.Type
		if c.Nullable {
			kind += " or null"
		}
		if err := out.Row([]any{c.Name, kind, c.Unit, c.Description}); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil || o.rows == 0 {
		return err
	}
	fmt.Fprintln(w)
	if err := t.rows(w, o); err != nil {
		return err
	}
	if o.rows >= 0 && t.Rows > o.rows {
		_, err := fmt.Fprintf(w, "... %d more rows; --rows N or --all prints them\n", t.Rows-o.rows)
		return err
	}
	return nil
}

// rows writes the first rows in the format that is asked for.
func (t *tableContent) rows(w io.Writer, o showOptions) error {
	names, err := t.chosen(o.columns)
	if err != nil {
		return err
	}
	out := tabular.New(w, o.format, names, o.width)
	if err := t.first(names, o.rows, out.Row); err != nil {
		return err
	}
	return out.Close()
}

// first calls f with the first n rows, with all where n is negative.
func (t *tableContent) first(names []string, n int64, f func([]any) error) error {
	if n == 0 {
		return nil
	}
	for row, err := range t.Each(names...) {
		if err == nil {
			err = f(row)
		}
		if err != nil {
			return err
		}
		if n--; n == 0 {
			break
		}
	}
	return nil
}

// chosen are the columns of --columns, all without.
func (t *tableContent) chosen(columns []string) ([]string, error) {
	var known []string
	for _, c := range t.Columns {
		known = append(known, c.Name)
	}
	for _, name := range columns {
		if !slices.Contains(known, name) {
			return nil, config.Errorf("", 0, "--columns: there is no column %q%s", name, config.DidYouMean(name, known))
		}
	}
	if len(columns) == 0 {
		return known, nil
	}
	return columns, nil
}

func (t *tableContent) fields(o showOptions) (map[string]any, error) {
	names, err := t.chosen(o.columns)
	if err != nil {
		return nil, err
	}
	rows := []json.RawMessage{}
	err = t.first(names, o.rows, func(row []any) error {
		text, err := tabular.Object(names, row)
		rows = append(rows, text)
		return err
	})
	return map[string]any{"kind": "table", "schema": t.Schema, "columns": t.Columns, "row_count": t.Rows, "rows": rows}, err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
