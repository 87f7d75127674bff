package onnx

import "google.golang.org/protobuf/proto"

// Attr is one attribute of a node, made by the constructors below.
type Attr struct{ p *AttributeProto }

// Name is the attribute's name.
func (a Attr) Name() string { return a.p.GetName() }

// Int is an integer attribute.
func Int(name string, v int64) Attr {
	return Attr{&AttributeProto{Name: name, Type: AttributeProto_INT, I: proto.Int64(v)}}
}

// Float is a float attribute.
func Float(name string, v float32) Attr {
	return Attr{&AttributeProto{Name: name, Type: AttributeProto_FLOAT, F: proto.Float32(v)}}
}

// String is a text attribute.
func String(name, v string) Attr {
	return Attr{&AttributeProto{Name: name, Type: AttributeProto_STRING, S: []byte(v)}}
}

// IntsAttr is a list of integers: permutations, axes, kernel shapes.
func IntsAttr(name string, v ...int64) Attr {
	return Attr{&AttributeProto{Name: name, Type: AttributeProto_INTS, Ints: v}}
}

// FloatsAttr is a list of floats.
func FloatsAttr(name string, v ...float32) Attr {
	return Attr{&AttributeProto{Name: name, Type: AttributeProto_FLOATS, Floats: v}}
}

// Strings is a list of texts.
func Strings(name string, v ...string) Attr {
	s := make([][]byte, len(v))
	for i := range v {
		s[i] = []byte(v[i])
	}
	return Attr{&AttributeProto{Name: name, Type: AttributeProto_STRINGS, Strings: s}}
}

// To is the target type of a Cast node.
func To(t DataType) Attr { return Int("to", int64(t)) }

// Perm is a Transpose node's permutation.
func Perm(p ...int64) Attr { return IntsAttr("perm", p...) }

// Axis is the attribute that most operators along one dimension take.
func Axis(a int64) Attr { return Int("axis", a) }
