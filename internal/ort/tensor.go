package ort

import (
	"fmt"
	"math"
	"runtime"
	"slices"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// Tensor is an array that models read and write. It shares the memory of the Go
// slice that it was made of: what a run writes stands in the slice, and what Go
// writes is what the next run reads. Rank 0 is not supported; use shape [1].
type Tensor struct {
	kind    DataType
	shape   []int64
	data    any // []float32, []int64, []int32 or []bool
	handle  *handle
	cleanup runtime.Cleanup
}

// handle is what has to be given back. It is apart from the Tensor so that a
// cleanup can hold it without keeping the Tensor alive.
type handle struct {
	value  onnxruntime.Value
	pinner runtime.Pinner
}

func (h *handle) release() {
	if h.value != nil {
		h.value.Destroy()
		h.value = nil
	}
	h.pinner.Unpin()
}

// Element is a type that the elements of a Tensor can have.
type Element interface {
	float32 | int64 | int32 | bool
}

// NewFloats makes a float32 tensor over data, whose length has to be the product
// of shape. The slice may be a part of a larger one.
func NewFloats(shape []int64, data []float32) (*Tensor, error) {
	return newTensor(Float32, shape, data)
}

// NewInts makes an int64 tensor over data.
func NewInts(shape []int64, data []int64) (*Tensor, error) {
	return newTensor(Int64, shape, data)
}

// Elements returns how many elements a tensor of shape has, or an error for a
// negative dimension, no dimension at all or a size that overflows.
func Elements(shape []int64) (int, error) {
	if len(shape) == 0 {
		return 0, fmt.Errorf("tensor without dimensions: use shape [1] for a single number")
	}
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("tensor shape %v has a negative dimension", shape)
		}
		if d > 0 && n > math.MaxInt32*int64(16)/d {
			return 0, fmt.Errorf("tensor shape %v is too large", shape)
		}
		n *= d
	}
	return int(n), nil
}

func newTensor[T Element](kind DataType, shape []int64, data []T) (*Tensor, error) {
	n, err := Elements(shape)
	if err != nil {
		return nil, err
	}
	if n != len(data) {
		return nil, fmt.Errorf("tensor shape %v has %d elements, its data has %d", shape, n, len(data))
	}
	h := &handle{}
	if n > 0 {
		// The library keeps the address for as long as the tensor lives.
		h.pinner.Pin(&data[0])
	}
	value, err := onnxruntime.NewTensor(onnxruntime.Shape(shape), data)
	if err != nil {
		h.release()
		return nil, fmt.Errorf("tensor of shape %v: %s", shape, oneLine(err))
	}
	h.value = value
	return wrap(kind, slices.Clone(shape), data, h), nil
}

func wrap(kind DataType, shape []int64, data any, h *handle) *Tensor {
	t := &Tensor{kind: kind, shape: shape, data: data, handle: h}
	t.cleanup = runtime.AddCleanup(t, func(h *handle) { h.release() }, h)
	return t
}

// adopt takes over a value that the library allocated.
func adopt(value onnxruntime.Value) (*Tensor, error) {
	shape := []int64(value.GetShape())
	h := &handle{value: value}
	switch v := value.(type) {
	case *onnxruntime.Tensor[float32]:
		return wrap(Float32, shape, v.GetData(), h), nil
	case *onnxruntime.Tensor[int64]:
		return wrap(Int64, shape, v.GetData(), h), nil
	case *onnxruntime.Tensor[int32]:
		return wrap(Int32, shape, v.GetData(), h), nil
	case *onnxruntime.Tensor[bool]:
		return wrap(Bool, shape, v.GetData(), h), nil
	}
	value.Destroy()
	return nil, fmt.Errorf("element type %d is not supported", value.DataType())
}

// Type returns the type of the elements.
func (t *Tensor) Type() DataType { return t.kind }

// Shape returns the dimensions; the caller must not change them.
func (t *Tensor) Shape() []int64 { return t.shape }

// Floats returns the elements themselves, no copy; nil where they are no
// float32.
func (t *Tensor) Floats() []float32 { return data[float32](t) }

// Ints returns the elements themselves; nil where they are no int64.
func (t *Tensor) Ints() []int64 { return data[int64](t) }

// Int32s returns the elements themselves; nil where they are no int32.
func (t *Tensor) Int32s() []int32 { return data[int32](t) }

// Bools returns the elements themselves; nil where they are no bool.
func (t *Tensor) Bools() []bool { return data[bool](t) }

func data[T Element](t *Tensor) []T {
	elements, _ := t.data.([]T)
	return elements
}

// Destroy gives the library's part of the tensor back; the slice stays. A
// destroyed tensor must not be run. Destroy may be called twice, and a tensor
// that is never destroyed is given back when the garbage collector finds it.
func (t *Tensor) Destroy() {
	if t == nil || t.handle == nil {
		return
	}
	t.cleanup.Stop()
	t.handle.release()
	t.handle = nil
}
