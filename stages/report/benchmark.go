package report

import (
	"fmt"
	"math"

	"hsnas/schemas"
)

// benchmark writes the measured latencies of the exported winners.
func (w *writer) benchmark() {
	w.heading(2, "Benchmark")
	if len(w.art.benchmarks) == 0 {
		w.paragraph("Nothing was timed: the run has no benchmark stage.")
		return
	}
	w.devices()
	var rows [][]string
	for _, b := range w.art.benchmarks {
		rows = append(rows, []string{
			b.Name, "`" + b.ID + "`", b.Device, b.Part, number(b.TrimmedMeanMS, 2), number(b.StdMS, 2), number(b.P50MS, 2), number(b.P90MS, 2), number(b.P99MS, 2),
			number(b.GFLOPs, 2), number(b.GFLOPsPerS, 1),
		})
	}
	w.table([]string{
		"model", "architecture", "device", "part", ">mean of the middle 80 %, ms", ">std", ">p50", ">p90", ">p99", ">GFLOPs", ">GFLOP/s",
	}, rows)
	w.predicted()
}

// devices says under which conditions was measured, each once.
func (w *writer) devices() {
	var items []string
	seen := map[string]bool{}
	for _, b := range w.art.benchmarks {
		threads := count(int(b.Threads), "thread", "threads")
		if b.Threads == 0 {
			threads = "threads chosen by the runtime"
		}
		item := fmt.Sprintf("%s: %s, %s; batch 1, beam %d, %d tokens; %d warm-up and %d timed repetitions; weights %s.",
			b.Device, b.Provider, threads, b.Beam, b.Tokens, b.Warmup, b.Repetitions, b.Weights)
		if !seen[item] {
			seen[item] = true
			items = append(items, item)
		}
	}
	w.list(items...)
}

// predicted writes the latency predictor's times beside measured ones, and
// which device it speaks of.
func (w *writer) predicted() {
	devices := map[string]string{}
	for _, l := range w.art.latency {
		devices[l.Dataset] = l.Device
	}
	var rows [][]string
	for _, b := range w.art.benchmarks {
		if b.Part != schemas.PartTotal || math.IsNaN(b.PredictedMS) {
			continue
		}
		device, ok := devices[b.PredictedDataset]
		if !ok {
			device = "not named"
		}
		rows = append(rows, []string{
			b.Name, number(b.PredictedMS, 1), device + " (" + b.PredictedDataset + ")", number(b.TrimmedMeanMS, 2), b.Provider, number(b.TrimmedMeanMS/b.PredictedMS, 2),
		})
	}
	if len(rows) == 0 {
		return
	}
	w.heading(3, "Predicted against measured")
	w.paragraph("A prediction is for the device that it was fitted on; only for that device does the ratio say something of its error.")
	w.table([]string{"model", ">predicted, ms", "predicted for", ">measured, ms", "measured on", ">measured / predicted"}, rows)
}
