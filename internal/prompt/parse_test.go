package prompt

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tk := load(t, "wmt14.en-de")
	for _, content := range []string{
		`{"predictions": [{"id": 1, "bleu": 24.5}, {"id": 2, "bleu": 25}]}`,
		" \n{\"predictions\":[{\"id\":1,\"bleu\":24.5},{\"id\":2,\"bleu\":2.5e1}]}\n",
		`{"predictions": [{"bleu": 25.0, "id": 2}, {"id": 1, "bleu": 24.50}]}`,
	} {
		got, err := Parse(tk, Style{}, content, 2)
		if err != nil || len(got) != 2 || got[0] != 24.5 || got[1] != 25 {
			t.Errorf("Parse(%s) = %v, %v", content, got, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const two = `{"predictions": [{"id": 1, "bleu": 24.5}, {"id": 2, "bleu": 25}]}`
	tests := []struct{ content, want string }{
		{"", `answer: empty`},
		{" \n", `answer: empty`},
		{"Here is the JSON: " + two, `answer: starts with "Here is the JSON: {\"predictions\": [{\"id\"..."; expected the JSON object alone`},
		{"```json\n" + two + "\n```", "answer: starts with \"```json\\n{\\\"predictions\\\": [{\\\"id\\\": 1, \\\"bleu...\"; expected the JSON object alone"},
		{two + " I hope this helps", `answer: text after the JSON object: "I hope this helps"`},
		{two + two, `answer: text after the JSON object: "{\"predictions\": [{\"id\": 1, \"bleu\": 24.5}..."`},
		{two[:40], `answer: the JSON ends too early`},
		{two[:len(two)-1], `answer: the JSON ends too early`},
		{`[1, 2]`, `answer: starts with "[1, 2]"; expected the JSON object alone`},
		{`{"scores": []}`, `answer: expected the key "predictions", found "scores"`},
		{`{}`, `answer: expected the key "predictions", found the end of it`},
		{`{"predictions": {}}`, `answer: expected a list of predictions, found an object`},
		{`{"predictions": null}`, `answer: expected a list of predictions, found null`},
		{`{"predictions": [24.5]}`, `answer: expected entry 1 as an object, found 24.5`},
		{`{"predictions": []}`, `answer: id 1 is missing`},
		{`{"predictions": [{"id": 1, "bleu": 24.5}]}`, `answer: id 2 is missing`},
		{`{"predictions": [{"id": 1, "bleu": 24.5}], "note": ""}`, `answer: expected nothing but predictions, found "note"`},
		{`{"predictions": [{"id": 1, "bleu": 1}, {"id": 1, "bleu": 2}]}`, `answer: id 1 stands there twice`},
		{`{"predictions": [{"id": 3, "bleu": 1}]}`, `answer: entry 1 has the id 3; expected 1 to 2`},
		{`{"predictions": [{"id": 0, "bleu": 1}]}`, `answer: entry 1 has the id 0; expected 1 to 2`},
		{`{"predictions": [{"id": 1.0, "bleu": 1}]}`, `answer: entry 1 has the id 1.0; expected 1 to 2`},
		{`{"predictions": [{"id": "1", "bleu": 1}]}`, `answer: entry 1: "id" is "1"; expected a number`},
		{`{"predictions": [{"bleu": 1}]}`, `answer: entry 1 has no "id"`},
		{`{"predictions": [{"id": 1}]}`, `answer: entry 1 (id 1) has no "bleu"`},
		{`{"predictions": [{"id": 1, "bleu": 1, "bleu": 2}]}`, `answer: entry 1 has "bleu" twice`},
		{`{"predictions": [{"id": 1, "BLEU": 1}]}`, `answer: entry 1 has the key "BLEU"; expected "id" and "bleu" alone`},
		{`{"predictions": [{"id": 1, "bleu": 1, "why": "deep"}]}`, `answer: entry 1 has the key "why"; expected "id" and "bleu" alone`},
		{`{"predictions": [{"id": 1, "bleu": "24.5"}]}`, `answer: entry 1: "bleu" is "24.5"; expected a number`},
		{`{"predictions": [{"id": 1, "bleu": null}]}`, `answer: entry 1: "bleu" is null; expected a number`},
		{`{"predictions": [{"id": 1, "bleu": [1]}]}`, `answer: entry 1: "bleu" is a list; expected a number`},
		{`{"predictions": [{"id": 1, "bleu": NaN}]}`, `answer: not JSON: invalid character 'N' looking for beginning of value`},
		{`{"predictions": [{"id": 1, "bleu": Infinity}]}`, `answer: not JSON: invalid character 'I' looking for beginning of value`},
		{`{"predictions": [{"id": 1, "bleu": 1e999}]}`, `answer: id 1: 1e999 is outside the range of BLEU, 0 to 100`},
		{`{"predictions": [{"id": 1, "bleu": -0.1}]}`, `answer: id 1: -0.1 is outside the range of BLEU, 0 to 100`},
		{`{"predictions": [{"id": 1, "bleu": 101}]}`, `answer: id 1: 101 is outside the range of BLEU, 0 to 100`},
		{"{\"predictions\": [\"\xff\"]}", `answer: not valid UTF-8`},
	}
	tk := load(t, "wmt14.en-de")
	for _, tt := range tests {
		_, err := Parse(tk, Style{}, tt.content, 2)
		if err == nil || err.Error() != tt.want {
			t.Errorf("Parse(%q)\n got %v\nwant %s", tt.content, err, tt.want)
		}
	}
}

func TestParseStyles(t *testing.T) {
	tk := load(t, "wmt14.en-de")
	tests := []struct {
		style   Style
		content string
		n       int
		want    []float64
	}{
		{Style{Ask: Values}, `{"predictions": [{"id": 2, "bleu": 25}, {"id": 1, "bleu": 24.5}]}`, 2, []float64{24.5, 25}},
		{Style{Disguise: Neutral}, `{"predictions": [{"id": 1, "score": 24.5}]}`, 1, []float64{24.5}},
		{Style{Disguise: False}, `{"predictions": [{"id": 1, "bleu": 24.5}]}`, 1, []float64{24.5}},
		{Style{Ask: Ranking}, `{"ranking": [2, 3, 1]}`, 3, []float64{0, 2, 1}},
		{Style{Ask: Pairs}, `{"better": 2}`, 2, []float64{0, 1}},
		{Style{Ask: Pairs}, "{\"better\":1}\n", 2, []float64{1, 0}},
	}
	for _, tt := range tests {
		got, err := Parse(tk, tt.style, tt.content, tt.n)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%+v %s: %v, %v; want %v", tt.style, tt.content, got, err, tt.want)
		}
	}
}

func TestParseStylesRefuses(t *testing.T) {
	tk := load(t, "wmt14.en-de")
	ranking, pairs := Style{Ask: Ranking}, Style{Ask: Pairs}
	tests := []struct {
		style         Style
		content, want string
	}{
		{ranking, `{"ranking": [1]}`, `answer: id 2 is missing`},
		{ranking, `{"ranking": [1, 1]}`, `answer: id 1 stands there twice`},
		{ranking, `{"ranking": [1, 3]}`, `answer: place 2 has the id 3; expected 1 to 2`},
		{ranking, `{"ranking": [1, 2, 1]}`, `answer: id 1 stands there twice`},
		{ranking, `{"ranking": [1, "2"]}`, `answer: place 2 is "2"; expected the id of a query`},
		{ranking, `{"ranking": [1.5, 2]}`, `answer: place 1 has the id 1.5; expected 1 to 2`},
		{ranking, `{"ranking": 1}`, `answer: expected a list of ids, found 1`},
		{ranking, `{"ranking": [1, 2], "why": "depth"}`, `answer: expected nothing but ranking, found "why"`},
		{ranking, `{"predictions": []}`, `answer: expected the key "ranking", found "predictions"`},
		{ranking, `{"ranking": [1, 2]} or so`, `answer: text after the JSON object: "or so"`},
		{ranking, `{"ranking": [1, 2`, `answer: the JSON ends too early`},
		{pairs, `{"better": 3}`, `answer: "better" has the id 3; expected 1 to 2`},
		{pairs, `{"better": null}`, `answer: "better" is null; expected the id of a query`},
		{pairs, `{"better": "both"}`, `answer: "better" is "both"; expected the id of a query`},
		{pairs, `{"better": 1, "better": 2}`, `answer: expected nothing but better, found "better"`},
		{pairs, `Query 1 is better.`, `answer: starts with "Query 1 is better."; expected the JSON object alone`},
		{Style{Disguise: Neutral}, `{"predictions": [{"id": 1, "bleu": 24}]}`, `answer: entry 1 has the key "bleu"; expected "id" and "score" alone`},
	}
	for _, tt := range tests {
		if _, err := Parse(tk, tt.style, tt.content, 2); err == nil || err.Error() != tt.want {
			t.Errorf("%s\n got %v\nwant %s", tt.content, err, tt.want)
		}
	}
}

func FuzzParseOrders(f *testing.F) {
	for _, s := range []string{`{"ranking": [2, 1]}`, `{"better": 1}`, `{"ranking": [[1]]}`, `{"better": {}}`, `{"ranking"`} {
		f.Add(s, true)
		f.Add(s, false)
	}
	tk := load(f, "wmt14.en-de")
	f.Fuzz(func(t *testing.T, content string, rank bool) {
		s := Style{Ask: Pairs}
		if rank {
			s.Ask = Ranking
		}
		got, err := Parse(tk, s, content, 2)
		if err == nil && !(got[0]+got[1] == 1 && got[0]*got[1] == 0) {
			t.Errorf("accepted %s as %v", content, got)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"predictions": [{"id": 1, "bleu": 24.5}, {"id": 2, "bleu": 25}]}`, `{"predictions": [{"id": 1,, "bleu": 24.5}]}`,
		`{"predictions": [{"id": 1, "bleu": 1e308}]}`, `{"predictions"`, "null", `{"predictions": [}]}`, "\xff",
	} {
		f.Add(s)
	}
	tk := load(f, "wmt14.en-de")
	f.Fuzz(func(t *testing.T, content string) {
		got, err := Parse(tk, Style{}, content, 2)
		if err != nil {
			if msg := err.Error(); strings.Contains(msg, "\n") || !strings.HasPrefix(msg, "answer: ") {
				t.Errorf("message %q", msg)
			}
			return
		}
		for _, x := range got {
			if math.IsNaN(x) || x < 0 || x > 100 {
				t.Errorf("accepted %v", got)
			}
		}
	})
}
