package micro

import (
	"fmt"
	"slices"

	"hsnas/internal/onnx"
)

// Names of the dimensions that a batch decides.
var (
	batchDim = onnx.Sym("batch")
	srcDim   = onnx.Sym("src")
	tgtDim   = onnx.Sym("tgt")
)

// encode is the encoder over the source tokens of the batch: the outputs of the
// last layers, [batch, src, dim] each, the last layer first, as many as some
// decoder layer attends to.
func (b *builder) encode() []value {
	n := b.dim("encoder")
	tokens := b.intInput("source", []onnx.Dim{batchDim, srcDim}, func(c *call) []int64 { return c.batch.Source })
	positions := b.floatInput("source.positions", []onnx.Dim{srcDim, n.dim}, func(c *call) []float32 {
		return c.positions(c.batch.SourceLength, c.shape.Encoder.Dim)
	})
	x := b.embed(tokens, positions, b.matrix(sourceEmbedding, number(b.d.SourceWords), n), "encoder")
	layers, depth := b.shape.Encoder.Layers(), b.memoryDepth()
	var outputs []value
	for i := range layers {
		x = b.selfAttention(x, tokens, b.sourceMask(), "encoder", i)
		x = b.feedForward(x, "encoder", i)
		if i >= layers-depth {
			y := b.norm(x, encoderNorm, n)
			outputs = append(outputs, b.sentences(y, tokens, n))
		}
	}
	slices.Reverse(outputs)
	return outputs
}

// memoryDepth is how many last encoder layers a decoder layer may attend to.
func (b *builder) memoryDepth() int {
	if b.sampled {
		return b.shape.Encoder.Layers()
	}
	return slices.Max(b.shape.Spans)
}

// sentences lays rows out as [batch, time, n].
func (b *builder) sentences(x, tokens value, n size) value {
	shape := b.once("sentences "+tokens.Name()+n.dim.String(), func() value {
		lengths := b.g.OpT("Shape", onnx.Int64, onnx.Dims(2), []value{tokens})
		return b.g.OpT("Concat", onnx.Int64, onnx.Dims(3), []value{lengths, b.vector(n)}, onnx.Axis(0))
	})
	dims := tokens.Shape()
	return b.g.Op("Reshape", []onnx.Dim{dims[0], dims[1], n.dim}, []value{x, shape})
}

// sourceMask hides the padding of the source, [1, batch, 1, 1, src].
func (b *builder) sourceMask() value {
	one := onnx.Fixed(1)
	return b.once("source mask", func() value {
		return b.floatInput("source.mask", []onnx.Dim{one, batchDim, one, one, srcDim}, func(c *call) []float32 { return c.batch.sourceMask() })
	})
}

// memory is what decoder layer i attends to and the mask of its padding: the
// outputs of its last span encoder layers side by side in time.
func (b *builder) memory(outputs []value, i int) (memory, mask value) {
	one := onnx.Fixed(1)
	spanned := func(k int) (memory, mask value) {
		if k == 1 {
			return outputs[0], b.sourceMask()
		}
		time, n := onnx.Sym(fmt.Sprint("src_", k)), outputs[0].Shape()[2]
		memory = b.once(fmt.Sprint("memory ", k), func() value {
			return b.g.Op("Concat", []onnx.Dim{batchDim, time, n}, outputs[:k], onnx.Axis(1))
		})
		mask = b.once(fmt.Sprint("mask ", k), func() value {
			masks := slices.Repeat([]value{b.sourceMask()}, k)
			return b.g.Op("Concat", []onnx.Dim{one, batchDim, one, one, time}, masks, onnx.Axis(4))
		})
		return memory, mask
	}
	if !b.sampled {
		return spanned(b.shape.Spans[i])
	}
	memory, mask = spanned(b.memoryDepth())
	name := fmt.Sprintf("decoder.%d.span", i)
	end := b.intInput(name, onnx.Dims(1), func(c *call) []int64 { return []int64{int64(c.shape.Spans[i] * c.batch.SourceLength)} })
	time := onnx.Sym(name)
	memory = b.g.Op("Slice", []onnx.Dim{batchDim, time, memory.Shape()[2]}, []value{memory, b.ints(0), end, b.ints(1)})
	mask = b.g.Op("Slice", []onnx.Dim{one, batchDim, one, one, time}, []value{mask, b.ints(0), end, b.ints(4)})
	return memory, mask
}

// decode is the decoder over the whole target, each position seeing those
// before it: [decoder_rows, dim] behind the last LayerNorm.
func (b *builder) decode(outputs []value) value {
	n, one := b.dim("decoder"), onnx.Fixed(1)
	tokens := b.intInput("target", []onnx.Dim{batchDim, tgtDim}, func(c *call) []int64 { return c.batch.Input })
	positions := b.floatInput("target.positions", []onnx.Dim{tgtDim, n.dim}, func(c *call) []float32 {
		return c.positions(c.batch.TargetLength, c.shape.Decoder.Dim)
	})
	causal := b.floatInput("target.mask", []onnx.Dim{one, one, one, tgtDim, tgtDim}, func(c *call) []float32 { return c.batch.causalMask() })
	x := b.embed(tokens, positions, b.targetTable(), "decoder")
	for i := range b.shape.Decoder.Layers() {
		x = b.selfAttention(x, tokens, causal, "decoder", i)
		memory, mask := b.memory(outputs, i)
		k, v := b.crossMemory(memory, i)
		x = b.crossAttention(x, tokens, k, v, mask, i)
		x = b.feedForward(x, "decoder", i)
	}
	return b.norm(x, decoderNorm, n)
}

// targetTable is the target embedding, which is the output projection too.
func (b *builder) targetTable() value {
	return b.once("target table", func() value {
		return b.matrix(targetEmbedding, number(b.d.TargetWords), b.dim("decoder"))
	})
}

// loss is the cross entropy of the batch's targets, summed with its weights:
// the mean over the tokens, [1].
func (b *builder) loss(smoothing float32) value {
	x := b.decode(b.encode())
	rows := x.Shape()[0]
	targets := b.intInput("target.next", []onnx.Dim{rows}, func(c *call) []int64 { return c.batch.Output })
	weights := b.floatInput("target.weights", []onnx.Dim{rows, onnx.Fixed(1)}, func(c *call) []float32 { return c.batch.weights() })
	return b.composites.SmoothedCrossEntropy(b.g, x, b.targetTable(), targets, weights, b.d.TargetWords, smoothing)
}
