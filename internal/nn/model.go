package nn

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"hsnas/internal/atomicfile"
	"hsnas/internal/cost"
	"hsnas/internal/onnx"
	"hsnas/internal/seal"
)

const formatVersion = 2 // 1 had no seal

// Model is model.json: what a folder of graphs is.
type Model struct {
	Dir          string          `json:"-"` // where it lies
	Format       int             `json:"format"`
	Task         string          `json:"task"`
	ID           string          `json:"id"` // the architecture's
	Architecture json.RawMessage `json:"architecture"`
	Weights      string          `json:"weights"`             // Weights.Label
	Precision    Precision       `json:"precision,omitempty"` // "" is Float32
	Opset        int             `json:"opset"`
	Vocabulary   int             `json:"vocabulary"`
	PAD          int             `json:"pad"`
	EOS          int             `json:"eos"`
	SourceTokens int             `json:"source_tokens"` // lengths that the cost is for
	TargetTokens int             `json:"target_tokens"`
	Layers       []Layer         `json:"decoder_layers"`
	Cost         cost.Cost       `json:"cost"`
	Files        []FileSum       `json:"files"`
}

// Layer is what a caller of decoder_step.onnx has to know of a decoder layer.
type Layer struct {
	SelfHeads  int `json:"self_attn_heads"`
	CrossHeads int `json:"cross_attn_heads"`
	Span       int `json:"cross_attn_span"`
}

// FileSum is a file of the folder and its checksum.
type FileSum struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

func (s *Shape) layers() []Layer {
	layers := make([]Layer, len(s.Spans))
	for i := range layers {
		layers[i] = Layer{s.Decoder.Heads[i], s.CrossHeads[i], s.Spans[i]}
	}
	return layers
}

func sha(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Open reads the model.json of a folder and checks every file against it. ONNX Runtime can
// crash on damaged files, so none may be loaded that this has not seen.
func Open(dir string) (Model, error) {
	path := filepath.Join(dir, ModelFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return Model{}, fmt.Errorf("%s is not an exported model: it has no readable %s; write one with hsnas export", dir, ModelFile)
	}
	m := Model{Dir: dir}
	object, sealed := seal.OpenJSON(text)
	if err := json.Unmarshal(object, &m); err != nil || m.Format == 0 {
		return Model{}, fmt.Errorf("%s: damaged or not written by hsnas; export the model again", path)
	}
	if m.Format != formatVersion {
		return Model{}, fmt.Errorf("%s: format %d, expected %d; export the model again", path, m.Format, formatVersion)
	}
	if sealed == seal.None {
		return Model{}, fmt.Errorf("%s: %w; export the model again", path, seal.ErrNone)
	}
	if err := m.checkFiles(); err != nil {
		return Model{}, err
	}
	return m, nil
}

func (m *Model) checkFiles() error {
	for _, name := range []string{EncoderFile, InitFile, StepFile, ScorerFile, WeightsFile} {
		i := slices.IndexFunc(m.Files, func(f FileSum) bool { return f.Name == name })
		path := filepath.Join(m.Dir, name)
		if i < 0 {
			return fmt.Errorf("%s: not listed in %s; export the model again", path, ModelFile)
		}
		sum, err := atomicfile.SHA256(path)
		if err != nil {
			return fmt.Errorf("%s: cannot be read; export the model again", path)
		}
		if sum != m.Files[i].SHA256 {
			return fmt.Errorf("%s: SHA-256 %.12s..., %s says %.12s...; the file was changed: export the model again",
				path, sum, ModelFile, m.Files[i].SHA256)
		}
		if name == WeightsFile {
			continue
		}
		if err := checkGraph(path); err != nil {
			return err
		}
	}
	return nil
}

// checkGraph reads a graph as strictly as hsnas writes it.
func checkGraph(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	if _, err := onnx.Read(data); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Written is the precision of the model's matrices.
func (m *Model) Written() Precision {
	if m.Precision == "" {
		return Float32
	}
	return m.Precision
}

// File is the path of one of the model's files.
func (m *Model) File(name string) string { return filepath.Join(m.Dir, name) }

// SHA256 is the checksum of the whole model: that of the names and checksums of its files.
func (m *Model) SHA256() string {
	var text []byte
	for _, f := range m.Files {
		text = append(text, f.Name+" "+f.SHA256+"\n"...)
	}
	return sha(text)
}
