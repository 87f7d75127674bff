package adapt

import (
	"math"
	"math/rand/v2"
	"testing"

	"hsnas/internal/metric"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
		t.Errorf("%s is %.15g, expected %.15g", what, got, want)
	}
}

// The golden values are those of the weighted normal equations in two unknowns,
// solved by Cramer's rule in a program of another language; the leave-one-out error
// that of five fits without a row each.
func TestGolden(t *testing.T) {
	x, y := [][]float64{{1}, {2}, {3}, {5}, {8}}, []float64{10, 13, 19, 24, 41}
	ridge, err := newColumns(Design{Penalised: x, Y: y}).solve(1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "intercept", ridge.Intercept, 7.424559201899044)
	near(t, "weight", ridge.Weights[0], 3.20208758907043)
	near(t, "leave-one-out error", ridge.LOO, 0.030007496916212618)
	line, err := Line([]float64{1, 2, 3, 5, 8}, y)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(line.Intercept-5.627387863734773) > 1e-6 || math.Abs(line.Free[0]-4.06876354072372) > 1e-6 || math.Abs(line.LOO-0.01127371003626906) > 1e-6 {
		t.Errorf("%+v", line)
	}
}

// device is a made-up one: latency a + w x, noise in parts of the latency.
func device(r *rand.Rand, x [][]float64, a float64, w []float64, noise float64) []float64 {
	out := make([]float64, len(x))
	for i, row := range x {
		out[i] = a
		for j, v := range row {
			out[i] += w[j] * v
		}
		out[i] *= 1 + noise*r.NormFloat64()
	}
	return out
}

func draw(r *rand.Rand, rows, columns int) [][]float64 {
	x := make([][]float64, rows)
	for i := range x {
		x[i] = make([]float64, columns)
		for j := range x[i] {
			x[i][j] = r.Float64()
		}
	}
	return x
}

// A device that is another one's image, slower and with an overhead, is met by five
// measurements; the source that it is the image of is found among others.
func TestImage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	w, other := []float64{3, 1, 0, 5, 2, 8, 1, 1}, []float64{0, 6, 4, 0, 1, 0, 9, 3}
	x := draw(r, 400, 8)
	right, err := NewSource("right", x, device(r, x, 10, w, 0))
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := NewSource("wrong", x, device(r, x, 10, other, 0))
	if err != nil {
		t.Fatal(err)
	}
	for i := range w {
		w[i] *= 7
	}
	few, test := draw(r, MinRows, 8), draw(r, 100, 8)
	a, err := Fit([]Source{wrong, right}, few, device(r, few, 3, w, 0))
	if err != nil {
		t.Fatal(err)
	}
	truth := device(r, test, 3, w, 0)
	predicted := make([]float64, len(test))
	for i, row := range test {
		predicted[i] = a.Regress(row)
		near(t, "the exported form", a.Ridge().Regress(row), predicted[i])
	}
	if mape := metric.MAPE(predicted, truth); a.Source != "right" || mape > 0.002 || math.Abs(a.Slope-7) > 0.05 {
		t.Errorf("%+v, error %v", a, mape)
	}
}

// A device that differs from the source in some columns is met better with it than
// from nothing, and better with the ridge than without: mean over twenty draws.
func TestAdaptedBeatsNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var adapted, nothing, line float64
	for range 20 {
		w := make([]float64, 12)
		for j := range w {
			w[j] = 10 * r.Float64()
		}
		x := draw(r, 500, 12)
		s, err := NewSource("s", x, device(r, x, 5, w, 0.02))
		if err != nil {
			t.Fatal(err)
		}
		w[3], w[7] = w[3]+4, w[7]/2
		few, test := draw(r, 20, 12), draw(r, 200, 12)
		y, truth := device(r, few, 20, w, 0.02), device(r, test, 20, w, 0)
		a, err := Fit([]Source{s}, few, y)
		if err != nil {
			t.Fatal(err)
		}
		b, err := FromNothing(few, y)
		if err != nil {
			t.Fatal(err)
		}
		first := make([]float64, len(few))
		for i := range few {
			first[i] = few[i][0]
		}
		c, err := Line(first, y)
		if err != nil {
			t.Fatal(err)
		}
		p, q, l := make([]float64, len(test)), make([]float64, len(test)), make([]float64, len(test))
		for i, row := range test {
			p[i], q[i], l[i] = a.Regress(row), b.Regress(row), c.Predict(row[:1], nil)
		}
		adapted, nothing, line = adapted+metric.MAPE(p, truth)/20, nothing+metric.MAPE(q, truth)/20, line+metric.MAPE(l, truth)/20
	}
	if !(adapted < 0.8*nothing && nothing < line) {
		t.Errorf("errors: adapted %.4f, from nothing %.4f, by one column %.4f", adapted, nothing, line)
	}
}

// A source that says the reverse is not turned round: the fit is from nothing.
func TestReversedSource(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	x := draw(r, 100, 3)
	s, err := NewSource("s", x, device(r, x, 30, []float64{-8, -8, -8}, 0))
	if err != nil {
		t.Fatal(err)
	}
	few := draw(r, 20, 3)
	a, err := Fit([]Source{s}, few, device(r, few, 5, []float64{8, 8, 8}, 0))
	if err != nil || a.Source != "" || a.Slope != 0 {
		t.Errorf("%+v, %v", a, err)
	}
}

// A device that is its source's image gets no ridge: the largest penalty that is
// good enough is taken.
func TestChoosesTheSimplest(t *testing.T) {
	a, b := &Solution{LOO: 0.9, LOOError: 0.05}, &Solution{LOO: 0.85, LOOError: 0.1}
	if got := choose([]*Solution{a, b}, true); got != a {
		t.Errorf("%+v", got)
	}
	if got := choose([]*Solution{a, b}, false); got != b {
		t.Errorf("%+v", got)
	}
}

func TestFaults(t *testing.T) {
	x, y := [][]float64{{1}, {2}, {3}, {4}}, []float64{1, 2, 3, 4}
	_, few := Fit(nil, x, y)
	_, one := FromNothing(x[:1], y[:1])
	_, odd := Design{Penalised: x, Y: y[:3]}.Fit()
	for want, err := range map[string]error{
		"adapting: 4 measurements, expected at least 5": few,
		"adapting: 1 rows, expected at least 2":         one,
		"adapting: 3 targets for 0 and 4 rows":          odd,
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
