package label

import (
	"strings"
	"testing"

	"hsnas/schemas"
)

// ids are the custom ids of what the stage asked.
func (f *fixture) ids(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, l := range f.sent(t) {
		out = append(out, l.CustomID)
	}
	return out
}

// TestFolds: every demonstration is asked about once, and never shown to the one
// who is asked about it.
func TestFolds(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	p := params(Live)
	p.Folds, p.Sets = 2, []string{schemas.SetTest}
	if err := f.run(t, p); err != nil {
		t.Fatal(err)
	}
	asked := map[string]int{}
	for _, l := range f.labels(t) {
		if l.Set != schemas.SetDemonstration {
			continue
		}
		asked[l.ID]++
		if want := truthOf(t, f, l.ID); l.Prediction != want {
			t.Errorf("%s: %v, want %v", l.ID, l.Prediction, want)
		}
	}
	if len(asked) != 4 {
		t.Errorf("%d demonstrations asked about, want 4", len(asked))
	}
	for _, l := range f.sent(t) {
		shown, queried, _ := strings.Cut(l.Body.Messages[1].Content, "## Queries")
		if !strings.Contains(l.CustomID, "-demonstration-") {
			continue
		}
		for _, q := range queryKnob.FindAllStringSubmatch("## Queries"+queried, -1) {
			if strings.Contains(shown, "\na: "+q[1]+"\n") {
				t.Errorf("%s shows the architecture a=%s that it asks about", l.CustomID, q[1])
			}
		}
	}
}

// TestDemonstrationsShown: as many as asked for, the same ones in another order
// for another seed.
func TestDemonstrationsShown(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	shown := func(n int, seed uint64) string {
		p := params(Live)
		p.Demonstrations, p.OrderSeed, p.Sets = n, seed, []string{schemas.SetTest}
		if err := f.run(t, p); err != nil {
			t.Fatal(err)
		}
		text := f.sent(t)[0].Body.Messages[1].Content
		_, text, _ = strings.Cut(text, "## Demonstrations\n")
		text, _, _ = strings.Cut(text, "## Queries")
		return text
	}
	if got := strings.Count(shown(-1, 0), "### Demonstration"); got != 2 {
		t.Errorf("all: %d demonstrations, want 2", got)
	}
	if got := shown(1, 0); strings.Count(got, "### Demonstration") != 1 || !strings.Contains(got, "\na: 1\n") {
		t.Errorf("one: %q, want the first", got)
	}
	if got := shown(0, 0); got != "" {
		t.Errorf("none: %q", got)
	}
	differ := false
	for seed := range uint64(8) {
		got := shown(-1, seed+1)
		differ = differ || strings.Index(got, "\na: 2\n") < strings.Index(got, "\na: 1\n")
	}
	if !differ {
		t.Error("no seed of eight turns two demonstrations around")
	}
}

// TestPairs: every query meets equally many others, no pair twice.
func TestPairs(t *testing.T) {
	for _, tt := range []struct{ n, per, want int }{{20, 4, 40}, {20, 1, 20}, {5, 100, 10}, {4, 4, 6}, {2, 2, 1}, {3, 2, 3}} {
		queries := make([]query, tt.n)
		for i := range queries {
			queries[i].id = string(rune('a' + i))
		}
		met, count, first := map[string]bool{}, map[string]int{}, map[string]int{}
		got := pairs(queries, tt.per)
		for _, p := range got {
			a, b := min(p[0].id, p[1].id), max(p[0].id, p[1].id)
			if len(p) != 2 || a == b || met[a+b] {
				t.Errorf("%d queries, %d each: pair %s %s", tt.n, tt.per, a, b)
			}
			met[a+b] = true
			first[p[0].id]++
			count[a]++
			count[b]++
		}
		if len(got) != tt.want {
			t.Errorf("%d queries, %d each: %d pairs, want %d", tt.n, tt.per, len(got), tt.want)
		}
		for id, n := range count {
			if n != 2*tt.want/tt.n {
				t.Errorf("%d queries, %d each: %s is in %d pairs", tt.n, tt.per, id, n)
			}
			if tt.per < tt.n-1 && 2*first[id] != n { // diameters of a circle have one first
				t.Errorf("%d queries, %d each: %s is read first in %d of %d pairs", tt.n, tt.per, id, first[id], n)
			}
		}
	}
}

func TestTag(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	p := params(Live)
	p.Tag = "no-role"
	if err := f.run(t, p); err != nil {
		t.Fatal(err)
	}
	for _, id := range f.ids(t) {
		if !strings.Contains(id, "-no-role") {
			t.Errorf("custom id %s without the tag", id)
		}
	}
}

// TestAllowMissing: a recording without the answers leaves gaps where that is
// allowed, and ends the run where it is not.
func TestAllowMissing(t *testing.T) {
	f := newFixture(t)
	empty := f.dir + "/empty.jsonl"
	write(t, empty, "")
	p := params(Replay)
	p.Answers = empty
	if err := f.run(t, p); err == nil || !strings.Contains(err.Error(), "holds no answer") {
		t.Errorf("not allowed: %v", err)
	}
	p.AllowMissing = true
	if err := f.run(t, p); err != nil {
		t.Fatal(err)
	}
	for _, l := range f.labels(t) {
		if !strings.Contains(l.Gap, "holds no answer") {
			t.Errorf("gap %q", l.Gap)
		}
	}
}

func TestVariantsRefused(t *testing.T) {
	tests := []struct {
		change func(*Params)
		want   string
	}{
		{func(p *Params) { p.Sets = []string{"tset"} }, `sets: unknown set "tset"; did you mean "test"?; expected some of [test unlabelled]`},
		{func(p *Params) { p.Sets = nil }, `sets: expected at least one of [test unlabelled]`},
		{func(p *Params) { p.Elicitation = "rank" }, `elicitation: unknown way to ask "rank"; did you mean "ranking"?; expected one of [values ranking pairs]`},
		{func(p *Params) { p.Elicitation = "ranking" }, `elicitation: ranking gives an order, and students are distilled from values; set sets to [test]`},
		{func(p *Params) { p.Elicitation, p.Sets, p.Folds = "pairs", []string{"test"}, 5 }, `folds: 5, but only values can be held against the demonstrations' scores; set elicitation to values or folds to 0`},
		{func(p *Params) { p.Folds = 1 }, `folds: 1, expected at least 2, or 0 for none`},
		{func(p *Params) { p.Demonstrations = -2 }, `demonstrations: -2, expected 0 or more, or -1 for all`},
		{func(p *Params) { p.Disguise = "nuetral" }, `disguise: unknown disguise "nuetral"; did you mean "neutral"?; expected one of [neutral false], or none`},
		{func(p *Params) { p.Tag = "a b" }, `tag: "a b", expected letters, digits and dashes`},
	}
	for _, tt := range tests {
		p := Defaults()
		tt.change(&p)
		if err := p.Validate(); err == nil || err.Error() != tt.want {
			t.Errorf("got %v\nwant %s", err, tt.want)
		}
	}
}
