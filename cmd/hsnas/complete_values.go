package main

import (
	"slices"
	"strings"

	"hsnas/data"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
	"hsnas/internal/published"
	"hsnas/stages/ablations"
	"hsnas/stages/benchmark"
	"hsnas/stages/corpus"
	"hsnas/stages/distill"
	"hsnas/stages/export"
	"hsnas/stages/label"
	"hsnas/stages/latency"
	"hsnas/stages/report"
	"hsnas/stages/sample"
	"hsnas/stages/search"
	"hsnas/stages/supernet"
	"hsnas/stages/tfs"
	"hsnas/stages/winners"
)

// valuesOf are the values of a kind, by the name that usages have for it, and whether
// a file's name is one as well.
func (t *typed) valuesOf(kind string) (found []candidate, files bool) {
	switch kind {
	case "RUN":
		return named(runNames()), false
	case "EXPERIMENT":
		return named(data.Names(data.Experiments)), true
	case "TASK":
		return named(data.Names(data.Tasks)), true
	case "STAGE":
		return named(t.stages()), false
	case "DEVICE":
		return named(slices.DeleteFunc(ort.Devices(), func(d string) bool { return strings.HasSuffix(d, ":N") })), false
	case "DEVICES":
		return named(append(published.LatencyDatasets(), latency.AnySource)), true
	case "DATASET":
		return named(published.LatencyDatasets()), true
	case "EXECUTOR":
		return named([]string{executorLocal, executorSlurm}), false
	case "FORMAT":
		return named([]string{logText, logJSON}), false
	case "PRECISION":
		return named([]string{string(nn.Float32), string(nn.Float16), string(nn.Int8)}), false
	case "LEVEL":
		return named([]string{"fp32", "fp32-off", "fp32-basic", "fp32-extended"}), false
	case "FILE", "DIR", "FOLDER":
		return nil, true
	}
	return nil, false
}

// stages are those of the experiment on the command line, else all that there are.
func (t *typed) stages() []string {
	if x := t.values["experiment"]; x != "" {
		if e, err := loadExperiment(x, nil); err == nil {
			if stages, err := e.Stages(); err == nil {
				var out []string
				for _, s := range stages {
					out = append(out, s.Name)
				}
				return out
			}
		}
	}
	return []string{
		corpus.Name, sample.Name, tfs.Name, supernet.Name, label.Name, ablations.Name, distill.Name, latency.Name,
		export.Name, search.Name, winners.Name, benchmark.Name, report.Name,
	}
}

func named(names []string) []candidate {
	out := make([]candidate, len(names))
	for i, n := range names {
		out[i] = candidate{text: n}
	}
	return out
}
