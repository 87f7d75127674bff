package winners

import (
	"slices"

	"hsnas/internal/config"
	"hsnas/internal/micro"
)

// Params is the section winners of an experiment.
type Params struct {
	// Seeds are the trainings of each winner.
	Seeds []int64 `yaml:"seeds,omitempty"`
	// Searches are those whose winners are trained, by name; none means all.
	Searches []string `yaml:"searches,omitempty"`
	// Recipe is how they are trained: as the truth that they are compared with, which
	// is what a Recipe that is left out stands for.
	Recipe micro.Recipe `yaml:"recipe,omitempty"`
}

// Defaults returns two trainings of each winner.
func Defaults() Params { return Params{Seeds: []int64{1, 2}} }

// Validate implements config.Validator.
func (p Params) Validate() error {
	if len(p.Seeds) == 0 {
		return config.Fieldf("seeds", "expected at least one, such as [1, 2]")
	}
	for i, seed := range p.Seeds {
		if seed < 0 || slices.Contains(p.Seeds[:i], seed) {
			return config.Fieldf("seeds", "%d, expected whole numbers of 0 or more, each once", seed)
		}
	}
	return nil
}
