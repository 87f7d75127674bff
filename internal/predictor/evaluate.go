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
		v, err := apply(n, in)
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
	data, err := elementsOf(t)
	if err != nil {
		return matrix{}, err
	}
	columns := len(data)
	if d := t.GetDims(); len(d) == 2 {
		columns = int(d[1])
	}
	var out matrix
	for start := 0; start+columns <= len(data) && columns > 0; start += columns {
		out.rows = append(out.rows, data[start:start+columns])
	}
	return out, nil
}

// elementsOf are a constant's elements; those of int64 are columns' numbers.
func elementsOf(t *onnx.TensorProto) ([]float64, error) {
	if onnx.DataType(t.GetDataType()) == onnx.Int64 {
		data, err := t.Int64s()
		return float64s(data), err
	}
	data, err := t.Float32s()
	return float64s(data), err
}

func float64s[T int64 | float32](data []T) []float64 {
	out := make([]float64, len(data))
	for i, v := range data {
		out[i] = float64(v)
	}
	return out
}

func apply(n *onnx.NodeProto, in []matrix) (matrix, error) {
	op := n.GetOpType()
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
	case op == "Gather" && len(in) == 2 && len(in[1].rows) == 1:
		return take(in[0], in[1].rows[0])
	case op == "Mean" && len(in) > 0:
		return mean(in)
	case op == "TreeEnsembleRegressor" && len(in) == 1:
		e, err := readEnsemble(n)
		if err != nil {
			return matrix{}, fmt.Errorf("%s: %w", op, err)
		}
		return e.apply(in[0])
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

// take gathers columns of a.
func take(a matrix, columns []float64) (matrix, error) {
	out := matrix{make([][]float64, len(a.rows))}
	for i, row := range a.rows {
		for _, c := range columns {
			if c < 0 || int(c) >= len(row) {
				return matrix{}, fmt.Errorf("column %v of %d", c, len(row))
			}
			out.rows[i] = append(out.rows[i], row[int(c)])
		}
	}
	return out, nil
}

// mean is that of matrices of one shape, element by element.
func mean(in []matrix) (matrix, error) {
	total := in[0]
	for _, m := range in[1:] {
		var err error
		if total, err = each(total, m, func(a, b float64) float64 { return a + b }); err != nil {
			return matrix{}, err
		}
	}
	n := matrix{[][]float64{{float64(len(in))}}}
	return each(total, n, func(a, b float64) float64 { return a / b })
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
