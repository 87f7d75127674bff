package latency

import (
	"path/filepath"
	"strings"

	"hsnas/internal/config"
)

// Params is the section latency of an experiment.
type Params struct {
	// Datasets are the measured architectures to learn from: names of HAT's
	// published ones, wmt14ende_gpu_titanxp for example, or paths of CSV files that
	// `hsnas latency measure` wrote. The search keeps to the first.
	Datasets []string `yaml:"datasets"`
	// Hidden are the widths of the perceptron's hidden layers.
	Hidden []int `yaml:"hidden"`
	// Steps of Adam at most, on batches of Batch rows.
	Steps int `yaml:"steps"`
	Batch int `yaml:"batch"`
	// Patience ends the training after so many epochs without a better validation loss.
	Patience int `yaml:"patience"`
	// Seed of the division into parts and of the training.
	Seed uint64 `yaml:"seed"`
}

// Defaults returns HAT's predictor, three hidden layers of 400, on no dataset.
func Defaults() Params {
	return Params{Hidden: []int{400, 400, 400}, Steps: 3000, Batch: 128, Patience: 60, Seed: 1}
}

// Validate implements config.Validator.
func (p Params) Validate() error {
	seen := map[string]bool{}
	for _, d := range p.Datasets {
		name := datasetName(d)
		if name == "" || seen[name] {
			return config.Fieldf("datasets", "%q: expected names or CSV files, each once", d)
		}
		seen[name] = true
	}
	for _, n := range p.Hidden {
		if n < 1 {
			return config.Fieldf("hidden", "%d, expected widths of at least 1", n)
		}
	}
	switch {
	case p.Steps < 1:
		return config.Fieldf("steps", "%d, expected at least 1", p.Steps)
	case p.Batch < 1:
		return config.Fieldf("batch", "%d, expected at least 1", p.Batch)
	case p.Patience < 0:
		return config.Fieldf("patience", "%d, expected 0 or more", p.Patience)
	}
	return nil
}

// IsFile says whether a dataset is a CSV file of the user's, not a published one.
func IsFile(dataset string) bool {
	return strings.ContainsRune(dataset, '/') || strings.HasSuffix(dataset, ".csv")
}

// datasetName is what the predictor of a dataset is called.
func datasetName(dataset string) string {
	if !IsFile(dataset) {
		return dataset
	}
	return strings.TrimSuffix(filepath.Base(dataset), ".csv")
}

// Files returns the predictors' file names, in the order of the datasets.
func (p Params) Files() []string {
	out := make([]string, len(p.Datasets))
	for i, d := range p.Datasets {
		out[i] = datasetName(d) + ".onnx"
	}
	return out
}
