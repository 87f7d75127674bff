package micro

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"hsnas/internal/autodiff"
)

// Layout is where each parameter of a Shape lies in one flat vector. The
// decoder's layers come last, so that the parameters of the first m of them and
// of all else are a prefix of the vector.
type Layout struct {
	autodiff.Parameters
	shape Shape
	index map[string]int
	ends  []int // number of parameters with 0, 1, 2, ... decoder layers
}

// Names of the parameters outside the layers. A weight is [out, in]; a layer's
// begin with "encoder.0." or "decoder.0.".
const (
	sourceEmbedding = "source.embedding"
	targetEmbedding = "target.embedding"
	encoderNorm     = "encoder.norm"
	decoderNorm     = "decoder.norm"
)

// NewLayout lays out the parameters of s.
func NewLayout(d Dims, s Shape) (*Layout, error) {
	l := &Layout{shape: s, index: map[string]int{}}
	b := layoutBuilder{l: l, qkv: d.QKV, dim: s.Encoder.Dim}
	b.add(sourceEmbedding, d.SourceWords, s.Encoder.Dim)
	b.add(targetEmbedding, d.TargetWords, s.Decoder.Dim)
	for i, f := range s.Encoder.FFN {
		prefix := layer("encoder", i)
		b.selfAttention(prefix)
		b.feedForward(prefix, f)
	}
	b.norm(encoderNorm)
	b.dim = s.Decoder.Dim
	b.norm(decoderNorm)
	l.ends = append(l.ends, l.Len())
	for i, f := range s.Decoder.FFN {
		prefix := layer("decoder", i)
		b.selfAttention(prefix)
		b.crossAttention(prefix, s.Encoder.Dim)
		b.feedForward(prefix, f)
		l.ends = append(l.ends, l.Len())
	}
	return l, b.err
}

func layer(side string, i int) string { return fmt.Sprintf("%s.%d.", side, i) }

// upTo is the layout of all parameters but those of decoder layers from m on.
func (l *Layout) upTo(m int) *autodiff.Parameters { return l.Prefix(l.ends[m]) }

// layoutBuilder adds the parameters of one side of the dimension dim.
type layoutBuilder struct {
	l        *Layout
	qkv, dim int
	err      error
}

func (b *layoutBuilder) add(name string, shape ...int) {
	sizes := make([]int64, len(shape))
	for i, n := range shape {
		sizes[i] = int64(n)
	}
	b.l.index[name] = b.l.Len()
	if err := b.l.Add(name, sizes...); err != nil && b.err == nil {
		b.err = err
	}
}

func (b *layoutBuilder) linear(name string, out, in int) {
	b.add(name+".weight", out, in)
	b.add(name+".bias", out)
}

func (b *layoutBuilder) norm(name string) {
	b.add(name+".gain", b.dim)
	b.add(name+".bias", b.dim)
}

func (b *layoutBuilder) selfAttention(prefix string) {
	b.norm(prefix + "self_attention_norm")
	b.linear(prefix+"self_attention.qkv", 3*b.qkv, b.dim)
	b.linear(prefix+"self_attention.out", b.dim, b.qkv)
}

func (b *layoutBuilder) crossAttention(prefix string, encoderDim int) {
	b.norm(prefix + "cross_attention_norm")
	b.linear(prefix+"cross_attention.query", b.qkv, b.dim)
	b.linear(prefix+"cross_attention.key_value", 2*b.qkv, encoderDim)
	b.linear(prefix+"cross_attention.out", b.dim, b.qkv)
}

func (b *layoutBuilder) feedForward(prefix string, hidden int) {
	b.norm(prefix + "ffn_norm")
	b.linear(prefix+"ffn.in", hidden, b.dim)
	b.linear(prefix+"ffn.out", b.dim, hidden)
}

// view is a parameter's part of a flat vector, by name.
func (l *Layout) view(flat []float32, name string) []float32 { return l.View(flat, l.index[name]) }

// valueGain shrinks the projections to values, whose sum over equal keys would
// otherwise start too large.
const valueGain = 0.7

// Initialise draws the parameters: weights uniform within (6 / (in + out))^1/2
// (Glorot and Bengio, 2010), those to values 0.7 of it; embeddings normal with the
// standard deviation d^-1/2; gains one, biases zero. Projections to keys begin as
// copies of those to queries, so that attention begins as similarity; that
// halves the noise between seeds.
func (l *Layout) Initialise(d Dims, seed uint64) []float32 {
	flat := make([]float32, l.Size())
	r := rand.New(rand.NewPCG(seed, 0x6d6963726f))
	for i := range l.Len() {
		name, shape, view := l.Name(i), l.Shape(i), l.View(flat, i)
		switch {
		case name == sourceEmbedding || name == targetEmbedding:
			std := 1 / math.Sqrt(float64(shape[1]))
			for j := range view {
				view[j] = float32(r.NormFloat64() * std)
			}
		case strings.HasSuffix(name, ".gain"):
			for j := range view {
				view[j] = 1
			}
		case strings.HasSuffix(name, ".weight"):
			l.drawWeight(r, d, name, shape, view)
		}
	}
	l.tieKeys(flat, d)
	return flat
}

// drawWeight draws a matrix, or the matrices that are stacked in it.
func (l *Layout) drawWeight(r *rand.Rand, d Dims, name string, shape []int64, view []float32) {
	in, out, gains := int(shape[1]), int(shape[0]), []float64{1}
	switch {
	case strings.HasSuffix(name, ".qkv.weight"):
		out, gains = d.QKV, []float64{1, 1, valueGain}
	case strings.HasSuffix(name, ".key_value.weight"):
		out, gains = d.QKV, []float64{1, valueGain}
	}
	for i, gain := range gains {
		bound := gain * math.Sqrt(6/float64(in+out))
		part := view[i*in*out : (i+1)*in*out]
		for j := range part {
			part[j] = float32((2*r.Float64() - 1) * bound)
		}
	}
}

// tieKeys copies the projections to queries into those to keys, as many columns
// as both have.
func (l *Layout) tieKeys(flat []float32, d Dims) {
	e, dim := l.shape.Encoder.Dim, l.shape.Decoder.Dim
	for i := range l.shape.Encoder.FFN {
		qkv := l.view(flat, layer("encoder", i)+"self_attention.qkv.weight")
		copy(qkv[d.QKV*e:2*d.QKV*e], qkv[:d.QKV*e])
	}
	for i := range l.shape.Decoder.FFN {
		qkv := l.view(flat, layer("decoder", i)+"self_attention.qkv.weight")
		copy(qkv[d.QKV*dim:2*d.QKV*dim], qkv[:d.QKV*dim])
		query := l.view(flat, layer("decoder", i)+"cross_attention.query.weight")
		keys := l.view(flat, layer("decoder", i)+"cross_attention.key_value.weight")
		for row := range d.QKV {
			copy(keys[row*e:(row+1)*e], query[row*dim:row*dim+min(e, dim)])
		}
	}
}
