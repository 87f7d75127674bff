package llm

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sashabaranov/go-openai"

	"hsnas/internal/config"
)

// Environment variables that the live client reads. The key comes from nowhere
// else.
const (
	KeyVariable = "OPENAI_API_KEY"
	URLVariable = "OPENAI_BASE_URL"
)

const defaultURL = "https://api.openai.com/v1"

// Options of a live client. The zero value of a field means its default.
type Options struct {
	Timeout           time.Duration // of one HTTP request; 5 minutes
	Tries             int           // HTTP requests for one answer; 8
	InFlight          int           // HTTP requests at the same time, however many callers there are; 0: no limit
	FirstPause        time.Duration // ceiling of the first pause between tries; 1 second, doubled each time
	LongestPause      time.Duration // ceiling of all pauses, and the longest Retry-After that is waited for; 5 minutes
	Grace             time.Duration // how long answers under way are waited for after an interrupt; 1 minute
	RequestsPerMinute int           // 0: no limit
	TokensPerMinute   int           // 0: no limit
	QuotaIsRate       bool          // the service says insufficient_quota where it means a rate limit
	Budget            *Budget       // nil: no bounds

	// Pause changes how long is waited before a further try; nil leaves it.
	// Tests wait for nothing.
	Pause func(time.Duration) time.Duration
}

func (o Options) withDefaults() Options {
	orDuration := func(d *time.Duration, fallback time.Duration) {
		if *d == 0 {
			*d = fallback
		}
	}
	orDuration(&o.Timeout, 5*time.Minute)
	orDuration(&o.FirstPause, time.Second)
	orDuration(&o.LongestPause, 5*time.Minute)
	orDuration(&o.Grace, time.Minute)
	if o.Tries == 0 {
		o.Tries = 8
	}
	if o.Budget == nil {
		o.Budget = new(Budget)
	}
	if o.Pause == nil {
		o.Pause = func(d time.Duration) time.Duration { return d }
	}
	return o
}

// Live asks a service that speaks OpenAI's chat completions.
type Live struct {
	options  Options
	client   *openai.Client
	limits   limits
	slots    chan struct{} // holds one for each HTTP request in flight; nil for no limit
	endpoint string
	redact   func(string) string
	jitter   func() float64
}

// NewLive makes a client from the environment, which getenv reads as os.Getenv
// does. A key that is missing or malformed and a base URL that is none are
// *config.Errors.
func NewLive(getenv func(string) string, o Options) (*Live, error) {
	key := getenv(KeyVariable)
	switch {
	case key == "":
		return nil, config.Errorf("", 0, "no key: set %s in the environment (any text for a server that wants none); `label.source: replay` needs no key", KeyVariable)
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, config.Errorf("", 0, "the key in %s holds a blank, a line break or a character outside ASCII; set it to the key alone", KeyVariable)
	}
	base, err := baseURL(getenv(URLVariable))
	if err != nil {
		return nil, err
	}
	o = o.withDefaults()
	c := openai.DefaultConfig(key)
	redact := redactor(key)
	c.BaseURL, c.HTTPClient = base, newDoer(o.Timeout, o.InFlight, redact)
	live := &Live{
		options: o, client: openai.NewClientWithConfig(c), limits: newLimits(o.RequestsPerMinute, o.TokensPerMinute),
		endpoint: base + "/chat/completions", redact: redact, jitter: rand.Float64,
	}
	if o.InFlight > 0 {
		live.slots = make(chan struct{}, o.InFlight)
	}
	return live, nil
}

// baseURL checks what the user set; messages do not repeat it, as it may hold
// credentials.
func baseURL(text string) (string, error) {
	if text == "" {
		return defaultURL, nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return "", config.Errorf("", 0, "%s is not a URL with http:// or https://; expected for example http://localhost:8000/v1", URLVariable)
	case u.User != nil:
		return "", config.Errorf("", 0, "%s holds a user name or password; put the key into %s", URLVariable, KeyVariable)
	case u.RawQuery != "" || u.Fragment != "":
		return "", config.Errorf("", 0, "%s has a query or a fragment; expected for example http://localhost:8000/v1", URLVariable)
	}
	return strings.TrimRight(text, "/"), nil
}

// String names the type alone: a client is never printed with what is in it.
func (c *Live) String() string { return "llm.Live" }

// GoString is String.
func (c *Live) GoString() string { return c.String() }

// Endpoint returns the URL that requests go to, which is part of their keys.
func (c *Live) Endpoint() string { return c.endpoint }

// Do implements Client. It tries again what may pass, a bounded number of
// times. When ctx ends, it sends nothing more, but waits for the answer of a
// request under way for the time of grace.
func (c *Live) Do(ctx context.Context, r Request) (Response, error) {
	prompt, completion := r.Estimate()
	reserved := false
	defer func() {
		if reserved {
			c.options.Budget.settle(prompt, completion, nil)
		}
	}()

	s := &schedule{first: c.options.FirstPause, longest: c.options.LongestPause, jitter: c.jitter, pause: c.options.Pause}
	body, tries := r.Body(), 0
	a, err := backoff.Retry(ctx, func() (Response, error) {
		if err := c.enter(ctx, prompt+completion); err != nil {
			return Response{}, backoff.Permanent(&Error{Kind: Fatal, Msg: err.Error(), cause: err})
		}
		defer c.leave()
		if !reserved { // not sooner: what waits for a slot holds nothing back from others
			if err := c.options.Budget.reserve(prompt, completion); err != nil {
				return Response{}, backoff.Permanent(&Error{Kind: Fatal, Msg: err.Error()})
			}
			reserved = true
		}
		tries++
		a, err := c.send(ctx, r.Model, body, s)
		if err == nil {
			c.options.Budget.settle(prompt, completion, &a)
			reserved = false
		}
		return a, err
	}, backoff.WithBackOff(s), backoff.WithMaxTries(uint(c.options.Tries)), backoff.WithMaxElapsedTime(0))
	if err != nil {
		return Response{Key: r.Key()}, c.final(ctx, r, tries, err)
	}
	a.Key, a.Tries = r.Key(), tries
	return a.check(r.CustomID)
}

// final fills the error in that the last try left.
func (c *Live) final(ctx context.Context, r Request, tries int, err error) error {
	// Where the context ended while a pause lasted, the error is the context's cause,
	// and that may hold the *Error of another request.
	var e *Error
	if err == context.Cause(ctx) || !errors.As(err, &e) {
		e = &Error{Kind: Fatal, Msg: err.Error(), cause: err}
	}
	if ctx.Err() != nil && e.cause == nil {
		e.cause = context.Cause(ctx)
	}
	e.CustomID, e.Tries = r.CustomID, tries
	return e
}

// enter waits until a request of so many tokens may be sent, and for a slot,
// which is held for the HTTP request alone: neither a pause nor the journal
// keeps others from asking.
func (c *Live) enter(ctx context.Context, tokens int64) error {
	if err := c.limits.wait(ctx, tokens); err != nil {
		return cmp.Or(context.Cause(ctx), err)
	}
	if c.slots == nil {
		return nil
	}
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if ctx.Err() != nil { // both at once
		c.leave()
	}
	return context.Cause(ctx)
}

func (c *Live) leave() {
	if c.slots != nil {
		<-c.slots
	}
}

// send sends the body once.
func (c *Live) send(ctx context.Context, model string, body []byte, s *schedule) (Response, error) {
	x := &exchange{body: body}
	longer, cancel := overtime(context.WithValue(ctx, exchangeKey{}, x), c.options.Grace)
	defer cancel()
	// The doer replaces the body; go-openai checks the model's name and builds
	// the rest of the HTTP request.
	got, err := c.client.CreateChatCompletion(longer, openai.ChatCompletionRequest{
		Model: model, Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "-"}},
	})
	s.asked = x.asked
	var odd *json.UnmarshalTypeError
	if err != nil && !(x.received() && errors.As(err, &odd)) {
		return Response{}, c.judge(x, err)
	}
	seconds := x.seconds // a pointer into the exchange would keep its body
	a := Response{Source: "live", Model: c.redact(got.Model), Fingerprint: c.redact(got.SystemFingerprint), Seconds: &seconds}
	if len(got.Choices) > 0 {
		a.Answer = c.redact(got.Choices[0].Message.Content)
		a.FinishReason = c.redact(string(got.Choices[0].FinishReason))
	}
	a.Fault = fault(len(got.Choices), a.Answer, a.FinishReason)
	if odd != nil && a.Fault != "" { // it is an answer, and charged, but no more was read of it
		a.Fault = fmt.Sprintf("the response is no chat completion: %s is a %s", odd.Field, odd.Value)
	}
	if u := got.Usage; u.PromptTokens+u.CompletionTokens > 0 {
		p, q := int64(u.PromptTokens), int64(u.CompletionTokens)
		a.PromptTokens, a.CompletionTokens = &p, &q
	}
	return a, nil
}

// judge turns a failed try into an *Error, permanent where trying again is
// pointless.
func (c *Live) judge(x *exchange, err error) error {
	var api *openai.APIError
	if errors.As(err, &api) && x.fault {
		if code, ok := api.Code.(int); ok && code >= 400 && code < 600 {
			x.status = code // a gateway's, for the status of the service behind it
		}
	}
	msg, codes := c.describe(x, err)
	e := &Error{Status: x.status, Msg: msg}
	v := judge(x.status, codes, c.options.QuotaIsRate)
	if hopeless(err) {
		v = fatal
	}
	if v == again && x.asked > c.options.LongestPause {
		e.Msg += fmt.Sprintf("; the service asks to wait %s, longer than the %s that are waited for", x.asked, c.options.LongestPause)
		v = fatal
	}
	switch v {
	case again:
		e.Kind = Exhausted
		return e
	case refused:
		e.Kind = Refused
	case fatal:
		e.Kind = Fatal
	}
	return backoff.Permanent(e)
}

// hopeless names faults of the connection that no waiting mends.
func hopeless(err error) bool {
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	return errors.Is(err, errRedirect) || (errors.As(err, &dns) && dns.IsNotFound) ||
		errors.As(err, &authority) || errors.As(err, &host) || errors.Is(err, http.ErrSchemeMismatch) ||
		errors.Is(err, openai.ErrChatCompletionInvalidModel)
}

// describe words a failed try in one line, and returns the service's codes for
// it. The key is cut out before anything is shortened: half a key is no secret
// kept.
func (c *Live) describe(x *exchange, err error) (msg string, codes []string) {
	short := func(s string) string { return excerpt(c.redact(s)) }
	var where *url.Error
	if errors.As(err, &where) { // the user knows what was asked, and where
		err = where.Err
	}
	var api *openai.APIError
	var other *openai.RequestError
	switch {
	case errors.As(err, &api):
		code, _ := api.Code.(string)
		codes = []string{code, api.Type}
		if code == "" {
			code = api.Type
		}
		if code != "" {
			code = short(code) + ": "
		}
		msg = fmt.Sprintf("status %d: %s%s", x.status, code, short(api.Message))
	case errors.As(err, &other):
		msg = fmt.Sprintf("status %d with a body that is not the service's JSON: %q", x.status, short(string(other.Body)))
	case errors.Is(err, context.DeadlineExceeded):
		msg = "the service did not answer in time"
	case errors.Is(err, context.Canceled):
		msg = "interrupted"
	case errors.Is(err, io.EOF) && x.status == 0:
		msg = "the service closed the connection without an answer"
	default:
		msg = short(err.Error())
	}
	switch x.status {
	case 401, 403:
		msg += "; check " + KeyVariable
	case 404:
		msg += "; check the model's name and " + URLVariable
	}
	return msg, codes
}
