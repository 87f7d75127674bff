package finalists

import "hsnas/internal/config"

// Params is the section finalists of an experiment. How often is timed is a matter
// of the section latency, or of the protocol of its dataset.
type Params struct {
	// Front is how many points are timed of each front that a search was for, those
	// with the most room around them; 0 for none.
	Front int `yaml:"front"`
}

// Defaults returns ten points of each front.
func Defaults() Params { return Params{Front: 10} }

// Validate implements config.Validator.
func (p Params) Validate() error {
	if p.Front < 0 {
		return config.Fieldf("front", "expected 0 or more, found %d", p.Front)
	}
	return nil
}
