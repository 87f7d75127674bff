// Package latency is the stage that learns to predict the latency of an
// architecture on a device from architectures that were measured there: HAT's
// published datasets, or one measured on the user's own machine.
package latency

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/metric"
	"hsnas/internal/ort"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/published"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output
// changes for the same input.
const (
	Name    = "latency"
	Version = 1
)

// Target is what the predictors predict: milliseconds for one sentence, the
// encoder once and all decoder steps.
const Target = "latency_ms"

// Inputs are what the stage reads; published datasets are found by themselves.
type Inputs struct{ Task *task.Task }

// Outputs are what the stage writes: Dir gets a DATASET.onnx for each dataset.
type Outputs struct{ Dir, Dataset, Latency string }

// Fit is a predictor fitted to one dataset.
type Fit struct {
	Score schemas.LatencyScore
	Rows  []schemas.LatencyRow
	Model []byte // ONNX
	// InOrderMAPE is the error on the last tenth of the file for a linear
	// regressor fitted to all rows before it. The published datasets drift; a shuffled
	// division hides it.
	InOrderMAPE float64
}

// Run fits and tests a predictor on every dataset.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	if err := p.Validate(); err != nil {
		return err
	}
	var scores []schemas.LatencyScore
	var rows []schemas.LatencyRow
	for i, dataset := range p.Datasets {
		rep.Logf("fitting the latency predictor of %s", dataset)
		fit, err := FitDataset(ctx, p, in.Task, dataset)
		if err != nil {
			return fmt.Errorf("latency: %s: %w", dataset, err)
		}
		file := p.Files()[i]
		fit.Score.File = Name + "/" + file
		rep.Logf("%s: RMSE %.2f ms, MAPE %.1f %%, tau %.3f on %d held-out rows; MAPE of a linear fit on the last tenth in file order %.1f %%",
			dataset, fit.Score.RMSEMS, 100*fit.Score.MAPE, fit.Score.Tau, fit.Score.NTest, 100*fit.InOrderMAPE)
		if err := atomicfile.Write(filepath.Join(out.Dir, file), fit.Model); err != nil {
			return err
		}
		scores, rows = append(scores, fit.Score), append(rows, fit.Rows...)
	}
	if err := schemas.WriteLatencyDataset(out.Dataset, rows, prov); err != nil {
		return err
	}
	return schemas.WriteLatencyScores(out.Latency, scores, prov)
}

// minRows is the smallest dataset that leaves a validation and a test row.
const minRows = 10

// FitDataset fits a predictor to a dataset: a published one's name, or a CSV file.
func FitDataset(ctx context.Context, p Params, t *task.Task, dataset string) (*Fit, error) {
	if err := checkFamily(t, dataset); err != nil {
		return nil, err
	}
	measured, source, err := Read(dataset)
	if err != nil {
		return nil, err
	}
	if len(measured) < minRows {
		return nil, config.Errorf("", 0, "%d measured architectures, expected at least %d", len(measured), minRows)
	}
	features, err := predictor.FeatureSet(t, predictor.HATMeans)
	if err != nil {
		return nil, err
	}
	x, y := rowsOf(measured, features)
	parts := divide(len(x), p.Seed)
	rt, err := ort.Open()
	if err != nil {
		return nil, err
	}
	trainX, trainY := pick(x, y, parts[schemas.PartTrain])
	validX, validY := pick(x, y, parts[schemas.PartValid])
	mlp, curve, err := predictor.TrainMLP(ctx, rt, predictor.MLPParams{
		Hidden: p.Hidden, Steps: p.Steps, Batch: p.Batch, Patience: p.Patience, Seed: p.Seed,
		ValidX: validX, ValidY: validY,
	}, trainX, trainY)
	if err != nil {
		return nil, err
	}
	fit := &Fit{InOrderMAPE: inOrder(x, y)}
	if fit.Model, err = mlp.Export(predictor.MetaOf(features, t.Name, Target, datasetName(dataset))); err != nil {
		return nil, err
	}
	fit.score(dataset, source, measured, x, parts, mlp)
	fit.Score.LossCurve = curve
	return fit, nil
}

// checkFamily refuses a dataset of other features than the task's, or of another
// model family.
func checkFamily(t *task.Task, dataset string) error {
	switch {
	case t.Family == "":
		return config.Errorf("", 0, "latency datasets have HAT's ten features, which the task %s does not; give its table a cost column instead", t.Name)
	case t.Family != task.HAT && !IsFile(dataset):
		return config.Errorf("", 0, "the dataset is of HAT's models, those of the task %s are of the family %s; give a CSV file measured on them", t.Name, t.Family)
	}
	return nil
}

// Read returns the rows of a dataset and where they come from.
func Read(dataset string) (rows []published.LatencyRow, source string, err error) {
	if IsFile(dataset) {
		rows, err = published.ReadLatency(dataset)
		return rows, "measured", err
	}
	root, err := published.Root()
	if err != nil {
		return nil, "", err
	}
	rows, err = published.LatencyDataset(root, dataset)
	return rows, "published", err
}

// rowsOf brings raw means to the scale of the features of an architecture.
func rowsOf(measured []published.LatencyRow, f predictor.Features) (x [][]float64, y []float64) {
	for _, m := range measured {
		row := make([]float64, len(m.Features))
		for j, v := range m.Features {
			row[j] = v / f.Scales[j]
		}
		x, y = append(x, row), append(y, m.LatencyMS())
	}
	return x, y
}

// divide gives 80 % of n rows to training and 10 % each to validation and test.
func divide(n int, seed uint64) map[string][]int {
	order := rand.New(rand.NewPCG(seed, 0x6c6174)).Perm(n)
	tenth := n / 10
	return map[string][]int{
		schemas.PartTest:  order[:tenth],
		schemas.PartValid: order[tenth : 2*tenth],
		schemas.PartTrain: order[2*tenth:],
	}
}

func pick(x [][]float64, y []float64, rows []int) (px [][]float64, py []float64) {
	for _, i := range rows {
		px, py = append(px, x[i]), append(py, y[i])
	}
	return px, py
}

// score predicts every row and rates the test rows.
func (f *Fit) score(dataset, source string, measured []published.LatencyRow, x [][]float64, parts map[string][]int, mlp *predictor.MLP) {
	name := datasetName(dataset)
	f.Rows = make([]schemas.LatencyRow, len(x))
	for part, rows := range parts {
		for _, i := range rows {
			m := measured[i]
			f.Rows[i] = schemas.LatencyRow{
				Dataset: name, Device: Device(dataset), Row: int32(i), Part: part, Features: x[i],
				EncoderMS: m.EncoderMS, DecoderMS: m.DecoderMS, LatencyMS: m.LatencyMS(), PredictedMS: mlp.Regress(x[i]),
			}
		}
	}
	var predicted, truth []float64
	for _, i := range parts[schemas.PartTest] {
		predicted, truth = append(predicted, f.Rows[i].PredictedMS), append(truth, f.Rows[i].LatencyMS)
	}
	f.Score = schemas.LatencyScore{
		Dataset: name, Device: Device(dataset), Source: source,
		NTrain: int32(len(parts[schemas.PartTrain])), NValid: int32(len(parts[schemas.PartValid])), NTest: int32(len(truth)),
		RMSEMS: metric.RMSE(predicted, truth), MAPE: metric.MAPE(predicted, truth), Tau: metric.KendallTauB(predicted, truth),
	}
}

// inOrder fits a ridge to the first nine tenths in file order and returns its
// error on the rest.
func inOrder(x [][]float64, y []float64) float64 {
	cut := len(x) - len(x)/10
	ridge, err := predictor.FitRidge(x[:cut], y[:cut])
	if err != nil {
		return 0
	}
	predicted := make([]float64, len(x)-cut)
	for i := range predicted {
		predicted[i] = ridge.Regress(x[cut+i])
	}
	return metric.MAPE(predicted, y[cut:])
}

// devices are the machines of HAT's datasets.
var devices = map[string]string{
	"gpu_titanxp":     "NVIDIA TITAN Xp GPU",
	"cpu_xeon":        "Intel Xeon E5-2640 CPU",
	"cpu_raspberrypi": "Raspberry Pi ARM Cortex-A72 CPU",
}

// Device names the device of a dataset: one of HAT's, or the file's own name.
func Device(dataset string) string {
	if _, key, ok := strings.Cut(dataset, "_"); ok && !IsFile(dataset) && devices[key] != "" {
		return devices[key]
	}
	return datasetName(dataset)
}
