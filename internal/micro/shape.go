// Package micro is the Transformer that hsnas trains itself: pre-LN, small, with
// the hyperparameters of HAT's space. It builds the training step, the scoring
// and the decoding as ONNX graphs, trains architectures from scratch and a
// supernet that holds all of them, and decodes greedily.
//
// A [Shape] is one architecture; a [Layout] holds the parameters of the largest
// architecture that shares them. For an architecture trained from scratch the
// two are of the same size; in a supernet a graph takes the first rows and
// columns of every parameter, as many as the sampled Shape says.
package micro

import (
	"math"
	"slices"

	"hsnas/internal/config"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Dims are the numbers that all architectures of a task share.
type Dims struct {
	SourceWords int // rows of the source embedding
	TargetWords int // rows of the target embedding, which is the output projection too
	QKV         int // width of queries, keys and values, all heads together
	Ladder      int // dimension of the ladder of positional frequencies, the largest of the space
}

// Shape is an architecture.
type Shape struct {
	Encoder    Side
	Decoder    Side
	CrossHeads []int // heads of each decoder layer's attention to the encoder
	Spans      []int // how many last encoder layers each decoder layer attends to
}

// Side is the encoder or the decoder of a Shape.
type Side struct {
	Dim   int   // embedding dimension
	FFN   []int // hidden dimension of each layer's feed-forward network
	Heads []int // heads of each layer's self-attention
}

// Layers is the number of layers.
func (s Side) Layers() int { return len(s.FFN) }

// DimsOf reads the numbers of a task of the family "micro".
func DimsOf(t *task.Task) (Dims, error) {
	if t.Family != task.Micro {
		return Dims{}, config.Errorf("", 0, "task %s is not of the family %s; only such tasks are trained here", t.Name, task.Micro)
	}
	d := Dims{SourceWords: t.Model.SourceVocabulary, TargetWords: t.Model.Vocabulary, QKV: t.Model.QKVWidth()}
	for _, name := range []string{"encoder_embed_dim", "decoder_embed_dim"} {
		i, _ := t.Space.Index(name)
		for _, c := range t.Space.Hyperparameters[i].Choices {
			n, _ := c.Int()
			d.Ladder = max(d.Ladder, n)
		}
	}
	if i, _ := t.Space.Index("encoder_layers"); len(t.Space.Hyperparameters[i].Choices) != 1 {
		return Dims{}, config.Errorf("", 0, "space %s: encoder_layers has %d choices; models that are trained here have one depth of the encoder", t.Space.Name, len(t.Space.Hyperparameters[i].Choices))
	}
	if d.Ladder%2 != 0 {
		return Dims{}, config.Errorf("", 0, "space %s: positions need even embedding dimensions, found %d", t.Space.Name, d.Ladder)
	}
	return d, nil
}

// ShapeOf reads an architecture of a space with HAT's hyperparameters.
func ShapeOf(d Dims, a space.Architecture) (Shape, error) {
	s := Shape{
		Encoder:    Side{a.Int("encoder_embed_dim"), a.Ints("encoder_ffn_dim"), a.Ints("encoder_self_attn_heads")},
		Decoder:    Side{a.Int("decoder_embed_dim"), a.Ints("decoder_ffn_dim"), a.Ints("decoder_self_attn_heads")},
		CrossHeads: a.Ints("decoder_cross_attn_heads"), Spans: a.Ints("decoder_cross_attn_span"),
	}
	for _, span := range s.Spans {
		if span > s.Encoder.Layers() {
			return Shape{}, config.Errorf("", 0, "decoder_cross_attn_span %d is more than the %d encoder layers", span, s.Encoder.Layers())
		}
	}
	for _, h := range slices.Concat(s.Encoder.Heads, s.Decoder.Heads, s.CrossHeads) {
		if h < 1 || d.QKV%h != 0 {
			return Shape{}, config.Errorf("", 0, "%d attention heads do not divide the width %d", h, d.QKV)
		}
	}
	return s, nil
}

// headScale is what scores are multiplied with: (width / heads)^-1/2.
func (d Dims) headScale(heads int) float32 {
	return float32(1 / math.Sqrt(float64(d.QKV/heads)))
}
