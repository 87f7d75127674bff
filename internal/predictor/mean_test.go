package predictor

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hsnas/internal/onnx"
	"hsnas/internal/ort/orttest"
)

// A mean of a ridge, trees and a perceptron, each on columns of its own, in its
// file and in Go.
func TestMeanExported(t *testing.T) {
	rt := orttest.Open(t)
	x, y := curved(150, 4)
	ridge, err := FitRidge(x, y)
	if err != nil {
		t.Fatal(err)
	}
	trees, err := FitTrees(TreesParams{}, x, y)
	if err != nil {
		t.Fatal(err)
	}
	two := make([][]float64, len(x))
	for i, row := range x {
		two[i] = []float64{row[1], row[0]}
	}
	mlp, _, err := TrainMLP(context.Background(), rt, small(1), two, y)
	if err != nil {
		t.Fatal(err)
	}
	m := &Mean{Columns: 3, Members: []Member{{ridge, []int{0, 1, 2}}, {trees, []int{0, 1, 2}}, {mlp, []int{1, 0}}}}
	for i, row := range x {
		want := (ridge.Regress(row) + trees.Regress(row) + mlp.Regress(two[i])) / 3
		if got := m.Regress(row); math.Abs(got-want) > 1e-12 {
			t.Fatalf("row %d: %v, the members' mean is %v", i, got, want)
		}
	}
	more, _ := curved(100, 5)
	compare(t, rt, m, slices.Concat(x, more))
}

type constant float64

func (c constant) Regress([]float64) float64 { return float64(c) }

func TestExportFaults(t *testing.T) {
	for _, c := range []struct {
		r    Regressor
		want string
	}{
		{constant(1), "exporting a predictor: predictor.constant has no ONNX form"},
		{&Trees{columns: 3}, "exporting trees: 3 features for 2 columns of f"},
		{&Mean{Columns: 2, Members: []Member{{constant(1), []int{0}}}}, "exporting mean: predictor.constant has no ONNX form"},
		{&Mean{Columns: 2, Members: []Member{{&Ridge{Weights: []float64{1}}, []int{0, 1}}}}, "exporting mean: ridge takes 1 features, not 2"},
	} {
		_, err := Export(c.r, Meta{Features: "f", Columns: []string{"a", "b"}})
		if err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

// Damaged ensembles in a file are errors of one line, no endless walks.
func TestEvaluateRefusesDamagedTrees(t *testing.T) {
	x, y := curved(40, 2)
	trees, err := FitTrees(TreesParams{Trees: 2, Depth: 1}, x, y)
	if err != nil {
		t.Fatal(err)
	}
	const begin = "evaluating a predictor: "
	for _, c := range []struct {
		name   string
		damage func(a map[string]*onnx.AttributeProto)
		want   string
	}{
		{"short", func(a map[string]*onnx.AttributeProto) { a["nodes_nodeids"].Ints = nil }, "TreeEnsembleRegressor: nodes_nodeids has 0 elements for 6 nodes"},
		{"values", func(a map[string]*onnx.AttributeProto) { a["nodes_values"].Floats = nil }, "TreeEnsembleRegressor: 6 modes and 0 values for 6 nodes"},
		{"weights", func(a map[string]*onnx.AttributeProto) { a["target_weights"].Floats = nil }, "TreeEnsembleRegressor: 4 nodes and 0 weights for 4 leaves"},
		{"targets", func(a map[string]*onnx.AttributeProto) { a["n_targets"].I = new(int64(2)) }, "TreeEnsembleRegressor: 2 targets, expected 1"},
		{"other target", func(a map[string]*onnx.AttributeProto) { a["target_ids"].Ints[0] = 1 }, "TreeEnsembleRegressor: a leaf of target 1, expected 0"},
		{"unknown", func(a map[string]*onnx.AttributeProto) { a["target_ids"].Name = "base_values" }, "TreeEnsembleRegressor: the attribute base_values is none that hsnas writes"},
		{"mode", func(a map[string]*onnx.AttributeProto) { a["nodes_modes"].Strings[0] = []byte("BRANCH_LT") }, "TreeEnsembleRegressor: a node of mode BRANCH_LT, expected BRANCH_LEQ or LEAF"},
		{"feature", func(a map[string]*onnx.AttributeProto) { a["nodes_featureids"].Ints[0] = 3 }, "node 0 of tree 0 leads nowhere for 3 features"},
		{"astray", func(a map[string]*onnx.AttributeProto) {
			a["nodes_truenodeids"].Ints[0], a["nodes_falsenodeids"].Ints[0] = 9, 9
		}, "node 9 of tree 0 leads nowhere for 3 features"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := Export(trees, Meta{Columns: make([]string, 3)})
			if err != nil {
				t.Fatal(err)
			}
			m, err := onnx.Read(text)
			if err != nil {
				t.Fatal(err)
			}
			a := map[string]*onnx.AttributeProto{}
			for _, attr := range m.GetGraph().GetNode()[0].GetAttribute() {
				a[attr.GetName()] = attr
			}
			c.damage(a)
			if _, err := Evaluate(m, x); err == nil || err.Error() != begin+c.want {
				t.Errorf("error %v, want %s", err, begin+c.want)
			}
		})
	}
	random := rand.New(rand.NewPCG(1, 1))
	text, _ := Export(trees, Meta{Columns: make([]string, 3)})
	for range 200 { // whatever a child is replaced by, the walk ends
		m, err := onnx.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, attr := range m.GetGraph().GetNode()[0].GetAttribute() {
			if ints := attr.GetInts(); len(ints) > 0 {
				ints[random.IntN(len(ints))] = int64(random.IntN(7))
			}
		}
		_, _ = Evaluate(m, x)
	}
}
