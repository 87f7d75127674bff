package latency

import (
	"math"
	"slices"
	"strings"

	"hsnas/internal/config"
	"hsnas/internal/predictor"
	"hsnas/internal/published"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Dataset is a device's measured architectures.
type Dataset struct {
	Name     string
	Source   string // "published" or "measured"
	Protocol Protocol
	Rows     []published.LatencyRow
}

// Open reads a dataset for a task: a published one's name, or a CSV file. One that
// was measured for another task, or whose rows cannot be of the task's space, is
// refused.
func Open(t *task.Task, dataset string) (*Dataset, error) {
	if err := checkFamily(t, dataset); err != nil {
		return nil, err
	}
	d := &Dataset{Name: datasetName(dataset)}
	if !IsFile(dataset) && !slices.Contains(published.LatencyDatasets(), dataset) {
		return nil, config.Errorf("", 0, "unknown latency dataset %q%s; a CSV file ends with .csv", dataset, config.DidYouMean(dataset, published.LatencyDatasets()))
	}
	var err error
	if d.Rows, d.Source, err = Read(dataset); err != nil {
		return nil, err
	}
	known := false
	if IsFile(dataset) {
		if d.Protocol, known, err = ReadProtocol(dataset); err != nil {
			return nil, err
		}
		if known && d.Protocol.Task != t.Name {
			return nil, config.Errorf(dataset, 0, "was measured for the task %s, not %s", d.Protocol.Task, t.Name)
		}
		err = fits(t, dataset, d.Rows)
	}
	return d, err
}

// fits refuses rows that no architecture of the task's family and widths can have.
// Smaller values than the space has are let in: HAT samples its datasets from a
// wider space than it searches.
func fits(t *task.Task, file string, rows []published.LatencyRow) error {
	largest, err := meansOf(t, t.Space.Largest())
	if err != nil {
		return err
	}
	smallest, err := meansOf(t, t.Space.Smallest())
	if err != nil {
		return err
	}
	columns := published.LatencyColumns()
	for i, r := range rows {
		for j, v := range r.Features {
			low := 0.0
			if j == encoderDim || j == decoderDim || j == encoderLayers || j == decoderLayers {
				low = smallest[j]
			}
			if v < low || v > largest[j] {
				return config.Errorf(file, i+2, "%s is %v, which the space %s does not have (%v to %v): a dataset of another space?",
					columns[j], v, t.Space.Name, low, largest[j])
			}
		}
	}
	return nil
}

// meansOf are the raw means of an architecture, as datasets have them.
func meansOf(t *task.Task, a space.Architecture) (out [10]float64, err error) {
	f, err := predictor.FeatureSet(t, predictor.HATMeans)
	if err != nil {
		return out, err
	}
	x, err := f.Rows([]space.Architecture{a})
	if err != nil {
		return out, err
	}
	if len(x[0]) != len(out) {
		return out, config.Errorf("", 0, "latency datasets have HAT's ten features, the task %s has %d", t.Name, len(x[0]))
	}
	for j, v := range x[0] {
		out[j] = v * f.Scales[j]
	}
	return out, nil
}

// latencies are the times of whole sentences in milliseconds.
func latencies(rows []published.LatencyRow) []float64 {
	out := make([]float64, len(rows))
	for i, r := range rows {
		out[i] = r.LatencyMS()
	}
	return out
}

// slack is how far, as a share of the range of a source's values, those of a space
// may lie outside it.
const slack = 0.15

// covers refuses a source that knows nothing of what a task's space has: its
// predictor would be asked far outside of what it was fitted to. That, and not the
// task's name, decides whether a predictor is carried over: HAT's datasets of all
// its tasks were sampled from one wide space, which covers the spaces of all of
// them, and none covers the small models of the family micro.
func covers(t *task.Task, name string, rows []published.LatencyRow) error {
	columns := published.LatencyColumns()
	for _, a := range []space.Architecture{t.Space.Smallest(), t.Space.Largest()} {
		means, err := meansOf(t, a)
		if err != nil {
			return err
		}
		for j, v := range means {
			low, high := math.Inf(1), math.Inf(-1)
			for _, r := range rows {
				low, high = min(low, r.Features[j]), max(high, r.Features[j])
			}
			if room := slack * (high - low); v < low-room-1e-9 || v > high+room+1e-9 {
				return config.Errorf("", 0, "the source %s does not cover the space %s: its %s go from %v to %v, the space has %v", name, t.Space.Name, columns[j], low, high, v)
			}
		}
	}
	return nil
}

// openSource reads the dataset of another device.
func openSource(t *task.Task, name string) ([]published.LatencyRow, error) {
	if !IsFile(name) && !slices.Contains(published.LatencyDatasets(), name) {
		return nil, config.Errorf("", 0, "unknown source device %q%s, %s for all of these, or a CSV file", name, config.DidYouMean(name, published.LatencyDatasets()), AnySource)
	}
	rows, _, err := Read(name)
	if err != nil {
		return nil, err
	}
	if len(rows) < minRows {
		return nil, config.Errorf("", 0, "the source %s has %d measured architectures, expected at least %d", name, len(rows), minRows)
	}
	if IsFile(name) {
		if p, known, err := ReadProtocol(name); err != nil || known && p.Task == t.Name {
			return rows, err
		}
	}
	return rows, covers(t, datasetName(name), rows)
}

// AnySource stands for all published devices.
const AnySource = "any"

// sourceNames are those that names stand for.
func sourceNames(from string) []string {
	if from == AnySource {
		return published.LatencyDatasets()
	}
	return strings.Split(from, ",")
}

// tooFew says that a dataset is smaller than what is asked of it.
func tooFew(d *Dataset, few, held int) error {
	return config.Errorf("", 0, "--few %d: %s has %d measured architectures, of which %d are held out; expected at most %d", few, d.Name, len(d.Rows), held, len(d.Rows)-held)
}
