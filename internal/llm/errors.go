package llm

import (
	"fmt"
	"regexp"
	"strings"
)

// Kind says what an *Error means for the requests that come after it.
type Kind int

const (
	// Fatal faults meet every request alike: a refused key, a spent quota, an
	// unknown model. Asking on is pointless.
	Fatal Kind = iota
	// Refused means that the service will not answer this one request, as it is
	// too long for the model for example.
	Refused
	// Exhausted means that every try of this request failed in a way that may
	// pass: overload, network faults, rate limits.
	Exhausted
	// Missing means that the file of answers holds none for this request.
	Missing
)

// Error is a request without an answer. It carries no body, header or key.
type Error struct {
	Kind     Kind
	CustomID string
	Status   int // HTTP status, 0 where none came
	Tries    int // HTTP requests sent
	Msg      string
	cause    error // context errors only
}

func (e *Error) Error() string {
	s := "request " + e.CustomID + ": "
	if e.Tries > 1 {
		s += fmt.Sprintf("tried %d times, the last time: ", e.Tries)
	}
	return s + e.Msg
}

// Unwrap returns the context's error where the request was given up for it.
func (e *Error) Unwrap() error { return e.cause }

var keyLike = regexp.MustCompile(`(?i)(bearer\s+\S+|\bsk-[\w*-]+)`)

// redactor returns a function that cuts the key, and what looks like one, out
// of text that others wrote. The key lives in the closure alone, where no
// formatting verb reaches it.
func redactor(key string) func(string) string {
	return func(s string) string {
		if key != "" {
			s = strings.ReplaceAll(s, key, "[key]")
		}
		return keyLike.ReplaceAllString(s, "[key]")
	}
}

// excerpt makes one short printable line of a foreign text.
func excerpt(s string) string {
	const limit = 200
	words := strings.Fields(strings.ToValidUTF8(s, "?"))
	line := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.Join(words, " "))
	if r := []rune(line); len(r) > limit {
		line = string(r[:limit]) + "..."
	}
	return line
}
