package predictor

import (
	"fmt"

	"hsnas/internal/onnx"
)

// exporter is a regressor that has an ONNX form.
type exporter interface {
	Regressor
	// kind is what errors and graphs call it.
	kind() string
	// width is the number of its features.
	width() int
	// onto adds it to a graph: from raw rows, float32 [n, width], to its
	// predictions, float32 [n, 1].
	onto(g *onnx.Graph, x *onnx.Value) *onnx.Value
}

// Export writes a regressor as an ONNX model with its scaling in it: the input
// is the raw row as Features.Fill gives it, the output in the target's unit.
func Export(r Regressor, m Meta) ([]byte, error) {
	e, ok := r.(exporter)
	if !ok {
		return nil, fmt.Errorf("exporting a predictor: %T has no ONNX form", r)
	}
	if m, ok := r.(*Mean); ok {
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("exporting %s: %w", e.kind(), err)
		}
	}
	if e.width() != len(m.Columns) {
		return nil, fmt.Errorf("exporting %s: %d features for %d columns of %s", e.kind(), e.width(), len(m.Columns), m.Features)
	}
	g := onnx.NewGraph(e.kind())
	g.Output(OutputName, e.onto(g, g.Input(InputName, onnx.Float32, onnx.Sym("n"), onnx.Fixed(int64(e.width())))))
	m.write(g)
	model, err := g.Marshal()
	if err != nil {
		return nil, fmt.Errorf("exporting %s: %w", e.kind(), err)
	}
	return model, nil
}

// one is the shape of predictions for the rows of x.
func one(x *onnx.Value) []onnx.Dim { return []onnx.Dim{x.Shape()[0], onnx.Fixed(1)} }

// ExportLinear is Export of a ridge.
func ExportLinear(r *Ridge, m Meta) ([]byte, error) { return Export(r, m) }

// Export is the function of that name.
func (m *MLP) Export(meta Meta) ([]byte, error) { return Export(m, meta) }
