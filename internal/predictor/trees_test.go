package predictor

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hsnas/internal/onnx"
	"hsnas/internal/ort"
	"hsnas/internal/ort/orttest"
)

// The predictions of scikit-learn's GradientBoostingRegressor, from
// testdata/trees_golden.py.
func TestTreesAreScikitLearns(t *testing.T) {
	text, err := os.ReadFile("testdata/trees_golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		X, Asked [][]float64
		Y        []float64
		Cases    []struct {
			Trees        int     `json:"n_estimators"`
			Depth        int     `json:"max_depth"`
			MinLeaf      int     `json:"min_samples_leaf"`
			LearningRate float64 `json:"learning_rate"`
			Predictions  []float64
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	for _, c := range golden.Cases {
		p := TreesParams{Trees: c.Trees, Depth: c.Depth, MinLeaf: c.MinLeaf, LearningRate: c.LearningRate}
		trees, err := FitTrees(p, golden.X, golden.Y)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.Predictions {
			if got := trees.Regress(golden.Asked[i]); math.Abs(got-want) > 1e-9 {
				t.Errorf("%+v, row %d: %v, scikit-learn has %v", p, i, got, want)
			}
		}
	}
}

// A tree's leaf is the mean of its rows, worked out by hand: the one split of
// {1, 2, 10, 11} is in the middle, and each step goes half of the way.
func TestTreesByHand(t *testing.T) {
	x := [][]float64{{1}, {2}, {10}, {11}}
	trees, err := FitTrees(TreesParams{Trees: 2, Depth: 1, LearningRate: 0.5}, x, []float64{0, 0, 8, 8})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ at, want float64 }{{-5, 1}, {6, 1}, {6.001, 7}, {99, 7}} {
		if got := trees.Regress([]float64{c.at}); got != c.want {
			t.Errorf("at %v: %v, want %v", c.at, got, c.want)
		}
	}
}

// Of columns that part the rows alike the first is taken, whatever the rounding
// of the sums over an order and its reverse; and a leaf has the rows it must.
func TestTreesTies(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x, y := make([][]float64, 90), make([]float64, 90)
	for i := range x {
		v := 1 + float64(r.IntN(6))
		x[i] = []float64{v, 1 / v, math.Log(v), -v}
		y[i] = 20 + math.Sqrt(v) + 0.1*r.NormFloat64()
	}
	trees, err := FitTrees(TreesParams{MinLeaf: 7}, x, y)
	if err != nil {
		t.Fatal(err)
	}
	for k, tr := range trees.trees {
		rows := map[float64]int{}
		for _, row := range x {
			rows[tr.value(func(j int) float32 { return float32(row[j]) })]++
		}
		for _, n := range tr {
			if n.feature > 0 {
				t.Fatalf("tree %d splits column %d, which parts the rows as column 0 does", k, n.feature)
			}
			if n.feature == leaf && rows[n.value] < 7 {
				t.Fatalf("tree %d has a leaf of %d rows, want at least 7", k, rows[n.value])
			}
		}
	}
}

// A constant target has nothing to split, and a subsample depends on its seed.
func TestTreesDraw(t *testing.T) {
	x, y := curved(60, 1)
	flat, err := FitTrees(TreesParams{}, x, make([]float64, 60))
	if err != nil {
		t.Fatal(err)
	}
	if got := flat.Regress(x[0]); got != 0 || len(flat.trees[0]) != 1 {
		t.Errorf("a constant is predicted as %v, with %d nodes", got, len(flat.trees[0]))
	}
	fit := func(seed uint64) float64 {
		trees, err := FitTrees(TreesParams{Subsample: 0.5, Seed: seed}, x, y)
		if err != nil {
			t.Fatal(err)
		}
		return trees.Regress([]float64{0.3, 104, 0.75})
	}
	if a, b, c := fit(1), fit(1), fit(2); a != b || a == c {
		t.Errorf("seed 1 gives %v and %v, seed 2 %v", a, b, c)
	}
}

func TestFitTreesFaults(t *testing.T) {
	for _, c := range []struct {
		p    TreesParams
		x    [][]float64
		y    []float64
		want string
	}{
		{TreesParams{}, [][]float64{{1}}, []float64{1}, "1 training rows, expected at least 2"},
		{TreesParams{}, [][]float64{{}, {}}, []float64{1, 2}, "the rows have no features"},
		{TreesParams{}, [][]float64{{1}, {math.Inf(1)}}, []float64{1, 2}, "training row 1: feature 0 is +Inf, expected a finite number"},
		{TreesParams{Depth: -1}, [][]float64{{1}, {2}}, []float64{1, 2}, "trees, depth, rows of a leaf and learning rate must not be negative"},
		{TreesParams{Subsample: 2}, [][]float64{{1}, {2}}, []float64{1, 2}, "subsample is 2, expected a share of the rows, above 0 and at most 1"},
	} {
		_, err := FitTrees(c.p, c.x, c.y)
		if want := "fitting trees: " + c.want; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// The exported file in ONNX Runtime, in plain Go, and the trees themselves take
// every row to the same leaves: of features on a grid, of continuous ones, and
// of ones that float32 cannot tell apart.
func TestTreesExported(t *testing.T) {
	rt := orttest.Open(t)
	for name, feature := range map[string]func(r *rand.Rand) float64{
		"grid":       func(r *rand.Rand) float64 { return float64(1+r.IntN(6)) / 6 },
		"continuous": func(r *rand.Rand) float64 { return r.NormFloat64() },
		"fine":       func(r *rand.Rand) float64 { return 1000 + 1e-4*r.Float64() },
		"tiny":       func(r *rand.Rand) float64 { return 1e-3 * float64(r.IntN(3)) * (1 + 1e-8*r.NormFloat64()) },
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(8, uint64(len(name))))
			x, y := make([][]float64, 400), make([]float64, 400)
			for i := range x {
				x[i] = []float64{feature(r), feature(r), feature(r)}
				y[i] = 26 + r.NormFloat64() + 100*(x[i][0]-x[0][0])
			}
			trees, err := FitTrees(TreesParams{Depth: 4, LearningRate: 1}, x[:200], y[:200])
			if err != nil {
				t.Fatal(err)
			}
			compare(t, rt, trees, x)
		})
	}
}

// compare holds a regressor's exported file, in ONNX Runtime and in plain Go,
// against the regressor, to a millionth of the prediction or of their range.
func compare(t *testing.T, rt *ort.Runtime, r Regressor, x [][]float64) {
	t.Helper()
	f := Features{Name: HATMeans}
	for j := range x[0] {
		f.Columns = append(f.Columns, fmt.Sprint("c", j))
	}
	text, err := Export(r, MetaOf(f, "a task", "BLEU", "a test"))
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
	path := filepath.Join(t.TempDir(), "p.onnx")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	session, err := rt.LoadFile(path, ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	p, got := &ONNX{path: path, session: session, features: f}, make([]float64, len(x))
	if err := p.PredictRows(t.Context(), x, got); err != nil {
		t.Fatal(err)
	}
	span := slices.Max(evaluated) - slices.Min(evaluated)
	for i, row := range x {
		want := r.Regress(row)
		tolerance := 1e-6 * max(span, math.Abs(want))
		if !(math.Abs(got[i]-want) <= tolerance) || !(math.Abs(evaluated[i]-want) <= tolerance) {
			t.Fatalf("row %d: %v in ONNX Runtime, %v of the file in Go, %v of the regressor", i, got[i], evaluated[i], want)
		}
	}
}

func BenchmarkFitTrees(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	x, y := make([][]float64, 3000), make([]float64, 3000)
	for i := range x {
		x[i] = make([]float64, 20)
		for j := range x[i] {
			x[i][j] = r.Float64()
		}
		y[i] = r.Float64()
	}
	for _, n := range []int{250, 3000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := FitTrees(TreesParams{}, x[:n], y[:n]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
