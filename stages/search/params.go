package search

import (
	"math"
	"slices"

	"hsnas/internal/config"
	"hsnas/internal/evolve"
	"hsnas/internal/ort"
)

// The searches: HS-NAS and what it has to be held against.
const (
	HSNAS        = "hs-nas"        // student first, baseline after
	BaselineOnly = "baseline-only" // the same evolution, scored by the baseline throughout: HAT
	StudentOnly  = "student-only"  // the same evolution, scored by the student throughout
	ControlOnly  = "control-only"  // the same evolution, scored throughout by a predictor that needs no LLM
	FLOPsOnly    = "flops-only"    // the same evolution, scored throughout by the FLOPs: the largest model that fits
	ParamsOnly   = "params-only"   // the same by the number of parameters
	Random       = "random"        // as many different candidates, sampled, scored by the baseline
)

// Searches returns all searches that Params.Searches may name, in the order in which
// they run.
func Searches() []string {
	return []string{HSNAS, BaselineOnly, StudentOnly, ControlOnly, FLOPsOnly, ParamsOnly, Random}
}

// TrainedSupernet is the Baseline that is no exported predictor: the supernet
// that the run has trained, which scores by minus the loss on the validation set
// with inherited weights.
const TrainedSupernet = "supernet"

// Params are the section "search" of an experiment. The zero value is not
// usable; start from Defaults.
type Params struct {
	evolve.Params `yaml:",inline"`

	// Searches are the ones to run, by name.
	Searches []string `yaml:"searches"`
	// StudentShares adds a search like hs-nas for each, in which the student scores
	// that share of the iterations, rounded to whole ones; 0.25 makes hs-nas-25.
	StudentShares []float64 `yaml:"student_shares,omitempty"`
	// Schedules adds a search like hs-nas for each, with that schedule; adaptive makes
	// hs-nas-adaptive.
	Schedules []evolve.Schedule `yaml:"schedules,omitempty"`
	// Objectives, two or more of quality and costs, make every search one for a front,
	// by NSGA-II. gflops, params and latency_ms are known costs, and what Constraint
	// and Also name.
	Objectives []string `yaml:"objectives,omitempty"`
	// Constraint is the cost that Limits are of: gflops and params come from the
	// task's cost model, every other one (latency_ms) from the predictor of that
	// target. "" searches without a limit.
	Constraint string `yaml:"constraint"`
	// Limits are the largest admissible costs, in the constraint's unit; each is
	// searched for itself.
	Limits []float64 `yaml:"limits"`
	// Quantiles are limits of the latency as quantiles of what latency/dataset.parquet
	// holds of the device, 0.5 being the median: they mean the same on every machine,
	// as milliseconds do not. They take the place of Limits.
	Quantiles []float64 `yaml:"quantiles,omitempty"`
	// Also are limits that hold in every search beside the one of Limits.
	Also []Also `yaml:"also"`
	// Seeds are those of the searches; each is a repetition. Searches of one seed
	// begin with the same first generation.
	Seeds []int64 `yaml:"seeds"`
	// Student, Baseline and Control name the exported predictors; Baseline may be
	// TrainedSupernet, Control is for ControlOnly.
	Student  string `yaml:"student"`
	Baseline string `yaml:"baseline"`
	Control  string `yaml:"control"`
	// Workers is how many architectures a trained supernet scores side by side, 0
	// for one on each core; it does not change what is found.
	Workers int `yaml:"workers,omitempty"`
	// Device is where exported predictors and a trained supernet run: cpu (or nothing),
	// webgpu, cuda or cuda:N. Predictors of trees stay on the CPU.
	Device string `yaml:"device,omitempty"`
	// Top is how many of a search's best go into the front.
	Top int `yaml:"top"`
}

// Also is a limit on a further cost.
type Also struct {
	Constraint string  `yaml:"constraint"`
	Limit      float64 `yaml:"limit"`
}

// Defaults are the paper's: HS-NAS at 100, 150 and 200 ms (arXiv 2310.16712).
// The baseline is a surrogate of the supernet, fitted to its published scores.
func Defaults() Params {
	return Params{
		Params:     evolve.Defaults(),
		Searches:   []string{HSNAS, BaselineOnly, StudentOnly, Random},
		Constraint: Latency, Limits: []float64{100, 150, 200}, Seeds: []int64{1, 2, 3},
		Student: "student", Baseline: "surrogate", Control: "control-log-decoder-layers", Top: 5,
	}
}

// Validate implements config.Validator.
func (p Params) Validate() error {
	if err := p.Params.Validate(); err != nil {
		return err
	}
	switch {
	case len(p.Searches) == 0:
		return config.Fieldf("searches", "expected at least one of %v", Searches())
	case len(p.Seeds) == 0:
		return config.Fieldf("seeds", "expected at least one seed, such as [1]")
	case p.Top < 1:
		return config.Fieldf("top", "expected 1 or more, found %d", p.Top)
	case p.Student == "":
		return config.Fieldf("student", "expected the name of an exported predictor, such as student")
	case p.Baseline == "" || p.Baseline == p.Student:
		return config.Fieldf("baseline", "expected the name of an exported predictor other than the student's, found %q", p.Baseline)
	case p.uses(ControlOnly) && (p.Control == "" || p.Control == p.Student || p.Control == p.Baseline):
		return config.Fieldf("control", "expected the name of an exported predictor other than the student's and the baseline's, such as control-ridge, found %q", p.Control)
	case p.Workers < 0:
		return config.Fieldf("workers", "expected 0 for all cores or more, found %d", p.Workers)
	}
	if _, err := ort.ParseDevice(p.Device); err != nil {
		return config.Fieldf("device", "%v", err)
	}
	if err := p.validateSearches(); err != nil {
		return err
	}
	if i := repeated(p.Seeds); i >= 0 {
		return config.Fieldf("seeds", "%d is given twice", p.Seeds[i])
	}
	if err := p.validateLimits(); err != nil {
		return err
	}
	return p.validateObjectives()
}

func (p Params) validateSearches() error {
	for _, name := range p.Searches {
		if !slices.Contains(Searches(), name) {
			return config.Fieldf("searches", "unknown search %q%s", name, config.DidYouMean(name, Searches()))
		}
	}
	if i := repeated(p.Searches); i >= 0 {
		return config.Fieldf("searches", "%q is given twice", p.Searches[i])
	}
	for _, share := range p.StudentShares {
		if !(share >= 0 && share <= 1) {
			return config.Fieldf("student_shares", "expected shares of the iterations, numbers from 0 to 1, found %v", share)
		}
	}
	if i := repeated(p.StudentShares); i >= 0 {
		return config.Fieldf("student_shares", "%v is given twice", p.StudentShares[i])
	}
	for _, schedule := range p.Schedules {
		if !slices.Contains(evolve.Schedules(), string(schedule)) {
			return config.Fieldf("schedules", "unknown schedule %q%s", schedule, config.DidYouMean(string(schedule), evolve.Schedules()))
		}
	}
	if i := repeated(p.Schedules); i >= 0 {
		return config.Fieldf("schedules", "%q is given twice", p.Schedules[i])
	}
	for _, v := range p.variants() {
		if err := v.params.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// Quality is the objective that is no cost.
const Quality = "quality"

func (p Params) validateObjectives() error {
	known := []string{Quality, Latency, GFLOPs, Weights}
	for _, name := range p.Constraints() {
		if !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	for _, name := range p.Objectives {
		if !slices.Contains(known, name) {
			return config.Fieldf("objectives", "unknown objective %q%s", name, config.DidYouMean(name, known))
		}
	}
	if i := repeated(p.Objectives); i >= 0 {
		return config.Fieldf("objectives", "%q is given twice", p.Objectives[i])
	}
	if len(p.Objectives) == 1 {
		return config.Fieldf("objectives", "expected two or more of %v, found %s alone; leave objectives out to search for the best quality", known, p.Objectives[0])
	}
	return nil
}

// uses says whether a search is to run.
func (p Params) uses(search string) bool { return slices.Contains(p.Searches, search) }

func (p Params) validateLimits() error {
	if len(p.Quantiles) > 0 {
		return p.validateQuantiles()
	}
	if p.Constraint == "" {
		if len(p.Limits) > 0 {
			return config.Fieldf("limits", "expected none without a constraint; name the cost, such as constraint: latency_ms")
		}
	} else if len(p.Limits) == 0 {
		return config.Fieldf("limits", "expected at least one limit of %s, such as [100]; constraint: \"\" searches without one", p.Constraint)
	}
	if i := repeated(p.Limits); i >= 0 {
		return config.Fieldf("limits", "%v is given twice", p.Limits[i])
	}
	for _, limit := range p.Limits {
		if !positive(limit) {
			return config.Fieldf("limits", "expected numbers above 0, found %v", limit)
		}
	}
	names := []string{p.Constraint}
	for _, a := range p.Also {
		if a.Constraint == "" || !positive(a.Limit) {
			return config.Fieldf("also", "expected a constraint and a limit above 0, such as {constraint: gflops, limit: 3}; found %q and %v", a.Constraint, a.Limit)
		}
		if slices.Contains(names, a.Constraint) {
			return config.Fieldf("also", "%s is constrained twice", a.Constraint)
		}
		names = append(names, a.Constraint)
	}
	return nil
}

func (p Params) validateQuantiles() error {
	if p.Constraint != Latency {
		return config.Fieldf("quantiles", "they are of measured latencies: expected constraint: %s, found %q", Latency, p.Constraint)
	}
	if i := repeated(p.Quantiles); i >= 0 {
		return config.Fieldf("quantiles", "%v is given twice", p.Quantiles[i])
	}
	for _, q := range p.Quantiles {
		if !(q > 0 && q <= 1) {
			return config.Fieldf("quantiles", "expected numbers above 0 and up to 1, found %v", q)
		}
	}
	return nil
}

// positive is false for NaN and infinities too, which YAML can write.
func positive(x float64) bool { return x > 0 && !math.IsInf(x, 1) }

// repeated returns the index of the first value that came before, -1 without one.
func repeated[T comparable](list []T) int {
	for i, v := range list {
		if slices.Contains(list[:i], v) {
			return i
		}
	}
	return -1
}

// Needs says whether the search asks for a cost, as a limit or as an objective.
func (p Params) Needs(cost string) bool { return slices.Contains(p.costs(), cost) }

// costs returns the names of all costs, constrained or objectives.
func (p Params) costs() []string {
	names := p.Constraints()
	for _, name := range p.Objectives {
		if name != Quality && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Constraints returns the names of all constrained costs.
func (p Params) Constraints() []string {
	var names []string
	if p.Constraint != "" {
		names = append(names, p.Constraint)
	}
	for _, a := range p.Also {
		names = append(names, a.Constraint)
	}
	return names
}
