package distill

import (
	"slices"

	"hsnas/internal/config"
	"hsnas/internal/predictor"
	"hsnas/internal/published"
)

// The students, in the order of their simplicity.
const (
	StudentRidge      = "ridge"       // ridge regression on HAT's features
	StudentRidgeDepth = "ridge-depth" // ridge regression on these and what depth does
	StudentMLP        = "mlp"         // the paper's multi-layer perceptron on HAT's features
)

// Students returns the names of all students.
func Students() []string { return []string{StudentRidge, StudentRidgeDepth, StudentMLP} }

// Params is the section distill of an experiment.
type Params struct {
	// Students are fitted to the LLM's labels, each with all of them; the best by
	// cross-validation on labels is the run's student.
	Students []string `yaml:"students"`
	// Folds of the cross-validation.
	Folds int `yaml:"folds"`
	// Draws of the bootstrap behind intervals and p-values.
	Draws int `yaml:"draws"`
	// Seed of the folds, of the bootstrap and of the perceptron's parameters.
	Seed uint64 `yaml:"seed"`
	// MLP is the perceptron's training.
	MLP MLP `yaml:"mlp"`
	// Supernet is the one whose published scores the surrogate stands in for.
	Supernet string `yaml:"supernet"`
}

// MLP configures the perceptron.
type MLP struct {
	Hidden       []int   `yaml:"hidden"`
	Steps        int     `yaml:"steps"`
	Batch        int     `yaml:"batch"`
	LearningRate float64 `yaml:"learning_rate"`
}

// Defaults returns all students with the perceptron of the paper, and HAT's own
// supernet.
func Defaults() Params {
	return Params{
		Students: Students(), Folds: 5, Draws: 2000, Seed: 1,
		MLP:      MLP{Hidden: []int{400, 400, 400, 400}, Steps: 1000, Batch: 128, LearningRate: 1e-3},
		Supernet: "hat",
	}
}

// Validate implements config.Validator.
func (p Params) Validate() error {
	for i, s := range p.Students {
		if !slices.Contains(Students(), s) {
			return config.Fieldf("students", "unknown student %q%s", s, config.DidYouMean(s, Students()))
		}
		if slices.Contains(p.Students[:i], s) {
			return config.Fieldf("students", "%q is given twice", s)
		}
	}
	switch {
	case len(p.Students) == 0:
		return config.Fieldf("students", "expected at least one of %v", Students())
	case p.Folds < 2:
		return config.Fieldf("folds", "%d, expected at least 2", p.Folds)
	case p.Draws < 1:
		return config.Fieldf("draws", "%d, expected at least 1", p.Draws)
	case !slices.Contains(published.Supernets(), p.Supernet):
		return config.Fieldf("supernet", "unknown supernet %q%s", p.Supernet, config.DidYouMean(p.Supernet, published.Supernets()))
	}
	return p.MLP.Validate()
}

// Validate implements config.Validator.
func (m MLP) Validate() error {
	switch {
	case len(m.Hidden) == 0 || slices.Min(m.Hidden) < 1:
		return config.Fieldf("hidden", "%v, expected the widths of the hidden layers, each at least 1", m.Hidden)
	case m.Steps < 1:
		return config.Fieldf("steps", "%d, expected at least 1", m.Steps)
	case m.Batch < 1:
		return config.Fieldf("batch", "%d, expected at least 1", m.Batch)
	case !(m.LearningRate > 0):
		return config.Fieldf("learning_rate", "%v, expected a number above 0", m.LearningRate)
	}
	return nil
}

func (m MLP) params(seed uint64) predictor.MLPParams {
	return predictor.MLPParams{Hidden: m.Hidden, Steps: m.Steps, Batch: m.Batch, LearningRate: m.LearningRate, Seed: seed}
}

// featuresOf returns the feature set of a student.
func featuresOf(student string) string {
	if student == StudentRidgeDepth {
		return predictor.HATDepth
	}
	return predictor.HATMeans
}
