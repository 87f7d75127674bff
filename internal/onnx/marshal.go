package onnx

import (
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"hsnas/internal/atomicfile"
)

// Marshal is the model's bytes, the same for the same calls. It fails on the first mistake
// made while building and on a model beyond protobuf's 2 GiB (use External).
func (g *Graph) Marshal() ([]byte, error) {
	m := g.Model()
	if g.err != nil {
		return nil, g.err
	}
	if n := proto.Size(m); n > math.MaxInt32 {
		return nil, fmt.Errorf("onnx graph %s: %d bytes is over the format's limit of 2 GiB; keep weights in an external file", g.name, n)
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("onnx graph %s: %w", g.name, err)
	}
	return b, nil
}

// WriteFile writes the model's bytes to a file, whole or not at all.
func (g *Graph) WriteFile(path string) error {
	b, err := g.Marshal()
	if err != nil {
		return err
	}
	return atomicfile.Write(path, b)
}

// Model is the graph as the format's message; its tensors share the graph's memory.
func (g *Graph) Model() *ModelProto {
	m := &ModelProto{
		IrVersion:    IRVersion,
		ProducerName: Producer,
		OpsetImport:  g.opsets(),
		Graph:        &GraphProto{Name: g.name},
	}
	for _, kv := range g.metadata {
		m.MetadataProps = append(m.MetadataProps, &StringStringEntryProto{Key: kv[0], Value: kv[1]})
	}
	for _, n := range g.nodes {
		m.Graph.Node = append(m.Graph.Node, g.nodeProto(n))
	}
	for _, v := range g.inits {
		m.Graph.Initializer = append(m.Graph.Initializer, v.tensor)
	}
	for _, v := range g.inputs {
		m.Graph.Input = append(m.Graph.Input, v.info())
	}
	if len(g.outputs) == 0 {
		g.fail("no outputs")
	}
	for _, v := range g.outputs {
		m.Graph.Output = append(m.Graph.Output, v.info())
	}
	return m
}

func (g *Graph) opsets() []*OperatorSetIdProto {
	sets := []*OperatorSetIdProto{{Domain: proto.String(""), Version: Opset}}
	for _, d := range domains {
		if slices.ContainsFunc(g.nodes, func(n *Node) bool { return n.Domain == d.name }) {
			sets = append(sets, &OperatorSetIdProto{Domain: proto.String(d.name), Version: d.version})
		}
	}
	return sets
}

func (g *Graph) nodeProto(n *Node) *NodeProto {
	p := &NodeProto{Name: n.Outputs[0].name, OpType: n.Op, Domain: n.Domain}
	for _, v := range n.Inputs {
		if v == nil {
			p.Input = append(p.Input, "")
			continue
		}
		if v.graph != g {
			g.fail("%s %q takes %q, which is not a value of this graph", n.Op, p.Name, v.name)
		}
		p.Input = append(p.Input, v.name)
	}
	for _, v := range n.Outputs {
		p.Output = append(p.Output, v.name)
	}
	for _, a := range n.Attrs {
		p.Attribute = append(p.Attribute, a.p)
	}
	return p
}

func (v *Value) info() *ValueInfoProto {
	shape := &TensorShapeProto{}
	for _, d := range v.shape {
		p := &TensorShapeProto_Dimension{Value: &TensorShapeProto_Dimension_DimValue{DimValue: d.value}}
		if d.symbol != "" {
			p.Value = &TensorShapeProto_Dimension_DimParam{DimParam: d.symbol}
		}
		shape.Dim = append(shape.Dim, p)
	}
	t := &TypeProto_Tensor{ElemType: int32(v.typ), Shape: shape}
	return &ValueInfoProto{Name: v.name, Type: &TypeProto{Value: &TypeProto_TensorType{TensorType: t}}}
}
