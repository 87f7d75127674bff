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
	StudentTrees      = "trees"       // gradient-boosted trees on the same
	StudentMLP        = "mlp"         // the paper's multi-layer perceptron on HAT's features
	StudentEnsemble   = "ensemble"    // the mean of the three above it
)

// Students returns the names of all students.
func Students() []string {
	return []string{StudentRidge, StudentRidgeDepth, StudentTrees, StudentMLP, StudentEnsemble}
}

// members are the students that the ensemble is the mean of.
func members() []string { return []string{StudentRidgeDepth, StudentTrees, StudentMLP} }

// Params is the section distill of an experiment.
type Params struct {
	// Students are fitted to the LLM's labels, each with all of them; the best by
	// cross-validation on labels is the run's student, of equals the first of
	// Students().
	Students []string `yaml:"students"`
	// Folds of the cross-validation.
	Folds int `yaml:"folds"`
	// Draws of the bootstrap behind intervals and p-values.
	Draws int `yaml:"draws"`
	// Seed of the folds, of the bootstrap and of the perceptron's parameters.
	Seed uint64 `yaml:"seed"`
	// MLP is the perceptron's training, Trees are the trees'.
	MLP   MLP   `yaml:"mlp"`
	Trees Trees `yaml:"trees"`
	// Curve is the learning curve over the number of labels.
	Curve Curve `yaml:"curve"`
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

// Trees configures the gradient-boosted trees.
type Trees struct {
	Trees        int     `yaml:"trees"`
	Depth        int     `yaml:"depth"`
	MinLeaf      int     `yaml:"min_leaf"` // rows of a leaf at least, and no more than a fifth of all
	LearningRate float64 `yaml:"learning_rate"`
	Subsample    float64 `yaml:"subsample"` // share of the rows that each tree sees; all of them where there are few
}

// Curve configures the learning curve.
type Curve struct {
	// Sizes are the numbers of labels that students are fitted to, beside all;
	// those that are not there are left out.
	Sizes []int `yaml:"sizes"`
	// Draws of the labels for each size; in the first MLPDraws of them the
	// perceptron is fitted too, and with it the ensemble. The folds of the
	// cross-validation and the fit to all labels are points of the curve anyway.
	Draws    int `yaml:"draws"`
	MLPDraws int `yaml:"mlp_draws"`
}

// Defaults returns all students with the perceptron of the paper, and HAT's own
// supernet. The trees' shape was chosen on recorded labels alone, by
// cross-validation over four tasks.
func Defaults() Params {
	return Params{
		Students: Students(), Folds: 5, Draws: 2000, Seed: 1,
		MLP:      MLP{Hidden: []int{400, 400, 400, 400}, Steps: 1000, Batch: 128, LearningRate: 1e-3},
		Trees:    Trees{Trees: 500, Depth: 2, MinLeaf: 5, LearningRate: 0.05, Subsample: 0.5},
		Curve:    Curve{Sizes: []int{50, 100, 200, 250, 500, 1000, 2000, 3000}, Draws: 5, MLPDraws: 1},
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
	if err := p.checkEnsemble(); err != nil {
		return err
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
	for _, section := range []config.Validator{p.MLP, p.Trees, p.Curve} {
		if err := section.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// checkEnsemble asks for the members of the ensemble where it is asked for.
func (p Params) checkEnsemble() error {
	if !slices.Contains(p.Students, StudentEnsemble) {
		return nil
	}
	for _, name := range members() {
		if !slices.Contains(p.Students, name) {
			return config.Fieldf("students", "%s without %s, expected all of %v with it", StudentEnsemble, name, members())
		}
	}
	return nil
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

// Validate implements config.Validator.
func (t Trees) Validate() error {
	switch {
	case t.Trees < 1:
		return config.Fieldf("trees", "%d, expected at least 1", t.Trees)
	case t.Depth < 1:
		return config.Fieldf("depth", "%d, expected at least 1", t.Depth)
	case t.MinLeaf < 1:
		return config.Fieldf("min_leaf", "%d, expected at least 1", t.MinLeaf)
	case !(t.LearningRate > 0):
		return config.Fieldf("learning_rate", "%v, expected a number above 0", t.LearningRate)
	case !(t.Subsample > 0 && t.Subsample <= 1):
		return config.Fieldf("subsample", "%v, expected a number above 0 and at most 1", t.Subsample)
	}
	return nil
}

// params are the trees' for so many rows. Ten demonstrations are too few to leave
// half of them out of every tree, or to have leaves of five.
func (t Trees) params(seed uint64, rows int) predictor.TreesParams {
	p := predictor.TreesParams{
		Trees: t.Trees, Depth: t.Depth, MinLeaf: min(t.MinLeaf, max(1, rows/5)),
		LearningRate: t.LearningRate, Subsample: t.Subsample, Seed: seed,
	}
	if rows < minLabels {
		p.Subsample = 1
	}
	return p
}

// Validate implements config.Validator.
func (c Curve) Validate() error {
	for i, n := range c.Sizes {
		if n < 2 || i > 0 && n <= c.Sizes[i-1] {
			return config.Fieldf("sizes", "%v, expected numbers of labels from 2 on that rise", c.Sizes)
		}
	}
	switch {
	case c.Draws < 0:
		return config.Fieldf("draws", "%d, expected 0 or more", c.Draws)
	case c.MLPDraws < 0:
		return config.Fieldf("mlp_draws", "%d, expected 0 or more", c.MLPDraws)
	}
	return nil
}

func (m MLP) params(seed uint64) predictor.MLPParams {
	return predictor.MLPParams{Hidden: m.Hidden, Steps: m.Steps, Batch: m.Batch, LearningRate: m.LearningRate, Seed: seed}
}

// featuresOf returns the feature set of a student.
func featuresOf(student string) string {
	if student == StudentRidge || student == StudentMLP {
		return predictor.HATMeans
	}
	return predictor.HATDepth
}
