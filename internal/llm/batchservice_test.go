package llm

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// batchService is an in-process Batch API. A batch ends after so many looks at it,
// as end says.
type batchService struct {
	*httptest.Server
	t       *testing.T
	mu      sync.Mutex
	files   map[string]string
	batches []*fakeBatch
	looks   int                                               // before a batch ends
	end     func(b *fakeBatch, lines []batchInput)            // nil answers everything
	spoil   func(w http.ResponseWriter, r *http.Request) bool // before the request counts
	after   func(w http.ResponseWriter, r *http.Request) bool // after it has counted, in place of the answer
	calls   map[string]int                                    // by method and path
}

type fakeBatch struct {
	ID       string            `json:"id"`
	Status   string            `json:"status"`
	Input    string            `json:"input_file_id"`
	Output   *string           `json:"output_file_id"`
	Error    *string           `json:"error_file_id"`
	Errors   any               `json:"errors"`
	Metadata map[string]string `json:"metadata"`
	looks    int
	rows     string // of the output file
	faults   string // of the error file
}

type batchInput struct {
	CustomID string `json:"custom_id"`
	Method   string `json:"method"`
	URL      string `json:"url"`
	Body     struct {
		Model    string
		Messages []Message
	} `json:"body"`
}

func serveBatches(t *testing.T) *batchService {
	s := &batchService{t: t, files: map[string]string{}, calls: map[string]int{}, looks: 2}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *batchService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/v1")
	s.calls[r.Method+" "+path]++
	if got := r.Header.Get("Authorization"); got != "Bearer "+secret {
		s.t.Errorf("Authorization %q", got)
	}
	if s.spoil != nil && s.spoil(w, r) {
		return
	}
	answer, status := s.answer(r, path)
	if s.after != nil && s.after(w, r) {
		return
	}
	w.WriteHeader(status)
	if text, ok := answer.(string); ok {
		io.WriteString(w, text)
		return
	}
	json.NewEncoder(w).Encode(answer)
}

func (s *batchService) answer(r *http.Request, path string) (any, int) {
	switch {
	case r.Method == "POST" && path == "/files":
		file, _, err := r.FormFile("file")
		if err != nil || r.FormValue("purpose") != "batch" {
			s.t.Errorf("upload: %v, purpose %q", err, r.FormValue("purpose"))
		}
		text, _ := io.ReadAll(file)
		id := fmt.Sprintf("file-%d", len(s.files))
		s.files[id] = string(text)
		return map[string]string{"id": id}, 200
	case r.Method == "POST" && path == "/batches":
		b := &fakeBatch{Status: "validating", ID: fmt.Sprintf("batch-%d", len(s.batches)+1)}
		var sent struct {
			Endpoint string            `json:"endpoint"`
			Window   string            `json:"completion_window"`
			Input    string            `json:"input_file_id"`
			Metadata map[string]string `json:"metadata"`
		}
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil || sent.Endpoint != "/v1/chat/completions" || sent.Window != "24h" {
			s.t.Errorf("create: %+v, %v", sent, err)
		}
		b.Input, b.Metadata = sent.Input, sent.Metadata
		s.batches = append(s.batches, b)
		return b, 200
	case path == "/batches":
		return s.list(r), 200
	case strings.HasPrefix(path, "/batches/"):
		for _, b := range s.batches {
			if "/batches/"+b.ID == path {
				s.look(b)
				return b, 200
			}
		}
	case strings.HasPrefix(path, "/files/") && strings.HasSuffix(path, "/content"):
		if text, ok := s.files[strings.TrimSuffix(strings.TrimPrefix(path, "/files/"), "/content")]; ok {
			return text, 200
		}
	}
	return `{"error":{"message":"no such thing","type":"invalid_request_error"}}`, 404
}

// list pages through the batches, the newest first, two on a page whatever the limit.
func (s *batchService) list(r *http.Request) any {
	all := slices.Clone(s.batches)
	slices.Reverse(all)
	start := 0
	for i, b := range all {
		if b.ID == r.URL.Query().Get("after") {
			start = i + 1
		}
	}
	page := all[start:min(start+2, len(all))]
	return map[string]any{"data": page, "has_more": start+2 < len(all)}
}

// look moves a batch on.
func (s *batchService) look(b *fakeBatch) {
	if b.looks++; b.Status == "validating" || b.Status == "in_progress" {
		b.Status = "in_progress"
		if b.looks < s.looks {
			return
		}
		b.Status = "completed"
		var lines []batchInput
		for line := range strings.Lines(s.files[b.Input]) {
			var l batchInput
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				s.t.Error(err)
			}
			lines = append(lines, l)
		}
		if s.end == nil {
			for _, l := range lines {
				b.rows = fakeRow(l) + b.rows // out of order
			}
		} else {
			s.end(b, lines)
		}
		for text, at := range map[string]**string{b.rows: &b.Output, b.faults: &b.Error} {
			if text != "" {
				id := fmt.Sprintf("out-%d", len(s.files))
				s.files[id], *at = text, &id
			}
		}
	}
}

func fakeRow(l batchInput) string {
	return fmt.Sprintf(`{"custom_id":%q,"response":{"status_code":200,"body":{"model":"m-1","system_fingerprint":"fp","choices":[{"message":{"content":"to %s"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5}}},"error":null}`+"\n", l.CustomID, l.Body.Messages[0].Content)
}

func faultRow(id string, status int, code string) string {
	return fmt.Sprintf(`{"custom_id":%q,"response":{"status_code":%d,"body":{"error":{"message":"oops %s","code":%q}}},"error":null}`+"\n", id, status, secret, code)
}

func expiredRow(id string) string {
	return fmt.Sprintf(`{"custom_id":%q,"response":null,"error":{"code":"batch_expired","message":"This request could not be executed before the completion window expired."}}`+"\n", id)
}

// batchRun is a client of the service with its files.
type batchRun struct {
	t       *testing.T
	s       *batchService
	dir     string
	budget  *Budget
	poll    func()
	log     strings.Builder
	journal *Journal
}

func newBatchRun(t *testing.T, s *batchService) *batchRun {
	return &batchRun{t: t, s: s, dir: t.TempDir(), budget: &Budget{Prices: Prices{1, 2}}}
}

func (r *batchRun) state() string { return filepath.Join(r.dir, "batches.jsonl") }

// client is what a new process would make.
func (r *batchRun) client() *Journaled {
	r.t.Helper()
	b, err := NewBatchAPI(environment(map[string]string{KeyVariable: secret, URLVariable: r.s.URL + "/v1"}), BatchOptions{
		Options: Options{Tries: 3, Budget: r.budget, Pause: func(time.Duration) time.Duration {
			if r.poll != nil {
				r.poll()
			}
			return 0
		}},
		State: r.state(),
		Logf:  func(format string, args ...any) { fmt.Fprintf(&r.log, format+"\n", args...) },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { b.Close() })
	r.journal = openJournal(r.t, filepath.Join(r.dir, "journal.jsonl"))
	return NewJournaled(b, r.journal, nil)
}

// asked are n requests as a stage would ask them.
func (r *batchRun) asked(n int) []Request {
	var out []Request
	for i := range n {
		out = append(out, Request{
			CustomID: "q-" + strconv.Itoa(i), Endpoint: r.s.URL + "/v1/chat/completions",
			Messages: []Message{{"user", "question " + strconv.Itoa(i)}}, Sampling: Sampling{Model: "m", MaxTokens: 20},
		})
	}
	return out
}

// check asks for every request; want says what comes, "" for the answer.
func (r *batchRun) check(c Client, requests []Request, want func(i int) string) {
	r.t.Helper()
	for i, q := range requests {
		a, err := c.Do(r.t.Context(), q)
		switch text := want(i); {
		case text == "" && (err != nil || a.Answer != "to "+q.Messages[0].Content || a.Source != "batch-api" || *a.PromptTokens != 10):
			r.t.Errorf("%s: %+v, %v", q.CustomID, a, err)
		case text != "" && (err == nil || err.Error() != text):
			r.t.Errorf("%s: %v, want %s", q.CustomID, err, text)
		}
	}
	if strings.Contains(r.log.String(), secret) {
		r.t.Error("the key is in the log: ", r.log.String())
	}
}

func answered(int) string { return "" }
