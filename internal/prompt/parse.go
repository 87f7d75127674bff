package prompt

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"hsnas/internal/task"
)

// Parse reads the answer to a prompt of a style with n queries, strictly. Of values
// it is
//
//	{"predictions": [{"id": 1, "bleu": 25.31}, ...]}
//
// and nothing else but white space: no prose, no code fence, no further keys.
// Each id from 1 to n stands there once, in any order; each prediction, under
// the prompt's own key, is a JSON number inside the metric's range. Element i of
// the result is the prediction for query i+1. An error says, in one line, the
// first thing that is wrong.
//
// A ranking is {"ranking": [3, 1, 2]}, every id once, the best first; element i of
// the result is the number of queries that query i+1 is placed before. The
// answer about a pair is {"better": 1}; the result is 1 for the better and 0 for
// the other. Neither is in the metric's unit: larger is better.
func Parse(t *task.Task, s Style, content string, n int) ([]float64, error) {
	predictions, err := parse(t, s, content, n)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return predictions, nil
}

func parse(t *task.Task, s Style, content string, n int) ([]float64, error) {
	if !utf8.ValidString(content) {
		return nil, errors.New("not valid UTF-8")
	}
	words, err := wordingOf(t, s.Disguise)
	if err != nil {
		return nil, err
	}
	p := parser{key: words.answerKey, metric: t.Metric, values: make([]float64, n), seen: make([]bool, n)}
	p.Decoder = json.NewDecoder(strings.NewReader(content))
	p.UseNumber()
	body := p.predictions
	switch s.Ask {
	case Ranking:
		body = p.ranking
	case Pairs:
		body = p.better
	}
	if err := p.document(content, body); err != nil {
		return nil, err
	}
	for i, ok := range p.seen {
		if !ok {
			return nil, fmt.Errorf("id %d is missing", i+1)
		}
	}
	return p.values, nil
}

// parser walks the tokens; the decoder sees to commas and colons.
type parser struct {
	*json.Decoder
	key    string
	metric task.Metric
	values []float64
	seen   []bool
}

// document reads one JSON object, whose body does, and nothing after it.
func (p *parser) document(content string, body func() error) error {
	if s := strings.TrimLeft(content, " \t\r\n"); s == "" {
		return errors.New("empty")
	} else if s[0] != '{' {
		return fmt.Errorf("starts with %q; expected the JSON object alone", clip(s))
	}
	if _, err := p.next(); err != nil {
		return err
	}
	if err := body(); err != nil {
		return err
	}
	if rest := strings.TrimLeft(content[p.InputOffset():], " \t\r\n"); rest != "" {
		return fmt.Errorf("text after the JSON object: %q", clip(rest))
	}
	return nil
}

// predictions reads "predictions": [...] and the end of the object.
func (p *parser) predictions() error {
	if err := p.list("predictions", "a list of predictions"); err != nil {
		return err
	}
	for number := 1; p.More(); number++ {
		if err := p.entry(number); err != nil {
			return err
		}
	}
	return p.end("predictions")
}

// list reads the only key of the object and the bracket of its list.
func (p *parser) list(name, what string) error {
	if err := p.expect(name, fmt.Sprintf("the key %q", name)); err != nil {
		return err
	}
	return p.expect(json.Delim('['), what)
}

// end reads the end of the list and of the object.
func (p *parser) end(name string) error {
	if _, err := p.next(); err != nil { // the closing bracket
		return err
	}
	return p.expect(json.Delim('}'), "nothing but "+name)
}

// ranking reads "ranking": [ids, the best first] and the end of the object.
func (p *parser) ranking() error {
	if err := p.list("ranking", "a list of ids"); err != nil {
		return err
	}
	for place := 1; p.More(); place++ {
		id, err := p.id(fmt.Sprintf("place %d", place))
		if err != nil {
			return err
		}
		if p.seen[id-1] {
			return fmt.Errorf("id %d stands there twice", id)
		}
		p.seen[id-1], p.values[id-1] = true, float64(len(p.seen)-place)
	}
	return p.end("ranking")
}

// better reads "better": id and the end of the object.
func (p *parser) better() error {
	if err := p.expect("better", `the key "better"`); err != nil {
		return err
	}
	id, err := p.id(`"better"`)
	if err != nil {
		return err
	}
	for i := range p.seen {
		p.seen[i] = true
	}
	p.values[id-1] = 1
	return p.expect(json.Delim('}'), "nothing but better")
}

// id reads a token that must be the id of a query.
func (p *parser) id(what string) (int, error) {
	token, err := p.next()
	if err != nil {
		return 0, err
	}
	number, ok := token.(json.Number)
	if !ok {
		return 0, fmt.Errorf("%s is %s; expected the id of a query", what, describe(token))
	}
	n, err := strconv.Atoi(number.String())
	if err != nil || n < 1 || n > len(p.seen) {
		return 0, fmt.Errorf("%s has the id %s; expected 1 to %d", what, clip(number.String()), len(p.seen))
	}
	return n, nil
}

// entry reads one {"id": ..., "<key>": ...}.
func (p *parser) entry(number int) error {
	what := fmt.Sprintf("entry %d", number)
	if err := p.expect(json.Delim('{'), what+" as an object"); err != nil {
		return err
	}
	id, value := "", ""
	for p.More() {
		key, err := p.next()
		if err != nil {
			return err
		}
		field := &value
		if key == "id" {
			field = &id
		} else if key != p.key {
			return fmt.Errorf("%s has the key %q; expected \"id\" and %q alone", what, clip(fmt.Sprint(key)), p.key)
		}
		if *field != "" {
			return fmt.Errorf("%s has %q twice", what, key)
		}
		token, err := p.next()
		if err != nil {
			return err
		}
		number, ok := token.(json.Number)
		if !ok {
			return fmt.Errorf("%s: %q is %s; expected a number", what, key, describe(token))
		}
		*field = number.String()
	}
	if _, err := p.next(); err != nil { // the closing brace
		return err
	}
	switch {
	case id == "":
		return fmt.Errorf("%s has no \"id\"", what)
	case value == "":
		return fmt.Errorf("%s (id %s) has no %q", what, clip(id), p.key)
	}
	return p.record(what, id, value)
}

// record checks id and value and keeps them.
func (p *parser) record(what, id, value string) error {
	n, err := strconv.Atoi(id)
	if err != nil || n < 1 || n > len(p.seen) {
		return fmt.Errorf("%s has the id %s; expected 1 to %d", what, clip(id), len(p.seen))
	}
	if p.seen[n-1] {
		return fmt.Errorf("id %d stands there twice", n)
	}
	x, err := strconv.ParseFloat(value, 64)
	if err != nil || x < p.metric.Min || x > p.metric.Max {
		return fmt.Errorf("id %d: %s is outside the range of %s, %v to %v", n, clip(value), p.metric.Name, p.metric.Min, p.metric.Max)
	}
	p.values[n-1], p.seen[n-1] = x, true
	return nil
}

// next returns the next token.
func (p *parser) next() (json.Token, error) {
	token, err := p.Token()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errors.New("the JSON ends too early")
	}
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return token, nil
}

func (p *parser) expect(want json.Token, what string) error {
	token, err := p.next()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("expected %s, found %s", what, describe(token))
	}
	return nil
}

// describe names a token as a user would.
func describe(token json.Token) string {
	switch token := token.(type) {
	case nil:
		return "null"
	case json.Delim:
		switch token {
		case '{':
			return "an object"
		case '[':
			return "a list"
		}
		return "the end of it"
	case string:
		return strconv.Quote(clip(token))
	}
	return clip(fmt.Sprint(token))
}

// clip keeps foreign text in a message short.
func clip(s string) string {
	const limit = 40
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "..."
	}
	return s
}
