package finalists_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/ort/orttest"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/finalists"
)

const target = "latency_ms"

var prov = schemas.Provenance{Stage: "test", StageVersion: 1, Key: "k", Task: "micro.en-de"}

// layers is a device on which a sentence takes a millisecond for the encoder and one for
// each layer of the decoder.
func layers(_ context.Context, archs []space.Architecture, _ string, _ progress.Reporter) (finalists.Timed, error) {
	out := finalists.Timed{Dataset: "measured", Device: "made up", Rounds: 3, Repetitions: 6, ControlMS: 4, ControlCV: 0.01}
	for _, a := range archs {
		deep := float64(decoderLayers(a))
		out.Timings = append(out.Timings, finalists.Timing{EncoderMS: 1, DecoderMS: deep, HiMS: 1.5 + deep})
	}
	return out, nil
}

func decoderLayers(a space.Architecture) int {
	_, after, _ := strings.Cut(a.String(), `"decoder_ffn_dim":[`)
	widths, _, _ := strings.Cut(after, "]")
	return 1 + strings.Count(widths, ",")
}

// prepared are artifacts of two searches for the best, which ended at the smallest
// and the largest architecture, and of one for a front of both.
func prepared(t *testing.T) (finalists.Inputs, finalists.Outputs) {
	t.Helper()
	orttest.Open(t)
	on, err := task.Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	in := finalists.Inputs{
		Task: on, Front: file("f.parquet"), Pareto: file("p.parquet"), Scores: file("l.parquet"), Model: file("measured.onnx"),
		Target: target, Limit: math.NaN(), Time: layers,
	}
	small, large := on.Space.Smallest(), on.Space.Largest()
	winner := func(search string, rank int32, a space.Architecture) schemas.Winner {
		return schemas.Winner{
			Search: search, Constraint: target, Limit: 2.5, Unit: "ms", Seed: 1, Rank: rank, ID: a.ID(), Architecture: a.String(), Score: 1, Cost: 2,
			StudentScore: 1, BaselineScore: 1, GFLOPs: math.NaN(),
		}
	}
	point := func(rank int32, crowding float64, a space.Architecture) schemas.ParetoPoint {
		return schemas.ParetoPoint{Search: "fronts", Limit: math.NaN(), Seed: 1, Rank: rank, Crowding: crowding, ID: a.ID(), Architecture: a.String()}
	}
	nan := math.NaN()
	for _, err := range []error{
		schemas.WriteFront(in.Front, []schemas.Winner{winner("hs-nas", 1, small), winner("hs-nas", 2, large), winner("random", 1, large)}, prov),
		schemas.WritePareto(in.Pareto, []schemas.ParetoPoint{point(1, 0.5, small), point(2, nan, small), point(1, nan, large)}, prov),
		schemas.WriteLatencyScores(in.Scores, []schemas.LatencyScore{{Dataset: "measured", ControlMS: 3.5, ControlCV: nan, ControlDrift: nan, CVMAPE: nan, CVTau: nan}}, prov),
		os.WriteFile(in.Model, predictorOf(t, on), 0o666),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return in, finalists.Outputs{Finalists: file("finalists.parquet"), Rounds: file("rounds.jsonl")}
}

// predictorOf says 2 ms of everything.
func predictorOf(t *testing.T, on *task.Task) []byte {
	t.Helper()
	features, err := predictor.FeatureSet(on, predictor.HATMeans)
	if err != nil {
		t.Fatal(err)
	}
	x, err := features.Rows([]space.Architecture{on.Space.Smallest(), on.Space.Largest()})
	if err != nil {
		t.Fatal(err)
	}
	ridge, err := predictor.FitRidge(x, []float64{2, 2})
	if err != nil {
		t.Fatal(err)
	}
	model, err := predictor.ExportLinear(ridge, predictor.MetaOf(features, on.Name, target, "measured"))
	if err != nil {
		t.Fatal(err)
	}
	return model
}

// TestRun: what is measured stands beside the prediction and the limit, and a limit
// that does not hold is said so, with by how much.
func TestRun(t *testing.T) {
	in, out := prepared(t)
	var log strings.Builder
	if err := finalists.Run(t.Context(), finalists.Defaults(), in, out, prov, progress.New(&log)); err != nil {
		t.Fatal(err)
	}
	rows, err := schemas.ReadFinalists(out.Finalists)
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v; want the best of two searches and two points of a front", len(rows), err)
	}
	deep := float64(decoderLayers(in.Task.Space.Largest()))
	for i, want := range []struct {
		search, kind           string
		place                  int32
		decoder, limit, excess float64
	}{
		{"hs-nas", schemas.FinalistBest, 1, 1, 2.5, -0.5},
		{"random", schemas.FinalistBest, 1, deep, 2.5, deep - 1.5},
		{"fronts", schemas.FinalistFront, 1, deep, math.NaN(), math.NaN()}, // an end of the front comes first
		{"fronts", schemas.FinalistFront, 2, 1, math.NaN(), math.NaN()},
	} {
		r := rows[i]
		if r.Search != want.search || r.Kind != want.kind || r.Place != want.place || r.DecoderMS != want.decoder || r.EncoderMS != 1 ||
			r.MeasuredMS != 1+want.decoder || r.MeasuredHiMS != r.MeasuredMS+0.5 || math.Abs(r.PredictedMS-2) > 1e-5 {
			t.Errorf("%d: %+v", i, r)
		}
		if !same(r.LimitMS, want.limit) || !same(r.ExcessMS, want.excess) {
			t.Errorf("%d: limit %v, excess %v, want %+v", i, r.LimitMS, r.ExcessMS, want)
		}
		if r.Device != "made up" || r.Dataset != "measured" || r.Rounds != 3 || r.Repetitions != 6 || r.ControlMS != 4 || r.ControlCV != 0.01 || r.ControlThen != 3.5 || r.Note != "" {
			t.Errorf("%d: %+v", i, r)
		}
	}
	if want := "random, seed 1: " + rows[1].ID + " takes 4 ms, 1.5 ms (60.0 %) more than the limit; 2 ms were predicted\n"; deep == 3 && !strings.Contains(log.String(), want) {
		t.Errorf("log\n%swant %s", log.String(), want)
	}
	if strings.Contains(log.String(), "hs-nas, seed 1") {
		t.Errorf("a limit that holds is no violation:\n%s", log.String())
	}
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// TestAlso: the limit of the latency may be one beside that which the searches are
// named by.
func TestAlso(t *testing.T) {
	in, out := prepared(t)
	in.Limit = 1.5
	if err := finalists.Run(t.Context(), finalists.Params{}, in, out, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	rows, err := schemas.ReadFinalists(out.Finalists)
	if err != nil || len(rows) != 2 || rows[0].LimitMS != 2.5 {
		t.Errorf("%+v, %v", rows, err)
	}
	front, err := schemas.ReadFront(in.Front)
	if err != nil {
		t.Fatal(err)
	}
	for i := range front {
		front[i].Constraint, front[i].Limit = "gflops", 7
	}
	if err := schemas.WriteFront(in.Front, front, prov); err != nil {
		t.Fatal(err)
	}
	if err := finalists.Run(t.Context(), finalists.Params{}, in, out, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	if rows, err = schemas.ReadFinalists(out.Finalists); err != nil || rows[0].Limit != 7 || rows[0].LimitMS != 1.5 || rows[0].ExcessMS != 0.5 {
		t.Errorf("%+v, %v", rows, err)
	}
}

// TestNotTimed: finalists that cannot be timed say why; a device that disappears
// half-way is an error, and nothing is written.
func TestNotTimed(t *testing.T) {
	in, out := prepared(t)
	in.Time = func(context.Context, []space.Architecture, string, progress.Reporter) (finalists.Timed, error) {
		return finalists.Timed{}, errors.New("timing architecture X on made up: the device is gone")
	}
	err := finalists.Run(t.Context(), finalists.Defaults(), in, out, prov, progress.Discard)
	if want := "finalists: timing architecture X on made up: the device is gone"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, err := os.Stat(out.Finalists); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
	in.Time = func(context.Context, []space.Architecture, string, progress.Reporter) (finalists.Timed, error) {
		return finalists.Timed{Dataset: "mine", Why: "the dataset is of A, and this is B", Rounds: 3}, nil
	}
	if err := finalists.Run(t.Context(), finalists.Defaults(), in, out, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	rows, err := schemas.ReadFinalists(out.Finalists)
	if err != nil || len(rows) != 4 || rows[0].Note != "the dataset is of A, and this is B" || rows[0].Dataset != "mine" || rows[0].Rounds != 0 ||
		!math.IsNaN(rows[0].MeasuredMS) || !math.IsNaN(rows[0].ExcessMS) || math.Abs(rows[0].PredictedMS-2) > 1e-5 {
		t.Errorf("%+v, %v", rows, err)
	}
}
