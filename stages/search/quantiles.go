package search

import (
	"math"
	"path/filepath"
	"strings"

	"hsnas/internal/config"
	"hsnas/internal/metric"
	"hsnas/schemas"
)

// resolve makes limits in milliseconds of Quantiles: of the dataset that the
// latency predictor was fitted to, rounded to a microsecond.
func (p *Params) resolve(in Inputs) error {
	if len(p.Quantiles) == 0 {
		return nil
	}
	if in.Latencies == "" {
		return config.Errorf("", 0, "search.quantiles: this run has no measured latencies; give latency.measure or latency.datasets, or limits in ms")
	}
	rows, err := schemas.ReadLatencyDataset(in.Latencies)
	if err != nil {
		return err
	}
	dataset := strings.TrimSuffix(filepath.Base(in.Latency), ".onnx")
	var ms []float64
	for _, r := range rows {
		if r.Dataset == dataset {
			ms = append(ms, r.LatencyMS)
		}
	}
	if len(ms) == 0 {
		return config.Errorf("", 0, "search.quantiles: %s has no latencies of the dataset %s", in.Latencies, dataset)
	}
	p.Limits = nil
	for _, q := range p.Quantiles {
		p.Limits = append(p.Limits, math.Round(1000*metric.Quantile(ms, q))/1000)
	}
	return nil
}
