package config

import (
	"errors"
	"testing"
)

type inner struct {
	Iterations int     `yaml:"iterations"`
	Rate       float64 `yaml:"rate"`
}

func (p *inner) Validate() error {
	if p.Iterations < 1 {
		return Fieldf("iterations", "expected at least 1, found %d", p.Iterations)
	}
	return nil
}

type outer struct {
	Name   string             `yaml:"name"`
	Search inner              `yaml:"search"`
	Limits []float64          `yaml:"limits"`
	Values map[string]float64 `yaml:"values"`
	Fast   bool               `yaml:"fast"`
}

func TestDecodeKeepsDefaultsAndReadsTheRest(t *testing.T) {
	got := outer{Name: "default", Search: inner{Iterations: 30, Rate: 0.3}}
	err := Decode("x.yaml", []byte("search: {iterations: 10}\nlimits: [100, 1.5]\nvalues: {a: 2}\nfast: true\n"), &got)
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "default" || got.Search != (inner{10, 0.3}) || len(got.Limits) != 2 || got.Limits[1] != 1.5 || got.Values["a"] != 2 || !got.Fast {
		t.Errorf("decoded %+v", got)
	}
}

func TestDecodeFaults(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"nme: x", `x.yaml:1: unknown key "nme"; did you mean "name"?`},
		{"name: x\nsearch:\n  iteratons: 3", `x.yaml:3: unknown key "iteratons" in search; did you mean "iterations"?`},
		{"qqqq: 1", `x.yaml:1: unknown key "qqqq"; known: fast, limits, name, search, values`},
		{"name: a\nname: b", `x.yaml:2: key "name" is given twice`},
		{"search: 5", `x.yaml:1: search: expected a mapping of keys to values, found "5"`},
		{"search: {iterations: many}", `x.yaml:1: search.iterations: expected a whole number, found "many"`},
		{"search: {iterations: 2.5}", `x.yaml:1: search.iterations: expected a whole number, found "2.5"`},
		{"search:\n  rate: 1\n  iterations: 0", `x.yaml:3: iterations: expected at least 1, found 0`},
		{"limits: 5", `x.yaml:1: limits: expected a list, found "5"`},
		{"limits:\n- 1\n- x", `x.yaml:3: limits[1]: expected a number, found "x"`},
		{"fast: maybe", `x.yaml:1: fast: expected true or false, found "maybe"`},
		{"name:", `x.yaml:1: name: expected a text, found nothing`},
		{"name: [a", `x.yaml:1: malformed YAML: did not find expected ',' or ']'`},
		{"", `x.yaml: the file is empty; expected a YAML mapping`},
		{"values: {a: 1, a: 2}", `x.yaml:1: key "a" is given twice in values`},
	} {
		err := Decode("x.yaml", []byte(c.text), &outer{Search: inner{Iterations: 1}})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: error %v is no *config.Error", c.text, err)
			continue
		}
		if err.Error() != c.want {
			t.Errorf("%q:\n got  %s\n want %s", c.text, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: x\nsearch: {iterations: 10}\nlimits: [1, 2]"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("name: &n x\nvalues: {a: *n}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		_ = Decode("x.yaml", text, &outer{})
	})
}
