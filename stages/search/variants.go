package search

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"hsnas/internal/evolve"
)

// variant is a search to run and the evolution that it is.
type variant struct {
	name   string
	params evolve.Params
}

// variants are the searches in the order in which they run: hs-nas, those like it
// with another share or schedule, its controls.
func (p Params) variants() []variant {
	var out []variant
	for _, name := range Searches() {
		if slices.Contains(p.Searches, name) {
			out = append(out, variant{name, p.evolution(name)})
		}
		if name == HSNAS {
			out = append(out, p.hybrids()...)
		}
	}
	return out
}

// hybrids are the searches of StudentShares and Schedules.
func (p Params) hybrids() []variant {
	var out []variant
	for _, share := range p.StudentShares {
		v := variant{HSNAS + "-" + strconv.FormatFloat(math.Round(1e4*share)/100, 'g', -1, 64), p.Params}
		v.params.StudentIterations = int(math.Round(share * float64(p.Iterations)))
		out = append(out, v)
	}
	for _, schedule := range p.Schedules {
		v := variant{fmt.Sprintf("%s-%s", HSNAS, schedule), p.Params}
		v.params.Schedule = schedule
		out = append(out, v)
	}
	return out
}

// evolution is that of a search by name: a search by one scorer alone has no schedule.
// Random has no budget yet.
func (p Params) evolution(name string) evolve.Params {
	out := p.Params
	switch name {
	case HSNAS:
		return out
	case Random:
		return evolve.RandomParams(max(1, p.Candidates()), p.Tries)
	case BaselineOnly:
		out.StudentIterations = 0
	default:
		out.StudentIterations = out.Iterations
	}
	out.Schedule = evolve.StudentFirst
	return out
}
