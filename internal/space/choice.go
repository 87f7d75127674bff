package space

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Choice is one value of a hyperparameter: a number or a text.
type Choice struct {
	literal string // as it is written in JSON, texts without their quotes
	number  float64
	text    bool
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (c *Choice) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.ScalarNode || node.Value == "" {
		return fmt.Errorf("expected a number or a text")
	}
	switch node.Tag {
	case "!!int", "!!float":
		x, err := strconv.ParseFloat(node.Value, 64)
		if err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
			return fmt.Errorf("expected a finite number in decimal, found %q", node.Value)
		}
		*c = number(x)
	case "!!str":
		*c = Choice{literal: node.Value, text: true}
	default:
		return fmt.Errorf("expected a number or a text, found %q; put a text that looks like something else in quotes", node.Value)
	}
	return nil
}

// number makes the Choice of a number; equal numbers have equal literals.
func number(x float64) Choice {
	return Choice{literal: strconv.FormatFloat(x, 'g', -1, 64), number: x}
}

// String returns the value as it is written in prompts.
func (c Choice) String() string { return c.literal }

// Number returns the value of a number, and false for a text.
func (c Choice) Number() (float64, bool) { return c.number, !c.text }

// Int returns the value of a whole number, and false for everything else.
func (c Choice) Int() (int, bool) {
	return int(c.number), !c.text && c.number == math.Trunc(c.number) && math.Abs(c.number) < 1<<53
}

// MarshalJSON implements json.Marshaler.
func (c Choice) MarshalJSON() ([]byte, error) {
	if c.text {
		return json.Marshal(c.literal)
	}
	return json.Marshal(c.number)
}

// order places the choice on a line: a number at its value, a text at its place
// in the list of choices.
func (c Choice) order(index int) float64 {
	if c.text {
		return float64(index)
	}
	return c.number
}
