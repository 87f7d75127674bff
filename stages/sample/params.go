package sample

import (
	"strconv"

	"hsnas/internal/config"
)

// Params is the section sample of an experiment.
type Params struct {
	// Splits are the divisions into demonstrations and test: published seeds, or
	// the seeds that divide a table or a sample.
	Splits []string `yaml:"splits"`
	// Demonstrations and Test are the sizes of the two sets where the split is
	// drawn; published splits and tables with a set column have their own.
	Demonstrations int `yaml:"demonstrations"`
	Test           int `yaml:"test"`
	// Unlabelled is how many architectures the LLM labels for the student.
	Unlabelled int `yaml:"unlabelled"`
	// UnlabelledSet is the published set they come from, first lines first, where
	// the task has one; otherwise they are sampled from the space.
	UnlabelledSet string `yaml:"unlabelled_set"`
	// Seed is of the sampling from the space.
	Seed uint64 `yaml:"seed"`
}

// Defaults returns the paper's protocol: three splits of 10 demonstrations and
// 20 test architectures.
func Defaults() Params {
	return Params{
		Splits: []string{"123", "456", "789"}, Demonstrations: 10, Test: 20,
		Unlabelled: 250, UnlabelledSet: "111", Seed: 111,
	}
}

// Validate implements config.Validator.
func (p Params) Validate() error {
	seen := map[string]bool{}
	for _, s := range p.Splits {
		if _, err := strconv.ParseUint(s, 10, 64); err != nil || seen[s] {
			return config.Fieldf("splits", "%q, expected seeds that are whole numbers, each once", s)
		}
		seen[s] = true
	}
	switch {
	case len(p.Splits) == 0:
		return config.Fieldf("splits", "expected at least one seed")
	case p.Demonstrations < 2:
		return config.Fieldf("demonstrations", "%d, expected at least 2", p.Demonstrations)
	case p.Test < 2:
		return config.Fieldf("test", "%d, expected at least 2", p.Test)
	case p.Unlabelled < 0:
		return config.Fieldf("unlabelled", "%d, expected 0 or more", p.Unlabelled)
	}
	return nil
}
