package nn

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/ort"
	"hsnas/internal/safetensors"
)

// runtime is ONNX Runtime; the test is skipped where its library is not set up.
func runtime(t testing.TB) *ort.Runtime {
	t.Helper()
	rt, err := ort.Open()
	if err != nil {
		t.Skip(err)
	}
	return rt
}

// goldenCase is a tiny architecture with the logits that checks/onnx_models.py computed.
type goldenCase struct {
	Weights      string
	Shared       bool
	Architecture struct {
		E         int   `json:"encoder_embed_dim"`
		EncFFN    []int `json:"encoder_ffn_dim"`
		EncHeads  []int `json:"encoder_self_attn_heads"`
		D         int   `json:"decoder_embed_dim"`
		DecFFN    []int `json:"decoder_ffn_dim"`
		SelfHeads []int `json:"decoder_self_attn_heads"`
		Cross     []int `json:"decoder_cross_attn_heads"`
		Spans     []int `json:"decoder_cross_attn_span"`
	}
	Src    [][]int64     `json:"src_tokens"`
	Prev   [][]int64     `json:"prev_tokens"`
	Logits [][][]float64 `json:"logits"`
}

func (c *goldenCase) shape() Shape {
	a := &c.Architecture
	return Shape{
		Vocabulary: 13, Shared: c.Shared, QKV: 16,
		Encoder:    Side{Dim: a.E, SuperDim: 12, FFN: a.EncFFN, SuperFFN: 20, Heads: a.EncHeads},
		Decoder:    Side{Dim: a.D, SuperDim: 12, FFN: a.DecFFN, SuperFFN: 20, Heads: a.SelfHeads},
		CrossHeads: a.Cross, Spans: a.Spans,
	}
}

func goldenCases(t testing.TB) []goldenCase {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// tiny exports a golden case to a temporary folder.
func (c *goldenCase) export(t testing.TB) Model {
	t.Helper()
	f, err := safetensors.Open(filepath.Join("testdata", c.Weights))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := c.shape()
	m := Model{Format: formatVersion, Task: "tiny", Architecture: json.RawMessage("{}"), Vocabulary: s.Vocabulary, PAD: PAD, EOS: EOS, SourceTokens: 5, TargetTokens: 6, Layers: s.layers()}
	if err := export(filepath.Join(t.TempDir(), "model"), &m, s, Safetensors(f, "0")); err != nil {
		t.Fatal(err)
	}
	return m
}

func tokens(t testing.TB, rows [][]int64) *ort.Tensor {
	t.Helper()
	var flat []int64
	for _, r := range rows {
		flat = append(flat, r...)
	}
	x, err := ort.NewInts([]int64{int64(len(rows)), int64(len(rows[0]))}, flat)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// score runs scorer.onnx.
func score(t testing.TB, m Model, src, prev [][]int64) []float32 {
	t.Helper()
	s, err := runtime(t).LoadFile(m.File(ScorerFile), ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.RunNamed(t.Context(), map[string]*ort.Tensor{"src_tokens": tokens(t, src), "prev_tokens": tokens(t, prev)})
	if err != nil {
		t.Fatal(err)
	}
	return out["logits"].Floats()
}

// TestScorerIsTheReference compares with a Transformer in numpy: every span, equal and
// different dimensions, shared and separate embeddings, padded batches.
func TestScorerIsTheReference(t *testing.T) {
	for i, c := range goldenCases(t) {
		got := score(t, c.export(t), c.Src, c.Prev)
		at, worst := 0, 0.0
		for r, row := range c.Logits {
			for k, logits := range row {
				for _, want := range logits {
					if c.Prev[r][k] != PAD {
						worst = max(worst, math.Abs(float64(got[at])-want))
					}
					at++
				}
			}
		}
		if !(worst < 1e-5) || at != len(got) {
			t.Errorf("case %d: %d logits, largest difference %g", i, len(got), worst)
		}
	}
}
