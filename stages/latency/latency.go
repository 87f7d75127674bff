// Package latency is the stage that learns to predict the latency of an
// architecture on a device from architectures that were measured there: HAT's
// published datasets, a CSV file of the user's, or architectures that it times
// itself on the machine that it runs on.
package latency

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/metric"
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
	Version = 6
)

// Target is what the predictors predict: milliseconds for one sentence, the
// encoder once and all decoder steps.
const Target = "latency_ms"

// Inputs are what the stage reads; published datasets are found by themselves.
type Inputs struct {
	Task    *task.Task
	Machine Machine // times architectures; nil for this machine
}

// Outputs are what the stage writes: Dir gets a DATASET.onnx for each dataset.
type Outputs struct {
	Dir, Dataset, Latency string
	Rounds                string // state, no artifact: finished rounds of timings
	State                 string // a folder of rounds that shards left; "" has none
}

// Fit is a predictor fitted to one dataset.
type Fit struct {
	Scores []schemas.LatencyScore // of every regressor that was tried
	Rows   []schemas.LatencyRow
	Model  []byte // ONNX
	// InOrderMAPE is the error on the last tenth of a file for a linear regressor
	// fitted to all rows before it. The published datasets drift; a shuffled division
	// hides it.
	InOrderMAPE float64

	chosen int
}

// Score is that of the regressor that became the predictor.
func (f *Fit) Score() *schemas.LatencyScore { return &f.Scores[f.chosen] }

// Run fits and tests a predictor on every dataset, the measured one last.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if err := p.Check(in.Task); err != nil {
		return err
	}
	var scores []schemas.LatencyScore
	var rows []schemas.LatencyRow
	for i, file := range p.Files() {
		fit, err := fitNumber(ctx, p, i, in, out, rep)
		if err != nil {
			return err
		}
		fit.Score().File = Name + "/" + file
		if err := atomicfile.Write(filepath.Join(out.Dir, file), fit.Model); err != nil {
			return err
		}
		scores, rows = append(scores, fit.Scores...), append(rows, fit.Rows...)
	}
	if err := schemas.WriteLatencyDataset(out.Dataset, rows, prov); err != nil {
		return err
	}
	return schemas.WriteLatencyScores(out.Latency, scores, prov)
}

// fitNumber fits the predictor of file number i.
func fitNumber(ctx context.Context, p Params, i int, in Inputs, out Outputs, rep progress.Reporter) (*Fit, error) {
	if i == len(p.Datasets) {
		fit, err := fitMeasured(ctx, p, in, out, rep)
		if err != nil {
			return nil, fmt.Errorf("latency: %s: %w", Measured, err)
		}
		return fit, nil
	}
	dataset := p.Datasets[i]
	rep.Logf("fitting the latency predictor of %s", dataset)
	fit, err := FitDataset(ctx, p, in.Task, dataset)
	if err != nil {
		return nil, fmt.Errorf("latency: %s: %w", dataset, err)
	}
	s := fit.Score()
	rep.Logf("%s, %s on %s: RMSE %.2f ms, MAPE %.1f %%, tau %.3f on %d held-out rows; MAPE of a linear fit on the last tenth in file order %.1f %%",
		dataset, s.Regressor, s.Features, s.RMSEMS, 100*s.MAPE, s.Tau, s.NTest, 100*fit.InOrderMAPE)
	return fit, nil
}

// minRows is the smallest dataset that leaves a validation and a test row.
const minRows = 10

// FitDataset fits a predictor to a dataset: HAT's perceptron to a published one,
// which has the rows that it needs, and the regressor that cross-validation chooses
// to a CSV file.
func FitDataset(ctx context.Context, p Params, t *task.Task, dataset string) (*Fit, error) {
	d, err := Open(t, dataset)
	if err != nil {
		return nil, err
	}
	if len(d.Rows) < minRows {
		return nil, config.Errorf("", 0, "%d measured architectures, expected at least %d", len(d.Rows), minRows)
	}
	if IsFile(dataset) {
		return fitFile(ctx, p, t, d)
	}
	return fitPublished(ctx, p, t, d)
}

func fitPublished(ctx context.Context, p Params, t *task.Task, d *Dataset) (*Fit, error) {
	features, err := predictor.FeatureSet(t, predictor.HATMeans)
	if err != nil {
		return nil, err
	}
	x, err := inputs(d.Rows, features)
	if err != nil {
		return nil, err
	}
	y := latencies(d.Rows)
	parts := divide(len(x), len(x)/10, len(x)/10, p.Seed)
	trainX, trainY := pick(x, y, parts[schemas.PartTrain])
	validX, validY := pick(x, y, parts[schemas.PartValid])
	mlp, err := trainMLP(ctx, p, trainX, trainY, validX, validY)
	if err != nil {
		return nil, err
	}
	fit := &Fit{InOrderMAPE: inOrder(x, y)}
	if fit.Model, err = mlp.export(predictor.MetaOf(features, t.Name, Target, d.Name)); err != nil {
		return nil, err
	}
	testX, testY := pick(x, y, parts[schemas.PartTest])
	score := rate(mlp, testX, testY)
	score.Dataset, score.Device, score.Source = d.Name, Device(d.Name), d.Source
	score.Regressor, score.Features, score.Chosen, score.LossCurve = "mlp", features.Name, true, mlp.curve
	score.NTrain, score.NValid = int32(len(trainX)), int32(len(validX))
	fit.Scores = []schemas.LatencyScore{score}
	fit.Rows = rowsOfFile(score, d.Rows, x, parts, mlp)
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

// divide shuffles n rows and gives some to validation and test, the others to
// training.
func divide(n, valid, test int, seed uint64) map[string][]int {
	order := rand.New(rand.NewPCG(seed, 0x6c6174)).Perm(n)
	return map[string][]int{
		schemas.PartTest:  order[:test],
		schemas.PartValid: order[test : test+valid],
		schemas.PartTrain: order[test+valid:],
	}
}

func pick(x [][]float64, y []float64, rows []int) (px [][]float64, py []float64) {
	for _, i := range rows {
		px, py = append(px, x[i]), append(py, y[i])
	}
	return px, py
}

// rowsOfFile are the rows of a dataset with what the predictor says of them.
func rowsOfFile(score schemas.LatencyScore, measured []published.LatencyRow, x [][]float64, parts map[string][]int, r predictor.Regressor) []schemas.LatencyRow {
	out := make([]schemas.LatencyRow, len(x))
	for part, rows := range parts {
		for _, i := range rows {
			m := measured[i]
			out[i] = schemas.LatencyRow{
				Dataset: score.Dataset, Device: score.Device, Row: int32(i), Part: part, Features: x[i],
				EncoderMS: m.EncoderMS, DecoderMS: m.DecoderMS, LatencyMS: m.LatencyMS(), StdMS: math.NaN(), PredictedMS: r.Regress(x[i]),
			}
		}
	}
	return out
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
