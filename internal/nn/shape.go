package nn

import (
	"fmt"
	"slices"

	"hsnas/internal/config"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Shape is an architecture as the graphs need it, with the supernet that it is a part of.
type Shape struct {
	Vocabulary int
	Shared     bool // one embedding for encoder, decoder and output; else two
	QKV        int
	Encoder    Side
	Decoder    Side
	CrossHeads []int // each decoder layer's
	Spans      []int // how many last encoder layers each decoder layer attends to
}

// Side is the encoder or the decoder.
type Side struct {
	Dim      int   // embedding dimension
	SuperDim int   // the supernet's
	FFN      []int // each layer's
	SuperFFN int   // the supernet's
	Heads    []int // each layer's, of its self-attention
}

// ShapeOf is the shape of an architecture of the family HAT.
func ShapeOf(t *task.Task, a space.Architecture) (Shape, error) {
	if t.Family != task.HAT {
		family := "no model family"
		if t.Family != "" {
			family = "the model family " + t.Family
		}
		return Shape{}, config.Errorf("", 0, "task %s has %s; only tasks of the family %s can be built as models", t.Name, family, task.HAT)
	}
	if t.Model.Vocabulary < 1 {
		return Shape{}, config.Errorf("", 0, "task %s does not say its vocabulary, which a model needs", t.Name)
	}
	s := Shape{
		Vocabulary: t.Model.Vocabulary, Shared: t.Model.SharedEmbeddings, QKV: t.Model.QKVWidth(),
		Encoder: side(a, "encoder"), Decoder: side(a, "decoder"),
		CrossHeads: a.Ints("decoder_cross_attn_heads"), Spans: a.Ints("decoder_cross_attn_span"),
	}
	return s, s.check()
}

func side(a space.Architecture, name string) Side {
	return Side{
		Dim: a.Int(name + "_embed_dim"), SuperDim: largest(a.Space(), name+"_embed_dim"),
		FFN: a.Ints(name + "_ffn_dim"), SuperFFN: largest(a.Space(), name+"_ffn_dim"),
		Heads: a.Ints(name + "_self_attn_heads"),
	}
}

// largest is the largest choice of a hyperparameter: the supernet's dimension.
func largest(s *space.Space, name string) int {
	i, _ := s.Index(name)
	most := 0
	for _, c := range s.Hyperparameters[i].Choices {
		n, _ := c.Int()
		most = max(most, n)
	}
	return most
}

func (s *Shape) check() error {
	layers := len(s.Encoder.FFN)
	for _, span := range s.Spans {
		if span > layers {
			return config.Errorf("", 0, "decoder_cross_attn_span %d is more than the %d encoder layers", span, layers)
		}
	}
	for _, h := range slices.Concat(s.Encoder.Heads, s.Decoder.Heads, s.CrossHeads) {
		if s.QKV%h != 0 {
			return config.Errorf("", 0, "%d attention heads do not divide %d", h, s.QKV)
		}
	}
	if s.Shared && s.Encoder.SuperDim != s.Decoder.SuperDim {
		return fmt.Errorf("shared embeddings need one supernet dimension, found %d and %d", s.Encoder.SuperDim, s.Decoder.SuperDim)
	}
	for _, d := range []int{s.Encoder.SuperDim, s.Decoder.SuperDim} {
		if d%2 != 0 || d < 4 {
			return config.Errorf("", 0, "sinusoidal positions need an even embedding dimension of at least 4, found %d", d)
		}
	}
	return nil
}

// memories is how many encoder layers some decoder layer attends to.
func (s *Shape) memories() int { return slices.Max(s.Spans) }

// distinctSpans are the spans in use, ascending.
func (s *Shape) distinctSpans() []int {
	spans := slices.Clone(s.Spans)
	slices.Sort(spans)
	return slices.Compact(spans)
}
