package predictor

import "hsnas/internal/onnx"

func (t *Trees) kind() string { return "trees" }
func (t *Trees) width() int   { return t.columns }

// onto adds the trees as one operator, and the base after it: the sums of leaves
// stay near 0, where float32 is fine.
func (t *Trees) onto(g *onnx.Graph, x *onnx.Value) *onnx.Value {
	steps := g.Op(onnx.MLDomain+":TreeEnsembleRegressor", one(x), []*onnx.Value{x}, t.attributes()...)
	return g.Op("Add", one(x), []*onnx.Value{steps, g.Init("base", []int64{1}, []float32{float32(t.Base)})})
}

// The modes of nodes in a TreeEnsembleRegressor.
const (
	modeSplit = "BRANCH_LEQ"
	modeLeaf  = "LEAF"
)

// attributes lists all nodes, tree by tree; leaves appear once more as the
// weights of the one target.
func (t *Trees) attributes() []onnx.Attr {
	var trees, ids, features, yes, no, leafTrees, leafIDs, targets []int64
	var thresholds, weights []float32
	var modes []string
	for k, tr := range t.trees {
		for i, n := range tr {
			mode, feature := modeSplit, int64(n.feature)
			if n.feature == leaf {
				mode, feature = modeLeaf, 0
				leafTrees, leafIDs = append(leafTrees, int64(k)), append(leafIDs, int64(i))
				targets, weights = append(targets, 0), append(weights, float32(n.value))
			}
			trees, ids, modes = append(trees, int64(k)), append(ids, int64(i)), append(modes, mode)
			features, thresholds = append(features, feature), append(thresholds, n.threshold)
			yes, no = append(yes, int64(n.left)), append(no, int64(n.right))
		}
	}
	return []onnx.Attr{
		onnx.Int("n_targets", 1),
		onnx.IntsAttr("nodes_treeids", trees...),
		onnx.IntsAttr("nodes_nodeids", ids...),
		onnx.Strings("nodes_modes", modes...),
		onnx.IntsAttr("nodes_featureids", features...),
		onnx.FloatsAttr("nodes_values", thresholds...),
		onnx.IntsAttr("nodes_truenodeids", yes...),
		onnx.IntsAttr("nodes_falsenodeids", no...),
		onnx.IntsAttr("target_treeids", leafTrees...),
		onnx.IntsAttr("target_nodeids", leafIDs...),
		onnx.IntsAttr("target_ids", targets...),
		onnx.FloatsAttr("target_weights", weights...),
	}
}
