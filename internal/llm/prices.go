package llm

import (
	"maps"
	"math"
	"regexp"
	"slices"

	"hsnas/internal/config"
)

// Prices are dollars for a million tokens.
type Prices struct {
	Prompt     float64 `yaml:"prompt"`
	Completion float64 `yaml:"completion"`
}

// Dollars returns what so many tokens cost.
func (p Prices) Dollars(prompt, completion int64) float64 {
	return (p.Prompt*float64(prompt) + p.Completion*float64(completion)) / 1e6
}

// Price is an entry of a price table.
type Price struct {
	Prompt        *float64 `yaml:"prompt"`         // dollars for a million tokens of the prompt
	Completion    *float64 `yaml:"completion"`     // dollars for a million tokens of the answer
	BatchDiscount float64  `yaml:"batch_discount"` // the part that a batch takes off: 0.5 for half the price
	Source        string   `yaml:"source"`         // the page that says so
	Date          string   `yaml:"date"`           // when it was read
}

// Validate implements config.Validator.
func (p Price) Validate() error {
	for _, f := range []struct {
		name  string
		value *float64
	}{{"prompt", p.Prompt}, {"completion", p.Completion}} {
		if f.value == nil {
			return config.Fieldf(f.name, "missing; expected dollars for a million tokens")
		}
		if !(*f.value >= 0) || math.IsInf(*f.value, 1) {
			return config.Fieldf(f.name, "%v, expected dollars for a million tokens, 0 or more", *f.value)
		}
	}
	if !(p.BatchDiscount >= 0 && p.BatchDiscount <= 1) {
		return config.Fieldf("batch_discount", "%v, expected the part that a batch takes off, 0 to 1", p.BatchDiscount)
	}
	return nil
}

// Live returns the prices of requests that are answered at once.
func (p Price) Live() Prices { return Prices{*p.Prompt, *p.Completion} }

// Batch returns the prices of requests in a batch.
func (p Price) Batch() Prices {
	rest := 1 - p.BatchDiscount
	return Prices{*p.Prompt * rest, *p.Completion * rest}
}

// PriceTable is what models cost.
type PriceTable struct {
	Models map[string]Price `yaml:"models"`
}

// Validate implements config.Validator.
func (t PriceTable) Validate() error {
	if len(t.Models) == 0 {
		return config.Fieldf("models", `no models; expected for example "models: {NAME: {prompt: 2.5, completion: 10}}", dollars for a million tokens`)
	}
	return nil
}

// ParsePrices reads a price table; file stands for it in messages. Faults are
// *config.Errors.
func ParsePrices(file string, text []byte) (*PriceTable, error) {
	t := new(PriceTable)
	if err := config.Decode(file, text, t); err != nil {
		return nil, err
	}
	return t, nil
}

// dated is a snapshot's name: that of its model and a date.
var dated = regexp.MustCompile(`^(.+)-\d{4}-\d{2}-\d{2}$`)

// Find returns the price of a model: of its exact name, or, where that has
// none and ends in a date, of the name without the date.
func (t *PriceTable) Find(model string) (Price, bool) {
	if p, ok := t.Models[model]; ok {
		return p, true
	}
	p, ok := t.Models[Undated(model)]
	return p, ok
}

// Undated is a model's name without the date of a snapshot.
func Undated(model string) string {
	if m := dated.FindStringSubmatch(model); m != nil {
		return m[1]
	}
	return model
}

// Names returns the models in alphabetical order.
func (t *PriceTable) Names() []string { return slices.Sorted(maps.Keys(t.Models)) }
