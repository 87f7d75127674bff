package predictor

import (
	"math/rand/v2"
	"slices"
)

// grower grows the trees of one fit. Rows are sorted by every feature once; a
// tree parts these orders, so that a node's rows are a range of each.
type grower struct {
	p        TreesParams
	x        [][]float32 // by feature, then row
	sorted   [][]int     // by feature: the rows in the order of its values
	residual []float64   // what the trees so far leave over, by row
	floor    float64     // of the gain of a split

	order [][]int // sorted, of the tree's rows alone, parted down to the nodes so far
	spare []int
	goes  []bool // whether a row goes left at the split being made
	tree  tree
}

func newGrower(p TreesParams, x [][]float64) *grower {
	g := &grower{p: p, residual: make([]float64, len(x)), spare: make([]int, len(x)), goes: make([]bool, len(x))}
	for j := range x[0] {
		column, order := make([]float32, len(x)), make([]int, len(x))
		for i, row := range x {
			column[i], order[i] = float32(row[j]), i
		}
		slices.SortStableFunc(order, func(a, b int) int {
			switch {
			case column[a] < column[b]:
				return -1
			case column[a] > column[b]:
				return 1
			}
			return 0
		})
		g.x, g.sorted, g.order = append(g.x, column), append(g.sorted, order), append(g.order, nil)
	}
	return g
}

// draw chooses the rows of a tree, nil for all.
func (g *grower) draw(r *rand.Rand) []bool {
	n := len(g.residual)
	take := max(1, int(g.p.Subsample*float64(n)))
	if take == n {
		return nil
	}
	in := make([]bool, n)
	for _, i := range r.Perm(n)[:take] {
		in[i] = true
	}
	return in
}

// grow fits a tree to the residuals of the rows that are in.
func (g *grower) grow(in []bool) tree {
	for j, rows := range g.sorted {
		g.order[j] = append(g.order[j][:0], rows...)
		if in != nil {
			g.order[j] = slices.DeleteFunc(g.order[j], func(i int) bool { return !in[i] })
		}
	}
	g.tree = nil
	g.node(0, len(g.order[0]), g.p.Depth)
	return g.tree
}

// node adds the node of the rows from lo to hi with at most depth splits below
// it, and returns its place.
func (g *grower) node(lo, hi, depth int) int {
	total := 0.0
	for _, i := range g.order[0][lo:hi] {
		total += g.residual[i]
	}
	at := len(g.tree)
	g.tree = append(g.tree, node{feature: leaf, value: g.p.LearningRate * total / float64(hi-lo)})
	if depth == 0 {
		return at
	}
	s, found := g.best(lo, hi, total)
	if !found {
		return at
	}
	g.part(lo, hi, s)
	left := g.node(lo, s.end, depth-1)
	right := g.node(s.end, hi, depth-1)
	g.tree[at] = node{feature: s.feature, threshold: s.threshold, left: left, right: right}
	return at
}

// cut parts a range of rows: those before end, in the order of the feature,
// go left.
type cut struct {
	feature, end int
	threshold    float32
	gain         float64 // what it takes off the sum of squares
}

// sameGain is what a split must be better by: rounding alone must not choose
// between features that part the rows alike.
const sameGain = 1 + 1e-11

// best searches the split of the rows from lo to hi with the largest gain; total
// is the sum of their residuals.
func (g *grower) best(lo, hi int, total float64) (cut, bool) {
	out := cut{gain: g.floor}
	n := float64(hi - lo)
	for j, order := range g.order {
		x, left := g.x[j], 0.0
		for k := lo + 1; k <= hi-g.p.MinLeaf; k++ {
			left += g.residual[order[k-1]]
			if k-lo < g.p.MinLeaf || x[order[k-1]] == x[order[k]] {
				continue
			}
			a, b := float64(k-lo), float64(hi-k)
			difference := left/a - (total-left)/b
			if gain := a * b / n * difference * difference; gain > out.gain*sameGain {
				out = cut{feature: j, end: k, threshold: between(x[order[k-1]], x[order[k]]), gain: gain}
			}
		}
	}
	return out, out.end > 0
}

// part moves the rows that go left before the others in every order, and leaves
// each side sorted.
func (g *grower) part(lo, hi int, s cut) {
	for k, i := range g.order[s.feature][lo:hi] {
		g.goes[i] = lo+k < s.end
	}
	for _, order := range g.order {
		at, right := lo, g.spare[:0]
		for _, i := range order[lo:hi] {
			if g.goes[i] {
				order[at] = i
				at++
			} else {
				right = append(right, i)
			}
		}
		copy(order[at:hi], right)
	}
}
