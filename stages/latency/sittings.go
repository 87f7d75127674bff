package latency

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"hsnas/internal/metric"
	"hsnas/internal/space"
)

// sitting names a part of a round: a block of architectures that were open together.
type sitting struct{ round, block int }

// blocks divides the architectures of a round into sittings, each as large as there
// is memory for beside the control. Rounds are divided differently, so that every
// architecture meets others in each: what a sitting is slower by can then be told
// from what its architectures are.
func (m *Measurement) blocks(round int) ([][]int, error) {
	control, err := footprint(m.Task, m.Task.Space.Largest())
	if err != nil {
		return nil, err
	}
	var out [][]int
	var block []int
	taken := control
	for _, i := range m.order(round, 0x626c6f636b, len(m.Archs)) {
		need, err := footprint(m.Task, m.Archs[i])
		if err != nil {
			return nil, err
		}
		if taken+need > m.memory() && len(block) > 0 {
			out, block, taken = append(out, block), nil, control
		}
		block, taken = append(block, i), taken+need
	}
	return append(out, block), nil
}

func (m *Measurement) memory() int64 { return cmp.Or(m.Memory, 1<<30) }

// order is a permutation that belongs to a round.
func (m *Measurement) order(round int, use uint64, n int) []int {
	return rand.New(rand.NewPCG(m.Params.Seed, use+uint64(round)<<32)).Perm(n)
}

// pace estimates what each sitting was slower by than all of them on average, as
// logarithms, from the times that architectures took in them: the logarithm of a
// time is the architecture's plus the sitting's, and both are lower quartiles of what
// the other leaves over, in turns, like a median polish (J. W. Tukey, Exploratory Data
// Analysis, 1977, chapter 11). Quartiles, because what disturbs a machine for less than
// a sitting slows but some of its times: a median would take that for the sitting's
// pace, and divide the others by it. The control is in every sitting, and so connects
// them all.
func pace(seen []observation, archs int) map[sitting]float64 {
	out := map[sitting]float64{}
	order := sittingsOf(seen)
	place := map[sitting]int{}
	for k, s := range order {
		place[s] = k
	}
	base, effects := make([]float64, archs), make([]float64, len(order))
	for range polishes {
		for i, rest := range residuals(seen, archs, func(o observation) (int, float64) { return o.arch, o.log - out[o.sitting] }) {
			base[i] = metric.Quantile(rest, quartile)
		}
		for k, rest := range residuals(seen, len(order), func(o observation) (int, float64) { return place[o.sitting], o.log - base[o.arch] }) {
			effects[k] = metric.Quantile(rest, quartile)
		}
		mean := metric.Mean(effects)
		for k, s := range order {
			out[s] = effects[k] - mean
		}
	}
	return out
}

const (
	quartile = 0.25
	polishes = 20 // how often quartiles are taken; a dozen settle some hundred rows
)

// observation is a time of an architecture in a sitting; 0 is the control.
type observation struct {
	sitting sitting
	arch    int
	log     float64
}

// residuals groups values of observations.
func residuals(seen []observation, groups int, of func(observation) (group int, value float64)) [][]float64 {
	out := make([][]float64, groups)
	for _, o := range seen {
		group, value := of(o)
		out[group] = append(out[group], value)
	}
	return out
}

func sittingsOf(seen []observation) []sitting {
	var out []sitting
	for _, o := range seen {
		if !slices.Contains(out, o.sitting) {
			out = append(out, o.sitting)
		}
	}
	return out
}

// steady returns what each architecture took at the average pace of all sittings: each
// of its times divided by its sitting's pace. Where every sitting has all architectures,
// all are slowed alike, and the times are as they were read.
func steady(seen []observation, archs int, complete bool) [][]float64 {
	slower := map[sitting]float64{}
	if !complete {
		slower = pace(seen, archs)
	}
	out := residuals(seen, archs, func(o observation) (int, float64) { return o.arch, o.log - slower[o.sitting] })
	for _, times := range out {
		for k, l := range times {
			times[k] = math.Exp(l)
		}
	}
	return out
}

// best sums up the times of an architecture: their fastest, or their lower quartile
// where each is divided by a pace that is an estimate itself.
func best(times []float64, complete bool) float64 {
	if complete {
		return slices.Min(times)
	}
	return metric.Quantile(times, quartile)
}

// withControl is the control and the architectures of a block, as a bench opens them.
func (m *Measurement) withControl(block []int) []space.Architecture {
	out := []space.Architecture{m.Task.Space.Largest()}
	for _, i := range block {
		out = append(out, m.Archs[i])
	}
	return out
}
