package pipeline

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// runChain runs chain in a directory of its own and returns its manifest.
func runChain(t *testing.T, text string, seed int) *Manifest {
	t.Helper()
	dir, external := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(external, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), dir, chain(external, seed), Options{Libraries: map[string]string{"go": "1"}}); err != nil {
		t.Fatal(err)
	}
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCompareEqualRuns: folders, times and the places of files do not count.
func TestCompareEqualRuns(t *testing.T) {
	d := Compare(runChain(t, "abc", 1), runChain(t, "abc", 1))
	for _, list := range [][]Change{d.Stages, d.Params, d.Files, d.Libraries, d.Host} {
		if len(list) > 0 {
			t.Errorf("a difference: %+v", list)
		}
	}
	var paths []string
	for _, o := range d.Outputs {
		paths = append(paths, o.Path)
		if !o.Same() || len(o.A) != 64 {
			t.Errorf("%+v", o)
		}
	}
	if want := []string{"draw/out.txt", "parity/out.txt", "sum/out.txt"}; !slices.Equal(paths, want) {
		t.Errorf("artifacts %q, want %q", paths, want)
	}
	if len(d.Seconds) != 3 || d.Seconds[2].Stage != "sum" {
		t.Errorf("seconds %+v", d.Seconds)
	}
}

// TestCompare names each cause once, and the artifacts that it reached.
func TestCompare(t *testing.T) {
	a, b := runChain(t, "abc", 1), runChain(t, "abx", 2)
	for _, r := range b.Stages {
		r.Host.Name, r.Host.CPUs = "other", 64
		r.Libraries = map[string]string{"go": "2", "new": "1"}
	}
	a.Stages[0].Host.Name, a.Stages[1].Host.Name, a.Stages[2].Host.Name = "one", "one", "one"
	a.Stages[0].Host.CPUs, a.Stages[1].Host.CPUs, a.Stages[2].Host.CPUs = 2, 2, 2
	b.Stages[1].Ingredients.Version = 9
	b.Stages = slices.Delete(b.Stages, 2, 3)
	d := Compare(a, b)
	all := []string{"draw", "parity"}
	sum := func(m *Manifest) string { return m.Stages[0].Ingredients.External[0].SHA256 }
	for name, pair := range map[string][2][]Change{
		"stages":    {d.Stages, {{[]string{"parity"}, "version", "1", "9"}, {[]string{"sum"}, "state", "done", ""}}},
		"params":    {d.Params, {{[]string{"draw"}, "draw.seed", "1", "2"}}},
		"files":     {d.Files, {{[]string{"draw"}, "in.txt", sum(a), sum(b)}}},
		"libraries": {d.Libraries, {{all, "go", "1", "2"}, {all, "new", "", "1"}}},
		"host":      {d.Host, {{all, "cores", "2", "64"}, {all, "name", "one", "other"}}},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: got %+v\nwant %+v", name, pair[0], pair[1])
		}
	}
	same := map[string]bool{}
	for _, o := range d.Outputs {
		same[o.Path] = o.Same()
	}
	if want := map[string]bool{"draw/out.txt": false, "parity/out.txt": true, "sum/out.txt": false}; !reflect.DeepEqual(same, want) {
		t.Errorf("the same: %v, want %v", same, want)
	}
}

// TestCompareFilesOfOneName: two files of the same name are not taken for one.
func TestCompareFilesOfOneName(t *testing.T) {
	m := func(sums ...string) *Manifest {
		r := &Record{Stage: "s", State: Done}
		for i, s := range sums {
			r.Ingredients.External = append(r.Ingredients.External, External{filepath.Join(string(rune('a'+i)), "x.csv"), s})
		}
		return &Manifest{Stages: []*Record{r}}
	}
	d := Compare(m("1", "2"), m("1", "3"))
	if want := []Change{{[]string{"s"}, "x.csv (2)", "2", "3"}}; !reflect.DeepEqual(d.Files, want) {
		t.Errorf("got %+v", d.Files)
	}
}

// TestCompareWithAStageThatFailed: what it left from before is no result.
func TestCompareWithAStageThatFailed(t *testing.T) {
	a, b := runChain(t, "abc", 1), runChain(t, "abc", 1)
	b.Stages[2].State = Failed
	d := Compare(a, b)
	if want := []Change{{[]string{"sum"}, "state", "done", "failed"}}; !reflect.DeepEqual(d.Stages, want) {
		t.Errorf("got %+v", d.Stages)
	}
	if last := d.Outputs[2]; last.Path != "sum/out.txt" || last.B != "" || last.Same() {
		t.Errorf("got %+v", last)
	}
}
