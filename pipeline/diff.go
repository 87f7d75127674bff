package pipeline

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Change is one thing that is not the same in two runs. What a run does not have is "".
type Change struct {
	Stages []string `json:"stages"` // whose records say so, in order
	What   string   `json:"what"`
	A      string   `json:"a"`
	B      string   `json:"b"`
}

// Difference is what two manifests say of the same stages.
type Difference struct {
	Stages    []Change   `json:"stages"`    // that one run alone has, that did not end well, or whose code is another version
	Params    []Change   `json:"params"`    // by dotted name, search.iterations for one
	Files     []Change   `json:"files"`     // outside the runs, by SHA-256
	Libraries []Change   `json:"libraries"` // the program and Go among them
	Host      []Change   `json:"host"`
	Outputs   []Output   `json:"outputs"` // every artifact of either run
	Seconds   []Duration `json:"seconds"` // measured, of the stages that both have
}

// Output is an artifact of two runs.
type Output struct {
	Path  string `json:"path"`
	Stage string `json:"stage"`
	A     string `json:"a"` // SHA-256, "" where the run does not have it
	B     string `json:"b"`
}

// Same says whether both runs have it, byte for byte.
func (o Output) Same() bool { return o.A == o.B }

// Duration is how long a stage took in two runs.
type Duration struct {
	Stage string  `json:"stage"`
	A     float64 `json:"a"`
	B     float64 `json:"b"`
}

// Compare says how run b differs from run a, by what their manifests say. An input
// that another stage wrote is an output of that one, and is not named twice.
func Compare(a, b *Manifest) *Difference {
	d := &Difference{
		Stages: []Change{}, Params: []Change{}, Files: []Change{}, Libraries: []Change{}, Host: []Change{},
		Outputs: []Output{}, Seconds: []Duration{},
	}
	for _, stage := range stageNames(a, b) {
		ra, rb := a.Record(stage), b.Record(stage)
		if sa, sb := stateOf(ra), stateOf(rb); sa != sb {
			d.Stages = append(d.Stages, Change{[]string{stage}, "state", sa, sb})
		}
		d.outputs(stage, ra, rb)
		if ra == nil || rb == nil {
			continue
		}
		d.record(stage, ra, rb)
	}
	slices.SortStableFunc(d.Outputs, func(x, y Output) int { return strings.Compare(x.Path, y.Path) })
	return d
}

// stageNames are those of both, in the order of a.
func stageNames(a, b *Manifest) []string {
	var out []string
	for _, m := range []*Manifest{a, b} {
		for _, r := range m.Stages {
			if !slices.Contains(out, r.Stage) {
				out = append(out, r.Stage)
			}
		}
	}
	return out
}

func stateOf(r *Record) string {
	if r == nil {
		return ""
	}
	return string(r.State)
}

// record compares what a stage of both runs was made of.
func (d *Difference) record(stage string, a, b *Record) {
	add := func(list *[]Change, what, va, vb string) { *list = appendChange(*list, stage, what, va, vb) }
	add(&d.Stages, "version", strconv.Itoa(a.Ingredients.Version), strconv.Itoa(b.Ingredients.Version))
	pairs(a.Parameters(), b.Parameters(), func(what, va, vb string) { add(&d.Params, what, va, vb) })
	pairs(externals(a), externals(b), func(what, va, vb string) { add(&d.Files, what, va, vb) })
	pairs(a.Libraries, b.Libraries, func(what, va, vb string) { add(&d.Libraries, what, va, vb) })
	pairs(a.Host.facts(), b.Host.facts(), func(what, va, vb string) { add(&d.Host, what, va, vb) })
	d.Seconds = append(d.Seconds, Duration{stage, a.Seconds, b.Seconds})
}

// Parameters are the stage's parameters by dotted name, search.iterations for one, as
// JSON. One that is null is left out.
func (r *Record) Parameters() map[string]string {
	out := map[string]string{}
	flatten(r.Stage, r.Ingredients.Params, out)
	return out
}

// appendChange adds what differs; the same change in another stage joins the first.
func appendChange(list []Change, stage, what, a, b string) []Change {
	if a == b {
		return list
	}
	for i, c := range list {
		if c.What == what && c.A == a && c.B == b {
			list[i].Stages = append(list[i].Stages, stage)
			return list
		}
	}
	return append(list, Change{[]string{stage}, what, a, b})
}

// pairs calls f with every key of either map, sorted, and its values.
func pairs(a, b map[string]string, f func(key, a, b string)) {
	all := map[string]string{}
	maps.Copy(all, a)
	maps.Copy(all, b)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		f(k, a[k], b[k])
	}
}

// externals maps the names of files outside the run to their checksums. Where they lie
// does not count; of several with one name each has its number.
func externals(r *Record) map[string]string {
	out := map[string]string{}
	for _, e := range r.Ingredients.External {
		name := filepath.Base(e.Path)
		for n := 2; out[name] != ""; n++ {
			name = filepath.Base(e.Path) + " (" + strconv.Itoa(n) + ")"
		}
		out[name] = e.SHA256
	}
	return out
}

func (h Host) facts() map[string]string {
	return map[string]string{"name": h.Name, "system": h.OS + "/" + h.Arch, "cores": strconv.Itoa(h.CPUs)}
}

// outputs pairs the artifacts of a stage. Those of one that is not done do not count.
func (d *Difference) outputs(stage string, a, b *Record) {
	sums := func(r *Record) map[string]string {
		out := map[string]string{}
		if r != nil && r.State == Done {
			for _, o := range r.Outputs {
				out[o.Path] = o.SHA256
			}
		}
		return out
	}
	pairs(sums(a), sums(b), func(path, sa, sb string) { d.Outputs = append(d.Outputs, Output{path, stage, sa, sb}) })
}
