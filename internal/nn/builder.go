package nn

import (
	"fmt"
	"math"

	"hsnas/internal/onnx"
)

type (
	value = *onnx.Value
	graph = *onnx.Graph
)

// lowest masks a key: added to any score it leaves nothing of it.
const lowest = -math.MaxFloat32

// builder writes one graph. Activations are matrices of a row for each token, so that every
// linear layer is one Gemm with its weights as the checkpoint has them; only attention
// looks at them as batches.
type builder struct {
	g      graph
	s      Shape
	w      Weights
	narrow bool             // products of few rows: see image
	int8   bool             // products of integers: see quantise
	half   bool             // activations of half precision: see Float16
	scales map[value]value  // of matrices of integers
	err    error            // first error of the weights
	loaded map[string]value // by checkpoint name
	cached map[string]value // shapes and masks that several layers use
}

func newBuilder(name string, s Shape, w Weights, external *onnx.Weights) *builder {
	b := &builder{g: onnx.NewGraph(name), s: s, w: w, scales: map[value]value{}, loaded: map[string]value{}, cached: map[string]value{}}
	b.g.External(external)
	return b
}

// once makes a value at its first use and returns it at the later ones.
func (b *builder) once(key string, make func() value) value {
	v, ok := b.cached[key]
	if !ok {
		v = make()
		b.cached[key] = v
	}
	return v
}

// weight is a constant of a linear layer; a matrix is one of integers where the model's are,
// and the kernel of a convolution where the graph has few rows.
func (b *builder) weight(name string, shape []int64, load func() ([]float32, error)) value {
	if len(shape) == 2 && b.int8 {
		return b.integers(name, shape, load)
	}
	if len(shape) == 2 && b.narrow {
		shape = append(shape, 1, 1)
	}
	return b.constant(name, shape, load)
}

// constant is a named constant whose data is loaded at its first use.
func (b *builder) constant(name string, shape []int64, load func() ([]float32, error)) value {
	if v, ok := b.loaded[name]; ok {
		return v
	}
	data, err := load()
	if err != nil {
		b.fail(err)
		n, _ := onnx.Elements(shape)
		data = make([]float32, n)
	}
	v := b.floats(name, shape, data)
	b.loaded[name] = v
	return v
}

// vector is the first n entries of a vector of the supernet's length whole.
func (b *builder) vector(name string, n, whole int) value {
	return b.weight(name, []int64{int64(n)}, func() ([]float32, error) { return b.w.Part(name, vectorPart(n, whole)) })
}

// matrix is the first rows and columns of a matrix.
func (b *builder) matrix(name string, rows, cols, superRows, superCols int) value {
	return b.weight(name, []int64{int64(rows), int64(cols)}, func() ([]float32, error) {
		return b.w.Part(name, matrixPart(rows, cols, superRows, superCols))
	})
}

func vectorPart(n, whole int) Part {
	return Part{Whole: []int64{int64(whole)}, Sub: []int64{int64(n)}, Rows: int64(n), Cols: 1}
}

func matrixPart(rows, cols, superRows, superCols int) Part {
	return Part{
		Whole: []int64{int64(superRows), int64(superCols)}, Sub: []int64{int64(rows), int64(cols)},
		Rows: int64(rows), Cols: int64(cols),
	}
}

// op is an operation whose output shape nothing needs to know.
func (b *builder) op(op string, in []value, attrs ...onnx.Attr) value {
	return b.g.Op(op, nil, in, attrs...)
}

func (b *builder) intOp(op string, in []value, attrs ...onnx.Attr) value {
	return b.g.OpT(op, onnx.Int64, nil, in, attrs...)
}

func (b *builder) boolOp(op string, in []value, attrs ...onnx.Attr) value {
	return b.g.OpT(op, onnx.Bool, nil, in, attrs...)
}

func (b *builder) reshape(x, shape value) value { return b.op("Reshape", []value{x, shape}) }

// rows reshapes x to a matrix of n columns.
func (b *builder) rows(x value, n int) value {
	shape := b.once(fmt.Sprint("rows ", n), func() value { return b.g.Ints(-1, int64(n)) })
	return b.reshape(x, shape)
}

// linear is x W^T + bias.
func (b *builder) linear(x, w, bias value) value {
	if b.int8 {
		return b.integerProduct(x, w, bias)
	}
	if b.narrow {
		return b.pixels(b.conv(b.image(x, size(w, 1)), w, bias), size(w, 0))
	}
	in := []value{x, w}
	if bias != nil {
		in = append(in, bias)
	}
	return b.op("Gemm", in, onnx.Int("transB", 1))
}

// norm is LayerNorm(x + residual) with the parameters named by the prefix.
func (b *builder) norm(x, residual value, prefix string, side *Side) value {
	gain := b.vector(prefix+".weight", side.Dim, side.SuperDim)
	bias := b.vector(prefix+".bias", side.Dim, side.SuperDim)
	sum := b.op("Add", []value{x, residual})
	return b.op("LayerNormalization", []value{sum, gain, bias}, onnx.Axis(-1), onnx.Float("epsilon", epsilon))
}

// ffn is the position-wise network of layer i and the LayerNorm after it.
func (b *builder) ffn(x value, prefix string, i int, side *Side) value {
	f, d := side.FFN[i], side.Dim
	w1, bias1 := b.matrix(prefix+".fc1.weight", f, d, side.SuperFFN, side.SuperDim), b.vector(prefix+".fc1.bias", f, side.SuperFFN)
	w2, bias2 := b.matrix(prefix+".fc2.weight", d, f, side.SuperDim, side.SuperFFN), b.vector(prefix+".fc2.bias", d, side.SuperDim)
	var y value
	if b.narrow && !b.int8 { // one image from end to end
		y = b.pixels(b.conv(b.op("Relu", []value{b.conv(b.image(x, d), w1, bias1)}), w2, bias2), d)
	} else {
		y = b.linear(b.op("Relu", []value{b.linear(x, w1, bias1)}), w2, bias2)
	}
	return b.norm(y, x, prefix+".final_layer_norm", side)
}

// embedding is a token table sliced to a side's dimension.
func (b *builder) embedding(name string, side *Side) value {
	name, load := b.table(name, side)
	return b.constant(name, []int64{int64(b.s.Vocabulary), int64(side.Dim)}, load)
}

// outputLayer is the decoder's table as the weights of a linear layer.
func (b *builder) outputLayer() value {
	side := &b.s.Decoder
	if !b.narrow && !b.int8 {
		return b.embedding("decoder.embed_tokens.weight", side)
	}
	name, load := b.table("decoder.embed_tokens.weight", side)
	return b.weight(name+".kernel", []int64{int64(b.s.Vocabulary), int64(side.Dim)}, load)
}

// table is the name of a side's token table in the graph and what reads it.
func (b *builder) table(name string, side *Side) (string, func() ([]float32, error)) {
	const encoder, decoder = "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"
	first, other := name, name
	if b.s.Shared {
		first, other = decoder, encoder
		if b.s.Encoder.Dim == b.s.Decoder.Dim {
			name = decoder
		}
	}
	v := b.s.Vocabulary
	part := matrixPart(v, side.Dim, v, side.SuperDim)
	if b.s.Shared {
		part.Sub[1] = int64(max(b.s.Encoder.Dim, b.s.Decoder.Dim))
	}
	return name, func() ([]float32, error) { return either(b.w, first, other, part) }
}

// finish is the model's bytes.
func (b *builder) finish(kind string, metadata [][2]string) ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	b.g.Metadata("hsnas.kind", kind)
	for _, kv := range metadata {
		b.g.Metadata(kv[0], kv[1])
	}
	return b.g.Marshal()
}
