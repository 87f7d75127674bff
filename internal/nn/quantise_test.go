package nn

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"testing"
)

func TestQuantise(t *testing.T) {
	q, scales := quantise([]float32{1, -2, 0.5, 0, 0, 0, -12.7, 6.35, 0.04}, 3, 3)
	want := []int8{64, 0, -127, -127, 0, 64, 32, 0, 0} // a half goes to the even neighbour
	for i, x := range q {
		if int8(x) != want[i] {
			t.Errorf("number %d is %d, want %d", i, int8(x), want[i])
		}
	}
	if !slices.Equal(scales, []float32{2.0 / 127, 1, 0.1}) {
		t.Errorf("scales %v", scales)
	}
}

// TestIntegersAreNear: the model of 8 bits computes what the other does, within what 8 bits
// hold, by steps and by the scorer alike.
func TestIntegersAreNear(t *testing.T) {
	for i, c := range goldenCases(t) {
		s := c.shape()
		var logits [2][]float32
		for j, p := range []Precision{"", Int8} {
			m := Model{
				Format: formatVersion, Precision: p, Architecture: json.RawMessage("{}"), Vocabulary: s.Vocabulary, PAD: PAD, EOS: EOS,
				SourceTokens: 5, TargetTokens: 6, Layers: s.layers(),
			}
			if err := export(filepath.Join(t.TempDir(), "model"), &m, s, Random(3)); err != nil {
				t.Fatal(err)
			}
			w, err := NewStopwatch(load(t, m), Protocol{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			if logits[j], err = w.Logits(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var worst, largest float64
		for k, x := range logits[0] {
			worst = max(worst, math.Abs(float64(x-logits[1][k])))
			largest = max(largest, math.Abs(float64(x)))
		}
		if worst == 0 || worst > 0.1*largest {
			t.Errorf("case %d: largest difference %g, largest logit %g", i, worst, largest)
		}
	}
}
