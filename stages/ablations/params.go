package ablations

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"hsnas/internal/config"
)

// Params is the section ablations of an experiment: a matrix of variants of the
// prompt. An experiment with cells asks the LLM and scores its answers, and goes
// no further.
type Params struct {
	// Cells are the variants; the first is the reference that others are compared
	// with.
	Cells []Cell `yaml:"cells"`
	// PriceModel is the model of the price table that a cell's cost is given for.
	PriceModel string `yaml:"price_model"`
	// Draws of the bootstrap behind intervals and p-values, and its seed.
	Draws int    `yaml:"draws"`
	Seed  uint64 `yaml:"seed"`
}

// Cell is one variant.
type Cell struct {
	Name  string `yaml:"name"`
	Group string `yaml:"group"` // what it varies; cells of a group stand together
	// Label are the parameters of the stage label that differ from the experiment's.
	Label yaml.Node `yaml:"label"`
}

// Defaults has no cells.
func Defaults() Params { return Params{PriceModel: "gpt-4", Draws: 2000, Seed: 1} }

// Validate implements config.Validator.
func (p Params) Validate() error {
	names := map[string]bool{}
	for _, c := range p.Cells {
		if names[c.Name] {
			return config.Fieldf("cells", "%q is given twice", c.Name)
		}
		names[c.Name] = true
	}
	if p.Draws < 1 {
		return config.Fieldf("draws", "%d, expected at least 1", p.Draws)
	}
	return nil
}

// Validate implements config.Validator.
func (c *Cell) Validate() error {
	usable := func(r rune) bool { return r == '-' || (r >= 'a' && r <= 'z') || (r >= '0' && r <= '9') }
	switch {
	case c.Name == "" || strings.Trim(c.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return config.Fieldf("name", "%q, expected lower-case letters, digits and dashes", c.Name)
	case strings.ContainsFunc(c.Group, func(r rune) bool { return !usable(r) && r != ' ' }):
		return config.Fieldf("group", "%q, expected lower-case letters, digits, dashes and blanks", c.Group)
	}
	return nil
}
