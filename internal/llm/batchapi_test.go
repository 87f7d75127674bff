package llm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestBatchAPI(t *testing.T) {
	s := serveBatches(t)
	r := newBatchRun(t, s)
	c, requests := r.client(), r.asked(5)
	if err := c.Prepare(t.Context(), requests); err != nil {
		t.Fatal(err)
	}
	if r.journal.Len() != 5 {
		t.Errorf("%d answers in the journal before one was asked for, want 5", r.journal.Len())
	}
	r.check(c, requests, answered)
	if p, q := r.budget.Spent(); p != 50 || q != 25 || r.budget.heldPrompt != 0 || r.budget.heldCompletion != 0 {
		t.Errorf("%d and %d tokens spent, %d and %d held", p, q, r.budget.heldPrompt, r.budget.heldCompletion)
	}
	var lines []byte
	for _, q := range requests {
		lines = append(lines, q.BatchLine()...)
	}
	if s.files["file-0"] != string(lines) {
		t.Errorf("sent %s", s.files["file-0"])
	}
	again := r.client() // of another process: nothing is left to ask for
	if err := again.Prepare(t.Context(), requests); err != nil {
		t.Fatal(err)
	}
	r.check(again, requests, answered)
	if len(s.batches) != 1 {
		t.Errorf("%d batches, want 1", len(s.batches))
	}
}

// TestBatchExpires: what was finished counts, the next round buys the rest.
func TestBatchExpires(t *testing.T) {
	s := serveBatches(t)
	s.end = func(b *fakeBatch, lines []batchInput) {
		for i, l := range lines {
			if b.ID == "batch-1" && i%2 == 1 {
				b.faults += expiredRow(l.CustomID)
			} else {
				b.rows += fakeRow(l)
			}
		}
		if b.ID == "batch-1" {
			b.Status = "expired"
		}
	}
	r := newBatchRun(t, s)
	c, requests := r.client(), r.asked(4)
	if err := c.Prepare(t.Context(), requests); err != nil {
		t.Fatal(err)
	}
	r.check(c, requests, func(i int) string {
		return map[int]string{
			1: "request q-1: the batch holds no answer: batch_expired: This request could not be executed before the completion window expired.",
			3: "request q-3: the batch holds no answer: batch_expired: This request could not be executed before the completion window expired.",
		}[i]
	})
	if r.journal.Len() != 2 {
		t.Errorf("%d answers in the journal, want 2", r.journal.Len())
	}
	if err := c.Prepare(t.Context(), requests); err != nil {
		t.Fatal(err)
	}
	r.check(c, requests, answered)
	if len(s.batches) != 2 || strings.Count(s.files[s.batches[1].Input], "\n") != 2 {
		t.Errorf("%d batches, want 2, the second of the two requests left", len(s.batches))
	}
	if p, _ := r.budget.Spent(); p != 40 || r.budget.heldPrompt != 0 {
		t.Errorf("%d tokens spent, %d held; what expired is not charged", p, r.budget.heldPrompt)
	}
}

// TestBatchErrorFile: a request that the service refuses is refused, one whose fault
// may pass is asked again, and a body that is no completion was paid for.
func TestBatchErrorFile(t *testing.T) {
	s := serveBatches(t)
	s.end = func(b *fakeBatch, lines []batchInput) {
		b.rows = fakeRow(lines[0]) + `{"custom_id":"q-4","response":{"status_code":200,"body":"hm"},"error":null}` + "\n" +
			fakeRow(lines[0]) + fakeRow(batchInput{CustomID: "stranger", Body: lines[0].Body})
		b.faults = faultRow("q-1", 400, "context_length_exceeded") + faultRow("q-2", 500, "server_error") + faultRow("q-3", 429, "insufficient_quota")
	}
	r := newBatchRun(t, s)
	c, requests := r.client(), r.asked(6)
	if err := c.Prepare(t.Context(), requests); err != nil {
		t.Fatal(err)
	}
	r.check(c, requests, func(i int) string {
		return []string{
			"",
			"request q-1: status 400: context_length_exceeded: oops [key]",
			"request q-2: status 500: server_error: oops [key]",
			"request q-3: status 429: insufficient_quota: oops [key]",
			"request q-4: the body is no chat completion: json: cannot unmarshal string into Go value of type llm.completion",
			"request q-5: batch batch-1 ended without an answer to it (completed)",
		}[i]
	})
	for i, want := range []Kind{1: Refused, 2: Exhausted, 3: Fatal, 5: Exhausted} {
		var e *Error
		if _, err := c.Do(t.Context(), requests[i]); errors.As(err, &e) && e.Kind != want {
			t.Errorf("q-%d: kind %v, want %v", i, e.Kind, want)
		}
	}
	for _, want := range []string{"batch batch-1: 1 rows answer no request of it; left out", "batch batch-1: 1 rows answer a request again; left out, the first counts"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("log %s\nwant %s", r.log.String(), want)
		}
	}
}

// TestBatchValidationFails names the first lines that the service refused.
func TestBatchValidationFails(t *testing.T) {
	s := serveBatches(t)
	s.end = func(b *fakeBatch, _ []batchInput) {
		type fault struct {
			Code, Message string
			Line          *int
		}
		b.Status, b.Errors = "failed", map[string]any{"data": []fault{
			{"invalid_model", "no model\nm, " + secret, new(1)}, {"invalid_model", "no model m", new(2)}, {"token_limit_exceeded", "too much", nil}, {"x", "y", new(4)},
		}}
	}
	r := newBatchRun(t, s)
	err := r.client().Prepare(t.Context(), r.asked(2))
	const want = "the service refused the batch batch-1: line 1: invalid_model: no model m, [key]; line 2: invalid_model: no model m; token_limit_exceeded: too much; and 1 more"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	s.end = nil
	c := r.client() // mended at the service: the same input is sent anew
	if err := c.Prepare(t.Context(), r.asked(2)); err != nil {
		t.Fatal(err)
	}
	r.check(c, r.asked(2), answered)
}

// TestBatchIsFoundAgain: a run ends at the worst moments; the next one finds its
// batch, buys nothing twice and waits for nothing twice.
func TestBatchIsFoundAgain(t *testing.T) {
	lose := func(r *batchRun, keep func(lines []string) []string) {
		text, err := os.ReadFile(r.state())
		if err != nil {
			t.Fatal(err)
		}
		lines := keep(strings.SplitAfter(string(text), "\n"))
		if err := os.WriteFile(r.state(), []byte(strings.Join(lines, "")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		state func(r *batchRun)
		found bool
	}{
		{"state whole", func(*batchRun) {}, false},
		{"id not noted", func(r *batchRun) { lose(r, func(l []string) []string { return l[:1] }) }, true},
		{"note of the id torn", func(r *batchRun) { lose(r, func(l []string) []string { return []string{l[0], l[1][:30]} }) }, true},
		{"state lost", func(r *batchRun) { os.Remove(r.state()) }, true},
	}
	for _, tt := range tests {
		for _, looks := range []int{3, 1 << 20} { // the batch ends before the first run does, or later
			t.Run(fmt.Sprintf("%s/%d", tt.name, looks), func(t *testing.T) {
				s := serveBatches(t)
				s.looks = looks
				for i := range 5 { // batches of others, more than a page
					s.batches = append(s.batches, &fakeBatch{ID: "other-" + strconv.Itoa(i), Status: "completed"})
				}
				r := newBatchRun(t, s)
				ctx, cancel := context.WithCancel(t.Context())
				r.poll = cancel // an interrupt while it waits
				err := r.client().Prepare(ctx, r.asked(4))
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("got %v, want a cancelled context", err)
				}
				if want := "batch batch-6 goes on at the service, which bills it; run again to fetch its answers"; !strings.Contains(r.log.String(), want) {
					t.Errorf("log %s\nwant %s", r.log.String(), want)
				}
				tt.state(r)
				s.batches = append(s.batches, &fakeBatch{ID: "later-1", Status: "completed"}, &fakeBatch{ID: "later-2", Status: "completed"}, &fakeBatch{ID: "later-3", Status: "completed"})
				s.looks, r.poll = 3, nil
				c := r.client()
				if err := c.Prepare(t.Context(), r.asked(4)); err != nil {
					t.Fatal(err)
				}
				r.check(c, r.asked(4), answered)
				if s.calls["POST /batches"] != 1 {
					t.Errorf("%d batches were bought, want 1", s.calls["POST /batches"])
				}
				if found := strings.Contains(r.log.String(), "batch batch-6: found at the service, where an earlier run left it; nothing is bought again"); found != tt.found {
					t.Errorf("found %v, want %v: %s", found, tt.found, r.log.String())
				}
			})
		}
	}
}

// TestBatchCreationWithoutAnAnswer: the batch was made, but nobody heard of it; the
// next try looks before it buys.
func TestBatchCreationWithoutAnAnswer(t *testing.T) {
	s := serveBatches(t)
	s.after = func(w http.ResponseWriter, r *http.Request) bool {
		lost := r.Method == "POST" && r.URL.Path == "/v1/batches"
		if lost {
			w.WriteHeader(http.StatusBadGateway)
		}
		return lost
	}
	r := newBatchRun(t, s)
	c := r.client()
	if err := c.Prepare(t.Context(), r.asked(3)); err != nil {
		t.Fatal(err)
	}
	r.check(c, r.asked(3), answered)
	if len(s.batches) != 1 {
		t.Errorf("%d batches, want 1", len(s.batches))
	}
}

// TestBatchFaultsThatPass: every call meets one before it succeeds.
func TestBatchFaultsThatPass(t *testing.T) {
	s := serveBatches(t)
	s.spoil = func(w http.ResponseWriter, r *http.Request) bool {
		first := s.calls[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/v1")] == 1
		if first {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return first
	}
	r := newBatchRun(t, s)
	c := r.client()
	if err := c.Prepare(t.Context(), r.asked(3)); err != nil {
		t.Fatal(err)
	}
	r.check(c, r.asked(3), answered)
}

// TestBatchDownloadIsCut: the transfer starts again, and no row counts twice.
func TestBatchDownloadIsCut(t *testing.T) {
	s := serveBatches(t)
	cuts := 0
	s.after = func(w http.ResponseWriter, r *http.Request) bool {
		cut := strings.HasSuffix(r.URL.Path, "/content") && cuts < 2
		if cut {
			cuts++
			text := s.files[strings.Split(r.URL.Path, "/")[3]]
			w.Header().Set("Content-Length", strconv.Itoa(len(text)))
			io.WriteString(w, text[:len(text)/2])
		}
		return cut
	}
	r := newBatchRun(t, s)
	c := r.client()
	if err := c.Prepare(t.Context(), r.asked(4)); err != nil {
		t.Fatal(err)
	}
	r.check(c, r.asked(4), answered)
	if strings.Contains(r.log.String(), "again; left out") || cuts != 2 {
		t.Errorf("%d cuts, log %s", cuts, r.log.String())
	}
}

// TestBatchLargeOutput is larger than other responses may be.
func TestBatchLargeOutput(t *testing.T) {
	s := serveBatches(t)
	s.end = func(b *fakeBatch, lines []batchInput) {
		for _, l := range lines {
			b.rows += strings.Replace(fakeRow(l), `"body":{`, `"body":{"id":"`+strings.Repeat("f", 1<<20)+`",`, 1)
		}
	}
	r := newBatchRun(t, s)
	c := r.client()
	if err := c.Prepare(t.Context(), r.asked(17)); err != nil {
		t.Fatal(err)
	}
	r.check(c, r.asked(17), answered)
}

func TestBatchAuthFails(t *testing.T) {
	s := serveBatches(t)
	s.spoil = func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: %s.","code":"invalid_api_key"}}`, secret)
		return true
	}
	r := newBatchRun(t, s)
	err := r.client().Prepare(t.Context(), r.asked(1))
	const want = "list of the batches: status 401: invalid_api_key: Incorrect API key provided: [key].; check OPENAI_API_KEY"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// TestBatchCancelled: by its owner, at the service: what it had answered is kept,
// and nothing is bought in its place without a new run.
func TestBatchCancelled(t *testing.T) {
	s := serveBatches(t)
	s.end = func(b *fakeBatch, lines []batchInput) { b.Status, b.rows = "cancelled", fakeRow(lines[0]) }
	r := newBatchRun(t, s)
	err := r.client().Prepare(t.Context(), r.asked(3))
	const want = "the batch batch-1 was cancelled at the service; what it had answered is kept, run again to buy the rest"
	if err == nil || err.Error() != want || r.journal.Len() != 1 || len(s.batches) != 1 {
		t.Errorf("got %v, %d answers kept, %d batches; want %s", err, r.journal.Len(), len(s.batches), want)
	}
	s.end = nil
	c := r.client()
	if err := c.Prepare(t.Context(), r.asked(3)); err != nil {
		t.Fatal(err)
	}
	r.check(c, r.asked(3), answered)
}

// TestBatchUnknownToTheService: another account's key, for example. Nothing is
// bought in its place.
func TestBatchUnknownToTheService(t *testing.T) {
	s := serveBatches(t)
	r := newBatchRun(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	s.looks, r.poll = 1<<20, cancel
	_ = r.client().Prepare(ctx, r.asked(2))
	s.batches, r.poll = nil, nil
	err := r.client().Prepare(t.Context(), r.asked(2))
	want := "state of the batch batch-1: status 404: invalid_request_error: no such thing; check the model's name and OPENAI_BASE_URL (" + r.state() + " names that batch)"
	if err == nil || err.Error() != want || len(s.batches) != 0 {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// TestBatchBudget: a batch reserves what all of it may take, before it is sent.
func TestBatchBudget(t *testing.T) {
	s := serveBatches(t)
	r := newBatchRun(t, s)
	r.budget.MaxTokens = 100
	err := r.client().Prepare(t.Context(), r.asked(4))
	const want = "the budget of 100 tokens does not allow a batch of 4 requests: 0 are spent or reserved, this one may take 124"
	if err == nil || err.Error() != want || len(s.files) != 0 {
		t.Errorf("got %v, %d files sent; want %s", err, len(s.files), want)
	}
}

func TestSplit(t *testing.T) {
	var requests []Request
	for i := range 5 {
		requests = append(requests, Request{CustomID: strconv.Itoa(i), Messages: []Message{{"user", "q"}}})
	}
	line := len(requests[0].BatchLine())
	tests := []struct {
		most, bytes int
		want        []int // requests of each part
	}{
		{batchRequests, batchBytes, []int{5}},
		{2, batchBytes, []int{2, 2, 1}},
		{batchRequests, 3 * line, []int{3, 2}},
		{batchRequests, 3*line - 1, []int{2, 2, 1}},
		{batchRequests, 1, []int{1, 1, 1, 1, 1}}, // what is too large alone is for the service to refuse
	}
	for _, tt := range tests {
		parts, err := split(requests, tt.most, tt.bytes)
		var got []int
		var all []byte
		for _, p := range parts {
			got = append(got, len(p.requests))
			all = append(all, p.input...)
		}
		if err != nil || !slices.Equal(got, tt.want) || bytes.Count(all, []byte("\n")) != 5 {
			t.Errorf("%d requests and %d bytes: %v, %v; want %v", tt.most, tt.bytes, got, err, tt.want)
		}
	}
	_, err := split([]Request{{CustomID: "a"}, {CustomID: "a", Sample: 2}}, batchRequests, batchBytes)
	if want := "two requests of a batch are named a"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestFaultyBatchState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "batches.jsonl")
	if err := os.WriteFile(path, []byte("{\"input_sha256\":\"12\"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := openBatchState(path)
	want := path + ":1: not a note on a batch; take the line out, and look for its batch at the service before anything is bought again"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// TestBatchStateKeepsEachNote: the same input sent to two services is two batches of
// requests with other keys.
func TestBatchStateKeepsEachNote(t *testing.T) {
	s, err := openBatchState(filepath.Join(t.TempDir(), "batches.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	sum := strings.Repeat("a", 64)
	for _, n := range []batchNote{
		{Input: sum, Requests: map[string]string{"q": "first"}},
		{Input: sum, Batch: "batch-1"},
		{Input: sum, Requests: map[string]string{"q": "second"}},
		{Input: sum, Batch: "batch-2"},
	} {
		if err := s.note(n); err != nil {
			t.Fatal(err)
		}
	}
	if s.batches[0].requests["q"] != "first" || s.batches[1].requests["q"] != "second" {
		t.Errorf("batches %v", s.batches)
	}
}

// TestBatchUnreadableLines: they keep nothing from being read behind them, are named,
// and count against the budget as answers that were paid for.
func TestBatchUnreadableLines(t *testing.T) {
	s := serveBatches(t)
	s.end = func(b *fakeBatch, lines []batchInput) {
		b.rows = fakeRow(lines[0]) + "{\"custom_id\":\"q-1\",\"resp" + secret + "\n" + `{"response":{}}` + "\n" + fakeRow(lines[3])
	}
	r := newBatchRun(t, s)
	c, requests := r.client(), r.asked(5)
	if err := c.Prepare(t.Context(), requests); err != nil {
		t.Fatal(err)
	}
	r.check(c, requests, func(i int) string {
		if i == 0 || i == 3 {
			return ""
		}
		return fmt.Sprintf("request q-%d: batch batch-1 ended without an answer to it (completed)", i)
	})
	file := *s.batches[0].Output
	want := "batch batch-1: 2 lines cannot be read; left out: " + file + ":2: not a line of a batch response file: unexpected end of JSON input; " +
		file + `:3: "custom_id" is missing; expected a line of a batch response file` + "\n"
	if !strings.Contains(r.log.String(), want) {
		t.Errorf("log %s\nwant %s", r.log.String(), want)
	}
	if n := s.calls["GET /files/"+file+"/content"]; n != 3 {
		t.Errorf("fetched %d times, want 3: what is cut looks the same", n)
	}
	prompt, completion := requests[1].Estimate()
	if p, q := r.budget.Spent(); p != 2*(10+prompt) || q != 2*(5+completion) || r.budget.heldPrompt != 0 || r.budget.heldCompletion != 0 {
		t.Errorf("%d and %d tokens spent, %d and %d held", p, q, r.budget.heldPrompt, r.budget.heldCompletion)
	}
}

// TestBatchResume: a new process fetches what a batch has answered and learns what need
// not be bought, and nothing is bought where that is forbidden.
func TestBatchResume(t *testing.T) {
	s := serveBatches(t)
	s.end = func(b *fakeBatch, lines []batchInput) {
		b.Status, b.rows = "expired", fakeRow(lines[0])
		b.faults = faultRow("q-1", 400, "context_length_exceeded") + expiredRow("q-2")
	}
	r := newBatchRun(t, s)
	fresh := r.client()
	if held, err := fresh.Resume(t.Context(), r.asked(3)); err != nil || len(held) != 0 || len(s.calls) != 0 {
		t.Errorf("nothing is noted: %v, %v, calls %v", held, err, s.calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.looks, r.poll = 1<<20, cancel
	if err := fresh.Prepare(ctx, r.asked(3)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a cancelled context", err)
	}
	r.poll = nil
	resume := func(want ...int) *Journaled {
		t.Helper()
		r.budget = &Budget{}
		c := r.client()
		held, err := c.Resume(t.Context(), r.asked(3))
		for _, i := range want {
			if !held[r.asked(3)[i].Key()] {
				t.Errorf("q-%d is not held", i)
			}
		}
		if err != nil || len(held) != len(want) {
			t.Errorf("%d are held, want %v: %v", len(held), want, err)
		}
		return c
	}
	resume(0, 1, 2)
	if prompt, _ := r.asked(1)[0].Estimate(); r.budget.heldPrompt != 3*prompt {
		t.Errorf("%d tokens are held for the batch, want %d", r.budget.heldPrompt, 3*prompt)
	}
	text, _ := os.ReadFile(r.state())
	if err := os.WriteFile(r.state(), text[:bytes.IndexByte(text, '\n')+1], 0o644); err != nil { // the id was not noted
		t.Fatal(err)
	}
	resume(0, 1, 2)
	s.looks = 0
	c := resume(1)
	if r.journal.Len() != 1 || r.budget.heldPrompt != 0 {
		t.Errorf("%d answers in the journal, %d tokens held", r.journal.Len(), r.budget.heldPrompt)
	}
	c.client.(*BatchAPI).options.FetchOnly = true
	if err := c.Prepare(t.Context(), r.asked(3)); !errors.Is(err, ErrFetchOnly) || s.calls["POST /batches"] != 1 {
		t.Errorf("got %v, %d batches", err, s.calls["POST /batches"])
	}
	s.end = nil
	c = resume(1)
	if err := c.Prepare(t.Context(), r.asked(3)); err != nil {
		t.Fatal(err)
	}
	r.check(c, r.asked(3), func(i int) string {
		return map[int]string{1: "request q-1: status 400: context_length_exceeded: oops [key]"}[i]
	})
	if input := s.files[s.batches[1].Input]; strings.Count(input, "\n") != 1 || r.budget.heldPrompt != 0 {
		t.Errorf("bought %q, %d tokens held", input, r.budget.heldPrompt)
	}
}
