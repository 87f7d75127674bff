// Package autodiff differentiates ONNX graphs: given a graph that ends in a
// loss, it appends the nodes that compute the loss's gradients, in reverse mode
// and as ordinary operators, because ONNX Runtime as it is shipped has no
// gradient kernels. Adam is a handful of nodes more, so that forward pass,
// backward pass and update are one graph and one run.
//
// An operator is differentiable when it has a rule in rules; rules read what
// the builder recorded of the node (inputs, attributes, shapes) and nothing
// else. To add an operator, write its rule and its line in the table of the
// finite-difference test. Where several nodes together have a shorter gradient
// than one after the other, they are a composite; see [Composites].
package autodiff

import (
	"fmt"

	"hsnas/internal/onnx"
)

// rule returns the gradients of a node's inputs, given those of its outputs;
// dy has nil for an output that the loss does not depend on, and the result has
// nil for an input that needs none.
type rule func(t *tape, n *onnx.Node, dy []*onnx.Value) ([]*onnx.Value, error)

// rules are the differentiable operators, those of another domain with its
// name before them.
var rules = map[string]rule{
	"Add":        addRule,
	"Sub":        subRule,
	"Mul":        mulRule,
	"Div":        divRule,
	"Neg":        negRule,
	"Sqrt":       sqrtRule,
	"Relu":       reluRule,
	"Identity":   identityRule,
	"MatMul":     matMulRule,
	"Gemm":       gemmRule,
	"ReduceSum":  reduceSumRule,
	"ReduceMean": reduceMeanRule,
	"Reshape":    reshapeRule,
	"Transpose":  transposeRule,
	"Softmax":    softmaxRule,
	"Gather":     gatherRule,
	"Concat":     concatRule,
	"Split":      splitRule,
	"Slice":      sliceRule,

	onnx.MicrosoftDomain + ":FusedMatMul": fusedMatMulRule,
}

// Options change how gradients are computed, never what they are.
type Options struct {
	// Composites are the values that are differentiated as a whole.
	Composites *Composites
	// Threads is how many threads the session will have; 0 means 1. The fast
	// way to add up the gradients of an embedding's rows, ScatterND, loses
	// updates on more than one.
	Threads int
}

// tape is the state of one backward pass.
type tape struct {
	g       *onnx.Graph
	options Options
	needs   map[*onnx.Value]bool        // values that depend on what is differentiated by
	grads   map[*onnx.Value]*onnx.Value // sum of the gradients that have arrived so far
	cached  map[string]*onnx.Value      // small values that several rules use
}

func newTape(g *onnx.Graph) *tape {
	return &tape{g: g, grads: map[*onnx.Value]*onnx.Value{}, cached: map[string]*onnx.Value{}}
}

// Gradients appends to g the nodes that compute the gradient of loss by each of
// wrt, and returns them in that order, each of the shape of its value. The loss
// has one element. A value of wrt that the loss does not depend on is an error,
// as is an operator on the way that has no rule.
func Gradients(g *onnx.Graph, loss *onnx.Value, wrt ...*onnx.Value) ([]*onnx.Value, error) {
	return Options{}.Gradients(g, loss, wrt...)
}

// Gradients is the function of this name, with options.
func (o Options) Gradients(g *onnx.Graph, loss *onnx.Value, wrt ...*onnx.Value) ([]*onnx.Value, error) {
	if !single(loss.Shape()) {
		return nil, fmt.Errorf("autodiff: loss %q has shape %v, expected one element", loss.Name(), loss.Shape())
	}
	nodes := g.Nodes()
	t := newTape(g)
	t.options, t.needs = o, dependents(nodes, wrt)
	t.grads[loss] = t.ones(loss.Shape())
	for i := len(nodes) - 1; i >= 0; i-- {
		if err := t.visit(nodes[i]); err != nil {
			return nil, err
		}
	}
	out := make([]*onnx.Value, len(wrt))
	for i, v := range wrt {
		if out[i] = t.grads[v]; out[i] == nil {
			return nil, fmt.Errorf("autodiff: loss %q does not depend on %q", loss.Name(), v.Name())
		}
	}
	return out, g.Err()
}

// dependents are the values that change when one of wrt does.
func dependents(nodes []*onnx.Node, wrt []*onnx.Value) map[*onnx.Value]bool {
	needs := map[*onnx.Value]bool{}
	for _, v := range wrt {
		needs[v] = true
	}
	for _, n := range nodes {
		for _, in := range n.Inputs {
			if in == nil || !needs[in] {
				continue
			}
			for _, out := range n.Outputs {
				if out.Type() == onnx.Float32 {
					needs[out] = true
				}
			}
		}
	}
	return needs
}

// visit passes the gradients of a node's outputs on to its inputs.
func (t *tape) visit(n *onnx.Node) error {
	dy := make([]*onnx.Value, len(n.Outputs))
	reached := false
	for i, out := range n.Outputs {
		if t.needs[out] {
			dy[i] = t.grads[out]
		}
		reached = reached || dy[i] != nil
	}
	if !reached {
		return nil
	}
	if c, ok := t.options.Composites.of(n); ok {
		for i, d := range c.gradient(t, dy[0]) {
			t.accumulate(c.inputs[i], d)
		}
		return nil
	}
	name := n.Op
	if n.Domain != "" {
		name = n.Domain + ":" + n.Op
	}
	differentiate, ok := rules[name]
	if !ok {
		return fmt.Errorf("autodiff: operator %s, which computes %q, has no gradient rule", name, n.Outputs[0].Name())
	}
	dx, err := differentiate(t, n, dy)
	if err != nil {
		return fmt.Errorf("autodiff: operator %s, which computes %q: %w", name, n.Outputs[0].Name(), err)
	}
	for i, d := range dx {
		t.accumulate(n.Inputs[i], d)
	}
	return nil
}

func (t *tape) accumulate(v, d *onnx.Value) {
	if d == nil || v == nil || !t.needs[v] {
		return
	}
	if sum := t.grads[v]; sum != nil {
		d = t.op("Add", sum, d)
	}
	t.grads[v] = d
}

// once makes a small value at its first use and returns it at the later ones.
func (t *tape) once(key string, make func() *onnx.Value) *onnx.Value {
	v, ok := t.cached[key]
	if !ok {
		v = make()
		t.cached[key] = v
	}
	return v
}

// single says whether a shape holds exactly one element whatever its rank.
func single(shape []onnx.Dim) bool {
	for _, d := range shape {
		if d != onnx.Fixed(1) {
			return false
		}
	}
	return true
}
