package onnx

import (
	"fmt"
	"strconv"
)

// DataType is the element type of a tensor; the numbers are the format's.
type DataType int32

// The element types that hsnas writes.
const (
	Float32 DataType = 1
	Uint8   DataType = 2
	Int8    DataType = 3
	Int32   DataType = 6
	Int64   DataType = 7
	Bool    DataType = 9
	Float16 DataType = 10
	Float64 DataType = 11
)

var typeNames = map[DataType]string{
	Float32: "float32", Uint8: "uint8", Int8: "int8", Int32: "int32", Int64: "int64",
	Bool: "bool", Float16: "float16", Float64: "float64",
}

// String is the type's name, "float32" for one.
func (t DataType) String() string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return "data type " + strconv.Itoa(int(t))
}

// Size is the number of bytes of one element, 0 for a type that hsnas does not write.
func (t DataType) Size() int64 {
	switch t {
	case Uint8, Int8, Bool:
		return 1
	case Float16:
		return 2
	case Float32, Int32:
		return 4
	case Int64, Float64:
		return 8
	}
	return 0
}

// Dim is one dimension of a shape: a number or a name that stands for a number known at
// run time. Two dimensions of the same name are equal. The zero Dim is the number 0.
type Dim struct {
	value  int64
	symbol string
}

// Fixed is a dimension of n elements.
func Fixed(n int64) Dim { return Dim{value: n} }

// Sym is a dimension known at run time, such as "batch".
func Sym(name string) Dim { return Dim{symbol: name} }

// Dims is a shape of fixed dimensions.
func Dims(n ...int64) []Dim {
	d := make([]Dim, len(n))
	for i, v := range n {
		d[i] = Fixed(v)
	}
	return d
}

// Value is the dimension's number; false for a named one.
func (d Dim) Value() (int64, bool) { return d.value, d.symbol == "" }

// Symbol is the dimension's name, "" for a fixed one.
func (d Dim) Symbol() string { return d.symbol }

// String is the number or the name.
func (d Dim) String() string {
	if d.symbol != "" {
		return d.symbol
	}
	return strconv.FormatInt(d.value, 10)
}

// Elements is the number of elements of a shape of fixed dimensions; an error for a
// negative dimension or a product beyond 2^62.
func Elements(shape []int64) (int64, error) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("negative dimension in shape %v", shape)
		}
		if d > 0 && n > (1<<62)/d {
			return 0, fmt.Errorf("shape %v has too many elements", shape)
		}
		n *= d
	}
	return n, nil
}
