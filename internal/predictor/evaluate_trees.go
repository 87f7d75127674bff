package predictor

import (
	"fmt"
	"slices"

	"hsnas/internal/onnx"
)

// ensemble is a TreeEnsembleRegressor of one target as its file has it.
type ensemble struct {
	nodes map[position]fileNode
	roots []position // of each tree the node that is no child of another
	leafs map[position]float64
}

// position names a node: its tree and its number there.
type position struct{ tree, node int64 }

type fileNode struct {
	feature   int64
	threshold float32
	yes, no   int64
	leaf      bool
}

// ensembleAttributes are those that the trees are exported with: others would change
// what a file means.
var ensembleAttributes = []string{
	"n_targets", "nodes_treeids", "nodes_nodeids", "nodes_modes", "nodes_featureids", "nodes_values",
	"nodes_truenodeids", "nodes_falsenodeids", "target_treeids", "target_nodeids", "target_ids", "target_weights",
}

// readEnsemble takes an operator's attributes apart and refuses what hsnas does
// not write.
func readEnsemble(n *onnx.NodeProto) (*ensemble, error) {
	a := map[string]*onnx.AttributeProto{}
	for _, attr := range n.GetAttribute() {
		if !slices.Contains(ensembleAttributes, attr.GetName()) {
			return nil, fmt.Errorf("the attribute %s is none that hsnas writes", attr.GetName())
		}
		a[attr.GetName()] = attr
	}
	if targets := a["n_targets"].GetI(); targets != 1 {
		return nil, fmt.Errorf("%d targets, expected 1", targets)
	}
	for _, id := range a["target_ids"].GetInts() {
		if id != 0 {
			return nil, fmt.Errorf("a leaf of target %d, expected 0", id)
		}
	}
	ints := func(name string) []int64 { return a[name].GetInts() }
	size := len(ints("nodes_treeids"))
	for _, name := range []string{"nodes_nodeids", "nodes_featureids", "nodes_truenodeids", "nodes_falsenodeids"} {
		if len(ints(name)) != size {
			return nil, fmt.Errorf("%s has %d elements for %d nodes", name, len(ints(name)), size)
		}
	}
	modes, thresholds := a["nodes_modes"].GetStrings(), a["nodes_values"].GetFloats()
	if len(modes) != size || len(thresholds) != size {
		return nil, fmt.Errorf("%d modes and %d values for %d nodes", len(modes), len(thresholds), size)
	}
	e := &ensemble{nodes: map[position]fileNode{}, leafs: map[position]float64{}}
	child := map[position]bool{}
	var order []position
	for i := range size {
		at := position{ints("nodes_treeids")[i], ints("nodes_nodeids")[i]}
		f := fileNode{ints("nodes_featureids")[i], thresholds[i], ints("nodes_truenodeids")[i], ints("nodes_falsenodeids")[i], string(modes[i]) == modeLeaf}
		if !f.leaf {
			if string(modes[i]) != modeSplit {
				return nil, fmt.Errorf("a node of mode %s, expected %s or %s", modes[i], modeSplit, modeLeaf)
			}
			child[position{at.tree, f.yes}], child[position{at.tree, f.no}] = true, true
		}
		e.nodes[at], order = f, append(order, at)
	}
	e.roots = slices.DeleteFunc(order, func(at position) bool { return child[at] })
	return e, e.readLeafs(ints("target_treeids"), ints("target_nodeids"), a["target_weights"].GetFloats())
}

func (e *ensemble) readLeafs(trees, nodes []int64, weights []float32) error {
	if len(nodes) != len(trees) || len(weights) != len(trees) {
		return fmt.Errorf("%d nodes and %d weights for %d leaves", len(nodes), len(weights), len(trees))
	}
	for i, w := range weights {
		e.leafs[position{trees[i], nodes[i]}] += float64(w)
	}
	return nil
}

// apply sums the leaves of each row; features are float32, as the operator's
// input is.
func (e *ensemble) apply(in matrix) (matrix, error) {
	out := matrix{make([][]float64, len(in.rows))}
	for i, row := range in.rows {
		total := 0.0
		for _, root := range e.roots {
			at, steps := root, 0
			for !e.nodes[at].leaf {
				n, known := e.nodes[at]
				if !known || n.feature < 0 || n.feature >= int64(len(row)) || steps > len(e.nodes) {
					return matrix{}, fmt.Errorf("node %d of tree %d leads nowhere for %d features", at.node, at.tree, len(row))
				}
				if float32(row[n.feature]) <= n.threshold {
					at.node = n.yes
				} else {
					at.node = n.no
				}
				steps++
			}
			total += e.leafs[at]
		}
		out.rows[i] = []float64{total}
	}
	return out, nil
}
