package nn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/cost"
	"hsnas/internal/onnx"
	"hsnas/internal/seal"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Files of an exported model.
const (
	EncoderFile = "encoder.onnx"
	InitFile    = "decoder_init.onnx"
	StepFile    = "decoder_step.onnx"
	ScorerFile  = "scorer.onnx"
	WeightsFile = "weights.bin"
	ModelFile   = "model.json"
)

// tempSuffix marks folders that a killed export leaves behind, as atomicfile marks files.
const tempSuffix = ".hsnas-tmp"

// graphs are the model's graphs, in the order in which they are written.
var graphs = []struct {
	file, kind string
	build      func(*builder)
}{
	{EncoderFile, "encoder", (*builder).encoderGraph},
	{InitFile, "decoder_init", (*builder).initGraph},
	{StepFile, "decoder_step", (*builder).stepGraph},
	{ScorerFile, "scorer", (*builder).scorerGraph},
}

// Export writes the model of an architecture to a folder (see the package comment), whole or
// not at all. The folder may exist if it is empty or holds a model, which is replaced. The
// same task, architecture and weights give the same bytes.
func Export(dir string, t *task.Task, a space.Architecture, w Weights) (Model, error) {
	return ExportAs(dir, t, a, w, Float32)
}

// ExportAs is Export in a precision.
func ExportAs(dir string, t *task.Task, a space.Architecture, w Weights, p Precision) (Model, error) {
	if err := p.check(); err != nil {
		return Model{}, err
	}
	s, err := ShapeOf(t, a)
	if err != nil {
		return Model{}, err
	}
	c, err := cost.Of(t, a)
	if err != nil {
		return Model{}, err
	}
	m := Model{
		Format: formatVersion, Task: t.Name, ID: a.ID(), Architecture: json.RawMessage(a.String()), Opset: onnx.Opset,
		Vocabulary: s.Vocabulary, PAD: PAD, EOS: EOS, SourceTokens: t.Model.SourceTokens, TargetTokens: t.Model.TargetTokens,
		Layers: s.layers(), Cost: c,
	}
	if p != Float32 {
		m.Precision = p
	}
	return m, export(dir, &m, s, w)
}

// export writes s to dir and completes m.
func export(dir string, m *Model, s Shape, w Weights) error {
	if w == nil {
		return errNoWeights
	}
	m.Weights = w.Label()
	if err := replaceable(dir); err != nil {
		return err
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := atomicfile.MkdirAll(parent); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	temp, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".*"+tempSuffix)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer os.RemoveAll(temp)
	if err := os.Chmod(temp, 0o755); err != nil { // MkdirTemp keeps it to the user
		return fmt.Errorf("export: %w", err)
	}
	if err := m.write(temp, s, w); err != nil {
		return err
	}
	m.Dir = dir
	return replace(dir, temp)
}

// write writes every file of the model; model.json comes last.
func (m *Model) write(dir string, s Shape, w Weights) error {
	file, err := atomicfile.Create(filepath.Join(dir, WeightsFile))
	if err != nil {
		return err
	}
	defer file.Close()
	external := onnx.NewWeights(WeightsFile, file)
	for _, g := range graphs {
		b := newBuilder(g.kind, s, w, external)
		b.int8, b.half = m.Precision == Int8, m.Precision == Float16
		g.build(b)
		data, err := b.finish(g.kind, m.metadata())
		if err != nil {
			return err
		}
		if err := atomicfile.Write(filepath.Join(dir, g.file), data); err != nil {
			return err
		}
		m.Files = append(m.Files, FileSum{g.file, sha(data), int64(len(data))})
	}
	if err := file.Commit(); err != nil {
		return err
	}
	m.Files = append(m.Files, FileSum{WeightsFile, file.SHA256(), file.Size()})
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return atomicfile.Write(filepath.Join(dir, ModelFile), seal.JSON(text.Bytes()))
}

func (m *Model) metadata() [][2]string {
	return append([][2]string{
		{"hsnas.task", m.Task},
		{"hsnas.id", m.ID},
		{"hsnas.architecture", string(m.Architecture)},
		{"hsnas.weights", m.Weights},
		{"hsnas.vocabulary", strconv.Itoa(m.Vocabulary)},
	}, m.Precision.metadata()...)
}

// replaceable says whether Export may write to dir.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case os.IsNotExist(err):
		return nil
	case err != nil:
		return config.Errorf("", 0, "cannot write a model to %s: it is not a folder", dir)
	case len(entries) == 0:
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, ModelFile)); err != nil {
		return config.Errorf("", 0, "cannot write a model to %s: the folder has other files and no %s; choose another", dir, ModelFile)
	}
	return nil
}

// replace puts temp in dir's place. A process that is killed between the two renames
// leaves no model there, but the old one beside it, under a temporary name.
func replace(dir, temp string) error {
	old := strings.TrimSuffix(temp, tempSuffix) + ".old" + tempSuffix
	if err := atomicfile.Rename(dir, old); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("export: %w", err)
	}
	if err := atomicfile.Rename(temp, dir); err != nil {
		_ = os.Rename(old, dir)
		return fmt.Errorf("export: %w", err)
	}
	if err := atomicfile.SyncFolder(filepath.Dir(dir)); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return os.RemoveAll(old)
}
