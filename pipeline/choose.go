package pipeline

import (
	"slices"

	"hsnas/internal/config"
)

// choose marks the stages that From, To and Only leave.
func choose(stages []Stage, o Options) ([]bool, error) {
	names := make([]string, len(stages))
	for i, s := range stages {
		names[i] = s.Name
	}
	if o.Only != "" && (o.From != "" || o.To != "") {
		return nil, config.Errorf("", 0, "--only names the one stage to run; it does not go with --from and --to")
	}
	first, last := 0, len(stages)-1
	for _, bound := range []struct {
		flag, name string
		ends       []*int
	}{
		{"--from", o.From, []*int{&first}},
		{"--to", o.To, []*int{&last}},
		{"--only", o.Only, []*int{&first, &last}},
	} {
		if bound.name == "" {
			continue
		}
		i := slices.Index(names, bound.name)
		if i < 0 {
			return nil, config.Errorf("", 0, "%s: unknown stage %q%s", bound.flag, bound.name, config.DidYouMean(bound.name, names))
		}
		for _, end := range bound.ends {
			*end = i
		}
	}
	if first > last {
		return nil, config.Errorf("", 0, "--from %s comes after --to %s", o.From, o.To)
	}
	chosen := make([]bool, len(stages))
	for i := range chosen {
		chosen[i] = first <= i && i <= last
	}
	return chosen, nil
}
