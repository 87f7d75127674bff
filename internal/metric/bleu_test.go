package metric_test

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"hsnas/internal/metric"
)

// The golden values are SacreBLEU 2.6.0's; checks/bleu_cases.py writes them.
func TestBLEUAgainstSacreBLEU(t *testing.T) {
	text, err := os.ReadFile("testdata/bleu.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name                   string
		Hypotheses, References []string
		BLEU                   float64
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 12 {
		t.Errorf("%d cases, want 12 or more", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			near(t, "BLEU", metric.BLEU(fields(c.Hypotheses), fields(c.References)), c.BLEU, 1e-12)
		})
	}
}

func fields(sentences []string) [][]string {
	out := make([][]string, len(sentences))
	for i, s := range sentences {
		out[i] = strings.Fields(s)
	}
	return out
}

func TestBLEUBounds(t *testing.T) {
	near(t, "BLEU of nothing", metric.BLEU(nil, nil), math.NaN(), 0)
	same := fields([]string{"a dog barks .", "the cat sat on the mat"})
	near(t, "BLEU of the references", metric.BLEU(same, same), 100, 0)
	defer func() {
		if got, want := recover(), "metric.BLEU: 2 hypotheses against 1 references"; got != want {
			t.Errorf("panic %v, want %s", got, want)
		}
	}()
	metric.BLEU(same, same[:1])
}

// BenchmarkBLEU scores a test set of the embedded task's size.
func BenchmarkBLEU(b *testing.B) {
	var hypotheses, references [][]string
	words := strings.Fields("der die das ein eine Hund Katze Mann sieht , . nicht im Wald und hat gesehen ist sie er")
	for i := range 500 {
		var h, r []string
		for j := range 15 {
			h = append(h, words[i*(j+3)%len(words)])
			r = append(r, words[i*(j+3+j%5/4)%len(words)])
		}
		hypotheses, references = append(hypotheses, h), append(references, r)
	}
	for b.Loop() {
		metric.BLEU(hypotheses, references)
	}
}
