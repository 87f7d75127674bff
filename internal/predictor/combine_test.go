package predictor

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestCombine: figures computed by hand. The first opinion errs by 1 everywhere,
// the second by 2: weights 4/5 and 1/5.
func TestCombine(t *testing.T) {
	truth := []float64{10, 20, 30}
	opinions := []Opinion{
		{Name: "a", Test: []float64{5, 6}, HeldOut: []float64{11, 19, 31}},
		{Name: "b", Test: []float64{10, 1}, HeldOut: []float64{12, 22, 28}, Without: [][]float64{{11, 1}, {10, 2}, {9, 0}}},
	}
	got, err := Combine(opinions, truth, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	// Residuals of 0.8 a + 0.2 b: 1.2, -0.4, 0.4; around 6.2, 6, 5.8 and 5, 5.2, 4.8.
	check := func(what string, got []float64, want ...float64) {
		t.Helper()
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-9 {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
	}
	check("weights", got.Weights, 0.8, 0.2)
	check("prediction", got.Prediction, 6, 5)
	// Level 0.5 of three takes the second of each end.
	check("lo", got.Lo, 5.4, 4.4)
	check("hi", got.Hi, 6.4, 5.6)
}

// TestCombineCovers: intervals at 90 % around opinions about exchangeable rows
// cover about 90 % of the truths, and never less than 80 % beyond chance.
func TestCombineCovers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	inside, all := 0, 0
	for range 400 {
		const n, tests = 10, 5
		truth, unseen := make([]float64, n), make([]float64, tests)
		opinions := []Opinion{{Name: "a"}, {Name: "b"}}
		draw := func(y *float64) (a, b float64) {
			*y = r.NormFloat64()
			return *y + 0.3*r.NormFloat64(), *y + 0.6*r.NormFloat64()
		}
		for i := range truth {
			a, b := draw(&truth[i])
			opinions[0].HeldOut, opinions[1].HeldOut = append(opinions[0].HeldOut, a), append(opinions[1].HeldOut, b)
		}
		for i := range unseen {
			a, b := draw(&unseen[i])
			opinions[0].Test, opinions[1].Test = append(opinions[0].Test, a), append(opinions[1].Test, b)
		}
		got, err := Combine(opinions, truth, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		for i, y := range unseen {
			all++
			if got.Lo[i] <= y && y <= got.Hi[i] {
				inside++
			}
		}
	}
	if share := float64(inside) / float64(all); share < 0.87 || share > 0.97 {
		t.Errorf("%.3f of the truths inside, want about 0.9", share)
	}
}

// TestCombineCoversWithRefits: the same where opinions are lines that are fitted
// anew without each demonstration, as the controls are.
func TestCombineCoversWithRefits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	inside, all := 0, 0
	for range 400 {
		const n, tests = 10, 5
		x, y := make([]float64, n+tests), make([]float64, n+tests)
		for i := range x {
			x[i] = r.NormFloat64()
			y[i] = 2*x[i] + r.NormFloat64()
		}
		fit := func(without int) (slope, centre float64) {
			var xx, xy, sx, sy, m float64
			for i := range n {
				if i != without {
					sx, sy, m = sx+x[i], sy+y[i], m+1
				}
			}
			for i := range n {
				if i != without {
					xx, xy = xx+(x[i]-sx/m)*(x[i]-sx/m), xy+(x[i]-sx/m)*(y[i]-sy/m)
				}
			}
			return xy / xx, sy/m - xy/xx*sx/m
		}
		line := func(without int, at []float64) []float64 {
			slope, centre := fit(without)
			out := make([]float64, len(at))
			for i, v := range at {
				out[i] = centre + slope*v
			}
			return out
		}
		o := Opinion{Name: "line", Test: line(-1, x[n:])}
		for i := range n {
			o.HeldOut, o.Without = append(o.HeldOut, line(i, x[i:i+1])[0]), append(o.Without, line(i, x[n:]))
		}
		got, err := Combine([]Opinion{o}, y[:n], 0.9)
		if err != nil {
			t.Fatal(err)
		}
		for j := range tests {
			all++
			if got.Lo[j] <= y[n+j] && y[n+j] <= got.Hi[j] {
				inside++
			}
		}
	}
	if share := float64(inside) / float64(all); share < 0.87 || share > 0.97 {
		t.Errorf("%.3f of the truths inside, want about 0.9", share)
	}
}

// TestCombineFewDemonstrations: 90 % cannot be promised by fewer than nine.
func TestCombineFewDemonstrations(t *testing.T) {
	for n, defined := range map[int]bool{8: false, 9: true} {
		truth := make([]float64, n)
		for i := range truth {
			truth[i] = float64(i)
		}
		got, err := Combine([]Opinion{{Name: "a", Test: []float64{1}, HeldOut: truth}}, truth, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		if math.IsNaN(got.Lo[0]) == defined || math.IsNaN(got.Hi[0]) == defined {
			t.Errorf("%d demonstrations: %v to %v", n, got.Lo, got.Hi)
		}
	}
}

func TestCombineRefuses(t *testing.T) {
	truth := []float64{1, 2, 3}
	for _, tt := range []struct {
		opinions []Opinion
		want     string
	}{
		{nil, "combining 0 opinions by 3 demonstrations: expected at least 1 and 3"},
		{[]Opinion{{Name: "a", Test: []float64{1}, HeldOut: []float64{1}}}, "combining opinions: a speaks of 1 demonstrations and 1 architectures, expected 3 and 1"},
		{[]Opinion{{Name: "a", Test: []float64{1}, HeldOut: []float64{1, math.NaN(), 3}}}, "combining opinions: a held-out prediction is not a number"},
	} {
		if _, err := Combine(tt.opinions, truth, 0.9); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}
