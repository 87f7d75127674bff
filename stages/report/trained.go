package report

import (
	"fmt"
	"math"
	"slices"

	"hsnas/internal/metric"
	"hsnas/schemas"
)

// trained tells of what was trained here: architectures again, and a supernet.
func (w *writer) trained() {
	w.again()
	w.supernetTraining()
}

// again holds trainings of this run against the same ones in the table.
func (w *writer) again() {
	var rows [][]string
	recorded := 0
	for _, r := range w.art.runs {
		if r.Source == schemas.SourceTable {
			recorded++
			continue
		}
		d := w.task.Metric.Decimals
		difference := absent
		if !math.IsNaN(r.Recorded) && !math.IsNaN(r.Score) {
			difference = fmt.Sprintf("%+.*f", d, r.Score-r.Recorded)
		}
		rows = append(rows, []string{r.ID, fmt.Sprint(r.Seed), number(r.Score, d), number(r.Recorded, d), difference, number(r.TestScore, d), number(r.CPUSeconds, 1), r.Fault})
	}
	if len(rows)+recorded == 0 {
		return
	}
	w.heading(2, "Training from scratch")
	if recorded > 0 {
		w.paragraph("The table that ships holds %s from scratch, made by `hsnas tfs`; these were trained again in this run.", count(recorded, "training", "trainings"))
	}
	if len(rows) > 0 {
		name := w.task.Metric.Name
		w.table([]string{"Architecture", ">Seed", ">" + name, ">in the table", ">difference", ">test " + name, ">CPU, s", "Fault"}, rows)
	}
}

func (w *writer) supernetTraining() {
	s := w.art.training
	if s == nil {
		return
	}
	w.heading(2, "Supernet")
	name := w.task.Metric.Name
	w.paragraph("%d shared weights, %d steps, the sub-network of each chosen by the rule %q. Minus the validation loss with inherited weights orders %d architectures with Kendall tau %s%s "+
		"against their validation %s after training from scratch, %s%s against their test %s. Training took %s s of processor time, %s ms a step; scoring %s ms an architecture.",
		s.Parameters, s.Steps, s.Rule, s.N, number(s.Tau, 3), interval(s.TauLo, s.TauHi, 3), name, number(s.TestTau, 3), interval(s.TestTauLo, s.TestTauHi, 3), name,
		number(s.CPUSeconds, 0), number(s.StepMS, 1), number(s.ScoreMS, 1))
}

// trial are the winners of one search at one limit, one for each seed.
type trial struct {
	search string
	limit  float64
	rows   []schemas.WinnerTrained
}

// trials says what the searches were worth: their winners trained from scratch.
func (w *writer) trials() {
	if len(w.art.winners) == 0 {
		return
	}
	trials := trialsOf(w.art.winners)
	name, d := w.task.Metric.Name, w.task.Metric.Decimals
	w.heading(2, "What the searches were worth")
	w.paragraph("The winner of each search, trained from scratch; mean over the seeds of the search, in brackets the standard deviation over them. " +
		"Evaluations are those by the baseline predictor; seconds are of all scorers.")
	var rows [][]string
	for _, c := range trials {
		of := func(value func(schemas.WinnerTrained) float64) []float64 { return column(c.rows, value) }
		rows = append(rows, []string{
			c.search, number(c.limit, 2), fmt.Sprint(len(c.rows)),
			withSpread(of(func(r schemas.WinnerTrained) float64 { return float64(r.Evaluations) }), 0),
			withSpread(of(func(r schemas.WinnerTrained) float64 { return r.SearchSeconds }), 1),
			withSpread(of(func(r schemas.WinnerTrained) float64 { return r.Cost }), 2),
			withSpread(of(func(r schemas.WinnerTrained) float64 { return w.measured(r.Search, r.Limit, r.Seed) }), 2),
			withSpread(of(func(r schemas.WinnerTrained) float64 { return r.Score }), d),
			withSpread(of(func(r schemas.WinnerTrained) float64 { return r.TestScore }), d),
		})
	}
	w.table([]string{"Search", ">Limit", ">Seeds", ">Evaluations", ">Seconds", ">Cost", ">latency, ms, measured", ">" + name, ">Test " + name}, rows)
	w.drawWinners(trials)
	w.verdicts(trials)
	w.foretold()
}

func trialsOf(winners []schemas.WinnerTrained) []trial {
	var out []trial
	for _, r := range winners {
		i := slices.IndexFunc(out, func(c trial) bool {
			return c.search == r.Search && sameLimit(c.limit, r.Limit)
		})
		if i < 0 {
			i = len(out)
			out = append(out, trial{search: r.Search, limit: r.Limit})
		}
		out[i].rows = append(out[i].rows, r)
	}
	return out
}

func column(rows []schemas.WinnerTrained, value func(schemas.WinnerTrained) float64) []float64 {
	out := make([]float64, len(rows))
	for i, r := range rows {
		out[i] = value(r)
	}
	return out
}

// withSpread writes "mean (standard deviation)", the mean alone for one value.
func withSpread(v []float64, decimals int) string {
	if len(v) < 2 {
		return number(metric.Mean(v), decimals)
	}
	return fmt.Sprintf("%s (%s)", number(metric.Mean(v), decimals), number(metric.Std(v), decimals))
}

// verdicts compares HS-NAS with the same search by the baseline alone.
func (w *writer) verdicts(trials []trial) {
	for _, hs := range trials {
		i := slices.IndexFunc(trials, func(c trial) bool {
			return c.search == baselineSearch && sameLimit(c.limit, hs.limit)
		})
		if hs.search != hybridSearch || i < 0 {
			continue
		}
		alone := trials[i]
		evaluations := func(r schemas.WinnerTrained) float64 { return float64(r.Evaluations) }
		score := func(r schemas.WinnerTrained) float64 { return r.Score }
		saved := 1 - metric.Mean(column(hs.rows, evaluations))/metric.Mean(column(alone.rows, evaluations))
		difference := metric.Mean(column(hs.rows, score)) - metric.Mean(column(alone.rows, score))
		if math.IsNaN(difference) {
			continue // a winner diverged: the table shows it
		}
		spread, d, name := w.seedSpread(), w.task.Metric.Decimals, w.task.Metric.Name
		verdict := "no more than"
		if math.Abs(difference) > spread {
			verdict = "more than"
		}
		w.paragraph("HS-NAS took %s fewer evaluations by the baseline than the baseline alone. Their winners differ by %s %s on average (%s), %s the standard deviation of %s between two trainings of one architecture.",
			percent(saved), fmt.Sprintf("%+.*f", d, difference), name, betterOrWorse(difference, w.task.Metric.Minimize()), verdict, number(spread, d))
	}
}

func betterOrWorse(difference float64, minimize bool) string {
	switch {
	case difference == 0:
		return "equal"
	case (difference > 0) != minimize:
		return "better"
	}
	return "worse"
}

// seedSpread is the standard deviation between trainings of one architecture,
// pooled over all that were trained more than once.
func (w *writer) seedSpread() float64 {
	byID, order := map[string][]float64{}, []string(nil)
	for _, r := range w.art.runs {
		if !math.IsNaN(r.Score) && (r.Source == schemas.SourceTable || math.IsNaN(r.Recorded)) {
			if byID[r.ID] == nil {
				order = append(order, r.ID)
			}
			byID[r.ID] = append(byID[r.ID], r.Score)
		}
	}
	var squares, n float64
	for _, id := range order {
		scores := byID[id]
		for _, s := range scores {
			squares += (s - metric.Mean(scores)) * (s - metric.Mean(scores))
		}
		n += float64(len(scores) - 1)
	}
	return math.Sqrt(squares / n)
}

// foretold is what the predictors had said of each winner.
func (w *writer) foretold() {
	name, d := w.task.Metric.Name, w.task.Metric.Decimals
	var rows [][]string
	for _, r := range w.art.winners {
		rows = append(rows, []string{
			r.Search, number(r.Limit, 2), fmt.Sprint(r.Seed), r.ID, number(r.StudentScore, d), number(r.BaselineScore, 3), number(r.Score, d), number(r.ScoreStd, d), fmt.Sprint(r.Trainings),
		})
	}
	said := "the baseline in " + name
	if w.scored(schemas.ScorerSupernet) {
		said = "the supernet as minus its loss in nats a token"
	}
	w.paragraph("What the predictors had said of each winner: LLM-Distill-PP in %s, %s.", name, said)
	w.table([]string{"Search", ">Limit", ">Seed", "Winner", ">LLM-Distill-PP", ">Baseline", ">" + name + ", trained", ">std", ">Trainings"}, rows)
}
