package llm

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"hsnas/internal/config"
)

// maxLine bounds the lines of answer files: an answer of a thousand queries
// takes 30 kB.
const maxLine = 16 << 20

// Replay answers from recorded answers, found by the prompt: model and sampling
// parameters of the request do not matter. A journal can be replayed too.
type Replay struct {
	name    string
	answers map[string]Entry
}

// NewReplay reads recorded answers, one Entry a line. name stands for the file
// in messages. A line that is not an entry is an error that names it.
func NewReplay(name string, r io.Reader) (*Replay, error) {
	p := &Replay{name: name, answers: map[string]Entry{}}
	err := eachLine(name, r, func(number int, line []byte) error {
		e, err := parseEntry(line)
		if err != nil {
			return config.Errorf(name, number, "%s", err)
		}
		key := e.Prompt
		if key == "" {
			key = e.Request
		}
		if _, ok := p.answers[key]; !ok {
			p.answers[key] = e
		}
		return nil
	})
	return p, err
}

// Len returns the number of answers.
func (p *Replay) Len() int { return len(p.answers) }

// Do implements Client; a request whose prompt was not recorded is an *Error of
// kind Missing.
func (p *Replay) Do(_ context.Context, r Request) (Response, error) {
	key := r.PromptKey()
	e, ok := p.answers[key]
	if !ok {
		return Response{Key: key}, &Error{Kind: Missing, CustomID: r.CustomID, Msg: fmt.Sprintf(
			"%s holds no answer (sample %d, prompt %s...); record it with `source: live` or `source: batch`, a journal can be replayed as it is",
			p.name, max(r.Sample, 1), key[:12])}
	}
	a := e.response()
	a.Key, a.Source = key, "replay"
	return a.check(r.CustomID)
}

// eachLine calls f with every line of r that is not blank, counted from 1.
func eachLine(name string, r io.Reader, f func(number int, line []byte) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 1<<16), maxLine)
	for number := 1; s.Scan(); number++ {
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		if err := f(number, s.Bytes()); err != nil {
			return err
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) {
		return config.Errorf(name, 0, "a line is longer than %d MiB; expected JSON Lines", maxLine>>20)
	}
	if s.Err() != nil {
		return fmt.Errorf("read %s: %w", name, s.Err())
	}
	return nil
}
