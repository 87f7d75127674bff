package predictor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"hsnas/internal/onnx"
	"hsnas/internal/ort"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

func readMeta(props map[string]string) Meta {
	return Meta{
		Task: props[TaskKey], Target: props[TargetKey], TrainedOn: props[TrainedOnKey],
		Features: props[FeaturesKey], Columns: strings.Split(props[ColumnsKey], ","),
	}
}

// ONNX is a Predictor that runs an exported model: features are filled in Go,
// and all architectures of a call go through the model in one run.
type ONNX struct {
	meta     Meta
	path     string
	session  *ort.Session
	features Features
}

// Load opens an exported predictor for a task, on one thread. A file that is no
// predictor, or one for other features than the task's, is an error of one line.
func Load(rt *ort.Runtime, path string, t *task.Task) (*ONNX, error) {
	return LoadOn(rt, "", path, t)
}

// LoadOn is Load for a device, on which all of the model has to run: a predictor
// has no shapes to compute.
func LoadOn(rt *ort.Runtime, device, path string, t *task.Task) (*ONNX, error) {
	if err := checkGraph(path); err != nil {
		return nil, fmt.Errorf("predictor %s: %w", path, err)
	}
	session, err := rt.LoadFile(path, ort.Options{Device: device, StrictDevice: true})
	if err != nil {
		return nil, fmt.Errorf("predictor: %w", err)
	}
	p, err := newONNX(session, path, t)
	if err != nil {
		session.Close()
		return nil, fmt.Errorf("predictor %s: %w", path, err)
	}
	return p, nil
}

// checkGraph reads a graph as strictly as hsnas writes it: ONNX Runtime may not survive
// a damaged one.
func checkGraph(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, err = onnx.Read(data)
	return err
}

// OnlyTrees says whether err is that a device has no operator for ensembles of
// trees, and nothing else: only the CPU has it.
func OnlyTrees(err error) bool {
	var fault *ort.PlacementError
	return errors.As(err, &fault) && slices.Equal(fault.Operators, []string{"TreeEnsembleRegressor"})
}

func newONNX(session *ort.Session, path string, t *task.Task) (*ONNX, error) {
	if kind := session.Metadata()[KindKey]; kind != KindValue {
		return nil, fmt.Errorf("its %s is %q, expected %q: not a file that hsnas exported as a predictor", KindKey, kind, KindValue)
	}
	meta := readMeta(session.Metadata())
	features, err := FeatureSet(t, meta.Features)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(features.Columns, meta.Columns) {
		return nil, fmt.Errorf("feature columns %s, task %s has %s", strings.Join(meta.Columns, ","), t.Name, strings.Join(features.Columns, ","))
	}
	if err := checkScales(meta, features, t); err != nil {
		return nil, err
	}
	in, out := session.Inputs(), session.Outputs()
	if len(in) != 1 || in[0].Name != InputName || len(out) != 1 || out[0].Name != OutputName ||
		len(in[0].Shape) != 2 || in[0].Shape[1] != int64(len(features.Columns)) {
		return nil, fmt.Errorf("expected one input %q [n, %d] and one output %q [n, 1]", InputName, len(features.Columns), OutputName)
	}
	return &ONNX{meta: meta, path: path, session: session, features: features}, nil
}

// checkScales refuses a predictor of another task whose features have the same
// names but are divided by other maxima: its predictions would be wrong without
// a word.
func checkScales(meta Meta, features Features, t *task.Task) error {
	if meta.Task == t.Name {
		return nil
	}
	other, err := task.Load(meta.Task)
	if err != nil {
		return fmt.Errorf("trained for task %q, expected %q", meta.Task, t.Name)
	}
	theirs, err := FeatureSet(other, meta.Features)
	if err != nil {
		return err
	}
	if !slices.Equal(theirs.Scales, features.Scales) {
		return fmt.Errorf("trained for task %q, whose features are scaled otherwise than those of %q", meta.Task, t.Name)
	}
	return nil
}

// Name returns the target and what the predictor was trained on.
func (p *ONNX) Name() string { return p.meta.Target + " (" + p.meta.TrainedOn + ")" }

// Meta returns what the file says of itself.
func (p *ONNX) Meta() Meta { return p.meta }

// Predict scores all architectures in one run. An architecture whose prediction
// is not a number is an error.
func (p *ONNX) Predict(ctx context.Context, archs []space.Architecture, out []float64) error {
	rows := make([]float32, len(archs)*len(p.features.Columns))
	row := make([]float64, len(p.features.Columns))
	for i, a := range archs {
		if err := p.features.Fill(a, row); err != nil {
			return fmt.Errorf("predictor %s: architecture %s: %w", p.path, a.ID(), err)
		}
		narrow(rows[i*len(row):], row)
	}
	if err := p.run(ctx, rows, out[:len(archs)]); err != nil {
		return err
	}
	for i, a := range archs {
		if math.IsNaN(out[i]) {
			return fmt.Errorf("predictor %s: architecture %s: the prediction is not a number", p.path, a.ID())
		}
	}
	return nil
}

// PredictRows scores rows of raw features in one run.
func (p *ONNX) PredictRows(ctx context.Context, x [][]float64, out []float64) error {
	width := len(p.features.Columns)
	rows := make([]float32, len(x)*width)
	for i, row := range x {
		if len(row) != width {
			return fmt.Errorf("predictor %s: row %d has %d features, expected %d", p.path, i, len(row), width)
		}
		narrow(rows[i*width:], row)
	}
	return p.run(ctx, rows, out[:len(x)])
}

func (p *ONNX) run(ctx context.Context, rows []float32, out []float64) error {
	if len(out) == 0 {
		return ctx.Err()
	}
	n := int64(len(out))
	in, err := ort.NewFloats([]int64{n, int64(len(rows)) / n}, rows)
	if err != nil {
		return err
	}
	defer in.Destroy()
	predictions := make([]float32, n)
	result, err := ort.NewFloats([]int64{n, 1}, predictions)
	if err != nil {
		return err
	}
	defer result.Destroy()
	if err := p.session.Run(ctx, []*ort.Tensor{in}, []*ort.Tensor{result}); err != nil {
		return err
	}
	for i, x := range predictions {
		out[i] = float64(x)
	}
	return nil
}

// Close gives the session back.
func (p *ONNX) Close() error { return p.session.Close() }

// narrow copies a row of features as float32.
func narrow(dst []float32, row []float64) {
	for i, x := range row {
		dst[i] = float32(x)
	}
}
