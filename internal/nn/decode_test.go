package nn

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"hsnas/internal/ort"
)

func load(t testing.TB, m Model) *Translator {
	t.Helper()
	x, err := Load(runtime(t), m, ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

// start encodes src and begins a decoding.
func start(t testing.TB, x *Translator, src [][]int64, rows int) *Decoding {
	t.Helper()
	e, err := x.Encode(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Destroy)
	d, err := x.Start(t.Context(), e, rows)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// TestStepsGiveTheScorersLogits decodes padded batches of several sentences token by token.
func TestStepsGiveTheScorersLogits(t *testing.T) {
	for i, c := range goldenCases(t) {
		m := c.export(t)
		want := score(t, m, c.Src, c.Prev)
		n, length := len(c.Prev), len(c.Prev[0])
		d := start(t, load(t, m), c.Src, n)
		worst := 0.0
		for at := range length {
			var column, rows []int64
			for r := range n {
				column, rows = append(column, c.Prev[r][at]), append(rows, int64(r))
			}
			got, err := d.Step(t.Context(), column, rows)
			if err != nil {
				t.Fatal(err)
			}
			for r := range n {
				if c.Prev[r][at] == PAD {
					continue
				}
				for v := range m.Vocabulary {
					worst = max(worst, math.Abs(float64(got[r*m.Vocabulary+v]-want[(r*length+at)*m.Vocabulary+v])))
				}
			}
		}
		if !(worst < 1e-5) {
			t.Errorf("case %d: largest difference %g", i, worst)
		}
	}
}

// TestBeamsShareASentence: hypotheses that change places and share one sentence's keys get
// what each would get alone.
func TestBeamsShareASentence(t *testing.T) {
	for i, c := range goldenCases(t) {
		m := c.export(t)
		x := load(t, m)
		src := [][]int64{{5, 6, 7}, {8, 9, PAD}}
		d := start(t, x, src, 4) // two hypotheses of each
		prefixes := [][]int64{{EOS}, {EOS}, {EOS}, {EOS}}
		parents := []int64{0, 1, 2, 3}
		tokens := []int64{EOS, EOS, EOS, EOS}
		for step := range 4 {
			got, err := d.Step(t.Context(), tokens, parents)
			if err != nil {
				t.Fatal(err)
			}
			want := score(t, m, [][]int64{src[0], src[0], src[1], src[1]}, prefixes)
			for r := range prefixes {
				for v := range m.Vocabulary {
					a, b := got[r*m.Vocabulary+v], want[(r*(step+1)+step)*m.Vocabulary+v]
					if math.Abs(float64(a-b)) > 1e-5 {
						t.Fatalf("case %d, step %d, row %d: %g, alone %g", i, step, r, a, b)
					}
				}
			}
			parents = []int64{1, 1, 3, 2}
			next := make([][]int64, 4)
			for r, p := range parents {
				tokens[r] = int64(3 + (step*4+r)%10)
				next[r] = append(slices.Clone(prefixes[p]), tokens[r])
			}
			prefixes = next
		}
	}
}

func TestGreedyIsArgmaxOfTheScorer(t *testing.T) {
	for i, c := range goldenCases(t) {
		m := c.export(t)
		got, err := load(t, m).Translate(t.Context(), []int64{3, 4, 5, 6}, 1, 7)
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		prefix := []int64{EOS}
		for len(prefix) <= 7 {
			logits := score(t, m, [][]int64{{3, 4, 5, 6}}, [][]int64{prefix})
			last := logits[(len(prefix)-1)*m.Vocabulary:]
			last[PAD] = float32(math.Inf(-1))
			token := int64(slices.Index(last, slices.Max(last)))
			prefix = append(prefix, token)
			if token == EOS {
				break
			}
		}
		if !slices.Equal(got[0].Tokens, prefix[1:]) {
			t.Errorf("case %d: %v, argmax %v", i, got[0].Tokens, prefix[1:])
		}
	}
}

// TestBeamScores holds the score of every hypothesis to the scorer's.
func TestBeamScores(t *testing.T) {
	c := goldenCases(t)[0]
	m := c.export(t)
	src := []int64{3, 4, 5, 6}
	got, err := load(t, m).Translate(t.Context(), src, 6, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range got {
		prefix := append([]int64{EOS}, h.Tokens[:len(h.Tokens)-1]...)
		logits := score(t, m, [][]int64{src}, [][]int64{prefix})
		sum := 0.0
		for i, token := range h.Tokens {
			row := logits[i*m.Vocabulary:][:m.Vocabulary]
			norm := 0.0
			for _, x := range row {
				norm += math.Exp(float64(x))
			}
			sum += float64(row[token]) - math.Log(norm)
		}
		if math.Abs(sum/float64(len(h.Tokens))-h.Score) > 1e-5 {
			t.Errorf("%v: score %g, recomputed %g", h.Tokens, h.Score, sum/float64(len(h.Tokens)))
		}
	}
	if !slices.IsSortedFunc(got, func(a, b Hypothesis) int { return int(math.Copysign(1, b.Score-a.Score)) }) {
		t.Errorf("not best first: %v", got)
	}
}

func TestDecodeRefuses(t *testing.T) {
	c := goldenCases(t)[0]
	x := load(t, c.export(t))
	d := start(t, x, [][]int64{{3, 4}}, 2)
	for _, e := range []struct {
		run  func() error
		want string
	}{
		{func() error { _, err := x.Encode(t.Context(), nil); return err }, "encode: no tokens"},
		{func() error { _, err := x.Encode(t.Context(), [][]int64{{3}, {3, 4}}); return err }, "encode: sentences of 1 and 2 tokens in one batch; pad them"},
		{func() error { _, err := x.Encode(t.Context(), [][]int64{{13}}); return err }, "encode: token 13 is not of the vocabulary of 13"},
		{func() error { _, err := d.Step(t.Context(), []int64{3, 3, 3}, []int64{0, 0, 0}); return err }, "decode: 3 tokens with 3 parents, expected 1 to 2 of each"},
		{func() error { _, err := d.Step(t.Context(), []int64{-1}, []int64{0}); return err }, "decode: token -1 is not of the vocabulary of 13"},
		{func() error { _, err := d.Step(t.Context(), []int64{3}, []int64{2}); return err }, "decode: parent 2 of 2 hypotheses"},
		{func() error { _, err := x.Translate(t.Context(), []int64{3}, 7, 5); return err }, "translate: beam 7 and limit 5 make no sense for a vocabulary of 13"},
	} {
		if err := e.run(); fmt.Sprint(err) != e.want {
			t.Errorf("got  %v\nwant %s", err, e.want)
		}
	}
}

func TestStopwatch(t *testing.T) {
	c := goldenCases(t)[0]
	s, err := NewStopwatch(load(t, c.export(t)), Protocol{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if s.Beam() != 5 || s.SourceTokens() != 5 || s.Steps() != 6 {
		t.Errorf("beam %d, %d source tokens, %d steps", s.Beam(), s.SourceTokens(), s.Steps())
	}
	times, err := s.Once(t.Context())
	if err != nil || times.Encoder <= 0 || times.Decoder <= 0 {
		t.Errorf("%v, %v", times, err)
	}
}
