package nn

import (
	"math"

	"hsnas/internal/onnx"
)

// frequencies are fairseq's for a supernet of dimension d: exp(-log(10000) i / (d/2 - 1)).
// A row of positions is all sines, then all cosines, cut to the sampled dimension; so a
// sampled dimension has the first sines and the first of the cosines, if any.
func frequencies(d, sampled int) (sines, cosines []float32) {
	half := d / 2
	f := make([]float32, half)
	step := float32(math.Log(10000) / float64(half-1))
	for i := range f {
		f[i] = float32(math.Exp(float64(-step * float32(i))))
	}
	return f[:min(half, sampled)], f[:max(0, sampled-half)]
}

// positions turns position numbers, a column [..., 1] of float32, into rows of positions.
func (b *builder) positions(p value, side *Side) value {
	sines, cosines := frequencies(side.SuperDim, side.Dim)
	wave := func(op string, f []float32) value {
		c := b.g.Floats([]int64{int64(len(f))}, f)
		return b.op(op, []value{b.op("Mul", []value{p, c})})
	}
	s := wave("Sin", sines)
	if len(cosines) == 0 {
		return s
	}
	return b.op("Concat", []value{s, wave("Cos", cosines)}, onnx.Axis(-1))
}

// tokens are the embeddings of ids times the square root of the dimension.
func (b *builder) tokens(ids value, table string, side *Side) value {
	x := b.op("Gather", []value{b.embedding(table, side), ids}, onnx.Axis(0))
	return b.op("Mul", []value{x, b.scalar(float32(math.Sqrt(float64(side.Dim))))})
}

// isPad is where ids are PAD.
func (b *builder) isPad(ids value) value {
	return b.boolOp("Equal", []value{ids, b.once("pad", func() value { return b.g.IntScalar(PAD) })})
}

// embed is tokens plus positions as a matrix of a row for each token of ids [batch, time],
// where tokens that are no pads are numbered from PAD+1 and pads have no position.
func (b *builder) embed(ids, pad value, table string, side *Side) value {
	real := b.op("Cast", []value{b.boolOp("Not", []value{pad})}, onnx.To(onnx.Float32))
	number := b.op("CumSum", []value{real, b.g.IntScalar(1)})
	number = b.op("Add", []value{number, b.g.Scalar(PAD)})
	last := b.g.Ints(2)
	p := b.positions(b.op("Unsqueeze", []value{number, last}), side)
	p = b.op("Mul", []value{p, b.op("Unsqueeze", []value{real, last})})
	x := b.op("Add", []value{b.tokens(ids, table, side), b.narrowed(p)})
	return b.rows(x, side.Dim)
}

// mask is the additive form of a bool mask: the lowest float where it is true.
func (b *builder) mask(hidden value) value {
	least := float32(lowest)
	if b.half {
		least = lowestHalf
	}
	low := b.once("lowest", func() value { return b.scalar(least) })
	zero := b.once("zero", func() value { return b.scalar(0) })
	return b.op("Where", []value{hidden, low, zero})
}
