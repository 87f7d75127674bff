package evolve

import (
	"slices"

	"hsnas/internal/config"
)

// Params are the settings of a search. The zero value is not usable; start from
// Defaults. The YAML tags are the keys of an experiment file.
type Params struct {
	// Iterations is the number of generations, the first, sampled one included.
	Iterations int `yaml:"iterations"`
	// StudentIterations is how many of them the student scores; the baseline scores
	// the rest. 0 is a search by the baseline alone, Iterations one by the student
	// alone. The schedule Adaptive takes it for the most.
	StudentIterations int `yaml:"student_iterations"`
	// Schedule says which of them the student scores; "" is StudentFirst.
	Schedule Schedule `yaml:"schedule"`
	// Probes is how many parents the baseline scores in a review after each of the
	// student's generations, and MinTau the mean over the last Reviews of them of the
	// Kendall tau-b between the two, from -1 to 1, below which it takes over: for the
	// schedule Adaptive alone.
	Probes  int     `yaml:"probes"`
	MinTau  float64 `yaml:"min_tau"`
	Reviews int     `yaml:"reviews"`
	// Population is the size of the first generation. In a search for a front it is
	// also how many of a generation go on to the next.
	Population int `yaml:"population"`
	// Stratify is into how many quantile ranges of the complexity the first generation
	// is spread evenly; 0 samples without.
	Stratify int `yaml:"stratify,omitempty"`
	// Parents is how many of a generation's best go on to the next; in a search for a
	// front, where the scorer changes, as the new one has to score them all.
	Parents int `yaml:"parents"`
	// Mutation and Crossover are how many children of either kind a generation
	// adds to its parents.
	Mutation  int `yaml:"mutation"`
	Crossover int `yaml:"crossover"`
	// MutationProbability is that of redrawing each gene of a mutant.
	MutationProbability float64 `yaml:"mutation_probability"`
	// Tries bounds the search for candidates: so many refused in a row (over the
	// limit, or seen before) end the sampling, a tenth of them mutation and
	// crossover, which start from what is feasible.
	Tries int `yaml:"tries"`
}

// Defaults are HS-NAS's settings (arXiv 2310.16712, section 5): HAT's evolution,
// whose first half the distilled predictor scores. Tries, Probes, MinTau and
// Reviews are ours.
func Defaults() Params {
	return Params{
		Iterations: 30, StudentIterations: 15, Schedule: StudentFirst, Probes: 8, MinTau: 0.5, Reviews: 3,
		Population: 125, Parents: 25, Mutation: 50, Crossover: 50,
		MutationProbability: 0.3, Tries: 10000,
	}
}

// Validate says what is wrong with the settings: a *config.FieldError that
// names the YAML key, what was expected and what was found.
func (p Params) Validate() error {
	least := []struct {
		field      string
		value, min int
	}{
		{"iterations", p.Iterations, 1},
		{"student_iterations", p.StudentIterations, 0},
		{"population", p.Population, 1},
		{"parents", p.Parents, 1},
		{"mutation", p.Mutation, 0},
		{"crossover", p.Crossover, 0},
		{"tries", p.Tries, 1},
		{"stratify", p.Stratify, 0},
	}
	for _, l := range least {
		if l.value < l.min {
			return config.Fieldf(l.field, "expected %d or more, found %d", l.min, l.value)
		}
	}
	switch {
	case p.StudentIterations > p.Iterations:
		return config.Fieldf("student_iterations", "expected at most the %d of iterations, found %d", p.Iterations, p.StudentIterations)
	case p.Population < p.Parents:
		return config.Fieldf("population", "expected at least the %d of parents, found %d", p.Parents, p.Population)
	case p.Crossover > 0 && p.Parents < 2:
		return config.Fieldf("parents", "expected 2 or more for crossover, found %d", p.Parents)
	case p.Iterations > 1 && p.Mutation+p.Crossover == 0:
		return config.Fieldf("mutation", "expected 1 or more here or in crossover, found 0 in both: no generation after the first would hold anything new")
	case !(p.MutationProbability >= 0 && p.MutationProbability <= 1):
		return config.Fieldf("mutation_probability", "expected a number from 0 to 1, found %v", p.MutationProbability)
	}
	return p.validateSchedule()
}

func (p Params) validateSchedule() error {
	switch {
	case p.Schedule != "" && !slices.Contains(Schedules(), string(p.Schedule)):
		return config.Fieldf("schedule", "unknown schedule %q%s", p.Schedule, config.DidYouMean(string(p.Schedule), Schedules()))
	case !(p.MinTau >= -1 && p.MinTau <= 1):
		return config.Fieldf("min_tau", "expected a Kendall tau-b, a number from -1 to 1, found %v", p.MinTau)
	case p.Schedule == Adaptive && p.Probes < 2:
		return config.Fieldf("probes", "expected 2 or more, as one architecture has no order, found %d", p.Probes)
	case p.Schedule == Adaptive && p.Probes > p.Parents:
		return config.Fieldf("probes", "expected at most the %d of parents, found %d", p.Parents, p.Probes)
	case p.Schedule == Adaptive && p.Reviews < 1:
		return config.Fieldf("reviews", "expected at least 1, found %d", p.Reviews)
	case p.Stratify > p.Population:
		return config.Fieldf("stratify", "expected at most the %d of population, found %d", p.Population, p.Stratify)
	}
	return nil
}

// Candidates is the most different architectures that a search of these settings
// scores: 3,025 for the defaults. A child that the student has seen before the
// hand-over and the baseline after it counts once.
func (p Params) Candidates() int {
	return p.Population + (p.Iterations-1)*(p.Mutation+p.Crossover)
}
