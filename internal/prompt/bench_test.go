package prompt

import (
	"testing"

	"hsnas/internal/space"
)

// BenchmarkRenderParse renders a prompt of the paper, 10 demonstrations and one
// query, and reads an answer to it.
func BenchmarkRenderParse(b *testing.B) {
	tk := load(b, "wmt14.en-de")
	a := architecture(b, tk, deep)
	demos := make([]Demonstration, 10)
	for i := range demos {
		demos[i] = Demonstration{architecture(b, tk, shallow), 25}
	}
	for b.Loop() {
		if _, err := Render(tk, demos, []space.Architecture{a}, Style{}); err != nil {
			b.Fatal(err)
		}
		if _, err := Parse(tk, Style{}, `{"predictions": [{"id": 1, "bleu": 25.17}]}`, 1); err != nil {
			b.Fatal(err)
		}
	}
}
