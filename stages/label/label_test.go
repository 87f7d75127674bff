package label

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/config"
	"hsnas/schemas"
)

func TestLive(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	if err := f.run(t, params(Live)); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range f.requests(t) {
		ids = append(ids, bare(r.CustomID))
		if r.Source != Live || r.Asks != 1 || !math.IsNaN(r.Dollars) || r.Model != "m-1" || r.Attempts != 1 || *r.PromptTokens != 10 || *r.CompletionTokens != 5 {
			t.Errorf("request %+v", r)
		}
	}
	if got := strings.Join(ids, " "); got != "knobs-demoss-test-0 knobs-demost-test-0 knobs-demoss-unlabelled-0 knobs-demoss-unlabelled-1" {
		t.Errorf("requests %s", got)
	}
	labels := f.labels(t)
	if len(labels) != 3+3+4 {
		t.Fatalf("%d labels", len(labels))
	}
	for _, l := range labels {
		if l.Prediction != truthOf(t, f, l.ID) || l.Gap != "" || l.Sample != 1 {
			t.Errorf("label %+v", l)
		}
	}
	if last := labels[9]; last.Set != schemas.SetUnlabelled || last.Split != "s" {
		t.Errorf("the unlabelled set is labelled with the demonstrations of the first split, found %+v", last)
	}
	f.free(t, m, params(Live))
}

// free runs the stage again and expects that nothing is sent and nothing changes.
func (f *fixture) free(t *testing.T, m *model, p Params) {
	t.Helper()
	before, sent := f.bytes(t), m.count()
	if err := f.run(t, p); err != nil {
		t.Fatal(err)
	}
	if m.count() != sent {
		t.Errorf("%d requests were sent again", m.count()-sent)
	}
	if !bytes.Equal(before, f.bytes(t)) {
		t.Error("the outputs of a second run differ")
	}
}

func (f *fixture) bytes(t *testing.T) []byte {
	t.Helper()
	var all []byte
	for _, path := range []string{f.out.Labels, f.out.Requests, f.out.Prompts} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	return all
}

// TestBadAnswersAreAskedAgain: a bounded number of times, then they are gaps; a
// second run does not buy them again.
func TestBadAnswersAreAskedAgain(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	m.spoil = func(n int, w http.ResponseWriter) bool {
		switch n {
		case 1: // the first round asks four questions, the second two again, the third as well
			complete(w, "I think that the first is best.", "stop")
		case 5:
			complete(w, `{"predictions": [{"id": 7, "prediction": 0.5}]}`, "stop")
		case 2, 6, 8:
			complete(w, `{"predictions": [`, "length")
		default:
			return false
		}
		return true
	}
	if err := f.run(t, params(Live)); err != nil {
		t.Fatal(err)
	}
	requests := f.requests(t)
	if requests[0].Attempts != 3 || requests[0].Asks != 3 || *requests[0].PromptTokens != 30 {
		t.Errorf("first request: %+v", requests[0])
	}
	for _, l := range f.labels(t) {
		if gap := bare(l.CustomID) == "knobs-demost-test-0"; gap != (l.Gap != "") || gap != (l.Prediction != l.Prediction) {
			t.Errorf("label %+v", l)
		} else if gap && bare(l.Gap) != `request knobs-demost-test-0: the answer was cut at the token limit (finish_reason "length"); set a higher max_tokens or max_completion_tokens` {
			t.Errorf("gap %q", l.Gap)
		}
	}
	if m.count() != 3+3+2 {
		t.Errorf("%d requests sent, want 8", m.count())
	}
	f.free(t, m, params(Live))
}

// TestResume: a run that ends half-way buys the rest alone.
func TestResume(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	m.spoil = func(n int, w http.ResponseWriter) bool {
		if n == 3 {
			w.WriteHeader(http.StatusTooManyRequests)
			io.WriteString(w, `{"error":{"message":"quota","code":"insufficient_quota"}}`)
		}
		return n == 3
	}
	const want = "label: request knobs-demoss-unlabelled-0: status 429: insufficient_quota: quota"
	if err := f.run(t, params(Live)); err == nil || bare(err.Error()) != want {
		t.Fatalf("got %v, want %s", err, want)
	}
	if _, err := os.Stat(f.out.Labels); !os.IsNotExist(err) {
		t.Error("a run that failed left labels")
	}
	if err := f.run(t, params(Live)); err != nil {
		t.Fatal(err)
	}
	if m.count() != 3+2 {
		t.Errorf("%d requests sent, want 5: two, the one that failed, and the other two", m.count())
	}
	f.free(t, m, params(Live))
}

func TestInterrupt(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	ctx, cancel := context.WithCancel(t.Context())
	m.spoil = func(n int, _ http.ResponseWriter) bool {
		if n == 2 {
			cancel() // and answer all the same
		}
		return false
	}
	err := Run(ctx, params(Live), f.in, f.out, schemas.Provenance{}, f.log)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a cancelled context", err)
	}
	if err := f.run(t, params(Live)); err != nil {
		t.Fatal(err)
	}
	if m.count() != 4 {
		t.Errorf("%d requests sent, want 4: the answer under way was paid for", m.count())
	}
}

// TestOutage: one request without an answer is a gap, several in a row end the
// run.
func TestOutage(t *testing.T) {
	fail := func(numbers string) func(int, http.ResponseWriter) bool {
		return func(n int, w http.ResponseWriter) bool {
			bad := strings.Contains(numbers, string(rune('0'+n)))
			if bad {
				w.WriteHeader(http.StatusInternalServerError)
			}
			return bad
		}
	}
	f, m := newFixture(t), newModel(t)
	f.in.Getenv, m.spoil = m.environment, fail("2457") // the second round asks two again, and one fails; as does the third
	if err := f.run(t, params(Live)); err != nil {
		t.Fatal(err)
	}
	if got := bare(f.labels(t)[3].Gap); got != `request knobs-demost-test-0: status 500 with a body that is not the service's JSON: ""` {
		t.Errorf("gap %q", got)
	}
	if got := f.labels(t)[9].Gap; got != "" {
		t.Errorf("gap %q, though the second round was answered", got)
	}
	f, m = newFixture(t), newModel(t)
	f.in.Getenv, m.spoil = m.environment, fail("456") // the last one, in every round
	if err := f.run(t, params(Live)); err != nil {
		t.Fatal(err)
	}
	f, m = newFixture(t), newModel(t)
	f.in.Getenv, m.spoil = m.environment, fail("234")
	const want = "label: 3 requests in a row failed, the service seems to be down; run again to go on: what was answered is kept: " +
		`request knobs-demoss-unlabelled-1: status 500 with a body that is not the service's JSON: ""`
	if err := f.run(t, params(Live)); err == nil || bare(err.Error()) != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// TestKeyReachesNothing: the service echoes the key wherever it can.
func TestKeyReachesNothing(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	m.spoil = func(n int, w http.ResponseWriter) bool {
		switch n {
		case 1, 2, 3:
			complete(w, "your key is "+key, key)
		case 4:
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"error":{"message":"Bearer `+key+`"}}`)
		default:
			return false
		}
		return true
	}
	if err := f.run(t, params(Live)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(f.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(key)) {
			t.Errorf("the key is in %s", path)
		}
	}
	if strings.Contains(f.log.String(), key) {
		t.Errorf("the key is in the log: %s", f.log)
	}
	for _, l := range f.labels(t) {
		if strings.Contains(l.Gap, key) {
			t.Errorf("the key is in the gap %q", l.Gap)
		}
	}
}

// TestBatch goes the way by hand: the requests are written, sent, and their
// response file read; a better file later counts, as nothing of it is journaled.
func TestBatch(t *testing.T) {
	f := newFixture(t)
	p := params(Batch)
	p.Samples = 2
	err := f.run(t, p)
	want := "label.source batch needs label.answers: send " + f.out.Prompts + " to the service's Batch API, and give its response file"
	var fault *config.Error
	if !errors.As(err, &fault) || err.Error() != want {
		t.Fatalf("got %v\nwant %s", err, want)
	}
	sent := f.sent(t)
	if len(sent) != 6 || bare(sent[1].CustomID) != "knobs-demoss-test-0-sample2" {
		t.Fatalf("%d requests, the second %q", len(sent), sent[1].CustomID)
	}
	p.Answers = filepath.Join(f.dir, "responses.jsonl")
	write(t, p.Answers, respond(sent[1:3]))
	if err := f.run(t, p); err != nil {
		t.Fatal(err)
	}
	labels := f.labels(t)
	if got, want := bare(labels[0].Gap), "request knobs-demoss-test-0: "+p.Answers+" holds no answer"; got != want {
		t.Errorf("gap %q, want %q", got, want)
	}
	if l := labels[3]; l.Gap != "" || l.Sample != 2 || bare(l.CustomID) != "knobs-demoss-test-0-sample2" {
		t.Errorf("label %+v", l)
	}
	write(t, p.Answers, respond(sent))
	if err := f.run(t, p); err != nil {
		t.Fatal(err)
	}
	for _, l := range f.labels(t) {
		if l.Gap != "" {
			t.Errorf("label %+v", l)
		}
	}
	write(t, p.Answers, "")
	want = p.Answers + ": the file is empty; expected the response file to " + f.out.Prompts
	if err := f.run(t, p); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// TestJournalIsAReplay: what a live run paid for can be replayed without a key.
func TestJournalIsAReplay(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	if err := f.run(t, params(Live)); err != nil {
		t.Fatal(err)
	}
	m.Close()
	want := f.labels(t)
	p := params(Replay)
	p.Model, p.Answers = "", f.in.Journal
	f.in.Getenv = nil
	if err := f.run(t, p); err != nil {
		t.Fatal(err)
	}
	for i, l := range f.labels(t) {
		if l.ID != want[i].ID || l.Prediction != want[i].Prediction {
			t.Errorf("replayed %+v, bought %+v", l, want[i])
		}
	}
	p.Samples = 2
	if err := f.run(t, p); err == nil || !strings.HasPrefix(bare(err.Error()), "label: request knobs-demoss-test-0-sample2: "+f.in.Journal+" holds no answer (sample 2, prompt ") ||
		!strings.HasSuffix(err.Error(), "...); record it with `source: live` or `source: batch`, a journal can be replayed as it is") {
		t.Errorf("got %v", err)
	}
}

func TestLeaveOut(t *testing.T) {
	f := newFixture(t)
	p := params(Batch)
	p.LeaveOut = []string{"role", "definitions"}
	var fault *config.Error
	if err := f.run(t, p); !errors.As(err, &fault) {
		t.Fatal(err)
	}
	r := f.sent(t)[0]
	if len(r.Body.Messages) != 1 || strings.Contains(r.Body.Messages[0].Content, "## Hyperparameters") {
		t.Errorf("messages %q", r.Body.Messages)
	}
}

func TestFaultyParams(t *testing.T) {
	tests := []struct{ yaml, want string }{
		{"source: life", `x.yaml:1: source: unknown source "life"; did you mean "live"?`},
		{"source: live", `x.yaml:1: source: live requests need label.model, the name of the service's model`},
		{"temperature: .nan", `x.yaml:1: temperature: NaN, expected 0 to 2, or -1 to send none`},
		{"samples: 1\nasks: 0", `x.yaml:2: asks: 0, expected at least 1`},
		{"max_tokens: -1", `x.yaml:1: max_tokens: -1, expected 0 or more`},
		{"budget_dollars: -3", `x.yaml:1: budget_dollars: -3, expected 0 or more`},
		{"source: batch-ap", `x.yaml:1: source: unknown source "batch-ap"; did you mean "batch-api"?`},
		{"source: batch-api", `x.yaml:1: source: batch-api requests need label.model, the name of the service's model`},
		{"poll_seconds: 0", `x.yaml:1: poll_seconds: 0, expected at least 1`},
		{"prompt_price: .inf", `x.yaml:1: prompt_price: +Inf, expected 0 or more`},
		{"prompt_price: 2.5", `x.yaml:1: completion_price: 0 beside a prompt_price of 2.5; give both, or a table with a 0 in it as prices`},
		{"completion_price: 10\nprompt_price: 0", `x.yaml:2: prompt_price: 0 beside a completion_price of 10; give both, or a table with a 0 in it as prices`},
		{"leave_out: [rule]", `x.yaml:1: leave_out: unknown component "rule"; did you mean "role"?`},
		{"key: " + key, `x.yaml:1: unknown key "key"; known: `},
	}
	for _, tt := range tests {
		p := Defaults()
		err := config.Decode("x.yaml", []byte(tt.yaml), &p)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s:\n got %v\nwant %s", tt.yaml, err, tt.want)
		}
	}
}

func TestFaultyInputs(t *testing.T) {
	f := newFixture(t)
	p := params(Live)
	f.in.Getenv = func(string) string { return "" }
	const noKey = "no key: set OPENAI_API_KEY in the environment (any text for a server that wants none); `label.source: replay` needs no key"
	var fault *config.Error
	if err := f.run(t, p); !errors.As(err, &fault) || err.Error() != noKey {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(f.in.Journal); !os.IsNotExist(err) {
		t.Error("a run without a key made a journal")
	}
	p = params(Replay)
	if err := f.run(t, p); !errors.As(err, &fault) || !strings.HasPrefix(err.Error(), `no recorded answers named "knobs" ship with hsnas`) {
		t.Errorf("got %v", err)
	}
	p.Answers = filepath.Join(f.dir, "none.jsonl")
	want := "cannot read label.answers: open " + p.Answers + ": no such file or directory"
	if err := f.run(t, p); !errors.As(err, &fault) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	empty := artifacts(t, f.in.Task, t.TempDir(), nil, nil)
	want = "label: " + empty.in.Architectures + " holds no demonstrations; run sample again"
	if err := empty.run(t, params(Live)); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestAllRefused: a service that refuses whatever it is asked is not asked ten
// thousand times.
func TestAllRefused(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	m.spoil = func(_ int, w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"message":"temperature is not supported","code":"unsupported_value"}}`)
		return true
	}
	p := params(Live)
	p.TestPerRequest, p.UnlabelledPerRequest = 1, 1 // ten requests
	const want = "label: the first 8 requests were all refused, nothing was bought; mend what the service complains of and run again: "
	if err := f.run(t, p); err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), "unsupported_value: temperature is not supported") {
		t.Errorf("got %v\nwant %s...", err, want)
	}
	if n := m.count(); n != 8 {
		t.Errorf("%d requests, want 8", n)
	}
	m.mu.Lock()
	m.requests, m.spoil = 0, func(n int, w http.ResponseWriter) bool {
		if n > 1 {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":{"message":"too long"}}`)
		}
		return n > 1
	}
	m.mu.Unlock()
	if err := f.run(t, p); err != nil {
		t.Errorf("one was answered: %v", err)
	}
	if n := m.count(); n != 10 {
		t.Errorf("%d requests, want all 10: nine gaps are no refusal of all", n)
	}
}
