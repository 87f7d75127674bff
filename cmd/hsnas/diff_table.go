package main

import (
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"

	"hsnas/internal/tabular"
	"hsnas/schemas"
)

// tableDiff is how two tables of one kind differ. Rows are the same row where their
// values in Key agree.
type tableDiff struct {
	OtherSchema string       `json:"other_schema,omitempty"` // why the rows were not compared
	Key         []string     `json:"key"`                    // empty: rows are matched by their place
	Same        int          `json:"same"`
	Changed     int          `json:"changed"`
	Removed     int          `json:"removed"` // only in a
	Added       int          `json:"added"`   // only in b
	Columns     []columnDiff `json:"columns"` // that differ in rows of both
}

// columnDiff is how a column differs in the rows that both tables have.
type columnDiff struct {
	Name     string   `json:"name"`
	Unit     string   `json:"unit,omitempty"`
	Measured bool     `json:"measured"`
	Rows     int      `json:"rows"`     // that differ
	Absolute *float64 `json:"absolute"` // largest difference of numbers; null where none can be told
	Relative *float64 `json:"relative"` // largest difference by the larger magnitude of the two
}

// counts says whether a column differs that was not measured.
func (t *tableDiff) counts() bool {
	return slices.ContainsFunc(t.Columns, func(c columnDiff) bool { return !c.Measured })
}

// words count the rows.
func (t *tableDiff) words() string {
	if t.OtherSchema != "" {
		return t.OtherSchema
	}
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{t.Changed, "changed"}, {t.Removed, "only in a"}, {t.Added, "only in b"}, {t.Same, "the same"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	by := "by place"
	if len(t.Key) > 0 {
		by = "by " + strings.Join(t.Key, ", ")
	}
	return "rows: " + strings.Join(parts, ", ") + "; matched " + by
}

// diffTables compares two files, which it reads whole.
func diffTables(a, b string) (*tableDiff, error) {
	va, rowsA, err := readTable(a)
	if err != nil {
		return nil, err
	}
	vb, rowsB, err := readTable(b)
	if err != nil {
		return nil, err
	}
	t := &tableDiff{Key: []string{}, Columns: []columnDiff{}}
	if va.Schema != vb.Schema || !reflect.DeepEqual(va.Columns, vb.Columns) {
		t.OtherSchema = fmt.Sprintf("other columns: %s and %s", va.Schema, vb.Schema)
		return t, nil
	}
	key := keyColumns(va.Columns, rowsA, rowsB)
	for _, i := range key {
		t.Key = append(t.Key, va.Columns[i].Name)
	}
	t.compare(va.Columns, byKey(key, rowsA), byKey(key, rowsB))
	return t, nil
}

func readTable(place string) (*schemas.View, [][]any, error) {
	v, err := schemas.Open(place)
	if err != nil {
		return nil, nil, err
	}
	defer v.Close()
	rows := make([][]any, 0, v.Rows)
	for row, err := range v.Each() {
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, row)
	}
	return v, rows, nil
}

// remarks are texts about a row, which name none.
var remarks = []string{"gap", "note", "fault", "finish_reason", "model", "fingerprint"}

// keyColumns are the first columns that together tell all rows apart, in both tables;
// none where no columns do. Results are no names: numbers with a fraction are left out,
// and the architecture that a search found, and a limit that was measured, are taken
// only where texts and integers do not suffice.
func keyColumns(columns []schemas.Column, a, b [][]any) []int {
	for _, without := range [][]string{{"limit", "id", "architecture"}, {"id", "architecture"}, {"limit"}, nil} {
		var key []int
		for i, c := range columns {
			if strings.HasPrefix(c.Type, "list") || c.Measured() || slices.Contains(without, c.Name) || slices.Contains(remarks, c.Name) || c.Type == "float64" && c.Name != "limit" {
				continue
			}
			key = append(key, i)
			if unique(key, a) && unique(key, b) {
				return trim(key, a, b)
			}
		}
	}
	return nil
}

// trim leaves out the columns that are not needed to tell rows apart, the first before
// others: the task's name is the same everywhere.
func trim(key []int, a, b [][]any) []int {
	for i := 0; i < len(key) && len(key) > 1; {
		without := slices.Delete(slices.Clone(key), i, i+1)
		if unique(without, a) && unique(without, b) {
			key = without
		} else {
			i++
		}
	}
	return key
}

func unique(key []int, rows [][]any) bool {
	seen := make(map[string]bool, len(rows))
	for _, row := range rows {
		k := keyOf(key, row)
		if seen[k] {
			return false
		}
		seen[k] = true
	}
	return true
}

func keyOf(key []int, row []any) string {
	var out strings.Builder
	for _, i := range key {
		fmt.Fprintf(&out, "%q ", fmt.Sprint(row[i]))
	}
	return out.String()
}

// byKey maps rows by their key, or their place where there is no key.
func byKey(key []int, rows [][]any) map[string][]any {
	out := make(map[string][]any, len(rows))
	for i, row := range rows {
		k := fmt.Sprint(i)
		if key != nil {
			k = keyOf(key, row)
		}
		out[k] = row
	}
	return out
}

func (t *tableDiff) compare(columns []schemas.Column, a, b map[string][]any) {
	diffs := make([]columnDiff, len(columns))
	for k, row := range a {
		other, both := b[k]
		if !both {
			t.Removed++
			continue
		}
		changed := false
		for i := range columns {
			if !reflect.DeepEqual(row[i], other[i]) {
				changed = true
				diffs[i].add(row[i], other[i])
			}
		}
		if changed {
			t.Changed++
		} else {
			t.Same++
		}
	}
	t.Added = len(b) - t.Same - t.Changed
	for i, d := range diffs {
		if d.Rows > 0 {
			d.Name, d.Unit, d.Measured = columns[i].Name, columns[i].Unit, columns[i].Measured()
			t.Columns = append(t.Columns, d)
		}
	}
}

// add counts two values that differ.
func (d *columnDiff) add(a, b any) {
	d.Rows++
	x, okA := asNumber(a)
	y, okB := asNumber(b)
	if !okA || !okB {
		return
	}
	larger(&d.Absolute, math.Abs(x-y))
	larger(&d.Relative, math.Abs(x-y)/math.Max(math.Abs(x), math.Abs(y)))
}

// larger keeps the larger of what is there and x, if that is a number.
func larger(to **float64, x float64) {
	if !math.IsNaN(x) && !math.IsInf(x, 0) && (*to == nil || x > **to) {
		*to = &x
	}
}

func asNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	}
	return 0, false
}

// printColumns prints what differs in rows of both runs.
func (d *runsDiff) printColumns(w io.Writer, width int) error {
	out := tabular.New(w, tabular.Text, []string{"artifact", "column", "rows", "largest difference", "relative", "unit", ""}, width)
	found := false
	for _, a := range d.Artifacts {
		if a.Table == nil {
			continue
		}
		for _, c := range a.Table.Columns {
			found = true
			kind := ""
			if c.Measured {
				kind = "measured"
			}
			if err := out.Row([]any{a.Path, c.Name, int64(c.Rows), orNil(c.Absolute), percent(c.Relative), c.Unit, kind}); err != nil {
				return err
			}
		}
	}
	if !found {
		return nil
	}
	fmt.Fprint(w, "\ncolumns that differ, in rows of both\n")
	return out.Close()
}

func percent(x *float64) string {
	if x == nil {
		return "-"
	}
	if *x >= 0.1 {
		return fmt.Sprintf("%.0f %%", 100**x)
	}
	return fmt.Sprintf("%.2g %%", 100**x)
}

func orNil(x *float64) any {
	if x == nil {
		return nil
	}
	return *x
}

func round(x float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(x*scale) / scale
}
