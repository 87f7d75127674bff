package data

import (
	"slices"
	"testing"
	"testing/fstest"
)

func TestTables(t *testing.T) {
	shipped := fstest.MapFS{"tfs/README.md": {}, "tfs/b.csv": {Data: []byte("rows")}, "tfs/b.runs.csv": {}, "tfs/a.x.csv": {}}
	if got, want := tables(shipped), []string{"a.x", "b"}; !slices.Equal(got, want) {
		t.Errorf("tables %q, want %q", got, want)
	}
	text, file, err := table(shipped, "b")
	if string(text) != "rows" || file != "data/tfs/b.csv" || err != nil {
		t.Errorf("%q from %q, %v", text, file, err)
	}
	_, _, err = table(shipped, "c")
	if want := `no table named "c" ships with hsnas`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
