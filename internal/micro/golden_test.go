package micro_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/corpus"
	"hsnas/internal/micro"
	"hsnas/internal/ort"
	"hsnas/internal/ort/orttest"
)

// golden is testdata/losses.json, what PyTorch makes of the same weights and
// batches; benchmarks/peers/micro/golden.py says what the fields mean.
type golden struct {
	ParameterSeed uint64 `json:"parameter_seed"`
	Steps         []int  `json:"steps"`
	Cases         []struct {
		Name         string           `json:"name"`
		Architecture goldenShape      `json:"architecture"`
		Parameters   []goldenTensor   `json:"parameters"`
		Float32      goldenTrajectory `json:"float32"`
		Float64      goldenTrajectory `json:"float64"`
	} `json:"cases"`
}

type goldenShape struct {
	EncoderDim   int   `json:"encoder_embed_dim"`
	EncoderFFN   []int `json:"encoder_ffn_dim"`
	EncoderHeads []int `json:"encoder_self_attn_heads"`
	DecoderDim   int   `json:"decoder_embed_dim"`
	DecoderFFN   []int `json:"decoder_ffn_dim"`
	DecoderHeads []int `json:"decoder_self_attn_heads"`
	CrossHeads   []int `json:"decoder_cross_attn_heads"`
	Spans        []int `json:"decoder_cross_attn_span"`
}

func (g goldenShape) shape() micro.Shape {
	return micro.Shape{
		Encoder:    micro.Side{Dim: g.EncoderDim, FFN: g.EncoderFFN, Heads: g.EncoderHeads},
		Decoder:    micro.Side{Dim: g.DecoderDim, FFN: g.DecoderFFN, Heads: g.DecoderHeads},
		CrossHeads: g.CrossHeads, Spans: g.Spans,
	}
}

type goldenTensor struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
}

type goldenTrajectory struct {
	Losses []float64 `json:"losses"`
	Norms  []float64 `json:"gradient_norms"`
	After  []struct {
		Step      int       `json:"step"`
		ValidLoss float64   `json:"valid_loss"`
		Greedy    [][]int64 `json:"greedy"`
	} `json:"after"`
}

func readGolden(t *testing.T) golden {
	t.Helper()
	text, err := os.ReadFile("testdata/losses.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// splitmix is the generator that golden.py fills the parameters with.
type splitmix uint64

func (s *splitmix) next() float64 {
	*s += 0x9E3779B97F4A7C15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return float64((z^z>>31)>>11) / (1 << 53)
}

// fill puts the golden start into a flat vector: PyTorch's parameters are the
// same numbers under other names, with queries, keys and values apart.
func fill(l *micro.Layout, flat []float32, seed uint64, tensors []goldenTensor) {
	r := splitmix(seed)
	views := map[string][]float32{}
	for i := range l.Len() {
		views[l.Name(i)] = l.View(flat, i)
	}
	for _, p := range tensors {
		name, part := rename(p.Name)
		n := p.Shape[0]
		scale := 0.1
		if len(p.Shape) == 2 {
			n *= p.Shape[1]
			scale = math.Sqrt(6 / float64(p.Shape[0]+p.Shape[1]))
		}
		if strings.HasSuffix(name, "embedding") {
			scale = 1 / math.Sqrt(float64(p.Shape[1]))
		}
		view := views[name][part*n : (part+1)*n]
		for i := range view {
			x := (2*r.next() - 1) * scale
			if strings.HasSuffix(name, ".gain") {
				x++
			}
			view[i] = float32(x)
		}
	}
}

// rename returns the layout's name for PyTorch's, and which part of it that is.
func rename(name string) (string, int) {
	part := 0
	for _, stacked := range []struct {
		from, to string
		part     int
	}{
		{"self_attention.query", "self_attention.qkv", 0},
		{"self_attention.key", "self_attention.qkv", 1},
		{"self_attention.value", "self_attention.qkv", 2},
		{"cross_attention.key", "cross_attention.key_value", 0},
		{"cross_attention.value", "cross_attention.key_value", 1},
	} {
		if strings.Contains(name, stacked.from+".") {
			name, part = strings.Replace(name, stacked.from, stacked.to, 1), stacked.part
		}
	}
	return name, part
}

// TestGoldenTrajectory trains from the same weights on the same batches as
// PyTorch did. How far PyTorch's own float32 strays from its float64 is the scale of what
// may differ.
func TestGoldenTrajectory(t *testing.T) {
	rt, g := orttest.Open(t), readGolden(t)
	set := corpus.Micro(corpus.Sizes{Train: 10000, Valid: 300, Test: 500})
	c := corpus.New(set.Train, set.Valid, set.Test)
	train := c.Encode(c.Train)
	for _, test := range g.Cases {
		t.Run(test.Name, func(t *testing.T) {
			shape := test.Architecture.shape()
			trainer, err := micro.NewTrainer(rt, dims, shape, micro.SettingA(), 1, micro.TrainerOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer trainer.Close()
			fill(trainer.Layout(), trainer.Parameters(), g.ParameterSeed, test.Parameters)
			want := test.Float64
			var worst, ofPyTorch float64
			for _, after := range want.After {
				for trainer.Steps() < after.Step {
					i := trainer.Steps()
					got, err := trainer.Step(context.Background(), shape, micro.NewBatch(train[64*i:64*(i+1)]))
					if err != nil {
						t.Fatal(err)
					}
					if at := slices.Index(g.Steps, i+1); at >= 0 && at < 20 {
						worst = max(worst, math.Abs(got.Loss/want.Losses[at]-1), math.Abs(got.Norm/want.Norms[at]-1)/10)
						ofPyTorch = max(ofPyTorch, math.Abs(test.Float32.Losses[at]/want.Losses[at]-1))
					}
				}
				checkState(t, rt, trainer, shape, c, after.ValidLoss, after.Greedy)
			}
			t.Logf("20 losses within %.1e of PyTorch's in float64, whose own in float32 are within %.1e", worst, ofPyTorch)
			if worst > 2e-5 {
				t.Errorf("the first 20 losses stray by %.1e from PyTorch's, expected at most 2e-5", worst)
			}
		})
	}
}

func checkState(t *testing.T, rt *ort.Runtime, trainer *micro.Trainer, shape micro.Shape, c *corpus.Corpus, loss float64, greedy [][]int64) {
	t.Helper()
	scorer, err := micro.NewScorer(rt, dims, trainer.Layout(), trainer.Parameters(), false, c.Encode(c.Valid[:100]))
	if err != nil {
		t.Fatal(err)
	}
	defer scorer.Close()
	got, err := scorer.Loss(context.Background(), shape)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got/loss-1) > 1e-4 {
		t.Errorf("step %d: validation loss %v, PyTorch's %v", trainer.Steps(), got, loss)
	}
	network, err := micro.NewNetwork(rt, dims, shape, trainer.Parameters(), ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	var sources [][]int64
	for _, e := range c.Encode(c.Test[:10]) {
		sources = append(sources, e.Source)
	}
	translated, err := network.Translate(context.Background(), sources)
	if err != nil {
		t.Fatal(err)
	}
	for i, ids := range translated {
		if !slices.Equal(ids, greedy[i]) {
			t.Errorf("step %d, sentence %d: decoded %v, PyTorch %v", trainer.Steps(), i, ids, greedy[i])
		}
	}
}
