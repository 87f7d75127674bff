package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hsnas/internal/config"
)

const secret = "sk-test-0123456789abcdefghijklmnopqrstuvwxyz"

// service is a fake service on the loopback device that follows a script, one
// handler a request; the last one stays.
type service struct {
	*httptest.Server
	t        *testing.T
	mu       sync.Mutex
	requests int
	bodies   []string
}

func serve(t *testing.T, script ...http.HandlerFunc) *service {
	s := &service{t: t}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		h := script[min(s.requests, len(script)-1)]
		s.requests++
		s.bodies = append(s.bodies, string(body))
		s.mu.Unlock()
		if got := r.Header.Get("Authorization"); got != "Bearer "+secret {
			t.Errorf("Authorization %q", got)
		}
		if r.URL.Path != "/v1/chat/completions" {
			t.Errorf("path %s", r.URL.Path)
		}
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// live makes a client of the service that waits for nothing; the pauses it
// would have made are appended to *pauses.
func (s *service) live(o Options, pauses *[]time.Duration) *Live {
	s.t.Helper()
	o.Pause = func(d time.Duration) time.Duration {
		if pauses != nil {
			*pauses = append(*pauses, d)
		}
		return 0
	}
	c, err := NewLive(environment(map[string]string{KeyVariable: secret, URLVariable: s.URL + "/v1"}), o)
	if err != nil {
		s.t.Fatal(err)
	}
	c.jitter = func() float64 { return 0.5 }
	return c
}

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func answer(content string) http.HandlerFunc {
	return completionHandler(content, "stop")
}

func completionHandler(content, finish string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		text, _ := json.Marshal(content)
		fmt.Fprintf(w, `{"model":"m-2026","system_fingerprint":"fp_1","choices":[{"index":0,"message":{"role":"assistant","content":%s},"finish_reason":%q}],"usage":{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120}}`, text, finish)
	}
}

func status(code int, header map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	io.WriteString(w, `{"choices":[{"message":`)
}

func reset(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func request() Request {
	zero := 0.0
	return Request{CustomID: "t-demos1-test-0", Messages: []Message{{"user", "how <good> is it?"}}, Sampling: Sampling{Model: "m", Temperature: &zero}}
}

const (
	rateBody  = `{"error":{"message":"Rate limit reached for requests","type":"requests","code":"rate_limit_exceeded"}}`
	quotaBody = `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`
)

func TestLiveSendsTheCanonicalBody(t *testing.T) {
	s := serve(t, answer("hello"))
	a, err := s.live(Options{}, nil).Do(context.Background(), request())
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"model":"m","messages":[{"role":"user","content":"how <good> is it?"}],"temperature":0}`
	if s.bodies[0] != want {
		t.Errorf("sent %s\nwant %s", s.bodies[0], want)
	}
	if a.Answer != "hello" || a.Model != "m-2026" || a.Fingerprint != "fp_1" || *a.PromptTokens != 100 || *a.CompletionTokens != 20 || a.Tries != 1 || a.Source != "live" {
		t.Errorf("got %+v", a)
	}
}

// TestLiveSendsWhatGoOpenAIWouldRefuse: local models may be named like hosted
// ones that take no temperature.
func TestLiveSendsWhatGoOpenAIWouldRefuse(t *testing.T) {
	s := serve(t, answer("x"))
	r := request()
	warm := 0.7
	r.Model, r.Temperature, r.MaxTokens = "o1-local", &warm, 50
	if _, err := s.live(Options{}, nil).Do(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s.bodies[0], `"temperature":0.7,"max_tokens":50}`) {
		t.Error(s.bodies[0])
	}
}

func TestLiveTriesAgain(t *testing.T) {
	ok := answer("fine")
	tests := []struct {
		name   string
		script []http.HandlerFunc
		pauses []time.Duration
	}{
		{"rate limit with Retry-After", []http.HandlerFunc{status(429, map[string]string{"Retry-After": "7"}, rateBody), ok}, []time.Duration{7 * time.Second}},
		{"Retry-After-Ms", []http.HandlerFunc{status(429, map[string]string{"Retry-After-Ms": "900"}, rateBody), ok}, []time.Duration{900 * time.Millisecond}},
		{"rate limit without", []http.HandlerFunc{status(429, nil, rateBody), ok}, []time.Duration{time.Second / 2}},
		{"500 twice", []http.HandlerFunc{status(500, nil, ""), status(503, nil, "<html>busy</html>"), ok}, []time.Duration{time.Second / 2, time.Second}},
		{"cut body", []http.HandlerFunc{cut, ok}, []time.Duration{time.Second / 2}},
		{"connection reset", []http.HandlerFunc{reset, ok}, []time.Duration{time.Second / 2}},
		{"HTML page with 200", []http.HandlerFunc{status(200, nil, "<html>welcome to the hotel</html>"), ok}, []time.Duration{time.Second / 2}},
		{"trailing garbage", []http.HandlerFunc{status(200, nil, `{"choices":[]} {"x"`), ok}, []time.Duration{time.Second / 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var pauses []time.Duration
			s := serve(t, tt.script...)
			a, err := s.live(Options{}, &pauses).Do(context.Background(), request())
			if err != nil || a.Answer != "fine" {
				t.Fatalf("%+v, %v", a, err)
			}
			if a.Tries != len(tt.script) || s.count() != len(tt.script) {
				t.Errorf("%d tries, %d requests, want %d", a.Tries, s.count(), len(tt.script))
			}
			if !slices.Equal(pauses, tt.pauses) {
				t.Errorf("pauses %v, want %v", pauses, tt.pauses)
			}
		})
	}
}

func TestLiveGivesUp(t *testing.T) {
	tests := []struct {
		name     string
		handler  http.HandlerFunc
		options  Options
		kind     Kind
		requests int
		want     string
	}{
		{"quota", status(429, nil, quotaBody), Options{}, Fatal, 1, "status 429: insufficient_quota: You exceeded your current quota"},
		{"quota that is a rate limit", status(429, nil, quotaBody), Options{QuotaIsRate: true, Tries: 3}, Exhausted, 3, "tried 3 times, the last time: status 429: insufficient_quota: You exceeded your current quota"},
		{"bounded tries", status(500, nil, `{"error":{"message":"oops"}}`), Options{Tries: 4}, Exhausted, 4, "tried 4 times, the last time: status 500: oops"},
		{"long Retry-After", status(429, map[string]string{"Retry-After": "3600"}, rateBody), Options{}, Fatal, 1, "status 429: rate_limit_exceeded: Rate limit reached for requests; the service asks to wait 1h0m0s, longer than the 5m0s that are waited for"},
		{"key refused, and echoed", status(401, nil, `{"error":{"message":"Incorrect API key provided: `+secret+`","code":"invalid_api_key"}}`), Options{}, Fatal, 1, "status 401: invalid_api_key: Incorrect API key provided: [key]; check OPENAI_API_KEY"},
		{"key in a page, cut by the excerpt", status(403, nil, strings.Repeat("x", 180)+" "+secret), Options{}, Fatal, 1, `status 403 with a body that is not the service's JSON: "` + strings.Repeat("x", 180) + ` [key]"; check OPENAI_API_KEY`},
		{"unknown model", status(404, nil, `{"error":{"message":"no such model"}}`), Options{}, Fatal, 1, "status 404: no such model; check the model's name and OPENAI_BASE_URL"},
		{"prompt too long", status(400, nil, `{"error":{"message":"too long","code":"context_length_exceeded"}}`), Options{}, Refused, 1, "status 400: context_length_exceeded: too long"},
		{"redirect", status(307, map[string]string{"Location": "http://127.0.0.1:1/"}, ""), Options{}, Fatal, 1, "the service redirects; set OPENAI_BASE_URL to where it points"},
		{"HTML for ever", status(200, nil, "<html>\n <body>"+secret), Options{Tries: 2}, Exhausted, 2, `tried 2 times, the last time: the response is not JSON: "<html> <body>[key]"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.handler)
			_, err := s.live(tt.options, nil).Do(context.Background(), request())
			var e *Error
			if !errors.As(err, &e) || e.Kind != tt.kind {
				t.Fatalf("got %#v, want kind %d", err, tt.kind)
			}
			if want := "request t-demos1-test-0: " + tt.want; err.Error() != want {
				t.Errorf("message\n got %s\nwant %s", err, want)
			}
			if s.count() != tt.requests {
				t.Errorf("%d requests, want %d", s.count(), tt.requests)
			}
			if all := fmt.Sprintf("%v %+v %#v %q", err, err, err, err); strings.Contains(all, secret) {
				t.Errorf("the key is in %s", all)
			}
		})
	}
}

// TestUnusableAnswersArePaidFor: they are errors, and journaled all the same.
func TestUnusableAnswersArePaidFor(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{"length", completionHandler(`{"predictions": [`, "length"), `request t-demos1-test-0: the answer was cut at the token limit (finish_reason "length"); set a higher max_tokens or max_completion_tokens`},
		{"filter", completionHandler("", "content_filter"), `request t-demos1-test-0: the answer was filtered (finish_reason "content_filter")`},
		{"no choices", status(200, nil, `{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1}}`), `request t-demos1-test-0: the service sent no choices`},
		{"empty", answer(""), `request t-demos1-test-0: the answer is empty`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.handler)
			j := openJournal(t, filepath.Join(t.TempDir(), "journal.jsonl"))
			c := NewJournaled(s.live(Options{}, nil), j, nil)
			for range 2 { // the second time from the journal
				a, err := c.Do(context.Background(), request())
				var unusable *AnswerError
				if !errors.As(err, &unusable) || err.Error() != tt.want {
					t.Errorf("got %v, want %s", err, tt.want)
				}
				if a.PromptTokens == nil {
					t.Error("usage is lost")
				}
			}
			if s.count() != 1 {
				t.Errorf("%d requests, want 1", s.count())
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	tests := []struct {
		key, url, want string
	}{
		{"", "", "no key: set OPENAI_API_KEY in the environment (any text for a server that wants none); `label.source: replay` needs no key"},
		{secret + "\n", "", "the key in OPENAI_API_KEY holds a blank, a line break or a character outside ASCII; set it to the key alone"},
		{"sk-\u00e9", "", "the key in OPENAI_API_KEY holds a blank, a line break or a character outside ASCII; set it to the key alone"},
		{secret, "localhost:8000/v1", "OPENAI_BASE_URL is not a URL with http:// or https://; expected for example http://localhost:8000/v1"},
		{secret, "ftp://host/v1", "OPENAI_BASE_URL is not a URL with http:// or https://; expected for example http://localhost:8000/v1"},
		{secret, "http://user:" + secret + "@host/v1", "OPENAI_BASE_URL holds a user name or password; put the key into OPENAI_API_KEY"},
		{secret, "http://host/v1?key=" + secret, "OPENAI_BASE_URL has a query or a fragment; expected for example http://localhost:8000/v1"},
	}
	for _, tt := range tests {
		_, err := NewLive(environment(map[string]string{KeyVariable: tt.key, URLVariable: tt.url}), Options{})
		var e *config.Error
		if !errors.As(err, &e) || err.Error() != tt.want {
			t.Errorf("key %q, URL %q:\n got %v\nwant %s", tt.key, tt.url, err, tt.want)
		}
	}
	c, err := NewLive(environment(map[string]string{KeyVariable: secret}), Options{})
	if err != nil || c.Endpoint() != "https://api.openai.com/v1/chat/completions" {
		t.Error(c, err)
	}
	wrapped := struct{ Client Client }{c}
	if all := fmt.Sprintf("%v %+v %#v %v %+v %#v", c, c, c, wrapped, wrapped, wrapped); strings.Contains(all, secret) {
		t.Error("the key is printed: ", all)
	}
}

// TestKeyReachesNoFile lets the service put the key into every field it sends.
func TestKeyReachesNoFile(t *testing.T) {
	body := fmt.Sprintf(`{"model":%q,"system_fingerprint":%q,"choices":[{"message":{"content":%q},"finish_reason":%q}]}`, secret, secret, "a "+secret, secret)
	s := serve(t, status(200, nil, body))
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j := openJournal(t, path)
	a, err := NewJournaled(s.live(Options{}, nil), j, nil).Do(context.Background(), request())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprintf("%s %+v", text, a); strings.Contains(all, secret) {
		t.Error("the key is in ", all)
	}
}

// TestInterrupt cancels while an answer is under way: it is received and
// journaled, and nothing more is sent.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		answer("paid")(w, r)
	})
	j := openJournal(t, filepath.Join(t.TempDir(), "journal.jsonl"))
	c := NewJournaled(s.live(Options{}, nil), j, nil)
	if a, err := c.Do(ctx, request()); err != nil || a.Answer != "paid" {
		t.Errorf("%+v, %v", a, err)
	}
	second := request()
	second.Sample = 2
	_, err := c.Do(ctx, second)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancelled context", err)
	}
	if j.Len() != 1 || s.count() != 1 {
		t.Errorf("%d answers in the journal, %d requests; want 1 of each", j.Len(), s.count())
	}
}

// TestGraceEnds: a service that never answers does not hold an interrupt up.
func TestGraceEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := s.live(Options{Grace: time.Nanosecond}, nil).Do(ctx, request())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancelled context", err)
	}
}

func TestTimeout(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	_, err := s.live(Options{Timeout: time.Millisecond, Tries: 2}, nil).Do(context.Background(), request())
	const want = "request t-demos1-test-0: tried 2 times, the last time: the service did not answer in time"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestSameRequestAtOnce: of many at the same time one pays.
func TestSameRequestAtOnce(t *testing.T) {
	s := serve(t, answer("one"))
	c := NewJournaled(s.live(Options{}, nil), openJournal(t, filepath.Join(t.TempDir(), "j")), nil)
	var wg sync.WaitGroup
	var good atomic.Int32
	for range 20 {
		wg.Go(func() {
			if a, err := c.Do(context.Background(), request()); err == nil && a.Answer == "one" {
				good.Add(1)
			}
		})
	}
	wg.Wait()
	if good.Load() != 20 || s.count() != 1 {
		t.Errorf("%d good answers from %d requests, want 20 from 1", good.Load(), s.count())
	}
}

func TestBudget(t *testing.T) {
	s := serve(t, answer("x"))
	r := request()
	r.MaxTokens = 50
	tests := []struct {
		budget *Budget
		want   string
	}{
		{&Budget{MaxTokens: 200}, "request t-demos1-test-0: the budget of 200 tokens does not allow another request: 120 are spent or reserved, this one may take 150"},
		{&Budget{MaxDollars: 0.001, Prices: Prices{Prompt: 2, Completion: 10}}, "request t-demos1-test-0: the budget of $0.0010 does not allow another request: $0.0004 are spent or reserved, this one may take $0.0007"},
	}
	for _, tt := range tests {
		c := s.live(Options{Budget: tt.budget}, nil)
		var err error
		sent := 0
		for err == nil && sent < 10 {
			_, err = c.Do(context.Background(), r)
			sent++
		}
		if err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
		if p, q := tt.budget.Spent(); p != 100*int64(sent-1) || q != 20*int64(sent-1) {
			t.Errorf("%d and %d tokens spent in %d requests", p, q, sent-1)
		}
	}
}
