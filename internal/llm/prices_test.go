package llm

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"hsnas/data"
	"hsnas/internal/config"
)

// TestShippedPrices: every entry says where it comes from, and costs what a
// price is likely to be.
func TestShippedPrices(t *testing.T) {
	text, file := data.Prices()
	table, err := ParsePrices(file, text)
	if err != nil {
		t.Fatal(err)
	}
	date := regexp.MustCompile(`^20\d\d-\d\d$`)
	for name, p := range table.Models {
		if !strings.HasPrefix(p.Source, "https://") || !date.MatchString(p.Date) {
			t.Errorf("%s: source %q, date %q", name, p.Source, p.Date)
		}
		if live := p.Live(); live.Prompt <= 0 || live.Completion < live.Prompt || live.Completion > 200 || p.BatchDiscount != 0.5 {
			t.Errorf("%s: %+v, discount %v", name, live, p.BatchDiscount)
		}
	}
}

func TestFindPrice(t *testing.T) {
	table, err := ParsePrices("p.yaml", []byte(`models:
  gpt-4o: {prompt: 2.5, completion: 10, batch_discount: 0.5}
  gpt-4o-2024-05-13: {prompt: 5, completion: 15}
  local: {prompt: 0, completion: 0}
`))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		model       string
		live, batch Prices
		known       bool
	}{
		{"gpt-4o", Prices{2.5, 10}, Prices{1.25, 5}, true},
		{"gpt-4o-2024-08-06", Prices{2.5, 10}, Prices{1.25, 5}, true},
		{"gpt-4o-2024-05-13", Prices{5, 15}, Prices{5, 15}, true},
		{"local", Prices{}, Prices{}, true},
		{model: "gpt-4o-audio-preview"},
		{model: "gpt-4o-audio-preview-2024-12-17"},
		{model: "openai/gpt-4o"},
		{model: "gpt-4"},
		{model: ""},
	}
	for _, tt := range tests {
		p, ok := table.Find(tt.model)
		if ok != tt.known || ok && (p.Live() != tt.live || p.Batch() != tt.batch) {
			t.Errorf("%s: %+v, %v", tt.model, p, ok)
		}
	}
}

func TestFaultyPrices(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "p.yaml: the file is empty; expected a YAML mapping"},
		{"models: {}", `p.yaml:1: models: no models; expected for example "models: {NAME: {prompt: 2.5, completion: 10}}", dollars for a million tokens`},
		{"models:\n  m: {prompt: 1}", "p.yaml:2: completion: missing; expected dollars for a million tokens"},
		{"models:\n  m: {prompt: -1, completion: 1}", "p.yaml:2: prompt: -1, expected dollars for a million tokens, 0 or more"},
		{"models:\n  m: {prompt: .nan, completion: 1}", "p.yaml:2: prompt: NaN, expected dollars for a million tokens, 0 or more"},
		{"models:\n  m: {prompt: 1, completion: $2}", `p.yaml:2: models.m.completion: expected a number, found "$2"`},
		{"models:\n  m: {prompt: 1, completion: 2, batch_discount: 50}", "p.yaml:2: batch_discount: 50, expected the part that a batch takes off, 0 to 1"},
		{"models:\n  m: {prompt: 1, compleetion: 2}", `p.yaml:2: unknown key "compleetion" in models.m; did you mean "completion"?`},
		{"models:\n  m: {prompt: 1, completion: 2}\n  m: {prompt: 2, completion: 2}", `p.yaml:3: key "m" is given twice in models`},
		{"model:\n  m: {prompt: 1, completion: 2}", `p.yaml:1: unknown key "model"; did you mean "models"?`},
	}
	for _, tt := range tests {
		_, err := ParsePrices("p.yaml", []byte(tt.text))
		var e *config.Error
		if !errors.As(err, &e) || err.Error() != tt.want {
			t.Errorf("%s:\n got %v\nwant %s", tt.text, err, tt.want)
		}
	}
}
