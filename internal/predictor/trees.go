package predictor

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// TreesParams configures FitTrees. The zero value is scikit-learn's
// GradientBoostingRegressor as it comes.
type TreesParams struct {
	Trees        int     // 0 means 100
	Depth        int     // splits from the root to a leaf at most; 0 means 3
	MinLeaf      int     // least number of rows of a leaf; 0 means 1
	LearningRate float64 // what each tree's step is multiplied by; 0 means 0.1
	Subsample    float64 // share of the rows that each tree is grown on, drawn without replacement; 0 means 1
	Seed         uint64  // of these draws
}

func (p TreesParams) defaults() TreesParams {
	if p.Trees == 0 {
		p.Trees = 100
	}
	if p.Depth == 0 {
		p.Depth = 3
	}
	if p.MinLeaf == 0 {
		p.MinLeaf = 1
	}
	if p.LearningRate == 0 {
		p.LearningRate = 0.1
	}
	if p.Subsample == 0 {
		p.Subsample = 1
	}
	return p
}

func (p TreesParams) check(x [][]float64, y []float64) error {
	switch {
	case len(x) < 2:
		return fmt.Errorf("%d training rows, expected at least 2", len(x))
	case len(x[0]) == 0:
		return fmt.Errorf("the rows have no features")
	case p.Trees < 0, p.Depth < 0, p.MinLeaf < 0, p.LearningRate < 0:
		return fmt.Errorf("trees, depth, rows of a leaf and learning rate must not be negative")
	case !(p.Subsample >= 0 && p.Subsample <= 1):
		return fmt.Errorf("subsample is %v, expected a share of the rows, above 0 and at most 1", p.Subsample)
	}
	return checkRows("training", x, y, len(x[0]))
}

// Trees are gradient-boosted regression trees (Friedman, The Annals of
// Statistics 29, 2001) for squared loss: Base, and from each tree the value of
// the leaf that a row falls into.
//
// Features are compared in float32, here and in the exported file, which is
// given nothing finer: no rounding can take a row to another leaf there.
type Trees struct {
	Base    float64 // mean of the fit targets
	columns int
	trees   []tree
}

// tree is a list of nodes in the order of a walk that goes left first; the root
// is the first.
type tree []node

// node is a split or a leaf.
type node struct {
	feature     int     // that is compared; -1 for a leaf
	threshold   float32 // a row goes left where its feature is at most this
	left, right int     // places in the tree
	value       float64 // of a leaf, in the target's unit, times the learning rate
}

// leaf is the feature of a node that splits no more.
const leaf = -1

// FitTrees fits boosted trees to rows x of features and targets y: each tree to
// what those before leave over, by exact search over all splits between
// neighbouring values. Of splits that are equally good the one of the first
// column and least threshold is taken. The result depends on p, x and y alone.
func FitTrees(p TreesParams, x [][]float64, y []float64) (*Trees, error) {
	if err := p.check(x, y); err != nil {
		return nil, fmt.Errorf("fitting trees: %w", err)
	}
	p = p.defaults()
	t := &Trees{Base: sum(y) / float64(len(y)), columns: len(x[0])}
	g := newGrower(p, x)
	r := rand.New(rand.NewPCG(p.Seed, 0x7472656573))
	for i, v := range y {
		g.residual[i] = v - t.Base
	}
	g.floor = negligible * squares(g.residual)
	for range p.Trees {
		grown := g.grow(g.draw(r))
		for i := range g.residual {
			g.residual[i] -= grown.value(func(j int) float32 { return g.x[j][i] })
		}
		t.trees = append(t.trees, grown)
	}
	return t, nil
}

// negligible is the share of the targets' sum of squares that a split must
// take away: less is rounding.
const negligible = 1e-20

func squares(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v * v
	}
	return total
}

// Regress implements Regressor.
func (t *Trees) Regress(row []float64) float64 {
	y := t.Base
	for _, tr := range t.trees {
		y += tr.value(func(j int) float32 { return float32(row[j]) })
	}
	return y
}

// value is that of the leaf that a row falls into.
func (t tree) value(feature func(j int) float32) float64 {
	n := &t[0]
	for n.feature != leaf {
		if feature(n.feature) <= n.threshold {
			n = &t[n.left]
		} else {
			n = &t[n.right]
		}
	}
	return n.value
}

// between is a threshold that parts two values, low < high: the middle, or low
// where float32 has nothing between them.
func between(low, high float32) float32 {
	middle := float32(float64(low)/2 + float64(high)/2)
	if middle >= high || math.IsInf(float64(middle), 0) {
		return low
	}
	return middle
}
