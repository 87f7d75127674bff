package predictor

import (
	"math"
	"math/rand/v2"
	"testing"

	"hsnas/internal/metric"
)

func ids(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = string(rune('a' + i))
	}
	return out
}

// board is two splits in which good is near the truth, poor is not, and partial
// saw the first split alone.
func board(t *testing.T) map[string]Standing {
	t.Helper()
	r := rand.New(rand.NewPCG(8, 9))
	good, poor := Outcome{Predictor: "llm-pp"}, Outcome{Predictor: "poor"}
	for _, name := range []string{"1", "2"} {
		truth, g, p := make([]float64, 20), make([]float64, 20), make([]float64, 20)
		for i := range truth {
			truth[i] = r.NormFloat64()
			g[i], p[i] = truth[i]+0.1*r.NormFloat64(), truth[i]+2*r.NormFloat64()
		}
		good.Splits = append(good.Splits, SplitOutcome{Split: name, IDs: ids(20), Prediction: g, Truth: truth})
		poor.Splits = append(poor.Splits, SplitOutcome{Split: name, IDs: ids(20), Prediction: p, Truth: truth})
	}
	constant := Outcome{Predictor: "constant", Splits: []SplitOutcome{{Split: "1", IDs: ids(20), Prediction: make([]float64, 20), Truth: good.Splits[0].Truth}}}
	out := map[string]Standing{}
	for _, s := range Scoreboard([]Outcome{good, poor, constant}, "llm-pp", Bootstrap{Draws: 499, Seed: 1}) {
		out[s.Predictor+" "+s.Split] = s
	}
	if len(out) != 8 {
		t.Fatalf("%d rows, want two splits and a mean twice, and one split and a mean", len(out))
	}
	return out
}

func TestScoreboard(t *testing.T) {
	rows := board(t)
	mean, one, two := rows["poor mean"], rows["poor 1"], rows["poor 2"]
	if mean.MAE != (one.MAE+two.MAE)/2 || mean.Tau != (one.Tau+two.Tau)/2 || mean.N != 40 || one.N != 20 {
		t.Errorf("mean %+v of %+v and %+v", mean, one, two)
	}
	if want := metric.Std([]float64{one.MAE, two.MAE}); mean.MAEStd != want || !math.IsNaN(one.MAEStd) {
		t.Errorf("deviations %v and %v, want %v and NaN", mean.MAEStd, one.MAEStd, want)
	}
	for name, s := range rows {
		if !(s.MAE95.Lo < s.MAE && s.MAE < s.MAE95.Hi) {
			t.Errorf("%s: %v outside %+v", name, s.MAE, s.MAE95)
		}
	}
	// Two splits say more than one.
	if a, b := mean.MAE95.Hi-mean.MAE95.Lo, one.MAE95.Hi-one.MAE95.Lo; a >= b {
		t.Errorf("the mean's interval is %v wide, a split's %v", a, b)
	}
	if mean.PMAE != 2.0/500 || mean.PTau != 2.0/500 {
		t.Errorf("p %v and %v of a clear difference, want the least that 499 draws can say", mean.PMAE, mean.PTau)
	}
	if s := rows["llm-pp mean"]; !math.IsNaN(s.PMAE) {
		t.Errorf("llm-pp against itself has p = %v", s.PMAE)
	}
	if s := rows["constant mean"]; !math.IsNaN(s.Tau) || !math.IsNaN(s.Tau95.Lo) || !math.IsNaN(s.TauStd) || s.Tau95.Dropped != 499 || s.N != 20 {
		t.Errorf("constant %+v", s)
	}
}

// A resample is the same for all predictors: one against its copy never differs.
func TestScoreboardPairs(t *testing.T) {
	truth, said := []float64{1, 2, 3, 4}, []float64{1.1, 2.3, 2.9, 4.2}
	a := Outcome{Predictor: "a", Splits: []SplitOutcome{{Split: "1", IDs: []string{"w", "x", "y", "z"}, Prediction: said, Truth: truth}}}
	// b lacks an architecture, and has the others in another order.
	b := Outcome{Predictor: "b", Splits: []SplitOutcome{{Split: "1", IDs: []string{"z", "x", "w"}, Prediction: []float64{4.2, 2.3, 1.1}, Truth: []float64{4, 2, 1}}}}
	for _, s := range Scoreboard([]Outcome{a, b}, "a", Bootstrap{Draws: 99}) {
		if s.Predictor == "b" && (s.PMAE != 1 || s.N != 3) {
			t.Errorf("%+v, want p = 1 over three architectures", s)
		}
	}
}

// An order is worth its tau, whatever its unit; it has no error.
func TestScoreboardOfAnOrder(t *testing.T) {
	truth, said := []float64{1, 2, 3, 4, 5}, []float64{1.1, 2.3, 2.2, 4.2, 5.3}
	names := []string{"v", "w", "x", "y", "z"}
	a := Outcome{Predictor: "a", Splits: []SplitOutcome{{Split: "1", IDs: names, Prediction: said, Truth: truth}}}
	b := Outcome{Predictor: "b", Splits: []SplitOutcome{{Split: "1", IDs: names, Prediction: []float64{-0.9, -0.8, -0.7, -0.6, -0.5}, Truth: truth}}, OrderOnly: true}
	for _, s := range Scoreboard([]Outcome{a, b}, "a", Bootstrap{Draws: 99}) {
		if s.Predictor == "a" {
			continue
		}
		if !(s.Tau > 0.999) || !(s.Tau95.Lo > 0.999) || math.IsNaN(s.PTau) || s.N != 5 {
			t.Errorf("%+v, want a tau of 1 and its p-value", s)
		}
		for _, x := range []float64{s.MAE, s.MAEStd, s.MAE95.Lo, s.MAE95.Hi, s.PMAE} {
			if !math.IsNaN(x) {
				t.Errorf("%+v, want no error of an order", s)
			}
		}
	}
}

func TestCoverage(t *testing.T) {
	nan := math.NaN()
	o := Outcome{Predictor: "a", Splits: []SplitOutcome{
		{Split: "1", IDs: []string{"x", "y"}, Prediction: []float64{1, 2}, Truth: []float64{1.5, 3}, Lo: []float64{0, 1}, Hi: []float64{2, 2}},
		{Split: "2", IDs: []string{"v", "w"}, Prediction: []float64{1, 2}, Truth: []float64{1, 2}, Lo: []float64{nan, 2}, Hi: []float64{nan, 5}},
	}}
	for _, s := range Scoreboard([]Outcome{o}, "a", Bootstrap{Draws: 9}) {
		want := map[string][2]float64{"1": {1. / 2, 3. / 2}, "2": {1, 3}, MeanSplit: {2. / 3, 2}}[s.Split]
		if s.Coverage != want[0] || s.Width != want[1] {
			t.Errorf("%s: coverage %v, width %v; want %v", s.Split, s.Coverage, s.Width, want)
		}
	}
}

// TestSharedArchitecturesAreDrawnOnce: two splits that test the same architectures
// are no more evidence than one.
func TestSharedArchitecturesAreDrawnOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	truth, said := make([]float64, 20), make([]float64, 20)
	for i := range truth {
		truth[i] = r.NormFloat64()
		said[i] = truth[i] + r.NormFloat64()
	}
	split := func(name string) SplitOutcome {
		return SplitOutcome{Split: name, IDs: ids(20), Prediction: said, Truth: truth}
	}
	width := map[string]float64{}
	o := Outcome{Predictor: "a", Splits: []SplitOutcome{split("1"), split("2"), split("3"), split("4")}}
	for _, s := range Scoreboard([]Outcome{o}, "a", Bootstrap{Draws: 2000, Seed: 1}) {
		width[s.Split] = s.MAE95.Hi - s.MAE95.Lo
	}
	if ratio := width[MeanSplit] / width["1"]; ratio < 0.9 || ratio > 1.1 {
		t.Errorf("the interval of four equal splits is %.2f as wide as one's, want 1", ratio)
	}
}
