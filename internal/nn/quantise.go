package nn

import (
	"fmt"
	"math"

	"hsnas/internal/config"
	"hsnas/internal/onnx"
)

// Precision is how a model's matrices are stored and multiplied.
type Precision string

const (
	// Float32 is HAT's own.
	Float32 Precision = "fp32"
	// Int8 has weights of 8 bits with a scale for each output, and inputs that are
	// quantised as they come, with one scale and zero point for all rows (ONNX's
	// DynamicQuantizeLinear): products of integers, sums of 32 bits. Embeddings, attention
	// and LayerNorms stay float32.
	Int8 Precision = "int8"
	// Float16 has weights and activations of half precision. What goes in and out of the
	// graphs is float32 as ever, and so are the positions, whose sines it could not hold.
	// It is for GPUs: ONNX Runtime's CPU casts most of it to float32 and back.
	Float16 Precision = "fp16"
)

func (p Precision) check() error {
	switch p {
	case "", Float32, Int8, Float16:
		return nil
	}
	return config.Errorf("", 0, "unknown precision %q; known: %s, %s, %s", string(p), Float32, Int8, Float16)
}

// WeightBytes is the size of a weight.
func (p Precision) WeightBytes() int64 {
	switch p {
	case Int8:
		return 1
	case Float16:
		return 2
	}
	return 4
}

// quantise is a matrix [out, in] as 8-bit integers [in, out], which MatMulInteger wants, and
// the scale of each output: the largest weight of a row becomes 127, and zero stays zero.
func quantise(data []float32, out, in int) (q []byte, scales []float32) {
	q, scales = make([]byte, len(data)), make([]float32, out)
	for o := range out {
		row := data[o*in:][:in]
		var largest float64
		for _, x := range row {
			largest = max(largest, math.Abs(float64(x)))
		}
		scale := largest / 127
		if scale == 0 {
			scale = 1
		}
		scales[o] = float32(scale)
		for i, x := range row {
			q[i*out+o] = byte(int8(math.RoundToEven(float64(x) / scale)))
		}
	}
	return q, scales
}

// integers is weight for a model of 8 bits.
func (b *builder) integers(name string, shape []int64, load func() ([]float32, error)) value {
	if v, ok := b.loaded[name]; ok {
		return v
	}
	data, err := load()
	if err != nil {
		b.fail(err)
		data = make([]float32, shape[0]*shape[1])
	}
	q, scales := quantise(data, int(shape[0]), int(shape[1]))
	v := b.g.Raw(name+".int8", onnx.Int8, []int64{shape[1], shape[0]}, q)
	b.scales[v] = b.g.Init(name+".scale", shape[:1], scales)
	b.loaded[name] = v
	return v
}

// integerProduct is linear for a model of 8 bits, in the form that ONNX Runtime fuses.
func (b *builder) integerProduct(x, w, bias value) value {
	q := b.g.OpN("DynamicQuantizeLinear", []onnx.Out{{Type: onnx.Uint8}, {Type: onnx.Float32}, {Type: onnx.Uint8}}, []value{x})
	sum := b.g.OpT("MatMulInteger", onnx.Int32, nil, []value{q[0], w, q[2]})
	scale := b.op("Mul", []value{q[1], b.scales[w]})
	y := b.op("Mul", []value{b.op("Cast", []value{sum}, onnx.To(onnx.Float32)), scale})
	if bias != nil {
		y = b.op("Add", []value{y, bias})
	}
	return y
}

// metadata is what a graph's metadata says of the precision, nothing for float32.
func (p Precision) metadata() [][2]string {
	if p == "" || p == Float32 {
		return nil
	}
	return [][2]string{{"hsnas.precision", fmt.Sprint(p)}}
}
