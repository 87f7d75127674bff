package nn

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/ort"
	"hsnas/internal/safetensors"
	"hsnas/internal/seal"
	"hsnas/internal/task"
)

func TestExportIsReproducible(t *testing.T) {
	c := goldenCases(t)[1]
	a, b := c.export(t), c.export(t)
	if !slices.Equal(a.Files, b.Files) || a.SHA256() != b.SHA256() || len(a.Files) != 5 {
		t.Errorf("%v\n%v", a.Files, b.Files)
	}
	opened, err := Open(a.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if opened.SHA256() != a.SHA256() || !slices.Equal(opened.Layers, a.Layers) {
		t.Errorf("read back %+v", opened)
	}
}

// TestRandomWeightsAreShared: architectures draw equal parts of the supernet.
func TestRandomWeightsAreShared(t *testing.T) {
	w := Random(7)
	whole, _ := w.Part("decoder.layers.3.fc1.weight", matrixPart(20, 12, 20, 12))
	part, _ := w.Part("decoder.layers.3.fc1.weight", matrixPart(5, 8, 20, 12))
	for r := range 5 {
		if !slices.Equal(part[r*8:][:8], whole[r*12:][:8]) {
			t.Errorf("row %d differs", r)
		}
	}
	other, _ := Random(8).Part("decoder.layers.3.fc1.weight", matrixPart(5, 8, 20, 12))
	name, _ := w.Part("decoder.layers.2.fc1.weight", matrixPart(5, 8, 20, 12))
	if slices.Equal(part, other) || slices.Equal(part, name) {
		t.Error("another seed or tensor gave the same numbers")
	}
	if w.Label() != "random:7" {
		t.Error(w.Label())
	}
	// The first numbers are held fast: models are known by their checksums alone.
	if got := fmt.Sprintf("%.6f", part[:3]); got != firstRandom {
		t.Errorf("first numbers %s, were %s", got, firstRandom)
	}
}

const firstRandom = "[0.376219 0.139064 0.208316]"

func TestExportReplacesOnlyModels(t *testing.T) {
	c := goldenCases(t)[0]
	m := c.export(t)
	s := c.shape()
	again := Model{Format: formatVersion, Layers: s.layers(), Architecture: []byte("{}")}
	if err := export(m.Dir, &again, s, Random(1)); err != nil {
		t.Fatal(err)
	}
	if opened, err := Open(m.Dir); err != nil || opened.Weights != "random:1" {
		t.Errorf("%v, %v", opened.Weights, err)
	}
	other := t.TempDir()
	file := filepath.Join(other, "thesis.txt")
	if err := os.WriteFile(file, []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		other: "cannot write a model to " + other + ": the folder has other files and no model.json; choose another",
		file:  "cannot write a model to " + file + ": it is not a folder",
	} {
		if err := export(dir, &Model{}, s, Random(1)); fmt.Sprint(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestFailedExportLeavesNothing(t *testing.T) {
	c := goldenCases(t)[0]
	parent := t.TempDir()
	f, err := safetensors.Open(filepath.Join("testdata", c.Weights))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := c.shape()
	s.Decoder.SuperFFN = 99
	if err := export(filepath.Join(parent, "model"), &Model{}, s, Safetensors(f, "")); err == nil {
		t.Fatal("no error")
	}
	if entries, _ := os.ReadDir(parent); len(entries) != 0 {
		t.Errorf("left %v", entries)
	}
}

// TestWeightsRefused: each message names file, tensor, expected and found.
func TestWeightsRefused(t *testing.T) {
	vector := func(name string, n int64, dtype string, data []byte) []byte {
		header := fmt.Sprintf(`{%q:{"dtype":%q,"shape":[%d],"data_offsets":[0,%d]}}`, name, dtype, n, len(data))
		length := len(header)
		return append(append([]byte{byte(length), byte(length >> 8), 0, 0, 0, 0, 0, 0}, header...), data...)
	}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"missing", vector("other", 1, "F32", make([]byte, 4)), `w.safetensors: tensor "b" is missing; expected shape [20] (supernet) or [8] (sub-network)`},
		{"shape", vector("b", 9, "F32", make([]byte, 36)), `w.safetensors: tensor "b" has shape [9], expected shape [20] (supernet) or [8] (sub-network)`},
		{"dtype", vector("b", 8, "I32", make([]byte, 32)), `w.safetensors: tensor "b": dtype I32, expected F32, F16 or BF16`},
		{"not finite", vector("b", 8, "F32", bytes.Repeat([]byte{0xff}, 32)), `w.safetensors: tensor "b" holds a number that is not finite`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := safetensors.Parse("w.safetensors", bytes.NewReader(c.file), int64(len(c.file)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Safetensors(f, "").Part("b", vectorPart(8, 20)); fmt.Sprint(err) != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	c := goldenCases(t)[0]
	for _, d := range []struct {
		name   string
		damage func(dir string) error
		want   string
	}{
		{"no model.json", func(dir string) error { return os.Remove(filepath.Join(dir, ModelFile)) }, "DIR is not an exported model: it has no readable model.json; write one with hsnas export"},
		{"no JSON", func(dir string) error { return os.WriteFile(filepath.Join(dir, ModelFile), []byte("{"), 0o600) }, "DIR/model.json: damaged or not written by hsnas; export the model again"},
		{"format", func(dir string) error { return edit(dir, ModelFile, `"format": 2`, `"format": 3`) }, "DIR/model.json: format 3, expected 2; export the model again"},
		{"a figure changed", func(dir string) error { return editAlone(dir, ModelFile, `"eos": 2`, `"eos": 3`) }, "DIR/model.json: damaged or not written by hsnas; export the model again"},
		{"seal gone", func(dir string) error { return editAlone(dir, ModelFile, `"seal"`, `"Seal"`) }, "DIR/model.json: it has no seal; export the model again"},
		{"file gone", func(dir string) error { return os.Remove(filepath.Join(dir, StepFile)) }, "DIR/decoder_step.onnx: cannot be read; export the model again"},
		{"file not listed", func(dir string) error { return edit(dir, ModelFile, `"scorer.onnx"`, `"other.onnx"`) }, "DIR/scorer.onnx: not listed in model.json; export the model again"},
		{"damaged", func(dir string) error { return edit(dir, EncoderFile, "src_tokens", "src_TOKENS") }, "DIR/encoder.onnx: SHA-256 HASH..., model.json says HASH...; the file was changed: export the model again"},
		{"weights cut", func(dir string) error { return os.Truncate(filepath.Join(dir, WeightsFile), 100) }, "DIR/weights.bin: SHA-256 HASH..., model.json says HASH...; the file was changed: export the model again"},
	} {
		t.Run(d.name, func(t *testing.T) {
			m := c.export(t)
			if err := d.damage(m.Dir); err != nil {
				t.Fatal(err)
			}
			_, err := Open(m.Dir)
			if got := hashes(strings.ReplaceAll(fmt.Sprint(err), m.Dir, "DIR")); got != d.want {
				t.Errorf("got  %s\nwant %s", got, d.want)
			}
		})
	}
}

// TestOpenRefusesForeignOpset: a graph of another opset whose checksum is right.
func TestOpenRefusesForeignOpset(t *testing.T) {
	c := goldenCases(t)[0]
	m := c.export(t)
	path := m.File(EncoderFile)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	opset := []byte{0x0a, 0x00, 0x10, 17} // OperatorSetIdProto: domain "", version 17
	if bytes.Count(data, opset) != 1 {
		t.Fatal("the opset is not where it was expected")
	}
	data = bytes.Replace(data, opset, []byte{0x0a, 0x00, 0x10, 21}, 1)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := edit(m.Dir, ModelFile, m.Files[0].SHA256, sha(data)); err != nil {
		t.Fatal(err)
	}
	_, err = Open(m.Dir)
	if want := path + ": ONNX opset 21; hsnas reads opset 17"; fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// edit changes a file, and seals it again where it was sealed.
func edit(dir, name, from, to string) error {
	if err := editAlone(dir, name, from, to); err != nil || name != ModelFile {
		return err
	}
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	object := append([]byte("{"), text[bytes.IndexByte(text, ',')+1:]...) // the seal comes first
	return os.WriteFile(path, seal.JSON(object), 0o600)
}

func editAlone(dir, name, from, to string) error {
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Contains(text, []byte(from)) {
		return fmt.Errorf("%s has no %q", name, from)
	}
	return os.WriteFile(path, bytes.ReplaceAll(text, []byte(from), []byte(to)), 0o600)
}

// hashes replaces shortened checksums by HASH.
func hashes(s string) string {
	words := strings.Split(s, " ")
	for i, w := range words {
		if at := strings.Index(w, "..."); at == 12 {
			words[i] = "HASH" + w[at:]
		}
	}
	return strings.Join(words, " ")
}

func TestShapeOf(t *testing.T) {
	x, err := task.Load("wmt14.en-de")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ShapeOf(x, x.Space.Largest())
	if err != nil {
		t.Fatal(err)
	}
	if s.Encoder.SuperDim != 640 || s.Decoder.SuperFFN != 3072 || s.memories() != 3 || len(s.Decoder.FFN) != 6 || s.Vocabulary != 32768 {
		t.Errorf("%+v", s)
	}
	a := x.Space.Largest()
	for want, spoil := range map[string]func(y *task.Task){
		"task wmt14.en-de has no model family; only tasks of the family hat can be built as models":        func(y *task.Task) { y.Family = "" },
		"task wmt14.en-de has the model family micro; only tasks of the family hat can be built as models": func(y *task.Task) { y.Family = task.Micro },
		"task wmt14.en-de does not say its vocabulary, which a model needs":                                func(y *task.Task) { y.Model = &task.Transformer{SourceTokens: 1, TargetTokens: 1} },
	} {
		y := *x
		spoil(&y)
		if _, err := ShapeOf(&y, a); fmt.Sprint(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// TestWorkOfOneHypothesis: with one hypothesis the encoder's work is the cost model's, and
// the decoder's is less only by the future tokens that a step does not attend to.
func TestWorkOfOneHypothesis(t *testing.T) {
	x, err := task.Load("wmt14.en-de")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ShapeOf(x, x.Space.Largest())
	if err != nil {
		t.Fatal(err)
	}
	got := WorkOf(s, 30, 30, 1)
	// paper.md's formulas at S = T = 30, E = D = 640, Q = 512, F = 3072, 6 layers, spans 3.
	const encoder = 6 * 2 * (4*30*640*512 + 2*30*30*512 + 2*30*640*3072)
	const layer = 4*30*640*512 + 2*30*30*512 + 2*30*640*512 + 2*90*640*512 + 2*30*90*512 + 2*30*640*3072
	const decoder = 6*2*layer + 2*30*640*32768
	const future = 6 * 2 * 2 * (30*30 - 30*31/2) * 512
	if got.Encoder != encoder || got.Decoder != decoder-future {
		t.Errorf("%+v, expected %d and %d", got, encoder, decoder-future)
	}
}

// BenchmarkProtocol is one repetition of HAT's protocol with the largest architecture and beam 5.
func BenchmarkProtocol(b *testing.B) {
	rt := runtime(b)
	x, err := task.Load("wmt14.en-de")
	if err != nil {
		b.Fatal(err)
	}
	m, err := Export(filepath.Join(b.TempDir(), "model"), x, x.Space.Largest(), Random(1))
	if err != nil {
		b.Fatal(err)
	}
	tr, err := Load(rt, m, ort.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer tr.Close()
	w, err := NewStopwatch(tr, Protocol{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := w.Once(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
