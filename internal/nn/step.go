package nn

import (
	"fmt"

	"hsnas/internal/onnx"
)

// Names of a decoder layer's caches in the graphs.
func crossKeyName(i int) string     { return fmt.Sprintf("cross_key_%d", i) }
func crossValueName(i int) string   { return fmt.Sprintf("cross_value_%d", i) }
func crossMaskName(span int) string { return fmt.Sprintf("cross_mask_%d", span) }
func pastName(kind string, i int) string {
	return fmt.Sprintf("past_%s_%d", kind, i)
}

func presentName(kind string, i int) string {
	return fmt.Sprintf("present_%s_%d", kind, i)
}

// keys is the symbolic number of keys of a span.
func keys(span int) onnx.Dim { return onnx.Sym(fmt.Sprintf("%d*src", span)) }

// crossShapes are the shapes of a decoder layer's cross-attention keys, values and mask.
func (b *builder) crossShapes(i int) (key, value, mask []onnx.Dim) {
	heads, span := int64(b.s.CrossHeads[i]), b.s.Spans[i]
	h, w, n := onnx.Fixed(heads), onnx.Fixed(int64(b.s.QKV)/heads), onnx.Sym("sentences")
	one := onnx.Fixed(1)
	return []onnx.Dim{n, h, w, keys(span)}, []onnx.Dim{n, h, keys(span), w}, []onnx.Dim{n, one, one, keys(span)}
}

// initGraph is decoder_init.onnx: what a sentence's steps have in common.
func (b *builder) initGraph() {
	memories := make([]value, b.s.memories())
	for i := range memories {
		memories[i] = b.input(memoryName(i), b.memoryShape()...)
	}
	pad := b.g.Input("padding_mask", onnx.Bool, onnx.Sym("sentences"), onnx.Sym("src"))
	cross := b.crossMemories(memories, pad)
	for i, m := range cross {
		key, val, _ := b.crossShapes(i)
		b.output(crossKeyName(i), m.key, key...)
		b.output(crossValueName(i), m.value, val...)
	}
	b.eachSpan(func(span, layer int) {
		_, _, mask := b.crossShapes(layer)
		b.output(crossMaskName(span), cross[layer].mask, mask...)
	})
}

// eachSpan calls f for every span in use, ascending, with a layer that uses it.
func (b *builder) eachSpan(f func(span, layer int)) {
	for _, span := range b.s.distinctSpans() {
		for i, s := range b.s.Spans {
			if s == span {
				f(span, i)
				break
			}
		}
	}
}

// stepInputs are the inputs of decoder_step.onnx that layers share, and each layer's.
type stepInputs struct {
	token, position, beam value
	past                  [][2]value
	cross                 []crossMemory
}

// stepInputs declares the inputs of decoder_step.onnx.
func (b *builder) stepInputs() stepInputs {
	batch := onnx.Sym("batch")
	in := stepInputs{
		token:    b.g.Input("prev_token", onnx.Int64, batch, onnx.Fixed(1)),
		position: b.g.Input("position", onnx.Int64, onnx.Fixed(1)),
		beam:     b.g.Input("beam_index", onnx.Int64, batch),
		cross:    make([]crossMemory, len(b.s.Spans)),
	}
	for i := range b.s.Spans {
		shape := b.cacheShape(i, "past_batch", "past")
		in.past = append(in.past, [2]value{
			b.input(pastName("key", i), shape...), b.input(pastName("value", i), shape...),
		})
	}
	for i := range b.s.Spans {
		key, val, _ := b.crossShapes(i)
		in.cross[i].key = b.input(crossKeyName(i), key...)
		in.cross[i].value = b.input(crossValueName(i), val...)
	}
	b.eachSpan(func(span, layer int) {
		_, _, shape := b.crossShapes(layer)
		mask := b.input(crossMaskName(span), shape...)
		for i, s := range b.s.Spans {
			if s == span {
				in.cross[i].mask = mask
			}
		}
	})
	return in
}

func (b *builder) cacheShape(i int, batch, time string) []onnx.Dim {
	h := int64(b.s.Decoder.Heads[i])
	return []onnx.Dim{onnx.Sym(batch), onnx.Fixed(h), onnx.Sym(time), onnx.Fixed(int64(b.s.QKV) / h)}
}

// stepGraph is decoder_step.onnx: one token of every hypothesis.
func (b *builder) stepGraph() {
	b.narrow = true
	in, side := b.stepInputs(), &b.s.Decoder
	x := b.stepEmbed(in, side)
	present := make([][2]value, len(in.past))
	for i := range side.FFN {
		x, present[i] = b.stepSelfAttention(x, in, i)
		x = b.crossAttention(x, i, in.cross[i])
		x = b.ffn(x, layerName(i), i, side)
	}
	b.output("logits", b.logits(x), onnx.Sym("batch"), onnx.Fixed(int64(b.s.Vocabulary)))
	for i, p := range present {
		shape := b.cacheShape(i, "batch", "past+1")
		b.output(presentName("key", i), p[0], shape...)
		b.output(presentName("value", i), p[1], shape...)
	}
}

// stepEmbed is embed for one token of each row, [batch, D]; the first token has position 0
// and the number PAD+1.
func (b *builder) stepEmbed(in stepInputs, side *Side) value {
	x := b.rows(b.tokens(in.token, "decoder.embed_tokens.weight", side), side.Dim)
	number := b.op("Cast", []value{in.position}, onnx.To(onnx.Float32))
	number = b.op("Add", []value{number, b.g.Scalar(PAD + 1)})
	real := b.op("Cast", []value{b.boolOp("Not", []value{b.isPad(in.token)})}, onnx.To(onnx.Float32))
	return b.op("Add", []value{x, b.narrowed(b.op("Mul", []value{real, b.positions(number, side)}))})
}

// stepSelfAttention attends to the cached tokens and the row's own; all rows have seen the
// same number of tokens, so nothing is masked.
func (b *builder) stepSelfAttention(x value, in stepInputs, i int) (value, [2]value) {
	side, prefix := &b.s.Decoder, layerName(i)+".self_attn"
	heads := side.Heads[i]
	qkv := b.qkv(x, prefix, heads, side)
	shape := b.once(fmt.Sprint("step ", heads), func() value {
		return b.g.Ints(-1, int64(heads), 1, int64(b.s.QKV/heads))
	})
	q := b.reshape(qkv[0], shape)
	var present [2]value
	for j := range present {
		past := b.op("Gather", []value{in.past[i][j], in.beam}, onnx.Axis(0))
		present[j] = b.op("Concat", []value{past, b.reshape(qkv[1+j], shape)}, onnx.Axis(2))
	}
	k := b.op("Transpose", []value{present[0]}, onnx.Perm(0, 1, 3, 2))
	y := b.rows(b.attend(q, k, present[1], nil), b.s.QKV)
	return b.project(y, x, prefix, side), present
}
