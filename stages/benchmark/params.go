package benchmark

import (
	"runtime"

	"hsnas/internal/config"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
)

// Params are the section "benchmark" of an experiment. The zero value is not usable; start
// from Defaults.
type Params struct {
	// Device is where the models run: cpu, webgpu, cuda or cuda:N.
	Device string `yaml:"device"`
	// Threads is how many threads an operator may use on the CPU.
	Threads int `yaml:"threads"`
	// Warmup is how many repetitions go untimed, at least, before those of each round; see
	// warm for when it ends.
	Warmup int `yaml:"warmup"`
	// Repetitions is how many are timed of each architecture, over all rounds.
	Repetitions int `yaml:"repetitions"`
	// Rounds is how many blocks there are. A block goes through all models in an order of
	// its own, drawn with Seed, and times a control between them.
	Rounds int `yaml:"rounds"`
	// Drift is how much longer the control's slowest time in a block may be than its fastest,
	// as a share; a block beyond it is discarded and measured again.
	Drift float64 `yaml:"drift"`
	// Retries is how often a block is measured again; the last attempt then counts, and its
	// rows say so.
	Retries int `yaml:"retries"`
	// Variants are fp32, int8, fp16 (on GPUs), and fp32-off, fp32-basic and fp32-extended for ONNX Runtime's
	// other levels of graph optimisation.
	Variants []string `yaml:"variants"`
	// Batches are the numbers of sentences of a batch.
	Batches []int `yaml:"batches"`
	// Lengths are the tokens of a sentence and of its translation; 0 is the task's own.
	Lengths []int `yaml:"lengths"`
	// Search times a whole translation by beam search, too.
	Search bool `yaml:"search"`
	// Pin keeps the process on one core where it computes on one thread.
	Pin bool `yaml:"pin"`
	// LargePages asks for pages of 2 MB (ort.LargePages).
	LargePages bool `yaml:"large_pages"`
	// Beam is how many hypotheses the decoder carries.
	Beam int `yaml:"beam"`
	// Seed draws the weights and the tokens.
	Seed uint64 `yaml:"seed"`
	// KeepModels leaves the exported models in the folder models of the stage; they take
	// some hundred megabytes each and can be made again from the seed.
	KeepModels bool `yaml:"keep_models"`
	// IncludeExtremes adds the smallest and the largest architecture of the space.
	IncludeExtremes bool `yaml:"include_extremes"`
	// Searches are those whose winners are timed.
	Searches []string `yaml:"searches"`
	// Top is how many winners are timed of each search and limit, over all seeds.
	Top int `yaml:"top"`
}

// Defaults are HAT's protocol (arXiv 2005.14187), with the repetitions of its datasets, for
// the best architecture that HS-NAS found within each limit.
func Defaults() Params {
	return Params{
		Device: "cpu", Threads: 1, Warmup: 3, Repetitions: 20, Rounds: 2, Beam: nn.DefaultBeam, Seed: 1,
		Drift: 0.15, Retries: 3, Variants: []string{"fp32"}, Batches: []int{1}, Lengths: []int{0}, Pin: true, LargePages: true,
		IncludeExtremes: true, Searches: []string{"hs-nas"}, Top: 1,
	}
}

// Validate implements config.Validator.
func (p Params) Validate() error {
	if _, err := ort.Provider(p.Device); err != nil {
		return config.Fieldf("device", "%v", err)
	}
	for _, f := range []struct {
		name         string
		value, least int
	}{
		{"threads", p.Threads, 1},
		{"warmup", p.Warmup, 0},
		{"repetitions", p.Repetitions, 1},
		{"rounds", p.Rounds, 1},
		{"beam", p.Beam, 1},
		{"retries", p.Retries, 0},
		{"top", p.Top, 0},
	} {
		if f.value < f.least {
			return config.Fieldf(f.name, "expected %d or more, found %d", f.least, f.value)
		}
	}
	if p.Rounds > p.Repetitions {
		return config.Fieldf("rounds", "%d rounds need as many repetitions, found %d", p.Rounds, p.Repetitions)
	}
	if cores := runtime.NumCPU(); p.Threads > cores {
		return config.Fieldf("threads", "%d threads on a machine of %d cores would time the waiting for one another", p.Threads, cores)
	}
	if !(p.Drift > 0) {
		return config.Fieldf("drift", "expected a share above 0, found %g", p.Drift)
	}
	return p.validateGrid()
}

func (p Params) validateGrid() error {
	for _, v := range p.Variants {
		if _, err := variantOf(v); err != nil {
			return config.Fieldf("variants", "%v", err)
		}
	}
	for _, f := range []struct {
		name   string
		values []int
		least  int
	}{{"batches", p.Batches, 1}, {"lengths", p.Lengths, 0}} {
		for _, x := range f.values {
			if x < f.least {
				return config.Fieldf(f.name, "expected %d or more, found %d", f.least, x)
			}
		}
		if len(f.values) == 0 {
			return config.Fieldf(f.name, "expected at least one")
		}
	}
	if len(p.Variants) == 0 {
		return config.Fieldf("variants", "expected at least one")
	}
	return nil
}
