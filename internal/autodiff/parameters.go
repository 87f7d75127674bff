package autodiff

import (
	"fmt"

	"hsnas/internal/onnx"
	"hsnas/internal/ort"
)

// Parameters lays the trainable arrays of a model out one after the other in
// one flat vector. The graph has an input for each array, and each input's
// tensor is a view of the vector: an optimizer then updates all of them with
// the same few nodes, and no step copies a weight.
type Parameters struct {
	names  []string
	shapes [][]int64
	starts []int
	size   int
}

// Add appends an array to the layout.
func (p *Parameters) Add(name string, shape ...int64) error {
	n, err := ort.Elements(shape)
	if err != nil {
		return fmt.Errorf("parameter %s: %w", name, err)
	}
	p.names, p.shapes, p.starts = append(p.names, name), append(p.shapes, shape), append(p.starts, p.size)
	p.size += n
	return nil
}

// Len is the number of arrays.
func (p *Parameters) Len() int { return len(p.names) }

// Size is the length of the flat vector.
func (p *Parameters) Size() int { return p.size }

// Name returns the name of the i-th array.
func (p *Parameters) Name(i int) string { return p.names[i] }

// Shape returns the shape of the i-th array.
func (p *Parameters) Shape(i int) []int64 { return p.shapes[i] }

// View is the part of a flat vector that the i-th array is.
func (p *Parameters) View(flat []float32, i int) []float32 {
	return flat[p.starts[i]:p.end(i):p.end(i)]
}

func (p *Parameters) end(i int) int {
	if i+1 < len(p.starts) {
		return p.starts[i+1]
	}
	return p.size
}

// Prefix is the layout of the first n arrays, whose flat vector is the first part
// of this one's.
func (p *Parameters) Prefix(n int) *Parameters {
	size := 0
	if n > 0 {
		size = p.end(n - 1)
	}
	return &Parameters{names: p.names[:n], shapes: p.shapes[:n], starts: p.starts[:n], size: size}
}

// Inputs declares an input of g for each array, in order.
func (p *Parameters) Inputs(g *onnx.Graph) []*onnx.Value {
	values := make([]*onnx.Value, p.Len())
	for i := range values {
		values[i] = g.Input(p.names[i], onnx.Float32, onnx.Dims(p.shapes[i]...)...)
	}
	return values
}

// Flatten joins one value for each array (their gradients) to one vector in the
// layout of the flat one.
func (p *Parameters) Flatten(g *onnx.Graph, values []*onnx.Value) *onnx.Value {
	flat := make([]*onnx.Value, len(values))
	for i, v := range values {
		n := int64(p.end(i) - p.starts[i])
		flat[i] = g.Op("Reshape", onnx.Dims(n), []*onnx.Value{v, g.Ints(-1)})
	}
	return g.Op("Concat", onnx.Dims(int64(p.size)), flat, onnx.Axis(0))
}

// Tensors makes a tensor for each array over its part of the flat vector.
func (p *Parameters) Tensors(flat []float32) ([]*ort.Tensor, error) {
	if len(flat) != p.size {
		return nil, fmt.Errorf("parameters: a vector of %d elements, expected %d", len(flat), p.size)
	}
	tensors := make([]*ort.Tensor, p.Len())
	for i := range tensors {
		t, err := ort.NewFloats(p.shapes[i], p.View(flat, i))
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", p.names[i], err)
		}
		tensors[i] = t
	}
	return tensors, nil
}
