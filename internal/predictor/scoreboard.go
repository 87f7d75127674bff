package predictor

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"hsnas/internal/metric"
)

// MeanSplit is the Split of a Standing over all splits of its predictor.
const MeanSplit = "mean"

// Outcome is what a predictor said about the test sets of some splits.
type Outcome struct {
	Predictor string
	Splits    []SplitOutcome
	Note      string
	// OrderOnly says that the predictions are in no unit of the truth, larger for
	// better: an error of theirs means nothing.
	OrderOnly bool
}

// SplitOutcome is one split of an Outcome; its slices go together.
type SplitOutcome struct {
	Split      string
	IDs        []string // of the architectures
	Prediction []float64
	Truth      []float64
	Lo, Hi     []float64 // intervals around the predictions, nil where there are none
}

// Standing is a row of the scoreboard. Undefined figures are NaN: a tau of a
// constant, a deviation over one split, the comparison of a predictor with itself,
// an error of an order.
type Standing struct {
	Predictor, Split string
	MAE, Tau         float64 // over the split's test set; mean over the splits for MeanSplit
	MAEStd, TauStd   float64 // sample standard deviation over the splits, for MeanSplit
	MAE95, Tau95     metric.Interval
	N                int     // test predictions, of all splits for MeanSplit
	PMAE, PTau       float64 // two-sided, of "as good as the reference on the same architectures"
	Coverage         float64 // share of the truths inside the predictor's intervals
	Width            float64 // mean width of the intervals, in the metric's unit
	Note             string
}

// Bootstrap configures the intervals of Scoreboard.
type Bootstrap struct {
	Draws int    // 0 means 2000
	Seed  uint64 // of the resamples
}

// Scoreboard ranks nothing: it measures every outcome on each of its splits and
// on their mean, with 95 % percentile bootstrap intervals over the
// architectures and a paired bootstrap against the outcome named reference. For
// a mean the architectures of all splits are drawn together, and the statistic is
// the mean over the splits. Every predictor meets the same resamples.
func Scoreboard(outcomes []Outcome, reference string, b Bootstrap) []Standing {
	if b.Draws == 0 {
		b.Draws = 2000
	}
	splits := map[string]SplitOutcome{}
	for _, o := range outcomes {
		if o.Predictor == reference {
			for _, s := range o.Splits {
				splits[s.Split] = s
			}
		}
	}
	var out []Standing
	for _, o := range outcomes {
		against := splits
		if o.Predictor == reference {
			against = nil
		}
		for _, s := range o.Splits {
			out = append(out, standing(o, s.Split, []SplitOutcome{s}, against, b))
		}
		if len(o.Splits) > 0 {
			out = append(out, standing(o, MeanSplit, o.Splits, against, b))
		}
	}
	return out
}

func standing(o Outcome, name string, splits []SplitOutcome, reference map[string]SplitOutcome, b Bootstrap) Standing {
	row := Standing{Predictor: o.Predictor, Split: name, MAEStd: math.NaN(), TauStd: math.NaN(), PMAE: math.NaN(), PTau: math.NaN(), Note: o.Note}
	var maes, taus []float64
	for _, s := range splits {
		maes, taus = append(maes, metric.MAE(s.Prediction, s.Truth)), append(taus, metric.KendallTauB(s.Prediction, s.Truth))
		row.N += len(s.Truth)
	}
	row.MAE, row.Tau = metric.Mean(maes), metric.Mean(taus)
	if name == MeanSplit {
		row.MAEStd, row.TauStd = metric.Std(maes), metric.Std(taus)
	}
	row.Coverage, row.Width = coverage(splits)
	mae, tau := resampled(splits, b)
	row.MAE95, row.Tau95 = interval95(mae), interval95(tau)
	if mine, theirs, ok := paired(splits, reference); ok {
		mae, tau = resampled(mine, b)
		otherMAE, otherTau := resampled(theirs, b)
		row.PMAE, row.PTau = pValue(mae, otherMAE), pValue(tau, otherTau)
	}
	if o.OrderOnly {
		row.MAE, row.MAEStd, row.PMAE = math.NaN(), math.NaN(), math.NaN()
		row.MAE95 = metric.Interval{Lo: math.NaN(), Hi: math.NaN()}
	}
	return row
}

// coverage returns the share of truths inside the intervals of all splits and the
// intervals' mean width, NaN without intervals.
func coverage(splits []SplitOutcome) (share, width float64) {
	inside, all := 0.0, 0.0
	for _, s := range splits {
		for i := range s.Lo {
			if math.IsNaN(s.Lo[i]) || math.IsNaN(s.Hi[i]) {
				continue
			}
			all++
			width += s.Hi[i] - s.Lo[i]
			if s.Lo[i] <= s.Truth[i] && s.Truth[i] <= s.Hi[i] {
				inside++
			}
		}
	}
	return inside / all, width / all // 0/0 is NaN
}

// resampled draws architectures, with replacement, and returns the mean over the
// splits of MAE and tau for each draw. An architecture that several splits test is
// drawn for all of them at once: what its truth errs by, it errs by in each. The
// random numbers depend on the seed, the splits' names and the architectures alone,
// so that outcomes about the same architectures are resampled alike.
func resampled(splits []SplitOutcome, b Bootstrap) (mae, tau []float64) {
	mae, tau = make([]float64, b.Draws), make([]float64, b.Draws)
	place, h := map[string]int{}, fnv.New64a()
	for _, s := range splits {
		h.Write([]byte(s.Split))
		for _, id := range s.IDs {
			if _, ok := place[id]; !ok {
				place[id] = len(place)
			}
		}
	}
	r := rand.New(rand.NewPCG(b.Seed, h.Sum64()))
	drawn := make([]int, len(place))
	var items []int
	for d := range b.Draws {
		clear(drawn)
		for range drawn {
			drawn[r.IntN(len(drawn))]++
		}
		for _, s := range splits {
			items = items[:0]
			for i, id := range s.IDs {
				for range drawn[place[id]] {
					items = append(items, i)
				}
			}
			prediction, truth := metric.Pick(s.Prediction, items), metric.Pick(s.Truth, items)
			mae[d] += metric.MAE(prediction, truth) / float64(len(splits))
			tau[d] += metric.KendallTauB(prediction, truth) / float64(len(splits))
		}
	}
	return mae, tau
}

// interval95 is the percentile interval of the draws that are numbers.
func interval95(draws []float64) metric.Interval {
	kept := slices.DeleteFunc(slices.Clone(draws), math.IsNaN)
	out := metric.Interval{Lo: math.NaN(), Hi: math.NaN(), Draws: len(kept), Dropped: len(draws) - len(kept)}
	if len(kept) > 0 {
		out.Lo, out.Hi = metric.Quantile(kept, 0.025), metric.Quantile(kept, 0.975)
	}
	return out
}

// pValue inverts the percentile interval of a - b as metric.PairedBootstrap does.
func pValue(a, b []float64) float64 {
	less, greater, kept := 0, 0, 0
	for i := range a {
		d := a[i] - b[i]
		if math.IsNaN(d) {
			continue
		}
		kept++
		if d <= 0 {
			less++
		}
		if d >= 0 {
			greater++
		}
	}
	if kept == 0 {
		return math.NaN()
	}
	return min(1, 2*float64(min(less, greater)+1)/float64(kept+1))
}

// paired keeps the architectures that both predicted, split by split; ok is
// false where the reference lacks a split.
func paired(splits []SplitOutcome, reference map[string]SplitOutcome) (mine, theirs []SplitOutcome, ok bool) {
	for _, s := range splits {
		r, found := reference[s.Split]
		if !found {
			return nil, nil, false
		}
		place := map[string]int{}
		for i, id := range r.IDs {
			place[id] = i
		}
		var a, b []int
		for i, id := range s.IDs {
			if k, both := place[id]; both {
				a, b = append(a, i), append(b, k)
			}
		}
		if len(a) == 0 {
			return nil, nil, false
		}
		mine, theirs = append(mine, s.pick(a)), append(theirs, r.pick(b))
	}
	return mine, theirs, len(mine) > 0
}

func (s SplitOutcome) pick(items []int) SplitOutcome {
	return SplitOutcome{Split: s.Split, IDs: pickText(s.IDs, items), Prediction: metric.Pick(s.Prediction, items), Truth: metric.Pick(s.Truth, items)}
}

func pickText(from []string, items []int) []string {
	out := make([]string, len(items))
	for k, i := range items {
		out[k] = from[i]
	}
	return out
}
