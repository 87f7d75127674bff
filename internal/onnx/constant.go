package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Floats is a float32 constant; data has the elements in row-major order.
func (g *Graph) Floats(shape []int64, data []float32) *Value {
	return g.Init("", shape, data)
}

// Init is a named float32 constant, such as a weight.
func (g *Graph) Init(name string, shape []int64, data []float32) *Value {
	return g.Raw(name, Float32, shape, floatBytes(data))
}

// Ints is a constant vector of int64: axes, shapes, indices.
func (g *Graph) Ints(data ...int64) *Value {
	return g.Raw("", Int64, []int64{int64(len(data))}, intBytes(data))
}

// IntScalar is an int64 constant without dimensions.
func (g *Graph) IntScalar(x int64) *Value {
	return g.Raw("", Int64, nil, intBytes([]int64{x}))
}

// Scalar is a float32 constant without dimensions.
func (g *Graph) Scalar(x float32) *Value {
	return g.Raw("", Float32, nil, floatBytes([]float32{x}))
}

// Raw is a constant of any type, its elements little-endian in row-major order; an empty
// name is replaced by a running one.
func (g *Graph) Raw(name string, t DataType, shape []int64, data []byte) *Value {
	v := &Value{name: g.claim(name, "const"), typ: t, shape: Dims(shape...), graph: g}
	n, err := Elements(shape)
	switch {
	case err != nil:
		g.fail("constant %q: %w", v.name, err)
	case t.Size() == 0:
		g.fail("constant %q: cannot write %v", v.name, t)
	case n*t.Size() != int64(len(data)):
		g.fail("constant %q: shape %v of %v needs %d bytes, found %d", v.name, shape, t, n*t.Size(), len(data))
	}
	v.tensor = &TensorProto{Name: v.name, Dims: shape, DataType: int32(t)}
	if err := g.store(v.tensor, data); err != nil {
		g.fail("constant %q: %w", v.name, err)
	}
	g.inits = append(g.inits, v)
	return v
}

// store puts the bytes into the tensor, or into the graph's external file where one is set
// and the tensor is large.
func (g *Graph) store(t *TensorProto, data []byte) error {
	if g.external == nil || len(data) < externalThreshold {
		t.RawData = data
		return nil
	}
	at, err := g.external.add(data)
	if err != nil {
		return err
	}
	t.DataLocation = TensorProto_EXTERNAL
	t.ExternalData = []*StringStringEntryProto{
		{Key: "location", Value: g.external.location},
		{Key: "offset", Value: fmt.Sprint(at)},
		{Key: "length", Value: fmt.Sprint(len(data))},
	}
	return nil
}

// floatBytes is the little-endian form, never nil: a present but empty raw_data marks a
// tensor without elements.
func floatBytes(data []float32) []byte {
	b := make([]byte, 4*len(data))
	for i, x := range data {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(x))
	}
	return b
}

func intBytes(data []int64) []byte {
	b := make([]byte, 8*len(data))
	for i, x := range data {
		binary.LittleEndian.PutUint64(b[8*i:], uint64(x))
	}
	return b
}

// Float32s are the elements of a float32 tensor held in the model itself.
func (t *TensorProto) Float32s() ([]float32, error) {
	if err := t.expect(Float32); err != nil {
		return nil, err
	}
	x := make([]float32, len(t.RawData)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.RawData[4*i:]))
	}
	return x, nil
}

// Int64s are the elements of an int64 tensor held in the model itself.
func (t *TensorProto) Int64s() ([]int64, error) {
	if err := t.expect(Int64); err != nil {
		return nil, err
	}
	x := make([]int64, len(t.RawData)/8)
	for i := range x {
		x[i] = int64(binary.LittleEndian.Uint64(t.RawData[8*i:]))
	}
	return x, nil
}

func (t *TensorProto) expect(d DataType) error {
	if got := DataType(t.GetDataType()); got != d {
		return fmt.Errorf("tensor %q is %v, expected %v", t.GetName(), got, d)
	}
	if t.GetDataLocation() == TensorProto_EXTERNAL {
		return fmt.Errorf("tensor %q is in an external file", t.GetName())
	}
	return nil
}
