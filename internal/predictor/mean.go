package predictor

import (
	"fmt"

	"hsnas/internal/onnx"
)

// Mean is the mean of several regressors: one regressor, in one file. Of each
// kind it can be exported with one.
type Mean struct {
	Columns int // of a row
	Members []Member
}

// Member is one of them and the columns of the row that it takes.
type Member struct {
	Regressor Regressor
	Columns   []int
}

// Regress implements Regressor.
func (m *Mean) Regress(row []float64) float64 {
	total := 0.0
	for _, member := range m.Members {
		own := make([]float64, len(member.Columns))
		for k, j := range member.Columns {
			own[k] = row[j]
		}
		total += member.Regressor.Regress(own)
	}
	return total / float64(len(m.Members))
}

func (m *Mean) kind() string { return "mean" }
func (m *Mean) width() int   { return m.Columns }

// check refuses members that cannot be exported with the columns they are given.
func (m *Mean) check() error {
	for _, member := range m.Members {
		e, ok := member.Regressor.(exporter)
		if !ok {
			return fmt.Errorf("%T has no ONNX form", member.Regressor)
		}
		if e.width() != len(member.Columns) {
			return fmt.Errorf("%s takes %d features, not %d", e.kind(), e.width(), len(member.Columns))
		}
	}
	return nil
}

// onto adds the members side by side and their mean.
func (m *Mean) onto(g *onnx.Graph, x *onnx.Value) *onnx.Value {
	var out []*onnx.Value
	for _, member := range m.Members {
		columns := make([]int64, len(member.Columns))
		for k, j := range member.Columns {
			columns[k] = int64(j)
		}
		own := []onnx.Dim{x.Shape()[0], onnx.Fixed(int64(len(columns)))}
		taken := g.Op("Gather", own, []*onnx.Value{x, g.Ints(columns...)}, onnx.Axis(1))
		out = append(out, member.Regressor.(exporter).onto(g, taken))
	}
	return g.Op("Mean", one(x), out)
}
