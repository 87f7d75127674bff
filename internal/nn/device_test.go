package nn

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/ort"
	"hsnas/internal/ort/orttest"
)

// TestDeviceHAT: encoder, decoder steps and whole translations by beam search are
// what they are on the CPU.
func TestDeviceHAT(t *testing.T) {
	rt, device := orttest.Device(t)
	for i, c := range goldenCases(t)[:3] { // a software GPU takes seconds for each
		m := c.export(t)
		on := func(device string) *Translator {
			x, err := Load(rt, m, ort.Options{Device: device})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { x.Close() })
			return x
		}
		gpu, cpu := on(device), on("cpu")
		for k, memory := range encode(t, cpu, c.Src) {
			orttest.Near(t, fmt.Sprintf("case %d, encoder output %d", i, k), encode(t, gpu, c.Src)[k], memory, 1e-3)
		}
		orttest.Near(t, fmt.Sprintf("case %d, logits of four steps", i), fourSteps(t, gpu), fourSteps(t, cpu), 1e-3)
		for _, src := range [][]int64{{3, 4, 5, 6}, {7, 8, 9}} {
			got, want := translations(t, gpu, src), translations(t, cpu, src)
			if !slices.EqualFunc(got, want, slices.Equal) {
				t.Errorf("case %d: %v translates to\n%v, on the CPU\n%v", i, src, got, want)
			}
		}
	}
}

// TestDeviceHalf: where the device has half precision, its logits are near the CPU's of
// float32; a device without says so in one line.
func TestDeviceHalf(t *testing.T) {
	rt, device := orttest.Device(t)
	c := goldenCases(t)[0]
	s := c.shape()
	var logits [2][]float32
	for j, p := range []Precision{"", Float16} {
		m := Model{
			Format: formatVersion, Precision: p, Architecture: json.RawMessage("{}"), Vocabulary: s.Vocabulary, PAD: PAD, EOS: EOS,
			SourceTokens: 5, TargetTokens: 6, Layers: s.layers(),
		}
		if err := export(filepath.Join(t.TempDir(), "model"), &m, s, Random(3)); err != nil {
			t.Fatal(err)
		}
		x, err := Load(rt, m, ort.Options{Device: []string{"cpu", device}[j]})
		if err == nil {
			defer x.Close()
			var w *Stopwatch
			if w, err = NewStopwatch(x, Protocol{Seed: 1}); err == nil {
				logits[j], err = w.Logits(t.Context())
			}
		}
		if err != nil && (p == "" || strings.Contains(err.Error(), "\n")) {
			t.Fatal(err)
		}
		if err != nil {
			t.Skip(err)
		}
	}
	orttest.Near(t, "logits", logits[1], logits[0], 1e-2)
}

// encode returns the encoder's outputs that are floats.
func encode(t *testing.T, x *Translator, src [][]int64) (out [][]float32) {
	t.Helper()
	e, err := x.Encode(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Destroy()
	for _, memory := range e {
		if f := memory.Floats(); f != nil {
			out = append(out, slices.Clone(f))
		}
	}
	return out
}

// fourSteps are the logits of hypotheses that change places.
func fourSteps(t *testing.T, x *Translator) (out []float32) {
	t.Helper()
	d := start(t, x, [][]int64{{5, 6, 7}}, 5)
	for step := range int64(4) {
		got, err := d.Step(t.Context(), []int64{3 + step, 4, 5, 6, 7}, []int64{1, 0, 2, 4, 3})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, got...)
	}
	return out
}

// translations are the best five of a beam of five.
func translations(t *testing.T, x *Translator, src []int64) (out [][]int64) {
	t.Helper()
	all, err := x.Translate(t.Context(), src, 5, 6)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		out = append(out, h.Tokens)
	}
	return out
}
