// Package llmtest is a service on the loopback device that speaks OpenAI's chat
// completions, for tests and benchmarks: it takes as long as it is told, keeps
// account of what it was asked and what it charged for, and fails in the ways
// that such services fail (Faults).
package llmtest

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"hsnas/internal/llm"
)

// Options of a server. The zero value answers at once, and well.
type Options struct {
	// Answer gives the content of the answer to a prompt, the last message of a
	// request; nil means Predict("prediction", 0.5).
	Answer func(prompt string) string
	// ServiceTime is how long an answer takes.
	ServiceTime time.Duration
	// Fault is what happens to the first FaultyRequests in place of an answer, to
	// all of them where that is negative.
	Fault          Fault
	FaultyRequests int
	// Received is called with the number of requests that came, this one included,
	// before anything is answered; it may be called by several goroutines.
	Received func(n int)
	// TLS serves https with a certificate that nobody knows.
	TLS bool
}

// Server is the service. The caller closes it.
type Server struct {
	*httptest.Server
	options Options

	mu          sync.Mutex
	requests    int
	received    map[string]int
	charged     map[string]int
	first, last time.Time
	connections int
	closed      *sync.Cond // connections has fallen
}

// New starts a server.
func New(o Options) *Server {
	s := &Server{options: o, received: map[string]int{}, charged: map[string]int{}}
	s.closed = sync.NewCond(&s.mu)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // connections are broken on purpose
	s.Config.ConnState = s.connection
	if o.TLS {
		s.StartTLS()
	} else {
		s.Start()
	}
	return s
}

// Predict answers with one value for every query of the prompt, under the
// task's answer key.
func Predict(answerKey string, value float64) func(prompt string) string {
	return func(prompt string) string {
		entries := make([]string, strings.Count(prompt, "### Query "))
		for i := range entries {
			entries[i] = fmt.Sprintf(`{"id": %d, %q: %g}`, i+1, answerKey, value)
		}
		return `{"predictions": [` + strings.Join(entries, ", ") + `]}`
	}
}

// Getenv stands in for os.Getenv: it has a client find the server, with this key.
func (s *Server) Getenv(key string) func(string) string {
	return func(name string) string {
		return map[string]string{llm.KeyVariable: key, llm.URLVariable: s.URL + "/v1"}[name]
	}
}

// Endpoint is the URL that requests go to, a part of their keys.
func (s *Server) Endpoint() string { return s.URL + "/v1/chat/completions" }

// Mend ends the fault: from now on the service answers well.
func (s *Server) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.FaultyRequests = 0
}

// Requests returns how many requests came.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Received returns how often each body came.
func (s *Server) Received() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.received)
}

// Charged returns how often each body was answered with a whole completion,
// usable or not.
func (s *Server) Charged() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.charged)
}

// Span returns the time from the first request to the last answer.
func (s *Server) Span() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last.Sub(s.first)
}

// Drain returns when everything that a client sent before it died has been
// received and dealt with. No client may be alive.
func (s *Server) Drain() error {
	// Connections are accepted in turn: once this one is, all before it are.
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := c.Get(s.URL)
	if err != nil {
		return err
	}
	r.Body.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.connections > 0 {
		s.closed.Wait()
	}
	return nil
}

func (s *Server) connection(_ net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.connections++
	case http.StateClosed, http.StateHijacked:
		s.connections--
		s.closed.Broadcast()
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/v1/chat/completions" {
		http.NotFound(w, r)
		return
	}
	body := make([]byte, max(r.ContentLength, 0))
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return // the client is gone
	}
	n, f := s.enter(string(body))
	if s.options.Received != nil {
		s.options.Received(n)
	}
	if s.options.ServiceTime > 0 {
		t := time.NewTimer(s.options.ServiceTime)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			return
		}
	}
	if f.charges() {
		s.charge(string(body)) // before the bytes go: the client may count sooner than this goroutine goes on
	}
	f.send(w, r, s.response(body, f))
}

// enter counts a request and says what happens to it.
func (s *Server) enter(body string) (n int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests == 0 {
		s.first = time.Now()
	}
	s.requests++
	s.received[body]++
	if s.options.FaultyRequests < 0 || s.requests <= s.options.FaultyRequests {
		f = s.options.Fault
	}
	return s.requests, f
}

func (s *Server) charge(body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.charged[body]++
	s.last = time.Now()
}

// response makes the completion, with what the fault does to it.
func (s *Server) response(body []byte, f Fault) string {
	content, _ := json.Marshal(f.Content.apply(s.answer(body)))
	return f.Response.apply(fmt.Sprintf(
		`{"id":"chatcmpl-1","object":"chat.completion","model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":%s},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`,
		content))
}

// answer answers the last message of a request.
func (s *Server) answer(body []byte) string {
	if s.options.Answer == nil { // decoding would take the time that a benchmark measures
		return Predict("prediction", 0.5)(string(body))
	}
	var sent struct{ Messages []llm.Message }
	if err := json.Unmarshal(body, &sent); err != nil || len(sent.Messages) == 0 {
		return ""
	}
	return s.options.Answer(sent.Messages[len(sent.Messages)-1].Content)
}
