package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxBody bounds a response: no answer of this project comes near it.
const maxBody = 16 << 20

// exchange is one HTTP request: what to send, and what came back.
type exchange struct {
	body []byte // sent in place of what go-openai would

	status  int
	asked   time.Duration // Retry-After
	fault   bool          // status 200, but an error in place of an answer
	seconds float64
}

// received says that a whole answer came.
func (x *exchange) received() bool { return x.status >= 200 && x.status < 300 && !x.fault }

type exchangeKey struct{}

// doer stands between go-openai and net/http and makes up for what the former
// leaves out: it sends the canonical body, in which a temperature of 0 is a 0,
// notes status and Retry-After, and refuses responses that are cut or that are
// not one JSON value. It implements openai.HTTPDoer.
type doer struct {
	client *http.Client
	now    func() time.Time
	redact func(string) string
}

// newDoer makes a doer that keeps as many connections as requests are in flight:
// the two of net/http's default would have most requests shake hands anew.
func newDoer(timeout time.Duration, connections int, redact func(string) string) doer {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = max(connections, http.DefaultMaxIdleConnsPerHost)
	transport.MaxIdleConns = max(connections, transport.MaxIdleConns)
	return doer{now: time.Now, redact: redact, client: &http.Client{
		Transport: transport,
		Timeout:   timeout,
		// A redirected POST would carry the prompt to a host that nobody named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// errRedirect is a service that points elsewhere.
var errRedirect = errors.New("the service redirects; set OPENAI_BASE_URL to where it points")

// Do sends the exchange's body.
func (d doer) Do(req *http.Request) (*http.Response, error) {
	x := req.Context().Value(exchangeKey{}).(*exchange)
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(x.body)), int64(len(x.body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(x.body)), nil }
	start := d.now()
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	x.status, x.asked = resp.StatusCode, retryAfter(resp.Header, start)
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	x.seconds = d.now().Sub(start).Seconds()
	switch {
	case x.status >= 300 && x.status < 400:
		return nil, errRedirect
	case err != nil && x.status < 300: // what came of an error's body says enough
		return nil, fmt.Errorf("the response was cut after %d bytes: %w", len(text), err)
	case len(text) > maxBody:
		return nil, fmt.Errorf("the response is larger than %d MiB", maxBody>>20)
	case x.status < 300 && !json.Valid(text):
		return nil, fmt.Errorf("the response is not JSON: %q", excerpt(d.redact(string(text))))
	case x.status < 300 && isFault(text):
		x.fault, resp.StatusCode = true, http.StatusBadGateway // for go-openai to read the error
	}
	resp.Body = io.NopCloser(bytes.NewReader(text))
	return resp, nil
}

// isFault finds what gateways send with status 200 and charge nobody for: an
// error of the service behind them, or something that is no completion at all.
func isFault(text []byte) bool {
	var c struct {
		Error   any
		Choices []struct{}
		Usage   *struct{}
	}
	_ = json.Unmarshal(text, &c) // what is of another type is not there
	return len(c.Choices) == 0 && (c.Error != nil || (c.Choices == nil && c.Usage == nil))
}

// overtime returns a context that outlives ctx by grace, so that an answer that
// is being paid for is still received after an interrupt.
func overtime(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return longer, func() { stop(); cancel() }
}
