package latency

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"hsnas/internal/adapt"
	"hsnas/internal/config"
	"hsnas/internal/metric"
	"hsnas/internal/predictor"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// few is a dataset made ready for predictors of few measurements: its features,
// what is held out, and the sources.
type few struct {
	dataset  *Dataset
	features predictor.Features
	x        [][]float64
	y        []float64
	train    []int
	test     []int // that no choice looks at
	sources  []adapt.Source
	flops    func([]float64) float64
}

// newFew holds a fifth of the dataset out, the same as a fit to all of it.
func newFew(t *task.Task, d *Dataset, seed uint64) (*few, error) {
	if len(d.Rows) < minRows {
		return nil, config.Errorf("", 0, "%s has %d measured architectures, expected at least %d", d.Name, len(d.Rows), minRows)
	}
	features, err := predictor.FeatureSet(t, predictor.HATWork)
	if err != nil {
		return nil, err
	}
	parts := divide(len(d.Rows), 0, len(d.Rows)/heldOut, seed)
	f := &few{dataset: d, features: features, y: latencies(d.Rows), train: parts[schemas.PartTrain], test: parts[schemas.PartTest]}
	if f.x, err = inputs(d.Rows, features); err != nil {
		return nil, err
	}
	f.flops, err = flopsOf(t, features)
	return f, err
}

// open fits the sources.
func (f *few) open(t *task.Task, sources []string) error {
	for _, name := range sources {
		s, err := newSource(t, name, f.features)
		if err != nil {
			return err
		}
		f.sources = append(f.sources, s)
	}
	return nil
}

// newSource fits the predictor of another device.
func newSource(t *task.Task, name string, features predictor.Features) (adapt.Source, error) {
	rows, err := openSource(t, name)
	if err != nil {
		return adapt.Source{}, err
	}
	x, err := inputs(rows, features)
	if err != nil {
		return adapt.Source{}, err
	}
	return adapt.NewSource(datasetName(name), x, latencies(rows))
}

// check refuses a number of measurements that the method or the dataset cannot
// bear.
func (f *few) check(n int) error {
	if n < adapt.MinRows {
		return config.Errorf("", 0, "--few %d: adapting needs at least %d measurements", n, adapt.MinRows)
	}
	if n > len(f.train) {
		return tooFew(f.dataset, n, len(f.test))
	}
	return nil
}

// draw returns n rows that are not held out.
func (f *few) draw(n int, seed uint64) (x [][]float64, y []float64) {
	order := rand.New(rand.NewPCG(seed, 0x666577)).Perm(len(f.train))
	for _, i := range order[:n] {
		x, y = append(x, f.x[f.train[i]]), append(y, f.y[f.train[i]])
	}
	return x, y
}

// rate returns the relative error and the order of predictions of the rows that
// are held out.
func (f *few) rate(predict func(x []float64) float64) (mape, tau float64) {
	predicted, truth := f.predictions(predict)
	return metric.MAPE(predicted, truth), metric.KendallTauB(predicted, truth)
}

// predictions are those of the rows that are held out, and what was measured.
func (f *few) predictions(predict func(x []float64) float64) (predicted, truth []float64) {
	for _, i := range f.test {
		predicted, truth = append(predicted, predict(f.x[i])), append(truth, f.y[i])
	}
	return predicted, truth
}

// line fits a line in FLOPs.
func (f *few) line(x [][]float64, y []float64) (func([]float64) float64, error) {
	flops := make([]float64, len(x))
	for i, row := range x {
		flops[i] = f.flops(row) / 1e9
	}
	s, err := adapt.Line(flops, y)
	if err != nil {
		return nil, err
	}
	return func(row []float64) float64 { return s.Predict([]float64{f.flops(row) / 1e9}, nil) }, nil
}

// Adapted is a predictor that was carried over to a device.
type Adapted struct {
	Dataset string  `json:"dataset"`
	Source  string  `json:"source"`    // the chosen one
	Few     int     `json:"few"`       // measurements that it was adapted with
	Slope   float64 `json:"slope"`     // that the source's latency is multiplied by
	LOO     float64 `json:"loo_rmspe"` // root mean square relative error by leave-one-out on these, a fraction
	NTest   int     `json:"n_test"`
	MAPE    float64 `json:"mape"` // on the rows held out, a fraction
	Tau     Figure  `json:"tau"`
	Model   []byte  `json:"-"` // ONNX
}

// Adapt carries the predictor of another device over to that of a dataset, by a
// number of measurements drawn from it with the seed. from is a published dataset, a
// CSV file, several with commas between them, or AnySource: of several the one
// with the least leave-one-out error on the few measurements.
func Adapt(t *task.Task, dataset, from string, number int, seed uint64) (*Adapted, error) {
	d, err := Open(t, dataset)
	if err != nil {
		return nil, err
	}
	f, err := newFew(t, d, seed)
	if err == nil {
		err = f.check(number)
	}
	if err == nil {
		err = f.open(t, sourceNames(from))
	}
	if err != nil {
		return nil, err
	}
	x, y := f.draw(number, seed)
	fit, err := adapt.Fit(f.sources, x, y)
	if err != nil {
		return nil, err
	}
	out := &Adapted{Dataset: d.Name, Source: fit.Source, Few: number, Slope: fit.Slope, LOO: math.Sqrt(fit.LOO), NTest: len(f.test)}
	mape, tau := f.rate(fit.Regress)
	out.MAPE, out.Tau = mape, Figure(tau)
	trained := fmt.Sprintf("%s, %d measurements, from %s", d.Name, number, cmp.Or(fit.Source, "nothing"))
	out.Model, err = predictor.Export(fit.Ridge(), predictor.MetaOf(f.features, t.Name, Target, trained))
	return out, err
}
