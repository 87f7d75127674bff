// Package cost computes the parameters and floating-point operations of an
// architecture of a model family. For HAT's Transformer they are exact to the
// integer as the authors of arXiv 2310.16712 published them. For the family micro,
// pre-LN, two more LayerNorms, after the encoder and after the decoder, have
// parameters, and FLOPs are those of the matrix products alone: the element-wise
// constants were found from HAT's published totals and hold for nothing else.
package cost

import (
	"fmt"

	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Cost are the figures of one architecture on one task. FLOPs are those of a
// forward pass over one sentence pair of the task's lengths; a multiplication
// with its addition counts as two.
type Cost struct {
	Params                int64 `json:"params"`           // without embeddings
	EmbeddingParams       int64 `json:"embedding_params"` // of the shared table, or of both
	FLOPs                 int64 `json:"flops"`
	FLOPsWithoutLastLayer int64 `json:"flops_without_last_layer"` // without the output projection
}

// GFLOPs returns FLOPs / 10^9.
func (c Cost) GFLOPs() float64 { return float64(c.FLOPs) / 1e9 }

// dims are the numbers of an architecture that the formulas need.
type dims struct {
	e, d              int64 // embedding dimensions of encoder and decoder
	encFFN, decFFN    []int // a layer each
	span              []int // encoder layers that a decoder layer attends to
	source, target, v int64 // lengths and vocabulary
	embeddings        int64 // parameters of the embedding tables
	qkv               int64 // width of queries, keys and values
	micro             bool  // of the family micro
}

// Of returns the cost of a on t, which must be of a model family with a known
// vocabulary.
func Of(t *task.Task, a space.Architecture) (Cost, error) {
	if !t.HasCostModel() {
		return Cost{}, fmt.Errorf("task %s has no cost model: it names no model family with a vocabulary", t.Name)
	}
	x := dimsOf(t, a)
	lastLayer := 2 * x.target * x.d * x.v
	flops := 2 * x.macs()
	if !x.micro {
		flops += 2 * x.elementwise()
	}
	return Cost{
		Params:                x.params(),
		EmbeddingParams:       x.embeddings,
		FLOPs:                 flops + lastLayer,
		FLOPsWithoutLastLayer: flops,
	}, nil
}

// MACs returns the multiply-accumulate operations of the layers of a, without
// the element-wise terms and the output projection: the FLOPs that HAT
// published are twice this.
func MACs(t *task.Task, a space.Architecture) int64 { x := dimsOf(t, a); return x.macs() }

func dimsOf(t *task.Task, a space.Architecture) dims {
	x := dims{
		e: int64(a.Int("encoder_embed_dim")), d: int64(a.Int("decoder_embed_dim")),
		encFFN: a.Ints("encoder_ffn_dim"), decFFN: a.Ints("decoder_ffn_dim"), span: a.Ints("decoder_cross_attn_span"),
		source: int64(t.Model.SourceTokens), target: int64(t.Model.TargetTokens), v: int64(t.Model.Vocabulary),
		qkv: int64(t.Model.QKVWidth()), micro: t.Family == task.Micro,
	}
	x.embeddings = x.v * x.d
	if !t.Model.SharedEmbeddings {
		x.embeddings += int64(t.Model.SourceVocabulary) * x.e
	}
	return x
}

func (x *dims) macs() (sum int64) {
	s, t, qkv := x.source, x.target, x.qkv
	for _, f := range x.encFFN {
		sum += 4*s*x.e*qkv + 2*s*s*qkv + 2*s*x.e*int64(f)
	}
	for i, f := range x.decFFN {
		k := int64(x.span[i]) * s
		self := 4*t*x.d*qkv + 2*t*t*qkv
		cross := 2*t*x.d*qkv + 2*k*x.e*qkv + 2*t*k*qkv
		sum += self + cross + 2*t*x.d*int64(f)
	}
	return sum
}

// elementwise counts the terms beside the matrix products that the published
// totals hold. The constants were found from, and are exact for, 6 encoder
// layers and 30 tokens; other lengths follow by the same terms.
func (x *dims) elementwise() int64 {
	m := int64(len(x.decFFN))
	return x.source*(13*x.e+3072+x.d+m*(3*x.d+1024)) + 78 + 6*m
}

func (x *dims) params() (sum int64) {
	qkv := x.qkv
	if x.micro {
		sum = 2*x.e + 2*x.d // the final LayerNorms
	}
	for _, f := range x.encFFN {
		f := int64(f)
		sum += 4*x.e*qkv + 3*qkv + x.e + 2*x.e*f + f + x.e + 4*x.e
	}
	for _, f := range x.decFFN {
		f := int64(f)
		self := 4*x.d*qkv + 3*qkv + x.d
		cross := 2*x.d*qkv + 2*x.e*qkv + 3*qkv + x.d
		sum += self + cross + 2*x.d*f + f + x.d + 6*x.d
	}
	return sum
}
