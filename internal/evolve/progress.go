package evolve

import "math"

// Generation is how far a search is after a generation.
type Generation struct {
	Iteration int    // from 0
	Scorer    string // in charge of it
	// Student and Baseline are how many architectures each has scored so far, probes
	// and what remains to be judged at the end included.
	Student, Baseline int64
	// Best is the best score so far by Scorer.
	Best float64
	// Tau is Kendall's tau-b between student and baseline on the probes of an adaptive
	// search, NaN where there were none or one of the two told no difference.
	Tau float64
	// Hypervolume is that of everything that the baseline has scored so far, NaN
	// without objectives or a reference.
	Hypervolume float64
}

// report writes the line of the generation that is scored.
func (s *search) report(tau float64) {
	g := Generation{
		Iteration: s.done, Scorer: s.scorer.account.Name, Best: s.scorer.best, Tau: tau, Hypervolume: s.hypervolume(),
		Student: s.evaluations(s.problem.Student), Baseline: s.evaluations(s.problem.Baseline),
	}
	s.progress = append(s.progress, g)
	s.o.Progress(g)
}

// evaluations is what a scorer has computed so far, 0 for one that was never asked.
func (s *search) evaluations(scorer Scorer) int64 {
	if scorer == nil {
		return 0
	}
	for _, m := range s.memories {
		if m.account.Name == scorer.Name() {
			return m.account.Evaluations
		}
	}
	return 0
}

// hypervolume is that of what the baseline has scored so far.
func (s *search) hypervolume() float64 {
	if s.problem.Reference == nil {
		return math.NaN()
	}
	if s.evaluations(s.problem.Baseline) == 0 {
		return 0
	}
	m := s.memory(s.problem.Baseline)
	for _, x := range m.order[s.front.seen:] {
		s.front.add(s.vector(m, x.key))
	}
	s.front.seen = len(m.order)
	return Hypervolume(s.front.points, s.minimised(s.problem.Reference))
}
