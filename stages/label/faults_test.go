package label

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hsnas/internal/llm"
	"hsnas/internal/llm/llmtest"
	"hsnas/internal/progress"
)

// class is what a fault of the service means for a run.
type class int

const (
	harmless class = iota // the run is complete
	passing               // the request is sent again; for ever: the run ends, as the service is down
	asked                 // paid for and unusable: asked again; for ever: every request is a gap
	refusing              // the request is a gap
	ending                // the run ends at once
)

// outcomes says for every fault of llmtest what it is, and what the user reads;
// a message that ends in "*" is the beginning.
var outcomes = map[string]struct {
	class   class
	message string
}{
	"400":                        {refusing, "status 400: context_length_exceeded: This model's maximum context length is 8192 tokens"},
	"401 with the key":           {ending, "status 401: invalid_api_key: Incorrect API key provided: [key]; check OPENAI_API_KEY"},
	"402":                        {ending, "status 402: Insufficient balance"},
	"403 page with the key":      {ending, `status 403 with a body that is not the service's JSON: "<html>[key] may not</html>"; check OPENAI_API_KEY`},
	"404":                        {ending, "status 404: model_not_found: The model does not exist; check the model's name and OPENAI_BASE_URL"},
	"405":                        {ending, `status 405 with a body that is not the service's JSON: ""`},
	"408":                        {passing, "status 408: server_error: The server had an error"},
	"409":                        {passing, "status 409: server_error: The server had an error"},
	"410":                        {ending, `status 410 with a body that is not the service's JSON: ""`},
	"413":                        {refusing, `status 413 with a body that is not the service's JSON: "<!DOCTYPE html> <html><body>Bad gateway</body></html>"`},
	"415":                        {ending, `status 415 with a body that is not the service's JSON: "{\"detail\":\"Unsupported media type\"}"`},
	"422":                        {refusing, "status 422: validation: inputs must have less than 4096 tokens"},
	"424":                        {passing, "status 424: generation: Request failed during generation"},
	"425":                        {passing, `status 425 with a body that is not the service's JSON: ""`},
	"429 rate limit":             {passing, "status 429: rate_limit_exceeded: Rate limit reached for requests"},
	"429 Retry-After in seconds": {passing, "status 429: rate_limit_exceeded: Rate limit reached for requests"},
	"429 Retry-After as a date":  {passing, "status 429: rate_limit_exceeded: Rate limit reached for requests"},
	"429 retry-after-ms":         {passing, "status 429: rate_limit_exceeded: Rate limit reached for requests"},
	"429 Retry-After garbage":    {passing, "status 429: rate_limit_exceeded: Rate limit reached for requests"},
	"429 Retry-After for days":   {ending, "status 429: rate_limit_exceeded: Rate limit reached for requests; the service asks to wait 24h0m0s, longer than the 5m0s that are waited for"},
	"429 quota":                  {ending, "status 429: insufficient_quota: You exceeded your current quota"},
	"429 page":                   {passing, `status 429 with a body that is not the service's JSON: "<!DOCTYPE html> <html><body>Bad gateway</body></html>"`},
	"451":                        {ending, "status 451: server_error: The server had an error"},
	"498":                        {passing, "status 498: server_error: The server had an error"},
	"499":                        {passing, `status 499 with a body that is not the service's JSON: ""`},
	"500":                        {passing, "status 500: server_error: The server had an error"},
	"500 empty":                  {passing, `status 500 with a body that is not the service's JSON: ""`},
	"501":                        {ending, "status 501: server_error: The server had an error"},
	"502 page":                   {passing, `status 502 with a body that is not the service's JSON: "<!DOCTYPE html> <html><body>Bad gateway</body></html>"`},
	"503 Retry-After":            {passing, "status 503: server_error: The server had an error"},
	"504":                        {passing, `status 504 with a body that is not the service's JSON: "<!DOCTYPE html> <html><body>Bad gateway</body></html>"`},
	"505":                        {ending, `status 505 with a body that is not the service's JSON: ""`},
	"520":                        {passing, `status 520 with a body that is not the service's JSON: "<!DOCTYPE html> <html><body>Bad gateway</body></html>"`},
	"522":                        {passing, `status 522 with a body that is not the service's JSON: "<!DOCTYPE html> <html><body>Bad gateway</body></html>"`},
	"524":                        {passing, `status 524 with a body that is not the service's JSON: "<!DOCTYPE html> <html><body>Bad gateway</body></html>"`},
	"529":                        {passing, "status 529: overloaded_error: Overloaded"},
	"redirect":                   {ending, "the service redirects; set OPENAI_BASE_URL to where it points"},
	"202 empty":                  {passing, `the response is not JSON: ""`},
	"204":                        {passing, `the response is not JSON: ""`},
	"200 page":                   {passing, `the response is not JSON: "<!DOCTYPE html> <html><body>Bad gateway</body></html>"`},
	"200 empty":                  {passing, `the response is not JSON: ""`},
	"200 error":                  {passing, "status 200: server_error: The server had an error"},
	"200 error of a gateway":     {passing, "status 502: Provider returned error [key]"},
	"200 quota of a gateway":     {ending, "status 402: No credits"},
	"200 other JSON":             {passing, `status 200 with a body that is not the service's JSON: "{\"status\":\"warming up\"}"`},
	"200 list":                   {passing, `status 200 with a body that is not the service's JSON: "[]"`},
	"200 null":                   {passing, `status 200 with a body that is not the service's JSON: "null"`},
	"trailing garbage":           {passing, `the response is not JSON: "{\"id\":\"chatcmpl-1\",\"object\"*`},
	"silent":                     {passing, "the service did not answer in time"},
	"stalled":                    {passing, "the service did not answer in time"},
	"cut":                        {passing, "the response was cut after 155 bytes: unexpected EOF"},
	"cut chunk":                  {passing, "the response was cut after 155 bytes: unexpected EOF"},
	"reset":                      {passing, "read tcp 127.0.0.1:*"},
	"closed":                     {passing, "the service closed the connection without an answer"},
	"empty choices":              {asked, "request ID: the service sent no choices"},
	"no choices":                 {asked, "request ID: the service sent no choices"},
	"length":                     {asked, `request ID: the answer was cut at the token limit (finish_reason "length"); set a higher max_tokens or max_completion_tokens`},
	"content filter":             {asked, `request ID: the answer was filtered (finish_reason "content_filter")`},
	"empty content":              {asked, "request ID: the answer is empty"},
	"null content":               {asked, "request ID: the answer is empty"},
	"refusal":                    {asked, "request ID: the answer is empty"},
	"content of another type":    {asked, "request ID: the response is no chat completion: choices.message.content is a number"},
	"usage of another type":      {harmless, ""},
	"no usage":                   {harmless, ""},
	"other model":                {harmless, ""},
	"unknown fields":             {harmless, ""},
	"id beyond":                  {asked, "answer: entry 1 has the id 71; expected 1 to 3"},
	"id from zero":               {asked, "answer: entry 1 has the id 0; expected 1 to 3"},
	"id twice":                   {asked, "answer: id 1 stands there twice"},
	"id missing":                 {asked, "answer: id 1 is missing"},
	"too many":                   {asked, "answer: entry 4 has the id 99; expected 1 to 3"},
	"id as text":                 {asked, `answer: entry 1: "id" is "1"; expected a number`},
	"number as text":             {asked, `answer: entry 1: "prediction" is "0.150"; expected a number`},
	"number in words":            {asked, `answer: entry 1: "prediction" is "about a half"; expected a number`},
	"number as null":             {asked, `answer: entry 1: "prediction" is null; expected a number`},
	"range":                      {asked, `answer: entry 1: "prediction" is "0.24-0.25"; expected a number`},
	"NaN":                        {asked, "answer: not JSON: invalid character 'N' looking for beginning of value"},
	"infinite":                   {asked, "answer: id 1: 1e999 is outside the range of accuracy, 0 to 1"},
	"out of range":               {asked, "answer: id 1: 24.5 is outside the range of accuracy, 0 to 1"},
	"negative":                   {asked, "answer: id 1: -0.150 is outside the range of accuracy, 0 to 1"},
	"prose":                      {asked, `answer: starts with "Here are my predictions:*`},
	"prose behind":               {asked, `answer: text after the JSON object: "I hope that helps."`},
	"prose alone":                {asked, `answer: starts with "I cannot predict this."; expected the JSON object alone`},
	"fence":                      {asked, "answer: starts with \"```json*"},
	"other key":                  {asked, `answer: entry 1 has the key "value"; expected "id" and "prediction" alone`},
	"list alone":                 {asked, `answer: starts with "[{*`},
	"torn JSON":                  {asked, "answer: the JSON ends too early"},
	"two objects":                {asked, `answer: text after the JSON object: "{*`},
	"blanks":                     {asked, "answer: empty"},
}

// The beginnings of what ends a run.
const (
	down = "label: 3 requests in a row failed, the service seems to be down; run again to go on: what was answered is kept: request ID: tried 2 times, the last time: "
	none = "label: none of the 4 requests was answered usably; the first: "
)

// TestFaults: a run against a service that fails, once or for ever, is complete,
// or lists its gaps, or ends with one error; the next against the same service,
// mended, is complete. Nothing that was paid for is lost or bought again, and the
// key is in nothing that is written.
func TestFaults(t *testing.T) {
	base, faults := newFixture(t), llmtest.Faults()
	if len(faults) != len(outcomes) {
		t.Errorf("%d faults and %d outcomes", len(faults), len(outcomes))
	}
	for _, f := range faults {
		o, ok := outcomes[f.Name]
		if !ok {
			t.Errorf("%s: what happens?", f.Name)
		}
		once, always := "", ""
		switch o.class {
		case passing:
			always = down + o.message
		case asked:
			always = none + o.message
		case refusing:
			once, always = "request ID: "+o.message, none+"request ID: "+o.message
		case ending:
			once, always = "label: request ID: "+o.message, "label: request ID: "+o.message
		}
		t.Run(f.Name+", once", func(t *testing.T) {
			t.Parallel()
			r := newFaultRun(t, base, llmtest.Options{Fault: f, FaultyRequests: 1})
			r.survive(t, 4, time.Second, once, o.class == refusing)
		})
		t.Run(f.Name+", always", func(t *testing.T) {
			t.Parallel()
			r := newFaultRun(t, base, llmtest.Options{Fault: f, FaultyRequests: -1})
			r.survive(t, 1, 50*time.Millisecond, always, false)
		})
	}
}

// TestDyingService: it goes away in the middle of a run and comes back before
// the tries are over.
func TestDyingService(t *testing.T) {
	base := newFixture(t)
	for _, name := range []string{"reset", "closed", "502 page", "503 Retry-After", "529"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newFaultRun(t, base, llmtest.Options{Fault: llmtest.Named(name), FaultyRequests: 12})
			p := params(Live)
			p.Tries, p.Concurrency = 13, 2
			r.complete(t, p)
			r.accounts(t)
		})
	}
}

// TestNoConnection: what no waiting mends ends the run at its first request.
func TestNoConnection(t *testing.T) {
	base := newFixture(t)
	secure := llmtest.New(llmtest.Options{TLS: true})
	defer secure.Close()
	plain := llmtest.New(llmtest.Options{})
	defer plain.Close()
	for url, want := range map[string]string{
		secure.URL: "label: request ID: tls: failed to verify certificate: x509: certificate signed by unknown authority",
		"https" + strings.TrimPrefix(plain.URL, "http"): "label: request ID: http: server gave HTTP response to HTTPS client",
		"http" + strings.TrimPrefix(secure.URL, "https"): none +
			`request ID: status 400 with a body that is not the service's JSON: "Client sent an HTTP request to an HTTPS server."`,
	} {
		r := newFaultRun(t, base, llmtest.Options{})
		r.in.Getenv = func(name string) string {
			return map[string]string{llm.KeyVariable: key, llm.URLVariable: url + "/v1"}[name]
		}
		p := params(Live)
		p.Tries = 2
		if err := r.run(t, p); err == nil || anonymous(err.Error()) != want {
			t.Errorf("%s:\n got %v\nwant %s", url, err, want)
		}
	}
}

// faultRun is a fixture with a service that fails.
type faultRun struct {
	*fixture
	server  *llmtest.Server
	timeout time.Duration // 0: the default
}

// newFaultRun lets the fixture's inputs be read, and writes beside nothing of it.
func newFaultRun(t *testing.T, base *fixture, o llmtest.Options) *faultRun {
	t.Helper()
	o.Answer = predictions
	f := *base
	f.dir, f.log = t.TempDir(), &logged{Reporter: progress.Discard}
	path := func(name string) string { return filepath.Join(f.dir, name) }
	f.in.Journal = path("journal.jsonl")
	f.out = Outputs{Labels: path("labels.parquet"), Requests: path("requests.parquet"), Prompts: path("requests.jsonl")}
	r := &faultRun{fixture: &f, server: llmtest.New(o)}
	t.Cleanup(r.server.Close)
	r.in.Getenv, r.in.Confirmed = r.server.Getenv(key), true
	r.in.Tune = func(o *llm.Options) {
		o.Pause = func(time.Duration) time.Duration { return 0 }
		if r.timeout > 0 {
			o.Timeout = r.timeout
		}
	}
	return r
}

// survive runs the stage with the fault and again without it. want is what the
// first run says: "" where it is complete.
func (r *faultRun) survive(t *testing.T, concurrency int, timeout time.Duration, want string, gap bool) {
	t.Helper()
	p := params(Live)
	p.Tries, p.Concurrency = 2, concurrency
	if name := t.Name(); strings.Contains(name, "silent") || strings.Contains(name, "stalled") {
		r.timeout = timeout
	}
	err := r.run(t, p)
	got := ""
	switch {
	case err != nil:
		got = err.Error()
	case gap:
		got = r.gap(t)
	default:
		r.isComplete(t)
	}
	if !says(anonymous(got), want) {
		t.Errorf("the run says\n%s\nwant\n%s", got, want)
	}
	r.secret(t, got)
	r.accounts(t)

	r.server.Mend()
	r.timeout = 0
	if strings.HasPrefix(want, none) {
		p.Asks++ // what was paid for is not asked again without being told
	}
	sent := r.server.Requests()
	r.complete(t, p)
	r.accounts(t)
	if n := r.server.Requests() - sent; want == "" && n != 0 {
		t.Errorf("after a complete run the next one sent %d requests", n)
	}
}

// says compares with a message that may be a beginning.
func says(got, want string) bool {
	if beginning, ok := strings.CutSuffix(want, "*"); ok {
		return strings.HasPrefix(got, beginning)
	}
	return got == want
}

var names = regexp.MustCompile(`knobs-[a-z0-9-]+`)

// anonymous leaves out which request it was.
func anonymous(message string) string { return names.ReplaceAllString(message, "ID") }

// gap returns the gap of the run's labels, which are of one request.
func (r *faultRun) gap(t *testing.T) string {
	t.Helper()
	gaps := map[string]string{}
	for _, l := range r.labels(t) {
		if l.Gap != "" {
			gaps[l.CustomID] = l.Gap
			if !strings.Contains(r.log.String(), "gap: "+l.CustomID+": "+l.Gap) {
				t.Errorf("the log does not name the gap of %s", l.CustomID)
			}
		}
	}
	if len(gaps) != 1 {
		t.Errorf("%d requests are gaps, want 1: %v", len(gaps), gaps)
	}
	for _, g := range gaps {
		return g
	}
	return ""
}

// complete runs the stage and expects every label.
func (r *faultRun) complete(t *testing.T, p Params) {
	t.Helper()
	if err := r.run(t, p); err != nil {
		t.Fatal(err)
	}
	r.isComplete(t)
	r.secret(t, "")
}

// knobs are the values of a of the fixture's architectures, in the order of the
// questions.
var knobs = []float64{3, 4, 5, 8, 9, 10, 11, 12, 13, 14}

func (r *faultRun) isComplete(t *testing.T) {
	t.Helper()
	labels := r.labels(t)
	if len(labels) != 10 {
		t.Errorf("%d labels, want 10", len(labels))
	}
	for i, l := range labels {
		if l.Gap != "" || l.Prediction != knobs[i]/20 {
			t.Errorf("label %+v", l)
		}
	}
}

// accounts holds the journal against what the service charged for: the n-th
// answer to a body stands under the key of its n-th ask, and nothing else does.
func (r *faultRun) accounts(t *testing.T) {
	t.Helper()
	j, err := llm.OpenJournal(r.in.Journal)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if len(j.Damage) > 0 {
		t.Errorf("the journal is damaged: %q", j.Damage)
	}
	paid := 0
	for body, times := range r.server.Charged() {
		for n := 1; n <= times; n++ {
			paid++
			if _, ok := j.Lookup(requestKey(r.server.Endpoint(), n, body)); !ok {
				t.Errorf("paid answer %d of %d to a request is not in the journal", n, times)
			}
		}
	}
	if j.Len() != paid {
		t.Errorf("%d answers in the journal, %d were paid for", j.Len(), paid)
	}
}

// requestKey is the documented key of a first sample, made without the code that
// it tests.
func requestKey(endpoint string, ask int, body string) string {
	text := endpoint + "\n1"
	if ask > 1 {
		text += fmt.Sprintf(" ask %d", ask)
	}
	sum := sha256.Sum256([]byte(text + "\n" + body))
	return hex.EncodeToString(sum[:])
}

// secret looks for the key in everything that the run wrote.
func (r *faultRun) secret(t *testing.T, message string) {
	t.Helper()
	written := map[string]string{"the error": message, "the log": r.log.String()}
	if _, err := os.Stat(r.out.Labels); err == nil {
		written["the rows"] = fmt.Sprintf("%+v %+v", r.labels(t), r.requests(t))
	}
	files, err := filepath.Glob(filepath.Join(r.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		written[path] = string(text)
	}
	for what, text := range written {
		if strings.Contains(text, key) {
			t.Errorf("the key is in %s", what)
		}
	}
}
