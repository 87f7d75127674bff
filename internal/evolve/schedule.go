package evolve

import (
	"context"
	"math"

	"hsnas/internal/metric"
)

// Schedule says which iterations the student is in charge of, given how many. The
// zero value is StudentFirst.
type Schedule string

// The schedules.
const (
	// StudentFirst is HS-NAS as its paper proposes it: the student scores the first
	// Params.StudentIterations generations.
	StudentFirst Schedule = "student-first"
	// BaselineFirst is the other way round: the student scores the last ones.
	BaselineFirst Schedule = "baseline-first"
	// Alternating spreads the student's generations evenly; with half of them the two
	// take turns, the student first.
	Alternating Schedule = "alternating"
	// Adaptive is StudentFirst with reviews: after each generation the baseline scores
	// Params.Probes of the parents, and takes over for good once the student does
	// not order them as it does itself, the mean of Kendall's tau-b over the last
	// Params.Reviews being below Params.MinTau.
	Adaptive Schedule = "adaptive"
)

// Schedules returns the names of all schedules.
func Schedules() []string {
	return []string{string(StudentFirst), string(BaselineFirst), string(Alternating), string(Adaptive)}
}

// student says whether the student is in charge of an iteration; converted that it
// has been found out before.
func (p Params) student(iteration int, converted bool) bool {
	n, all := p.StudentIterations, p.Iterations
	switch p.Schedule {
	case BaselineFirst:
		return iteration >= all-n
	case Alternating:
		return share(iteration+1, n, all) > share(iteration, n, all)
	case Adaptive:
		return iteration < n && !converted
	}
	return iteration < n
}

// share is how many of the first i iterations are the student's when it has n of
// all, rounded up: its first is iteration 0.
func share(i, n, all int) int { return (i*n + all - 1) / all }

// needs says which scorers a search of these settings asks.
func (p Params) needs(front bool) (student, baseline bool) {
	probes := p.Schedule == Adaptive && p.StudentIterations > 1
	return p.StudentIterations > 0, p.StudentIterations < p.Iterations || probes || front
}

// foundOut says whether the student is to be relieved after a review that found tau.
// A few probes make a noisy tau, and of many reviews of a student that is good some
// find a bad one by chance: the mean of several decides.
func (s *search) foundOut(tau float64) bool {
	n := s.p.Reviews
	if len(s.progress)+1 < n {
		return false
	}
	sum := tau
	for _, g := range s.progress[len(s.progress)+1-n:] {
		sum += g.Tau
	}
	return !(sum/float64(n) >= s.p.MinTau-rounding)
}

// probe has the baseline score some of the parents of the next generation, spread
// evenly over their ranking by the student, and returns Kendall's tau-b between the
// two; NaN where one of them tells no difference. The baseline is charged.
func (s *search) probe(ctx context.Context) (float64, error) {
	parents := s.parents(s.members, s.scorer, s.scorer)
	n := min(s.p.Probes, len(parents))
	probes := make([]member, n)
	for i := range probes {
		probes[i] = parents[i*(len(parents)-1)/max(1, n-1)]
		probes[i].origin = OriginProbe
	}
	baseline := s.memory(s.problem.Baseline)
	if err := s.evaluate(ctx, probes, len(s.members), baseline); err != nil {
		return math.NaN(), err
	}
	x, y := make([]float64, n), make([]float64, n)
	for i, m := range probes {
		x[i], y[i] = s.scorer.value[m.key], baseline.value[m.key]
	}
	return metric.KendallTauB(x, y), nil
}
