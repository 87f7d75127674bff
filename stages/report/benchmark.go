package report

import (
	"fmt"
	"math"
	"slices"

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
		if b.Note != "" {
			continue
		}
		rows = append(rows, []string{
			b.Name, "`" + b.ID + "`", b.Device, b.Variant, b.Part, number(b.TrimmedMeanMS, 2), number(b.P50MS, 2) + interval(b.P50LoMS, b.P50HiMS, 2),
			number(b.P90MS, 2), number(b.P99MS, 2), number(b.CPUMS, 2), number(b.GFLOPs, 2), number(b.LogitDifference, 3),
		})
	}
	w.notTimed()
	w.table([]string{
		"model", "architecture", "device", "variant", "part", ">mean of the middle 80 %, ms", ">p50", ">p90", ">p99", ">processor, ms", ">GFLOPs", ">difference of logits, std",
	}, rows)
	w.drawBenchmark()
	w.roofline()
	w.predicted()
}

// notTimed says which variants were not timed, and why.
func (w *writer) notTimed() {
	var items []string
	for _, b := range w.art.benchmarks {
		if item := fmt.Sprintf("%s on %s is not timed: %s.", b.Variant, b.Device, b.Note); b.Note != "" && !slices.Contains(items, item) {
			items = append(items, item)
		}
	}
	w.list(items...)
}

// devices says under which conditions was measured, each once.
func (w *writer) devices() {
	var items []string
	seen := map[string]bool{}
	for _, b := range w.art.benchmarks {
		if b.Note != "" {
			continue
		}
		threads := ", " + count(int(b.Threads), "thread", "threads")
		if b.Threads == 0 {
			threads = ", threads chosen by the runtime"
		}
		if b.Device != "cpu" { // threads are the CPU's
			threads = ""
		}
		item := fmt.Sprintf("%s: %s%s; batches of %s, beam %d, %d tokens; %d warm-up and %d timed repetitions; weights %s.",
			b.Device, b.Provider, threads, count(int(b.Sentences), "sentence", "sentences"), b.Beam, b.Tokens, b.Warmup, b.Repetitions, b.Weights)
		if !seen[item] {
			seen[item] = true
			items = append(items, item)
		}
	}
	w.list(items...)
}

// plainVariant is the one that latency predictors speak of.
const plainVariant = "fp32"

// roofline writes how near each part came to what the machine can do.
func (w *writer) roofline() {
	var rows [][]string
	for _, r := range w.art.rooflines {
		rows = append(rows, []string{
			r.Name, r.Variant, r.Part, number(r.GFLOPs, 2), number(r.GB, 3), number(r.ComputeMS, 2), number(r.MemoryMS, 2), r.Binds, number(r.P50MS, 2), number(100*r.Share, 0) + " %",
		})
	}
	w.heading(3, "Roofline")
	if len(rows) == 0 {
		w.paragraph("None: what the machine can do was not measured.")
		return
	}
	first := w.art.rooflines[0]
	w.paragraph("What the machine can do, measured on the same provider and threads: %s GFLOP/s and %s GB/s. A part takes at least its operations by the one or its bytes by the other, "+
		"whichever is longer; the share is that bound by the measured median, which other work on the machine lowers.", number(first.PeakGFLOPsPerS, 1), number(first.PeakGBPerS, 1))
	w.drawRoofline()
	w.table([]string{"model", "variant", "part", ">GFLOPs", ">GB", ">compute, ms", ">memory, ms", "binds", ">p50, ms", ">share of the bound"}, rows)
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
		if b.Part != schemas.PartTotal || b.Variant != plainVariant || math.IsNaN(b.PredictedMS) {
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
