package onnx

import (
	"fmt"
	"slices"
	"strings"
)

// Graph is an ONNX model under construction. Nodes stand in the order they were added,
// which is topological because a Value must exist before it is used. The first mistake
// (a name used twice, data that does not fill its shape) is kept and returned by Marshal,
// so that building code need not check every call.
type Graph struct {
	name     string
	nodes    []*Node
	inputs   []*Value
	outputs  []*Value
	inits    []*Value
	metadata [][2]string
	names    map[string]bool
	counter  int
	external *Weights
	err      error
}

// NewGraph is an empty graph; its name is documentation only.
func NewGraph(name string) *Graph {
	return &Graph{name: name, names: map[string]bool{}}
}

// Node is one operation of a graph.
type Node struct {
	Op      string // operator, without its domain
	Domain  string // "" for ONNX's own
	Inputs  []*Value
	Outputs []*Value
	Attrs   []Attr
}

// Attr is the named attribute in the format's own terms, nil if the node has none.
func (n *Node) Attr(name string) *AttributeProto {
	for _, a := range n.Attrs {
		if a.Name() == name {
			return a.p
		}
	}
	return nil
}

// IntAttr is the named integer attribute, or the default where the node has none.
func (n *Node) IntAttr(name string, otherwise int64) int64 {
	if a := n.Attr(name); a != nil {
		return a.GetI()
	}
	return otherwise
}

// Value is a tensor in a graph: an input, a constant, or a node's output.
type Value struct {
	name   string
	typ    DataType
	shape  []Dim
	node   *Node        // nil for inputs and constants
	tensor *TensorProto // constants only
	graph  *Graph
}

// Name is the value's name in the file.
func (v *Value) Name() string { return v.name }

// Type is the element type.
func (v *Value) Type() DataType { return v.typ }

// Shape is the shape that the value was declared with.
func (v *Value) Shape() []Dim { return v.shape }

// Node is the operation that produces the value, nil for an input or a constant.
func (v *Value) Node() *Node { return v.node }

// Constant is the initializer behind the value, nil for inputs and node outputs.
func (v *Value) Constant() *TensorProto { return v.tensor }

// Nodes are the operations so far, in topological order.
func (g *Graph) Nodes() []*Node { return g.nodes }

// Inputs are the graph's inputs, in the order they were declared.
func (g *Graph) Inputs() []*Value { return g.inputs }

// Outputs are the graph's outputs, in the order they were declared.
func (g *Graph) Outputs() []*Value { return g.outputs }

// Err is the first mistake made while building, nil if there was none.
func (g *Graph) Err() error { return g.err }

func (g *Graph) fail(format string, a ...any) {
	if g.err == nil {
		g.err = fmt.Errorf("onnx graph %s: %w", g.name, fmt.Errorf(format, a...))
	}
}

// claim reserves a name; an empty one is made from the stem and a running number.
func (g *Graph) claim(name, stem string) string {
	if name == "" {
		for {
			g.counter++
			name = fmt.Sprintf("%s_%d", stem, g.counter)
			if !g.names[name] {
				break
			}
		}
	}
	if g.names[name] {
		g.fail("the name %q is used twice", name)
	}
	g.names[name] = true
	return name
}

// Input declares an input of the graph.
func (g *Graph) Input(name string, t DataType, shape ...Dim) *Value {
	v := &Value{name: g.claim(name, "input"), typ: t, shape: shape, graph: g}
	g.inputs = append(g.inputs, v)
	return v
}

// Output declares v an output under the given name: a node's output is renamed, an input,
// a constant or a value that already is an output goes through an Identity node.
func (g *Graph) Output(name string, v *Value) {
	if v == nil {
		g.fail("output %q has no value", name)
		return
	}
	if v.node == nil || slices.Contains(g.outputs, v) {
		v = g.OpT("Identity", v.typ, v.shape, []*Value{v})
	}
	if v.name != name {
		delete(g.names, v.name)
		v.name = g.claim(name, "output")
	}
	g.outputs = append(g.outputs, v)
}

// OutputAs is Output for a value whose type and shape are said only now.
func (g *Graph) OutputAs(name string, v *Value, t DataType, shape ...Dim) {
	if v != nil && v.node != nil && !slices.Contains(g.outputs, v) {
		v.typ, v.shape = t, shape
	}
	g.Output(name, v)
}

// Op adds an operation with one float32 output of the given shape. An operator of another
// domain is written "com.microsoft:FusedMatMul"; a nil input is an optional one left out.
func (g *Graph) Op(op string, out []Dim, in []*Value, attrs ...Attr) *Value {
	return g.OpT(op, Float32, out, in, attrs...)
}

// OpT is Op with an output of any type.
func (g *Graph) OpT(op string, t DataType, out []Dim, in []*Value, attrs ...Attr) *Value {
	return g.OpN(op, []Out{{t, out}}, in, attrs...)[0]
}

// Out is the type and shape of one output of a node.
type Out struct {
	Type  DataType
	Shape []Dim
}

// OpN is Op with any number of outputs.
func (g *Graph) OpN(op string, outs []Out, in []*Value, attrs ...Attr) []*Value {
	domain, name, found := strings.Cut(op, ":")
	if !found {
		domain, name = "", op
	}
	if domain != "" && domainVersion(domain) == 0 {
		g.fail("operator %s: unknown domain %q", name, domain)
	}
	n := &Node{Op: name, Domain: domain, Inputs: slices.Clone(in), Attrs: attrs}
	stem := strings.ToLower(name)
	for _, o := range outs {
		v := &Value{name: g.claim("", stem), typ: o.Type, shape: o.Shape, node: n, graph: g}
		n.Outputs = append(n.Outputs, v)
	}
	g.nodes = append(g.nodes, n)
	return n.Outputs
}

// Metadata sets a key of the model's metadata_props; a later value replaces an earlier.
func (g *Graph) Metadata(key, value string) {
	for i := range g.metadata {
		if g.metadata[i][0] == key {
			g.metadata[i][1] = value
			return
		}
	}
	g.metadata = append(g.metadata, [2]string{key, value})
}
