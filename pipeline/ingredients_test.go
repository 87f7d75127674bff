package pipeline

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type nested struct {
	Rate  float64        `yaml:"rate"`
	Names []string       `yaml:"names"`
	Inner map[string]int `yaml:"inner"`
}

func TestCanonical(t *testing.T) {
	tests := []struct {
		params any
		want   string
	}{
		{nil, `null`},
		{seedParams{5}, `{"seed":5}`},
		{nested{0.5, []string{"b", "a"}, map[string]int{"y": 1, "x": 2}}, `{"inner":{"x":2,"y":1},"names":["b","a"],"rate":0.5}`},
		{nested{Rate: math.Inf(1)}, `{"inner":{},"names":[],"rate":"+Inf"}`},
		{map[int]float64{2: math.NaN()}, `{"2":"NaN"}`},
	}
	for _, test := range tests {
		if got, err := canonical(test.params); err != nil || string(got) != test.want {
			t.Errorf("got  %s, %v\nwant %s", got, err, test.want)
		}
	}
}

func TestKey(t *testing.T) {
	base := func() Ingredients {
		return Ingredients{
			Version: 1, Params: []byte(`{"seed":1,"list":[1,2]}`), Inputs: map[string]string{"a": "1", "b": "2"},
			External: []External{{"x/scores.csv", "3"}, {"y/scores.csv", "4"}},
		}
	}
	key := base().key("s")
	same := map[string]func(*Ingredients){
		"indented parameters":     func(in *Ingredients) { in.Params = []byte("{\"seed\": 1,\n \"list\": [1,\n 2]}") },
		"external files move":     func(in *Ingredients) { in.External[0].Path = "/elsewhere/scores.csv" },
		"nothing":                 func(*Ingredients) {},
		"inputs in another order": func(in *Ingredients) { in.Inputs = map[string]string{"b": "2", "a": "1"} },
	}
	for what, change := range same {
		in := base()
		change(&in)
		if in.key("s") != key || len(in.changes("s", base())) > 0 {
			t.Errorf("%s: another key, or %v", what, in.changes("s", base()))
		}
	}
	other := map[string]struct {
		change func(*Ingredients)
		want   string
	}{
		"version":        {func(in *Ingredients) { in.Version = 2 }, "stage version 1 -> 2"},
		"parameter":      {func(in *Ingredients) { in.Params = []byte(`{"list":[1,3],"seed":1}`) }, "params: s.list [1,2] -> [1,3]"},
		"parameter new":  {func(in *Ingredients) { in.Params = []byte(`{"list":[1,2],"seed":1,"x":{"y":0}}`) }, "params: s.x.y (unset) -> 0"},
		"parameter gone": {func(in *Ingredients) { in.Params = []byte(`{"list":[1,2]}`) }, "params: s.seed 1 -> (unset)"},
		"input":          {func(in *Ingredients) { in.Inputs["b"] = "9" }, "input b changed"},
		"input later":    {func(in *Ingredients) { in.Inputs["b"] = remade }, "input b will be made again"},
		"input new":      {func(in *Ingredients) { in.Inputs["c"] = "9" }, "input c is new"},
		"input gone":     {func(in *Ingredients) { delete(in.Inputs, "a") }, "input a is no longer read"},
		"file":           {func(in *Ingredients) { in.External[1].SHA256 = "9" }, "file y/scores.csv changed"},
		"file new":       {func(in *Ingredients) { in.External = append(in.External, External{"z.csv", "9"}) }, "file z.csv is new"},
		"file gone":      {func(in *Ingredients) { in.External = in.External[:1] }, "file y/scores.csv is no longer read"},
		"file renamed":   {func(in *Ingredients) { in.External[1].Path = "y/z.csv" }, "file y/z.csv is new; file y/scores.csv is no longer read"},
	}
	for what, test := range other {
		in := base()
		test.change(&in)
		if in.key("s") == key {
			t.Errorf("%s: the same key", what)
		}
		if got := strings.Join(in.changes("s", base()), "; "); got != test.want {
			t.Errorf("%s:\n got  %s\n want %s", what, got, test.want)
		}
	}
	if base().key("t") == key {
		t.Error("another stage has the same key")
	}
}

func TestLongValuesAreShortened(t *testing.T) {
	in := Ingredients{Params: []byte(`{"text":"` + strings.Repeat("ä", 100) + `"}`)}
	want := `params: s.text (unset) -> "` + strings.Repeat("ä", 56) + "..."
	if got := in.changes("s", Ingredients{}); !slices.Equal(got, []string{want}) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSumExternal(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	sum := func() string {
		t.Helper()
		s, err := sumExternal(dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	write("a/1.txt", "one")
	first := sum()
	write("a/2.txt", "two")
	second := sum()
	write("a/2.txt", "TWO")
	if third := sum(); first == second || second == third || sum() != third {
		t.Error("a folder's checksum does not follow its contents")
	}
	want := "cannot read " + dir + "/none: no such file or directory"
	if _, err := sumExternal(filepath.Join(dir, "none")); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
