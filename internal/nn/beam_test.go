package nn

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

// TestTranslationsAreTheReference compares every hypothesis with what a Transformer and a
// beam search in PyTorch found (benchmarks/peers/decode/golden.py).
func TestTranslationsAreTheReference(t *testing.T) {
	text, err := os.ReadFile("testdata/beam.json")
	if err != nil {
		t.Fatal(err)
	}
	var searches []struct {
		Case        int
		Src         []int64
		Beam, Limit int
		Hypotheses  []struct {
			Tokens []int64
			Score  float64
		}
	}
	if err := json.Unmarshal(text, &searches); err != nil || len(searches) < 20 {
		t.Fatal(len(searches), err)
	}
	models := map[int]*Translator{}
	for i, c := range goldenCases(t) {
		models[i] = load(t, c.export(t))
	}
	for _, s := range searches {
		got, err := models[s.Case].Translate(t.Context(), s.Src, s.Beam, s.Limit)
		if err != nil {
			t.Fatal(err)
		}
		same := len(got) == len(s.Hypotheses)
		for i := 0; same && i < len(got); i++ {
			same = slices.Equal(got[i].Tokens, s.Hypotheses[i].Tokens) && math.Abs(got[i].Score-s.Hypotheses[i].Score) < 2e-5
		}
		if !same {
			t.Errorf("case %d, source %v, beam %d, limit %d:\ngot  %v\nwant %v", s.Case, s.Src, s.Beam, s.Limit, got, s.Hypotheses)
		}
	}
}

// TestCachesAreReused: a second decoding reads nothing of the first, longer than the buffers
// were made for at first.
func TestCachesAreReused(t *testing.T) {
	x := load(t, goldenCases(t)[0].export(t))
	var runs [2][]float32
	for i := range runs {
		d := start(t, x, [][]int64{{3, 4, 5}}, 2)
		for step := range 2*firstTokens + 3 {
			logits, err := d.Step(t.Context(), []int64{int64(3 + step%10), 4}, []int64{1, 0})
			if err != nil {
				t.Fatal(err)
			}
			runs[i] = append(runs[i], logits...)
		}
		d.Close()
	}
	if !slices.Equal(runs[0], runs[1]) {
		t.Error("the same steps gave other logits")
	}
	if len(x.spare) != 1 {
		t.Errorf("%d sets of buffers for decodings one after the other", len(x.spare))
	}
}

// TestChooserIsTheDefinition compares with a softmax in float64.
func TestChooserIsTheDefinition(t *testing.T) {
	x := load(t, goldenCases(t)[0].export(t))
	d := start(t, x, [][]int64{{3, 4, 5}}, 2)
	logits, err := d.Step(t.Context(), []int64{3, 4}, []int64{0, 0})
	if err != nil {
		t.Fatal(err)
	}
	best, err := d.best(t.Context(), 2, 4)
	if err != nil {
		t.Fatal(err)
	}
	for row, found := range best {
		l := logits[row*13:][:13]
		var sum float64
		for _, v := range l {
			sum += math.Exp(float64(v))
		}
		order := []int64{0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12} // all but PAD
		slices.SortStableFunc(order, func(a, b int64) int { return int(math.Copysign(1, float64(l[b]-l[a]))) })
		for i, c := range found {
			want := float64(l[order[i]]) - math.Log(sum)
			if c.token != order[i] || math.Abs(c.logp-want) > 1e-5 {
				t.Errorf("row %d, place %d: token %d at %g, want %d at %g", row, i, c.token, c.logp, order[i], want)
			}
		}
	}
	if _, err := d.best(t.Context(), 1, 4); err == nil || err.Error() != "decode: no step of 1 rows to choose from" {
		t.Error(err)
	}
}

// TestTraffic: a sentence's weights by hand, for one layer of each side.
func TestTraffic(t *testing.T) {
	s := Shape{
		Vocabulary: 10, QKV: 16, Encoder: Side{Dim: 4, FFN: []int{8}}, Decoder: Side{Dim: 6, FFN: []int{8}},
		CrossHeads: []int{1}, Spans: []int{1},
	}
	encoder := int64(4 * (4*4*16 + 2*4*8))
	step := int64(4 * (6*10 + 6*6*16 + 2*6*8 + 2*10 + 2*3*16)) // two rows' logits, three source tokens
	past := int64(4 * 2 * 2 * 16 * (0 + 1 + 1 + 2))            // two rows: read 0 and 1 tokens, write 1 and 2
	decoder := int64(4*(2*4*16+2*3*16)) + 2*step + past
	if got := TrafficOf(s, 1, 3, 2, 2, 4); got != (Traffic{encoder, decoder}) {
		t.Errorf("%+v, want %d and %d", got, encoder, decoder)
	}
}
