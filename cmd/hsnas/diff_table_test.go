package main

import (
	"path/filepath"
	"reflect"
	"testing"

	"hsnas/schemas"
)

func writeCosts(t *testing.T, rows ...schemas.MeasuredCost) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "costs.parquet")
	if err := schemas.WriteMeasuredCosts(path, rows, schemas.Provenance{}); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDiffTables counts rows by their key, wherever they stand.
func TestDiffTables(t *testing.T) {
	row := func(id string, value float64) schemas.MeasuredCost {
		return schemas.MeasuredCost{ID: id, Cost: "latency_ms", Unit: "ms", Value: value}
	}
	a := writeCosts(t, row("a", 1), row("b", 10), row("c", 3))
	b := writeCosts(t, row("c", 3), row("b", 8), row("d", 4))
	d, err := diffTables(a, b)
	if err != nil {
		t.Fatal(err)
	}
	absolute, relative := 2.0, 0.2
	want := &tableDiff{
		Key: []string{"id"}, Same: 1, Changed: 1, Removed: 1, Added: 1,
		Columns: []columnDiff{{Name: "value", Unit: "as in column unit", Rows: 1, Absolute: &absolute, Relative: &relative}},
	}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got  %+v\nwant %+v", d, want)
	}
	// Rows that nothing tells apart are compared in their order.
	d, err = diffTables(writeCosts(t, row("a", 1), row("a", 2)), writeCosts(t, row("a", 1), row("a", 3)))
	if err != nil || len(d.Key) != 0 || d.Same != 1 || d.Changed != 1 {
		t.Errorf("%v: got %+v", err, d)
	}
	other := filepath.Join(t.TempDir(), "tfs.parquet")
	if err := schemas.WriteTFS(other, nil, schemas.Provenance{}); err != nil {
		t.Fatal(err)
	}
	if d, err = diffTables(a, other); err != nil || d.OtherSchema != "other columns: costs/1 and tfs/1" || d.words() != d.OtherSchema {
		t.Errorf("%v: got %+v", err, d)
	}
}

// TestKeyColumns: a search's winner is a result, its name, seed and limit are names.
func TestKeyColumns(t *testing.T) {
	columns := []schemas.Column{
		{Name: "search", Type: "string"},
		{Name: "limit", Type: "float64"},
		{Name: "seed", Type: "int64"},
		{Name: "id", Type: "string"},
		{Name: "score", Type: "float64"},
		{Name: "note", Type: "string"},
		{Name: "curve", Type: "list<float64>"},
	}
	for _, test := range []struct {
		rows [][]any
		want []int
	}{
		{[][]any{{"s", 1.0, int64(1), "x", 1.0, "p", nil}, {"s", 1.0, int64(2), "x", 2.0, "q", nil}}, []int{2}},
		{[][]any{{"s", 1.0, int64(1), "x", 1.0, "p", nil}, {"s", 2.0, int64(1), "y", 2.0, "q", nil}}, []int{1}},
		{[][]any{{"s", 1.0, int64(1), "x", 1.0, "p", nil}, {"s", 1.0, int64(1), "y", 2.0, "q", nil}}, []int{3}},
		{[][]any{{"s", 1.0, int64(1), "x", 1.0, "p", nil}, {"s", 1.0, int64(1), "x", 2.0, "q", nil}}, nil},
	} {
		if got := keyColumns(columns, test.rows, test.rows); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%v: got %v, want %v", test.rows, got, test.want)
		}
	}
}
