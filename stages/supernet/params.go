package supernet

import (
	"hsnas/internal/config"
	"hsnas/internal/micro"
)

// Params is the section supernet of an experiment.
type Params struct {
	Recipe micro.Recipe `yaml:"recipe,omitempty"`
	// Rule chooses the sub-network of each step: uniform or sandwich.
	Rule string `yaml:"rule,omitempty"`
	// Seed of the parameters at the start, the batches and the sub-networks.
	Seed int64 `yaml:"seed,omitempty"`
}

// Defaults returns the recipe of the embedded task with uniform sampling.
func Defaults() Params {
	return Params{Recipe: micro.SupernetRecipe(), Rule: micro.Uniform, Seed: 1}
}

// Validate implements config.Validator.
func (p Params) Validate() error {
	switch {
	case p.Rule != micro.Uniform && p.Rule != micro.Sandwich:
		return config.Fieldf("rule", "%q, expected %s or %s", p.Rule, micro.Uniform, micro.Sandwich)
	case p.Seed < 0:
		return config.Fieldf("seed", "%d, expected 0 or more", p.Seed)
	}
	return nil
}
