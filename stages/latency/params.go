package latency

import (
	"math/big"
	"path/filepath"
	"strings"

	"hsnas/internal/config"
	"hsnas/internal/task"
)

// Params is the section latency of an experiment.
type Params struct {
	// Datasets are the measured architectures to learn from: names of HAT's
	// published ones, wmt14ende_gpu_titanxp for example, or paths of CSV files that
	// `hsnas latency measure` wrote. The search keeps to the first.
	Datasets []string `yaml:"datasets"`
	// Measure is how many architectures of the task's space are timed on this
	// machine, in the dataset "measured", which comes after the others; 0 for none.
	// It is for tasks of the family micro.
	Measure int `yaml:"measure"`
	// Rounds is how many times these are gone through, each time in another order.
	Rounds int `yaml:"rounds"`
	// Warmup is how many repetitions of an architecture go untimed in each round.
	Warmup int `yaml:"warmup"`
	// Repetitions is how many are timed of each architecture, over all rounds.
	Repetitions int `yaml:"repetitions"`
	// Hidden are the widths of the perceptron's hidden layers.
	Hidden []int `yaml:"hidden"`
	// Steps of Adam at most, on batches of Batch rows.
	Steps int `yaml:"steps"`
	Batch int `yaml:"batch"`
	// Patience ends the training after so many epochs without a better validation loss.
	Patience int `yaml:"patience"`
	// Seed of the sample, its orders, the division into parts and the training.
	Seed uint64 `yaml:"seed"`
}

// Defaults returns HAT's predictor, three hidden layers of 400, on no dataset, and
// timings that take 200 architectures of micro.en-de a minute.
func Defaults() Params {
	return Params{
		Rounds: 8, Warmup: 1, Repetitions: 48,
		Hidden: []int{400, 400, 400}, Steps: 3000, Batch: 128, Patience: 60, Seed: 1,
	}
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
	if p.Measure > 0 && seen[Measured] {
		return config.Fieldf("datasets", "%q: expected another name, that of the measured dataset", Measured)
	}
	for _, n := range p.Hidden {
		if n < 1 {
			return config.Fieldf("hidden", "%d, expected widths of at least 1", n)
		}
	}
	switch {
	case p.Measure != 0 && p.Measure < minRows:
		return config.Fieldf("measure", "%d, expected at least %d, or 0 for none", p.Measure, minRows)
	case p.Rounds < 1:
		return config.Fieldf("rounds", "%d, expected at least 1", p.Rounds)
	case p.Warmup < 0:
		return config.Fieldf("warmup", "%d, expected 0 or more", p.Warmup)
	case p.Repetitions < p.Rounds:
		return config.Fieldf("repetitions", "%d, expected at least one for each of the %d rounds", p.Repetitions, p.Rounds)
	case p.Steps < 1:
		return config.Fieldf("steps", "%d, expected at least 1", p.Steps)
	case p.Batch < 1:
		return config.Fieldf("batch", "%d, expected at least 1", p.Batch)
	case p.Patience < 0:
		return config.Fieldf("patience", "%d, expected 0 or more", p.Patience)
	}
	return nil
}

// Check refuses parameters that do not suit a task.
func (p Params) Check(t *task.Task) error {
	if p.Measure == 0 {
		return nil
	}
	if t.Family != task.Micro {
		return config.Errorf("", 0, "latency.measure times models of the family %s alone, which the task %s does not name; expected 0, and what was measured under latency.datasets",
			task.Micro, t.Name)
	}
	if half := new(big.Int).Rsh(t.Space.Size(), 1); half.Cmp(big.NewInt(int64(p.Measure))) < 0 {
		return config.Errorf("", 0, "latency.measure is %d, expected at most %s, half of the architectures of the space %s", p.Measure, half, t.Space.Name)
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

// Files returns the predictors' file names, in the order of the datasets, the
// measured one last.
func (p Params) Files() []string {
	var out []string
	for _, d := range p.Datasets {
		out = append(out, datasetName(d)+".onnx")
	}
	if p.Measure > 0 {
		out = append(out, Measured+".onnx")
	}
	return out
}
