package predictor

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/onnx"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/space"
)

// Golden values of scikit-learn 1.x: RidgeCV over the same penalties on
// StandardScaler's features; the second column is constant.
func TestFitRidgeIsScikitLearns(t *testing.T) {
	x := [][]float64{{-0.8, 4, -0.25}, {0.42, 4, 0.11}, {-0.55, 4, 0.75}, {1.63, 4, -1.23}, {-0.96, 4, 0.2}, {-1.73, 4, -1.16}, {-0.63, 4, -0.71}, {0.55, 4, -0.59}}
	y := []float64{19.1, 20.8, 18.16, 23.23, 18.13, 18.17, 19.17, 21.24}
	r, err := FitRidge(x, y)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"lambda", r.Lambda, 0.31622776601683794},
		{"leave-one-out error", r.LOO, 0.11164915931268087},
		{"first weight", r.Weights[0], 1.49747484},
		{"weight of a constant", r.Weights[1], 0},
		{"third weight", r.Weights[2], -0.77155234},
		{"bias", r.Bias, 19.75},
		{"prediction", r.Regress([]float64{0.5, 4, 1}), 19.83689786},
		{"another prediction", r.Regress([]float64{2, 5, -1}), 23.62621479},
	} {
		if math.Abs(c.got-c.want) > 1e-7 {
			t.Errorf("%s is %v, want %v", c.what, c.got, c.want)
		}
	}
}

// The closed form of leave-one-out against leaving rows out: the standardisation
// and the intercept are those of all rows, as in the closed form.
func TestLeaveOneOutIsRefitting(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x, y := make([][]float64, 12), make([]float64, 12)
	for i := range x {
		x[i] = []float64{r.NormFloat64(), 100 * r.NormFloat64(), float64(r.IntN(2))}
		y[i] = x[i][0] - x[i][1]/50 + r.NormFloat64()
	}
	z, _, _ := standardise(x)
	mean := sum(y) / 12
	targets := make([]float64, 12)
	for i := range y {
		targets[i] = y[i] - mean
	}
	d, err := decompose(z, targets)
	if err != nil {
		t.Fatal(err)
	}
	// With a large penalty only the intercept is left: the error of predicting
	// each row by the mean of the others.
	want := 0.0
	for i := range y {
		others := (sum(y) - y[i]) / 11
		want += (y[i] - others) * (y[i] - others) / 12
	}
	if got := d.leaveOneOut(1e12); math.Abs(got-want) > 1e-6 {
		t.Errorf("leave-one-out of the mean is %v, want %v", got, want)
	}
}

func TestFitRidgeFaults(t *testing.T) {
	_, err := FitRidge([][]float64{{1}}, []float64{1})
	if want := "fitting a ridge: 1 rows and 1 targets, expected as many of each and at least 2"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	_, err = ExportLinear(&Ridge{Weights: []float64{1}}, Meta{Features: "f", Columns: []string{"a", "b"}})
	if want := "exporting ridge: 1 features for 2 columns of f"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// A ridge, its file in ONNX Runtime and its file in plain Go agree.
func TestExportLinear(t *testing.T) {
	on := loadTask(t, "wmt14.en-de")
	f, err := FeatureSet(on, HATDepth)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	var archs []space.Architecture
	var y []float64
	for range 80 {
		a := on.Space.Sample(r)
		archs, y = append(archs, a), append(y, 20+math.Log(a.Numbers(5)[0])+0.1*r.NormFloat64())
	}
	x, err := f.Rows(archs)
	if err != nil {
		t.Fatal(err)
	}
	ridge, err := FitRidge(x, y)
	if err != nil {
		t.Fatal(err)
	}
	text, err := ExportLinear(ridge, MetaOf(f, on.Name, "BLEU", "a test"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	evaluated, err := Evaluate(m, x)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range x {
		if math.Abs(evaluated[i]-ridge.Regress(row)) > 1e-5 {
			t.Errorf("row %d: %v of the file, %v of the ridge", i, evaluated[i], ridge.Regress(row))
		}
	}
	path := filepath.Join(t.TempDir(), "ridge.onnx")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Load(orttest.Open(t), path, on)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	got := make([]float64, len(archs))
	if err := p.Predict(t.Context(), archs, got); err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if math.Abs(got[i]-ridge.Regress(x[i])) > 1e-5 {
			t.Errorf("row %d: %v in ONNX Runtime, %v in Go", i, got[i], ridge.Regress(x[i]))
		}
	}
}

func TestEvaluateRefusesWhatItDoesNotKnow(t *testing.T) {
	g := onnx.NewGraph("g")
	n := onnx.Sym("n")
	x := g.Input(InputName, onnx.Float32, n, onnx.Fixed(1))
	g.Output(OutputName, g.Op("Tanh", []onnx.Dim{n, onnx.Fixed(1)}, []*onnx.Value{x}))
	_, err := Evaluate(g.Model(), [][]float64{{1}})
	if want := "evaluating a predictor: operator Tanh with 1 inputs is none that predictors are exported with"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func BenchmarkFitRidge(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	x, y := make([][]float64, 250), make([]float64, 250)
	for i := range x {
		x[i] = make([]float64, 16)
		for j := range x[i] {
			x[i][j] = r.Float64()
		}
		y[i] = r.Float64()
	}
	for b.Loop() {
		if _, err := FitRidge(x, y); err != nil {
			b.Fatal(err)
		}
	}
}
