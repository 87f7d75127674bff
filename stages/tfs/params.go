package tfs

import (
	"slices"

	"hsnas/internal/config"
	"hsnas/internal/micro"
)

// Params is the section tfs of an experiment: how tasks of the family micro are
// trained. It is empty for other tasks, whose truth is read.
type Params struct {
	// Seeds are the trainings of each architecture that has no measured score.
	Seeds []int64 `yaml:"seeds,omitempty"`
	// Retrain is how many architectures of a table that ships with its single
	// trainings are trained again, with the first seed, and held against it:
	// demonstrations first.
	Retrain int          `yaml:"retrain,omitempty"`
	Recipe  micro.Recipe `yaml:"recipe,omitempty"`
}

// Defaults returns two seeds, two architectures trained again, and the recipe of
// the embedded task.
func Defaults() Params {
	return Params{Seeds: []int64{1, 2}, Retrain: 2, Recipe: micro.SettingA()}
}

// Validate implements config.Validator.
func (p Params) Validate() error {
	if p.Retrain < 0 {
		return config.Fieldf("retrain", "%d, expected 0 or more", p.Retrain)
	}
	for i, seed := range p.Seeds {
		if seed < 0 || slices.Contains(p.Seeds[:i], seed) {
			return config.Fieldf("seeds", "%d, expected whole numbers of 0 or more, each once", seed)
		}
	}
	return nil
}
