package nn

import (
	"fmt"
	"math"

	"hsnas/internal/onnx"
)

// batched is a shape [batch, -1, heads, 512/heads], the batch that of like's first dimension.
func (b *builder) batched(like value, heads int) value {
	return b.once(fmt.Sprint("batched ", like.Name(), heads), func() value {
		batch := b.once("batch "+like.Name(), func() value {
			return b.intOp("Shape", []value{like}, onnx.Int("start", 0), onnx.Int("end", 1))
		})
		return b.intOp("Concat", []value{batch, b.g.Ints(-1, int64(heads), int64(b.s.QKV/heads))}, onnx.Axis(0))
	})
}

// split takes a matrix of fused projections apart into n of 512 columns.
func (b *builder) split(x value, n int) []value {
	return b.g.OpN("Split", make([]onnx.Out, n), []value{x}, onnx.Axis(1))
}

// Layouts of a projection seen as [batch, time, heads, 512/heads].
var (
	byHead     = onnx.Perm(0, 2, 1, 3) // [batch, heads, time, 512/heads]; its own inverse
	transposed = onnx.Perm(0, 2, 3, 1) // [batch, heads, 512/heads, time]: keys ready to be multiplied
)

// heads lays a projection [batch*time, 512] out by heads.
func (b *builder) heads(x, shape value, layout onnx.Attr) value {
	return b.op("Transpose", []value{b.reshape(x, shape)}, layout)
}

// attend is softmax(q k + mask) v, with k transposed; the result is [batch, heads, time, ...].
// A nil mask hides nothing.
func (b *builder) attend(q, k, v, mask value) value {
	scores := b.op("MatMul", []value{q, k})
	if mask != nil {
		scores = b.op("Add", []value{scores, mask})
	}
	p := b.op("Softmax", []value{scores}, onnx.Axis(-1))
	return b.op("MatMul", []value{p, v})
}

// merge puts heads side by side again: [batch*time, 512].
func (b *builder) merge(x value) value {
	return b.rows(b.op("Transpose", []value{x}, byHead), b.s.QKV)
}

// project is the output projection of an attention and the LayerNorm after it.
func (b *builder) project(x, residual value, prefix string, side *Side) value {
	w := b.matrix(prefix+".out_proj.weight", side.Dim, b.s.QKV, side.SuperDim, b.s.QKV)
	y := b.linear(x, w, b.vector(prefix+".out_proj.bias", side.Dim, side.SuperDim))
	return b.norm(y, residual, prefix+"_layer_norm", side)
}

// qkv are the fused projections of a self-attention, queries already scaled by
// (512/heads)^-0.5.
func (b *builder) qkv(x value, prefix string, heads int, side *Side) []value {
	in := inProjection{rows: 3 * b.s.QKV, cols: side.Dim, superCols: side.SuperDim, subCols: side.Dim, scaled: b.s.QKV}
	return b.split(b.inProject(x, prefix, "", heads, in), 3)
}

// inProjection is a stretch of rows of in_proj_weight, which stacks queries, keys and values.
type inProjection struct {
	first, rows int
	cols        int // sampled dimension of the input
	superCols   int // columns of the supernet's tensor
	subCols     int // columns where a file holds the sub-network alone
	scaled      int // how many of the rows are queries
}

// inProject is one stretch of an attention's input projection; suffix tells apart the
// constants of several stretches of one tensor.
func (b *builder) inProject(x value, prefix, suffix string, heads int, in inProjection) value {
	all := 3 * b.s.QKV
	weight, bias := prefix+".in_proj_weight", prefix+".in_proj_bias"
	load := func(name string, p Part, n int) func() ([]float32, error) {
		return func() ([]float32, error) {
			data, err := b.w.Part(name, p)
			if err == nil {
				scaleQueries(data[:n], b.s.QKV/heads)
			}
			return data, err
		}
	}
	part := Part{
		Whole: []int64{int64(all), int64(in.superCols)}, Sub: []int64{int64(all), int64(in.subCols)},
		First: int64(in.first), Rows: int64(in.rows), Cols: int64(in.cols),
	}
	w := b.weight(weight+suffix, []int64{part.Rows, part.Cols}, load(weight, part, in.scaled*in.cols))
	part = Part{Whole: []int64{int64(all)}, Sub: []int64{int64(all)}, First: part.First, Rows: part.Rows, Cols: 1}
	return b.linear(x, w, b.weight(bias+suffix, []int64{part.Rows}, load(bias, part, in.scaled)))
}

func scaleQueries(x []float32, width int) {
	scale := float32(1 / math.Sqrt(float64(width)))
	for i := range x {
		x[i] *= scale
	}
}

// crossQuery and crossKeyValue are the two stretches of a cross-attention's input
// projection: queries come from the decoder's dimension, keys and values from the encoder's.
func (b *builder) crossQuery(x value, prefix string, heads int) value {
	in := b.cross(b.s.Decoder.Dim)
	in.rows, in.scaled = b.s.QKV, b.s.QKV
	return b.inProject(x, prefix, ".query", heads, in)
}

func (b *builder) crossKeyValue(x value, prefix string, heads int) []value {
	in := b.cross(b.s.Encoder.Dim)
	in.first, in.rows = b.s.QKV, 2*b.s.QKV
	return b.split(b.inProject(x, prefix, ".key_value", heads, in), 2)
}

func (b *builder) cross(cols int) inProjection {
	e, d := &b.s.Encoder, &b.s.Decoder
	return inProjection{cols: cols, superCols: max(e.SuperDim, d.SuperDim), subCols: max(e.Dim, d.Dim)}
}
