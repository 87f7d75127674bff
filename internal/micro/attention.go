package micro

import (
	"fmt"

	"hsnas/internal/onnx"
)

// headDims are the heads of one attention and the width of each.
type headDims struct {
	count, width onnx.Dim
	vector       value // int64 [2], the two numbers
	scale        value // float32 [1], width^-1/2, in a sampled graph
	alpha        float32
}

func (b *builder) heads(name string, pick func(Shape) int) headDims {
	if !b.sampled {
		h := pick(b.shape)
		count, width := int64(h), int64(b.d.QKV/h)
		return headDims{onnx.Fixed(count), onnx.Fixed(width), b.ints(count, width), nil, b.d.headScale(h)}
	}
	return headDims{
		count: onnx.Sym(name + ".heads"), width: onnx.Sym(name + ".head_width"),
		vector: b.intInput(name+".heads", onnx.Dims(2), func(c *call) []int64 {
			h := int64(pick(c.shape))
			return []int64{h, int64(b.d.QKV) / h}
		}),
		scale: b.floatInput(name+".scale", onnx.Dims(1), func(c *call) []float32 { return []float32{b.d.headScale(pick(c.shape))} }),
	}
}

// byHead takes a projection [rows, parts * QKV] apart: parts values of
// [1, batch, heads, time, width]. sentences is a value whose first two
// dimensions are batch and time.
func (b *builder) byHead(x, sentences value, parts int, h headDims) []value {
	shape := sentences.Shape()
	lengths := b.once("lengths "+sentences.Name(), func() value {
		return b.g.OpT("Shape", onnx.Int64, onnx.Dims(2), []value{sentences}, onnx.Int("start", 0), onnx.Int("end", 2))
	})
	target := b.once(fmt.Sprint("heads ", sentences.Name(), parts, h.vector.Name()), func() value {
		return b.g.OpT("Concat", onnx.Int64, onnx.Dims(5), []value{lengths, b.ints(int64(parts)), h.vector}, onnx.Axis(0))
	})
	n := onnx.Fixed(int64(parts))
	y := b.g.Op("Reshape", []onnx.Dim{shape[0], shape[1], n, h.count, h.width}, []value{x, target})
	y = b.g.Op("Transpose", []onnx.Dim{n, shape[0], h.count, shape[1], h.width}, []value{y}, onnx.Perm(2, 0, 3, 1, 4))
	if parts == 1 {
		return []value{y}
	}
	outs, ones := make([]onnx.Out, parts), make([]int64, parts)
	for i := range outs {
		outs[i] = onnx.Out{Type: onnx.Float32, Shape: []onnx.Dim{onnx.Fixed(1), shape[0], h.count, shape[1], h.width}}
		ones[i] = 1
	}
	return b.g.OpN("Split", outs, []value{y, b.ints(ones...)}, onnx.Axis(0))
}

// attend is softmax(q k^T scale + mask) v with the heads side by side again,
// [rows, QKV]. A nil mask hides nothing.
func (b *builder) attend(q, k, v, mask value, h headDims, rows onnx.Dim) value {
	if h.scale != nil {
		q = b.op("Mul", q, h.scale)
		h.alpha = 1
	}
	qs, ks := q.Shape(), k.Shape()
	shape := []onnx.Dim{qs[0], qs[1], qs[2], qs[3], ks[3]}
	scores := b.similarities(q, k, h.alpha, shape)
	if mask != nil {
		scores = b.op("Add", scores, mask)
	}
	p := b.g.Op("Softmax", shape, []value{scores}, onnx.Axis(-1))
	y := b.product(qs, p, v)
	y = b.g.Op("Transpose", []onnx.Dim{qs[0], qs[1], qs[3], qs[2], qs[4]}, []value{y}, onnx.Perm(0, 1, 3, 2, 4))
	return b.rows(y, rows, number(b.d.QKV))
}

// fused is the product that scales and transposes by itself.
const fused = onnx.MicrosoftDomain + ":FusedMatMul"

// similarities are q k^T alpha.
func (b *builder) similarities(q, k value, alpha float32, shape []onnx.Dim) value {
	if !b.plain {
		return b.g.Op(fused, shape, []value{q, k}, onnx.Int("transB", 1), onnx.Float("alpha", alpha))
	}
	if alpha != 1 {
		q = b.op("Mul", q, b.once(fmt.Sprint("alpha ", alpha), func() value { return b.g.Floats([]int64{1}, []float32{alpha}) }))
	}
	s := k.Shape()
	k = b.g.Op("Transpose", []onnx.Dim{s[0], s[1], s[2], s[4], s[3]}, []value{k}, onnx.Perm(0, 1, 2, 4, 3))
	return b.product(shape, q, k)
}

func (b *builder) product(shape []onnx.Dim, x, y value) value {
	if !b.plain {
		return b.g.Op(fused, shape, []value{x, y})
	}
	return b.g.Op("MatMul", shape, []value{x, y})
}

// selfHeads are the heads of layer i's self-attention.
func (b *builder) selfHeads(side string, i int) headDims {
	return b.heads(layer(side, i)+"self_attention", func(s Shape) int { return s.side(side).Heads[i] })
}

// selfAttention is layer i's attention to its own side, with its residual
// connection.
func (b *builder) selfAttention(x, tokens, mask value, side string, i int) value {
	h := b.selfHeads(side, i)
	qkv := b.byHead(b.selfProjection(x, side, i), tokens, 3, h)
	y := b.attend(qkv[0], qkv[1], qkv[2], mask, h, x.Shape()[0])
	return b.selfOutput(x, y, side, i)
}

// selfProjection is queries, keys and values side by side, [rows, 3 QKV].
func (b *builder) selfProjection(x value, side string, i int) value {
	prefix, n := layer(side, i), b.dim(side)
	return b.linear(b.norm(x, prefix+"self_attention_norm", n), prefix+"self_attention.qkv", number(3*b.d.QKV), n)
}

func (b *builder) selfOutput(x, y value, side string, i int) value {
	prefix := layer(side, i)
	return b.residual(x, b.linear(y, prefix+"self_attention.out", b.dim(side), number(b.d.QKV)), side, prefix+"self_attention.")
}

// crossHeads are the heads of decoder layer i's attention to the encoder.
func (b *builder) crossHeads(i int) headDims {
	return b.heads(layer("decoder", i)+"cross_attention", func(s Shape) int { return s.CrossHeads[i] })
}

// crossAttention is decoder layer i's attention to the encoder, whose keys and
// values are given, with its residual connection.
func (b *builder) crossAttention(x, tokens, k, v, mask value, i int) value {
	prefix, h, n := layer("decoder", i), b.crossHeads(i), b.dim("decoder")
	q := b.linear(b.norm(x, prefix+"cross_attention_norm", n), prefix+"cross_attention.query", number(b.d.QKV), n)
	y := b.attend(b.byHead(q, tokens, 1, h)[0], k, v, mask, h, x.Shape()[0])
	return b.residual(x, b.linear(y, prefix+"cross_attention.out", n, number(b.d.QKV)), "decoder", prefix+"cross_attention.")
}

// crossMemory are decoder layer i's keys and values, over memory [batch, time, dim].
func (b *builder) crossMemory(memory value, i int) (k, v value) {
	n := b.dim("encoder")
	name := layer("decoder", i) + "cross_attention.key_value"
	rows := b.rows(memory, onnx.Sym(fmt.Sprintf("memory%d_rows", i)), n)
	kv := b.byHead(b.linear(rows, name, number(2*b.d.QKV), n), memory, 2, b.crossHeads(i))
	return kv[0], kv[1]
}
