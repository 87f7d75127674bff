package nn

import (
	"fmt"

	"hsnas/internal/onnx"
)

// crossMemory are the keys and values of one decoder layer's cross-attention and its mask.
type crossMemory struct{ key, value, mask value }

func layerName(i int) string { return fmt.Sprintf("decoder.layers.%d", i) }

// crossMemories adds the keys and values of every decoder layer over memories
// [sentences, src, E] and the mask of every span.
func (b *builder) crossMemories(memories []value, pad value) []crossMemory {
	mask := b.mask(b.boolOp("Unsqueeze", []value{pad, b.g.Ints(1, 2)}))
	all := make([]crossMemory, len(b.s.Spans))
	for i, span := range b.s.Spans {
		memory := b.once(fmt.Sprint("memory ", span), func() value {
			return b.rows(b.concat(memories[:span], 1), b.s.Encoder.Dim)
		})
		masks := make([]value, span)
		for j := range masks {
			masks[j] = mask
		}
		heads := b.s.CrossHeads[i]
		kv := b.crossKeyValue(memory, layerName(i)+".encoder_attn", heads)
		shape := b.batched(pad, heads)
		all[i] = crossMemory{
			key:   b.heads(kv[0], shape, transposed),
			value: b.heads(kv[1], shape, byHead),
			mask:  b.once(fmt.Sprint("mask ", span), func() value { return b.concat(masks, 3) }),
		}
	}
	return all
}

// concat is x side by side, or x itself where it is one.
func (b *builder) concat(x []value, axis int64) value {
	if len(x) == 1 {
		return x[0]
	}
	return b.op("Concat", x, onnx.Axis(axis))
}

// crossAttention is a whole layer of attention to the encoder. The rows of x are the
// queries of one sentence after another, as many for each, whatever they are: tokens of one
// target or hypotheses of one step.
func (b *builder) crossAttention(x value, i int, m crossMemory) value {
	prefix, heads := layerName(i)+".encoder_attn", b.s.CrossHeads[i]
	q := b.heads(b.crossQuery(x, prefix, heads), b.batched(m.key, heads), byHead)
	return b.project(b.merge(b.attend(q, m.key, m.value, m.mask)), x, prefix, &b.s.Decoder)
}

// logits are the scores of every token of the vocabulary: the embedding is the output layer.
func (b *builder) logits(x value) value {
	return b.linear(x, b.outputLayer(), nil)
}

// scorerGraph is scorer.onnx: all target tokens at once.
func (b *builder) scorerGraph() {
	batch := onnx.Sym("batch")
	src := b.g.Input("src_tokens", onnx.Int64, batch, onnx.Sym("src"))
	prev := b.g.Input("prev_tokens", onnx.Int64, batch, onnx.Sym("tgt"))
	memories, pad := b.encoder(src)
	cross := b.crossMemories(memories, pad)
	side := &b.s.Decoder
	prevPad := b.isPad(prev)
	x := b.embed(prev, prevPad, "decoder.embed_tokens.weight", side)
	mask := b.causal(prev, prevPad)
	for i := range side.FFN {
		x = b.selfAttention(x, prev, mask, layerName(i)+".self_attn", side.Heads[i], side)
		x = b.crossAttention(x, i, cross[i])
		x = b.ffn(x, layerName(i), i, side)
	}
	shape := b.intOp("Concat", []value{b.intOp("Shape", []value{prev}), b.g.Ints(int64(b.s.Vocabulary))}, onnx.Axis(0))
	b.output("logits", b.reshape(b.logits(x), shape), batch, onnx.Sym("tgt"), onnx.Fixed(int64(b.s.Vocabulary)))
}

// causal hides pads and what comes after a token: [batch, 1, tgt, tgt].
func (b *builder) causal(prev, pad value) value {
	length := b.intOp("Shape", []value{prev}, onnx.Int("start", 1), onnx.Int("end", 2))
	last := b.intOp("Squeeze", []value{length})
	index := b.intOp("Range", []value{b.g.IntScalar(0), last, b.g.IntScalar(1)})
	column := b.intOp("Unsqueeze", []value{index, b.g.Ints(1)})
	future := b.boolOp("Less", []value{column, index})
	padded := b.boolOp("Unsqueeze", []value{pad, b.g.Ints(1, 2)})
	return b.mask(b.boolOp("Or", []value{padded, future}))
}
