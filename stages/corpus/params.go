package corpus

import (
	"hsnas/internal/config"
	"hsnas/internal/corpus"
)

// Params is the section corpus of an experiment.
type Params struct {
	// Train, Valid and Test are how many pairs the grammar is to make; files have
	// as many as they have.
	Train int `yaml:"train"`
	Valid int `yaml:"valid"`
	Test  int `yaml:"test"`
	// TrainFile, ValidFile and TestFile are a parallel text of the user's instead
	// of the grammar: a source, a tab and a target in each line, in tokens.
	TrainFile string `yaml:"train_file"`
	ValidFile string `yaml:"valid_file"`
	TestFile  string `yaml:"test_file"`
}

// MaxPairs is how many pairs the grammar makes for a set at most.
const MaxPairs = 1_000_000

// Defaults returns the corpus of the task micro.en-de.
func Defaults() Params {
	return Params{Train: corpus.MicroTrain, Valid: corpus.MicroValid, Test: corpus.MicroTest}
}

// Validate implements config.Validator.
func (p Params) Validate() error {
	for _, f := range []struct {
		name  string
		value int
	}{{"train", p.Train}, {"valid", p.Valid}, {"test", p.Test}} {
		if f.value < 1 || f.value > MaxPairs {
			return config.Fieldf(f.name, "%d, expected 1 to %d", f.value, MaxPairs)
		}
	}
	for _, f := range []struct{ name, value string }{
		{"train_file", p.TrainFile},
		{"valid_file", p.ValidFile},
		{"test_file", p.TestFile},
	} {
		if p.files() && f.value == "" {
			return config.Fieldf(f.name, "no file, expected train_file, valid_file and test_file together, or none of them")
		}
	}
	return nil
}

// files says whether the text is the user's.
func (p Params) files() bool { return p.TrainFile+p.ValidFile+p.TestFile != "" }
