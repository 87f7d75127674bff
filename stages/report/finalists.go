package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"hsnas/schemas"
)

// measured is the measured latency of what a search ended at, NaN where it was not
// timed; id is for the winners of several seeds, of which some are not their own
// seed's best.
func (w *writer) measured(search string, limit float64, seed int64, id ...string) float64 {
	for _, f := range w.art.finalists {
		if f.Kind == schemas.FinalistBest && f.Search == search && f.Seed == seed && sameLimit(f.Limit, limit) && (len(id) == 0 || f.ID == id[0]) {
			return f.MeasuredMS
		}
	}
	return math.NaN()
}

// remeasured writes what the device says of the architectures that the searches
// ended at: whether the limits hold that they kept to by prediction.
func (w *writer) remeasured() {
	all := w.art.finalists
	if len(all) == 0 {
		return
	}
	w.heading(2, "Finalists, timed again")
	if all[0].Note != "" {
		w.paragraph("Not timed, so that limits hold by prediction alone: %s.", all[0].Note)
		return
	}
	first := all[0]
	w.paragraph("The best of each search and seed and points of its front, timed on %s by the protocol of the dataset that the latency predictor was fitted to (%s): %d rounds in turns with the control, %d repetitions, the fastest counts. "+
		"The interval is what half of the rounds would have given (95 %%); what disturbs a machine only adds, so that its lower end is the time itself.", first.Device, first.Dataset, first.Rounds, first.Repetitions)
	w.paragraph("%s", steadiness(first))
	var rows [][]string
	for _, f := range all {
		rows = append(rows, []string{
			f.Search, number(f.LimitMS, 2), fmt.Sprint(f.Seed), placeOf(f), "`" + f.ID + "`", number(f.PredictedMS, 2),
			number(f.MeasuredMS, 2) + interval(f.MeasuredMS, f.MeasuredHiMS, 2), number(100*(f.MeasuredMS/f.PredictedMS-1), 1) + " %", held(f),
		})
	}
	w.table([]string{"search", ">limit, ms", ">seed", "finalist", "architecture", ">latency, ms, predicted", ">latency, ms, measured", ">difference", "limit, by measurement"}, rows)
	w.violations()
}

// steadiness says how the control fared, now and when the dataset was measured.
func steadiness(f schemas.Finalist) string {
	text := fmt.Sprintf("The control, the largest architecture, took %s ms", number(f.ControlMS, 2))
	if !math.IsNaN(f.ControlThen) {
		text += fmt.Sprintf(", and %s ms when the dataset was measured: the machine is %s", number(f.ControlThen, 2), paceOf(f.ControlMS/f.ControlThen-1))
	}
	if !math.IsNaN(f.ControlCV) {
		text += fmt.Sprintf("; its times vary by %s (coefficient of variation)", percent(f.ControlCV))
	}
	return text + "."
}

// paceOf names a change of the control's time.
func paceOf(change float64) string {
	if change < 0 {
		return percent(-change) + " faster"
	}
	return percent(change) + " slower"
}

func placeOf(f schemas.Finalist) string {
	if f.Kind == schemas.FinalistBest {
		return f.Kind
	}
	return fmt.Sprintf("%s, point %d", f.Kind, f.Place)
}

// held is the verdict on a limit.
func held(f schemas.Finalist) string {
	switch {
	case math.IsNaN(f.LimitMS):
		return "none"
	case f.ExcessMS <= 0:
		return "holds"
	}
	return fmt.Sprintf("violated by %s ms (%s)", digits(f.ExcessMS, 2), percent(f.ExcessMS/f.LimitMS))
}

// violations says of how many finalists a limit does not hold.
func (w *writer) violations() {
	limited, violated := 0, []schemas.Finalist(nil)
	for _, f := range w.art.finalists {
		if math.IsNaN(f.LimitMS) {
			continue
		}
		limited++
		if f.ExcessMS > 0 {
			violated = append(violated, f)
		}
	}
	switch {
	case limited == 0:
	case len(violated) == 0:
		w.paragraph("By measurement every limit holds.")
	default:
		worst := slices.MaxFunc(violated, func(a, b schemas.Finalist) int { return cmp.Compare(a.ExcessMS/a.LimitMS, b.ExcessMS/b.LimitMS) })
		w.paragraph("By measurement the limit does not hold for %d of %s: at worst by %s ms, %s of the limit (%s, seed %d).", len(violated), count(limited, "finalist", "finalists"),
			digits(worst.ExcessMS, 2), percent(worst.ExcessMS/worst.LimitMS), worst.Search, worst.Seed)
		w.excused(violated)
	}
}

// excused says of how many violations the machine's pace is explanation enough: they are
// no larger than what the control has become slower by.
func (w *writer) excused(violated []schemas.Finalist) {
	n := 0
	for _, f := range violated {
		if f.ExcessMS/f.LimitMS <= f.ControlMS/f.ControlThen-1 {
			n++
		}
	}
	if n > 0 {
		w.paragraph("%d of them by no more than the control has become slower by: the machine, not the predictor, may be the reason. Measure again on an idle one.", n)
	}
}
