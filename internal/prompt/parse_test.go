package prompt

import (
	"math"
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
		got, err := Parse(tk, content, 2)
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
		_, err := Parse(tk, tt.content, 2)
		if err == nil || err.Error() != tt.want {
			t.Errorf("Parse(%q)\n got %v\nwant %s", tt.content, err, tt.want)
		}
	}
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
		got, err := Parse(tk, content, 2)
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
