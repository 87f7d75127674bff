package llm

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// schedule is the pause before each further try: exponential with full jitter,
// a uniform draw between 0 and first * 2^n, and never less than what the
// service asked for in Retry-After. It implements backoff.BackOff.
type schedule struct {
	first, longest time.Duration
	jitter         func() float64 // uniform in [0, 1)
	pause          func(time.Duration) time.Duration
	asked          time.Duration // Retry-After of the last response, 0 for none

	ceiling time.Duration
}

// Reset starts over.
func (s *schedule) Reset() { s.ceiling = s.first }

// NextBackOff returns the pause before the next try.
func (s *schedule) NextBackOff() time.Duration {
	d := time.Duration(s.jitter() * float64(s.ceiling))
	s.ceiling = min(2*s.ceiling, s.longest)
	return s.pause(max(d, s.asked))
}

// retryAfter reads how long the service asks to wait: retry-after-ms, or
// Retry-After in seconds or as a date. 0 where it asks for nothing readable.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After-Ms")), 64); err == nil && ms > 0 {
		return seconds(ms / 1000)
	}
	text := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(text, 64); err == nil && s > 0 {
		return seconds(s)
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// seconds converts without overflow; a day is longer than anyone waits.
func seconds(s float64) time.Duration {
	return time.Duration(min(s, 24*3600) * float64(time.Second))
}

// verdict says what a failed HTTP request means.
type verdict int

const (
	again   verdict = iota // the fault may pass
	refused                // this request will not be answered
	fatal                  // no request will be
)

// judge reads a status and the code or type of the service's error.
func judge(status int, codes []string, quotaIsRate bool) verdict {
	switch {
	case status == http.StatusTooManyRequests:
		for _, c := range codes {
			if !quotaIsRate && (c == "insufficient_quota" || c == "billing_hard_limit_reached" || c == "billing_not_active") {
				return fatal
			}
		}
		return again
	case status == http.StatusNotImplemented, status == http.StatusHTTPVersionNotSupported, status == http.StatusNetworkAuthenticationRequired:
		return fatal
	case status == 0, status >= 200 && status < 300, status >= 500,
		status == http.StatusRequestTimeout, status == http.StatusConflict, status == http.StatusTooEarly,
		status == http.StatusFailedDependency, // a generation that failed, from Text Generation Inference
		status == 498, status == 499:          // no capacity, from Groq; a proxy that gave up waiting
		return again
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, status == http.StatusUnprocessableEntity:
		return refused
	}
	return fatal
}
