package search

import (
	"reflect"
	"testing"

	"go.yaml.in/yaml/v3"

	"hsnas/internal/config"
	"hsnas/internal/evolve"
)

func TestParamsFromYAML(t *testing.T) {
	cases := []struct{ yaml, want string }{
		{"iterations: 10\nstudent_iterations: 5\n", ""},
		{"limits: [50]\nseeds: [7]\nalso: [{constraint: gflops, limit: 3}]\n", ""},
		{"constraint: ''\nlimits: []\n", ""},
		{"population: 40\nparents: 10\nmutation: 15\ncrossover: 15\niterations: 10\nstudent_iterations: 5\n", ""}, // for a small space
		{"baseline: supernet\nsearches: [hs-nas, baseline-only, student-only, control-only, random]\nworkers: 2\n", ""},
		{"control: ''\n", ""}, // nobody asks it
		{"iteratons: 10\n", `x.yaml:1: unknown key "iteratons"; did you mean "iterations"?`},
		{"top: 5\npopulation: 20\n", "x.yaml:2: population: expected at least the 25 of parents, found 20"},
		{"mutation_probability: 2\n", "x.yaml:1: mutation_probability: expected a number from 0 to 1, found 2"},
		{"top: 0\n", "x.yaml:1: top: expected 1 or more, found 0"},
		{"searches: []\n", "x.yaml:1: searches: expected at least one of [hs-nas baseline-only student-only control-only flops-only params-only random]"},
		{"searches: [hsnas]\n", `x.yaml:1: searches: unknown search "hsnas"; did you mean "hs-nas"?`},
		{"searches: [random, random]\n", `x.yaml:1: searches: "random" is given twice`},
		{"seeds: []\n", "x.yaml:1: seeds: expected at least one seed, such as [1]"},
		{"seeds: [1, 2, 1]\n", "x.yaml:1: seeds: 1 is given twice"},
		{"student: ''\n", "x.yaml:1: student: expected the name of an exported predictor, such as student"},
		{"baseline: student\n", `x.yaml:1: baseline: expected the name of an exported predictor other than the student's, found "student"`},
		{"searches: [control-only]\ncontrol: ''\n", `x.yaml:2: control: expected the name of an exported predictor other than the student's and the baseline's, such as control-ridge, found ""`},
		{"searches: [control-only]\ncontrol: surrogate\n", `x.yaml:2: control: expected the name of an exported predictor other than the student's and the baseline's, such as control-ridge, found "surrogate"`},
		{"workers: -1\n", "x.yaml:1: workers: expected 0 for all cores or more, found -1"},
		{"limits: []\n", `x.yaml:1: limits: expected at least one limit of latency_ms, such as [100]; constraint: "" searches without one`},
		{"limits: [100, 100]\n", "x.yaml:1: limits: 100 is given twice"},
		{"quantiles: [0.5, 0.75]\n", ""}, // whatever limits say
		{"quantiles: [0]\n", "x.yaml:1: quantiles: expected numbers above 0 and up to 1, found 0"},
		{"quantiles: [0.5, 0.5]\n", "x.yaml:1: quantiles: 0.5 is given twice"},
		{"quantiles: [0.5]\nconstraint: gflops\n", "x.yaml:1: quantiles: they are of measured latencies: expected constraint: latency_ms, found \"gflops\""},
		{"schedule: adaptive\nprobes: 6\nmin_tau: -0.2\n", ""},
		{"student_shares: [0, 0.25, 1]\nschedules: [adaptive, alternating]\nobjectives: [quality, latency_ms, params]\nstratify: 5\n", ""},
		{"constraint: energy_mj\nlimits: [3]\nobjectives: [quality, energy_mj]\n", ""},
		{"schedule: adaptiv\n", `x.yaml:1: schedule: unknown schedule "adaptiv"; did you mean "adaptive"?`},
		{"schedules: [adaptiv]\n", `x.yaml:1: schedules: unknown schedule "adaptiv"; did you mean "adaptive"?`},
		{"schedules: [adaptive, adaptive]\n", `x.yaml:1: schedules: "adaptive" is given twice`},
		{"top: 1\nmin_tau: 1.5\n", "x.yaml:2: min_tau: expected a Kendall tau-b, a number from -1 to 1, found 1.5"},
		{"probes: 30\nschedules: [adaptive]\n", "x.yaml:1: probes: expected at most the 25 of parents, found 30"},
		{"student_shares: [1.5]\n", "x.yaml:1: student_shares: expected shares of the iterations, numbers from 0 to 1, found 1.5"},
		{"student_shares: [.nan]\n", "x.yaml:1: student_shares: expected shares of the iterations, numbers from 0 to 1, found NaN"},
		{"student_shares: [0.5, 0.5]\n", "x.yaml:1: student_shares: 0.5 is given twice"},
		{"objectives: [quality, latency]\n", `x.yaml:1: objectives: unknown objective "latency"; did you mean "latency_ms"?`},
		{"objectives: [quality, size]\n", `x.yaml:1: objectives: unknown objective "size"; known: gflops, latency_ms, params, quality`},
		{"objectives: [quality, parms]\n", `x.yaml:1: objectives: unknown objective "parms"; did you mean "params"?`},
		{"objectives: [quality]\n", "x.yaml:1: objectives: expected two or more of [quality latency_ms gflops params], found quality alone; leave objectives out to search for the best quality"},
		{"objectives: [quality, quality]\n", `x.yaml:1: objectives: "quality" is given twice`},
		{"iterations: 0\n", "x.yaml:1: iterations: expected 1 or more, found 0"},
		{"limits: [0]\n", "x.yaml:1: limits: expected numbers above 0, found 0"},
		{"limits: [.inf]\n", "x.yaml:1: limits: expected numbers above 0, found +Inf"},
		{"constraint: ''\n", "x.yaml:1: limits: expected none without a constraint; name the cost, such as constraint: latency_ms"},
		{"also: [{constraint: latency_ms, limit: 3}]\n", "x.yaml:1: also: latency_ms is constrained twice"},
		{"device: tpu\n", `x.yaml:1: device: unknown device "tpu"; known: cpu, webgpu, cuda, cuda:N`},
		{"also: [{limit: 3}]\n", `x.yaml:1: also: expected a constraint and a limit above 0, such as {constraint: gflops, limit: 3}; found "" and 3`},
	}
	for _, c := range cases {
		p := Defaults()
		got := ""
		if err := config.Decode("x.yaml", []byte(c.yaml), &p); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q:\ngot  %s\nwant %s", c.yaml, got, c.want)
		}
	}
}

// What a run directory keeps of the settings is read as what they were, zeros too.
func TestParamsSurviveYAML(t *testing.T) {
	want := Defaults()
	want.MinTau, want.Schedule, want.Stratify, want.StudentShares, want.Also = 0, evolve.Adaptive, 5, []float64{0, 0.5}, []Also{}
	text, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got := Defaults()
	if err := config.Decode("x.yaml", text, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
	}
}
