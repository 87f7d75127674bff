package benchmark

import (
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
	// Warmup is how many repetitions go untimed before those of each round.
	Warmup int `yaml:"warmup"`
	// Repetitions is how many are timed of each architecture, over all rounds.
	Repetitions int `yaml:"repetitions"`
	// Rounds is how many times the list of architectures is gone through, in turns
	// forwards and backwards: a machine that slows down then slows all of them.
	Rounds int `yaml:"rounds"`
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
		Device: "cpu", Threads: 1, Warmup: 5, Repetitions: 20, Rounds: 2, Beam: nn.DefaultBeam, Seed: 1,
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
		{"top", p.Top, 0},
	} {
		if f.value < f.least {
			return config.Fieldf(f.name, "expected %d or more, found %d", f.least, f.value)
		}
	}
	if p.Rounds > p.Repetitions {
		return config.Fieldf("rounds", "%d rounds need as many repetitions, found %d", p.Rounds, p.Repetitions)
	}
	return nil
}
