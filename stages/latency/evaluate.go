package latency

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"hsnas/internal/adapt"
	"hsnas/internal/config"
	"hsnas/internal/metric"
	"hsnas/internal/published"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Question is what Evaluate is asked.
type Question struct {
	Task    *task.Task
	Dataset string // a CSV file or a published dataset
	Repeat  string // a second measurement of some of its architectures; "" for none
	From    string // sources, see Adapt; "" for none
	Few     []int  // numbers of measurements to adapt with
	Draws   int    // of the few measurements, each with a seed of its own
}

// Evaluation is how good the predictors of a dataset are. Errors are fractions,
// intervals the 95 % bootstrap's over the rows held out.
type Evaluation struct {
	Task       string     `json:"task"`
	Dataset    string     `json:"dataset"`
	Device     string     `json:"device"`
	Protocol   *Protocol  `json:"protocol,omitempty"` // absent where it is not known
	N          int        `json:"n"`
	NTrain     int        `json:"n_train"`
	NTest      int        `json:"n_test"`
	LatencyMS  [3]float64 `json:"latency_ms"` // least, median and largest of the dataset
	Predictors []Judged   `json:"predictors"`
	Few        []FewRow   `json:"few"`
	Sources    []string   `json:"sources"`          // that were adapted
	Repeat     *Agreement `json:"repeat,omitempty"` // absent without a second measurement
}

// Judged is a predictor fitted to all rows that are not held out.
type Judged struct {
	Predictor string      `json:"predictor"`
	Features  string      `json:"features"`
	Chosen    bool        `json:"chosen"`
	CVMAPE    *float64    `json:"cv_mape"` // null where not cross-validated
	MAPE      float64     `json:"mape"`
	Tau       Figure      `json:"tau"`
	MAPEIn    *[2]float64 `json:"mape_interval"` // of the chosen one and the control
	TauIn     *[2]float64 `json:"tau_interval"`
}

// FewRow is one method with one number of measurements, over the draws.
type FewRow struct {
	Few      int            `json:"few"`
	Method   string         `json:"method"`
	MAPE     float64        `json:"mape"` // mean
	MAPEStd  float64        `json:"mape_std"`
	Tau      Figure         `json:"tau"`
	TauStd   Figure         `json:"tau_std"`
	TauLeast Figure         `json:"tau_least"`
	Sources  map[string]int `json:"sources,omitempty"` // how often each was chosen
}

// Agreement is what two measurements of the same architectures have in common.
type Agreement struct {
	File          string      `json:"file"`
	N             int         `json:"n"`
	MedianShift   float64     `json:"median_shift"`  // of the second against the first, with its sign
	MedianChange  float64     `json:"median_change"` // of the relative differences' amounts
	LargestChange float64     `json:"largest_change"`
	Tau           Figure      `json:"tau"`
	TauIn         *[2]float64 `json:"tau_interval"`
}

// Figure is a number that JSON has as null where it is not defined.
type Figure float64

// MarshalJSON implements json.Marshaler.
func (f Figure) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// The methods of FewRow.
const (
	MethodAdapted = "adapted"
	MethodNothing = "from nothing"
	MethodLine    = "line in FLOPs"
)

// Evaluate fits predictors and judges them on the rows of a dataset that are held
// out, which no choice has looked at.
func Evaluate(ctx context.Context, p Params, q Question) (*Evaluation, error) {
	d, err := Open(q.Task, q.Dataset)
	if err != nil {
		return nil, err
	}
	e := &Evaluation{Task: q.Task.Name, Dataset: d.Name, Device: Device(q.Dataset), N: len(d.Rows), Few: []FewRow{}, Sources: []string{}}
	if d.Protocol.Task != "" {
		e.Protocol, e.Device = &d.Protocol, d.Protocol.Device
	}
	names, err := q.sources(d)
	if err != nil {
		return nil, err
	}
	f, err := newFew(q.Task, d, p.Seed)
	if err != nil {
		return nil, err
	}
	for _, n := range q.Few {
		if err := f.check(n); err != nil {
			return nil, err
		}
	}
	if err := f.open(q.Task, names); err != nil {
		return nil, err
	}
	for _, s := range f.sources {
		e.Sources = append(e.Sources, s.Name)
	}
	e.NTrain, e.NTest = len(f.train), len(f.test)
	for i, share := range []float64{0, 0.5, 1} {
		e.LatencyMS[i] = metric.Quantile(f.y, share)
	}
	if err := e.judge(ctx, p, q, f); err != nil {
		return nil, err
	}
	for _, n := range q.Few {
		rows, err := f.judge(n, q.Draws)
		if err != nil {
			return nil, err
		}
		e.Few = append(e.Few, rows...)
	}
	if q.Repeat != "" {
		e.Repeat, err = repeat(q.Task, d, q.Repeat)
	}
	return e, err
}

// sources are the names of those to adapt: of AnySource those that cover the space
// and are not the dataset itself, of others all.
func (q Question) sources(d *Dataset) ([]string, error) {
	if q.From == "" {
		return nil, nil
	}
	if q.From != AnySource {
		return strings.Split(q.From, ","), nil
	}
	root, err := published.Root()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range published.LatencyDatasets() {
		rows, err := published.LatencyDataset(root, name)
		if err != nil {
			return nil, err
		}
		if name != d.Name && covers(q.Task, name, rows) == nil {
			out = append(out, name)
		}
	}
	return out, nil
}

// judge fits the regressors to all rows that are not held out, and the control.
func (e *Evaluation) judge(ctx context.Context, p Params, q Question, f *few) error {
	fit, err := FitDataset(ctx, p, q.Task, q.Dataset)
	if err != nil {
		return err
	}
	for _, s := range fit.Scores {
		j := Judged{Predictor: s.Regressor, Features: s.Features, Chosen: s.Chosen, MAPE: s.MAPE, Tau: Figure(s.Tau)}
		if !math.IsNaN(s.CVMAPE) {
			j.CVMAPE = &s.CVMAPE
		}
		if s.Chosen {
			var predicted, truth []float64
			for _, r := range fit.Rows {
				if r.Part == schemas.PartTest {
					predicted, truth = append(predicted, r.PredictedMS), append(truth, r.LatencyMS)
				}
			}
			j.MAPEIn, j.TauIn = intervals(predicted, truth)
		}
		e.Predictors = append(e.Predictors, j)
	}
	x, y := pick(f.x, f.y, f.train)
	line, err := f.line(x, y)
	if err != nil {
		return err
	}
	control := Judged{Predictor: "control: " + MethodLine, Features: "flops"}
	predicted, truth := f.predictions(line)
	control.MAPE, control.Tau = metric.MAPE(predicted, truth), Figure(metric.KendallTauB(predicted, truth))
	control.MAPEIn, control.TauIn = intervals(predicted, truth)
	e.Predictors = append(e.Predictors, control)
	return nil
}

// draws of the bootstrap.
const draws = 2000

// intervals are those of the relative error and of tau.
func intervals(predicted, truth []float64) (mape, tau *[2]float64) {
	of := func(stat func(p, t []float64) float64) *[2]float64 {
		r := rand.New(rand.NewPCG(1, 0x626f6f74))
		in := metric.Bootstrap(len(truth), draws, r, func(items []int) float64 {
			return stat(metric.Pick(predicted, items), metric.Pick(truth, items))
		})
		if math.IsNaN(in.Lo) || math.IsNaN(in.Hi) {
			return nil
		}
		return &[2]float64{in.Lo, in.Hi}
	}
	return of(metric.MAPE), of(metric.KendallTauB)
}

// judge adapts with n measurements, drawn again and again, and fits the same
// measurements without a source and by their FLOPs.
func (f *few) judge(n, draws int) ([]FewRow, error) {
	methods := []string{MethodAdapted, MethodNothing, MethodLine}
	if len(f.sources) == 0 {
		methods = methods[1:]
	}
	var out []FewRow
	for _, method := range methods {
		row := FewRow{Few: n, Method: method}
		var mape, tau []float64
		for seed := range draws {
			x, y := f.draw(n, uint64(seed)+1)
			predict, source, err := f.fit(method, x, y)
			if err != nil {
				return nil, err
			}
			if method == MethodAdapted {
				if row.Sources == nil {
					row.Sources = map[string]int{}
				}
				row.Sources[source]++
			}
			a, b := f.rate(predict)
			mape, tau = append(mape, a), append(tau, b)
		}
		row.MAPE, row.MAPEStd = metric.Mean(mape), spreadOf(mape)
		row.Tau, row.TauStd, row.TauLeast = Figure(metric.Mean(tau)), Figure(spreadOf(tau)), Figure(slices.Min(tau))
		out = append(out, row)
	}
	return out, nil
}

// fit fits one method.
func (f *few) fit(method string, x [][]float64, y []float64) (predict func([]float64) float64, source string, err error) {
	var a *adapt.Adapted
	switch method {
	case MethodLine:
		predict, err = f.line(x, y)
		return predict, "", err
	case MethodNothing:
		a, err = adapt.FromNothing(x, y)
	default:
		a, err = adapt.Fit(f.sources, x, y)
	}
	if err != nil {
		return nil, "", err
	}
	return a.Regress, a.Source, nil
}

// spreadOf is the standard deviation, 0 of a single value, which JSON can hold.
func spreadOf(values []float64) float64 {
	if len(values) < 2 {
		return 0
	}
	return metric.Std(values)
}

// repeat compares a second measurement with a dataset.
func repeat(t *task.Task, d *Dataset, file string) (*Agreement, error) {
	again, err := Open(t, file)
	if err != nil {
		return nil, err
	}
	if a, b := d.Protocol, again.Protocol; a.Task != "" && b.Task != "" && (a.Steps != b.Steps || a.Beam != b.Beam || a.Threads != b.Threads) {
		return nil, config.Errorf(file, 0, "was measured by another protocol than %s: steps %d, beam %d, threads %d against %d, %d, %d", d.Name, b.Steps, b.Beam, b.Threads, a.Steps, a.Beam, a.Threads)
	}
	first := map[[10]float64][]float64{} // times of architectures with these means
	for _, r := range d.Rows {
		first[r.Features] = append(first[r.Features], r.LatencyMS())
	}
	var was, is, change, shift []float64
	for _, r := range again.Rows {
		times := first[r.Features]
		if len(times) == 0 {
			continue
		}
		first[r.Features] = times[1:]
		was, is = append(was, times[0]), append(is, r.LatencyMS())
		relative := r.LatencyMS()/times[0] - 1
		change, shift = append(change, math.Abs(relative)), append(shift, relative)
	}
	if len(was) < 2 {
		return nil, config.Errorf(file, 0, "has %d architectures of %s, expected at least 2 to compare", len(was), d.Name)
	}
	out := &Agreement{
		File: file, N: len(was), MedianShift: metric.Quantile(shift, 0.5), MedianChange: metric.Quantile(change, 0.5),
		LargestChange: slices.Max(change), Tau: Figure(metric.KendallTauB(is, was)),
	}
	_, out.TauIn = intervals(is, was)
	return out, nil
}
