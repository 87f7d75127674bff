package predictor

import (
	"fmt"

	"hsnas/internal/onnx"
)

// Evaluate computes an exported predictor for rows of raw features in plain Go,
// in float64: an opinion about the file that owes nothing to ONNX Runtime. It
// knows the operators that hsnas exports predictors with, and refuses others.
func Evaluate(m *onnx.ModelProto, rows [][]float64) ([]float64, error) {
	g := m.GetGraph()
	values := map[string]matrix{InputName: {rows}}
	for _, t := range g.GetInitializer() {
		v, err := constantMatrix(t)
		if err != nil {
			return nil, fmt.Errorf("evaluating a predictor: constant %s: %w", t.GetName(), err)
		}
		values[t.GetName()] = v
	}
	for _, n := range g.GetNode() {
		in := make([]matrix, len(n.GetInput()))
		for i, name := range n.GetInput() {
			v, ok := values[name]
			if !ok {
				return nil, fmt.Errorf("evaluating a predictor: %s is not computed before %s needs it", name, n.GetOpType())
			}
			in[i] = v
		}
		v, err := apply(n.GetOpType(), in)
		if err != nil {
			return nil, fmt.Errorf("evaluating a predictor: %w", err)
		}
		for _, name := range n.GetOutput() {
			values[name] = v
		}
	}
	result := values[OutputName].rows
	if len(result) != len(rows) {
		return nil, fmt.Errorf("evaluating a predictor: %d predictions %q for %d rows", len(result), OutputName, len(rows))
	}
	out := make([]float64, len(rows))
	for i, row := range result {
		if len(row) != 1 {
			return nil, fmt.Errorf("evaluating a predictor: %d predictions for one row", len(row))
		}
		out[i] = row[0]
	}
	return out, nil
}

// matrix is a matrix; a vector is a matrix of one row, which operators of
// elements repeat for each row of the other.
type matrix struct{ rows [][]float64 }

func constantMatrix(t *onnx.TensorProto) (matrix, error) {
	data, err := t.Float32s()
	if err != nil {
		return matrix{}, err
	}
	columns := len(data)
	if d := t.GetDims(); len(d) == 2 {
		columns = int(d[1])
	}
	var out matrix
	for start := 0; start+columns <= len(data) && columns > 0; start += columns {
		row := make([]float64, columns)
		for j := range row {
			row[j] = float64(data[start+j])
		}
		out.rows = append(out.rows, row)
	}
	return out, nil
}

func apply(op string, in []matrix) (matrix, error) {
	elements := map[string]func(a, b float64) float64{
		"Sub": func(a, b float64) float64 { return a - b },
		"Add": func(a, b float64) float64 { return a + b },
		"Mul": func(a, b float64) float64 { return a * b },
		"Div": func(a, b float64) float64 { return a / b },
	}
	if f, ok := elements[op]; ok && len(in) == 2 {
		return each(in[0], in[1], f)
	}
	switch {
	case op == "Relu" && len(in) == 1:
		return each(in[0], matrix{[][]float64{{0}}}, func(a, _ float64) float64 { return max(a, 0) })
	case op == "Identity" && len(in) == 1:
		return in[0], nil
	case op == "MatMul" && len(in) == 2:
		return product(in[0], in[1])
	case op == "Gemm" && len(in) == 3:
		p, err := product(in[0], in[1])
		if err != nil {
			return p, err
		}
		return each(p, in[2], elements["Add"])
	}
	return matrix{}, fmt.Errorf("operator %s with %d inputs is none that predictors are exported with", op, len(in))
}

// each applies f to pairs of elements; the second operand is repeated where it
// has one row or one column.
func each(a, b matrix, f func(a, b float64) float64) (matrix, error) {
	out := matrix{make([][]float64, len(a.rows))}
	for i, row := range a.rows {
		if len(b.rows) != 1 && len(b.rows) != len(a.rows) {
			return matrix{}, fmt.Errorf("%d rows with %d rows", len(a.rows), len(b.rows))
		}
		other := b.rows[min(i, len(b.rows)-1)]
		if len(other) != 1 && len(other) != len(row) {
			return matrix{}, fmt.Errorf("%d columns with %d columns", len(row), len(other))
		}
		out.rows[i] = make([]float64, len(row))
		for j, x := range row {
			out.rows[i][j] = f(x, other[min(j, len(other)-1)])
		}
	}
	return out, nil
}

func product(a, b matrix) (matrix, error) {
	out := matrix{make([][]float64, len(a.rows))}
	for i, row := range a.rows {
		if len(row) != len(b.rows) || len(row) == 0 {
			return matrix{}, fmt.Errorf("product of %d columns with %d rows", len(row), len(b.rows))
		}
		out.rows[i] = make([]float64, len(b.rows[0]))
		for k, x := range row {
			for j, w := range b.rows[k] {
				out.rows[i][j] += x * w
			}
		}
	}
	return out, nil
}
