package main

import (
	"encoding/json"
	"strings"
	"testing"

	"hsnas/pipeline"
)

// TestPrintStatus: every reason has its line, and the last line says what comes next.
func TestPrintStatus(t *testing.T) {
	states := []pipeline.Status{
		{Stage: "label", State: "done", Seconds: 1.25, Files: 3, Bytes: 12345},
		{Stage: "distill", State: "stale", Seconds: 61, Reasons: []string{"params: distill.seed 1 -> 2", "input label/labels.parquet changed"}, Files: 1, Bytes: 10, Runs: true},
		{Stage: "search", State: "pending", Reasons: []string{"it has not run yet"}, Runs: true},
	}
	want := `stage    state    seconds  size     reason
label    done     1.2      12.3 kB  
distill  stale    61.0     10 B     params: distill.seed 1 -> 2
                                    input label/labels.parquet changed
search   pending  0.0      -        it has not run yet
the next run would run: distill, search
`
	var out strings.Builder
	if err := printStatus(&out, states); err != nil || out.String() != want {
		t.Errorf("%v: got\n%swant\n%s", err, out.String(), want)
	}
	for last, states := range map[string][]pipeline.Status{
		"the next run would do nothing\n": {states[0]},
		"in use by process 7 on h\n":      {{Stage: "label", State: "running", Holder: "process 7 on h"}, states[2]},
	} {
		out.Reset()
		if err := printStatus(&out, states); err != nil || !strings.HasSuffix(out.String(), "\n"+last) {
			t.Errorf("%v: got\n%swant at the end %s", err, out.String(), last)
		}
	}
}

// TestStatusJSON keeps the keys that programs read.
func TestStatusJSON(t *testing.T) {
	text, err := json.Marshal(pipeline.Status{Stage: "label", State: "stale", Reason: "a; b", Seconds: 2, Reasons: []string{"a", "b"}, Files: 1, Bytes: 5, Runs: true})
	want := `{"stage":"label","state":"stale","reason":"a; b","seconds":2,"reasons":["a","b"],"files":1,"bytes":5,"runs":true}`
	if err != nil || string(text) != want {
		t.Errorf("got %s, %v\nwant %s", text, err, want)
	}
}
