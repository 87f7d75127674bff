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

// FloatTensor is a tensor attribute of float32 elements, such as ConstantOfShape's value.
func FloatTensor(name string, shape []int64, data ...float32) Attr {
	t := &TensorProto{Name: name, Dims: shape, DataType: int32(Float32), RawData: floatBytes(data)}
	return Attr{&AttributeProto{Name: name, Type: AttributeProto_TENSOR, T: t}}
}

// IntTensor is a tensor attribute of int64 elements.
func IntTensor(name string, shape []int64, data ...int64) Attr {
	t := &TensorProto{Name: name, Dims: shape, DataType: int32(Int64), RawData: intBytes(data)}
	return Attr{&AttributeProto{Name: name, Type: AttributeProto_TENSOR, T: t}}
}

// To is the target type of a Cast node.
func To(t DataType) Attr { return Int("to", int64(t)) }

// Perm is a Transpose node's permutation.
func Perm(p ...int64) Attr { return IntsAttr("perm", p...) }

// Axis is the attribute that most operators along one dimension take.
func Axis(a int64) Attr { return Int("axis", a) }
