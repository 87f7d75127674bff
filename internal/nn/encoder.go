package nn

import (
	"fmt"

	"hsnas/internal/onnx"
)

// encoder adds the encoder over src [batch, src]. It returns the outputs of the last layers
// that some decoder layer attends to, the last one first, as [batch, src, E], and where src is
// padded.
func (b *builder) encoder(src value) (memories []value, pad value) {
	side := &b.s.Encoder
	pad = b.isPad(src)
	x := b.embed(src, pad, "encoder.embed_tokens.weight", side)
	mask := b.mask(b.boolOp("Unsqueeze", []value{pad, b.g.Ints(1, 2)}))
	outputs := make([]value, len(side.FFN))
	for i := range side.FFN {
		prefix := fmt.Sprintf("encoder.layers.%d", i)
		x = b.selfAttention(x, src, mask, prefix+".self_attn", side.Heads[i], side)
		x = b.ffn(x, prefix, i, side)
		outputs[i] = x
	}
	shape := b.intOp("Concat", []value{b.intOp("Shape", []value{src}), b.g.Ints(int64(side.Dim))}, onnx.Axis(0))
	for i := range b.s.memories() {
		memories = append(memories, b.reshape(outputs[len(outputs)-1-i], shape))
	}
	return memories, pad
}

// selfAttention is a whole layer of attention over all tokens at once; ids [batch, time]
// gives the batch.
func (b *builder) selfAttention(x, ids, mask value, prefix string, heads int, side *Side) value {
	qkv := b.qkv(x, prefix, heads, side)
	shape := b.batched(ids, heads)
	q, k, v := b.heads(qkv[0], shape, byHead), b.heads(qkv[1], shape, transposed), b.heads(qkv[2], shape, byHead)
	return b.project(b.merge(b.attend(q, k, v, mask)), x, prefix, side)
}

// encoderGraph is encoder.onnx.
func (b *builder) encoderGraph() {
	src := b.g.Input("src_tokens", onnx.Int64, onnx.Sym("sentences"), onnx.Sym("src"))
	memories, pad := b.encoder(src)
	for i, m := range memories {
		b.output(memoryName(i), m, b.memoryShape()...)
	}
	b.g.OutputAs("padding_mask", pad, onnx.Bool, onnx.Sym("sentences"), onnx.Sym("src"))
}

func memoryName(i int) string { return fmt.Sprintf("memory_%d", i) }

func (b *builder) memoryShape() []onnx.Dim {
	return []onnx.Dim{onnx.Sym("sentences"), onnx.Sym("src"), onnx.Fixed(int64(b.s.Encoder.Dim))}
}
