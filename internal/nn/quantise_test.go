package nn

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/onnx"
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

// TestPrecisionsAreNear: the models of 8 bits and of half precision compute what the other
// does, within what these hold.
func TestPrecisionsAreNear(t *testing.T) {
	for i, c := range goldenCases(t) {
		s := c.shape()
		var logits [3][]float32
		for j, p := range []Precision{"", Int8, Float16} {
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
		for j, bound := range map[int]float64{1: 0.1, 2: 0.01} {
			var worst, largest float64
			for k, x := range logits[0] {
				worst = max(worst, math.Abs(float64(x-logits[j][k])))
				largest = max(largest, math.Abs(float64(x)))
			}
			if worst == 0 || worst > bound*largest {
				t.Errorf("case %d, precision %d: largest difference %g, largest logit %g", i, j, worst, largest)
			}
		}
	}
}

// TestHalfBorders: what goes in and out of a graph of half precision is float32, every
// weight in it is not, and its files are about half as large.
func TestHalfBorders(t *testing.T) {
	c := goldenCases(t)[0]
	s := c.shape()
	var bytes [2]int64
	for j, p := range []Precision{"", Float16} {
		m := Model{Format: formatVersion, Precision: p, Architecture: json.RawMessage("{}"), Vocabulary: s.Vocabulary, Layers: s.layers()}
		if err := export(filepath.Join(t.TempDir(), "model"), &m, s, Random(3)); err != nil {
			t.Fatal(err)
		}
		for _, f := range m.Files {
			if f.Name == WeightsFile || f.Name == ModelFile {
				continue
			}
			data, err := os.ReadFile(m.File(f.Name))
			if err != nil {
				t.Fatal(err)
			}
			graph, err := onnx.Read(data)
			if err != nil {
				t.Fatal(err)
			}
			for _, io := range slices.Concat(graph.GetGraph().GetInput(), graph.GetGraph().GetOutput()) {
				if kind := io.GetType().GetTensorType().GetElemType(); kind == int32(onnx.Float16) {
					t.Errorf("%s: %s is of half precision", f.Name, io.GetName())
				}
			}
			for _, x := range graph.GetGraph().GetInitializer() {
				whole := onnx.DataType(x.GetDataType()) == onnx.Float32
				if name := x.GetName(); strings.Contains(name, ".") && whole == (p == Float16) {
					t.Errorf("%s: %s is of %v", f.Name, name, onnx.DataType(x.GetDataType()))
				}
				n, err := onnx.Elements(x.GetDims())
				if err != nil {
					t.Fatal(err)
				}
				bytes[j] += n * onnx.DataType(x.GetDataType()).Size()
			}
		}
	}
	if share := float64(bytes[1]) / float64(bytes[0]); share > 0.6 {
		t.Errorf("constants take %g of float32's bytes", share)
	}
}

// large are weights that half precision does not have.
type large struct{ Weights }

func (w large) Part(name string, p Part) ([]float32, error) {
	data, err := w.Weights.Part(name, p)
	if name == "encoder.layers.0.fc1.bias" {
		data[1] = 70000
	}
	return data, err
}

func TestHalfRefusesLargeWeights(t *testing.T) {
	c := goldenCases(t)[0]
	s := c.shape()
	m := Model{Format: formatVersion, Precision: Float16, Architecture: json.RawMessage("{}"), Vocabulary: s.Vocabulary, Layers: s.layers()}
	err := export(filepath.Join(t.TempDir(), "model"), &m, s, large{Random(3)})
	if want := "export: encoder.layers.0.fc1.bias holds 70000, and precision fp16 ends at 65504"; err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}
