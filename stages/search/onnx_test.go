package search

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/corpus"
	"hsnas/internal/micro"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// exported writes a ridge as <name>.onnx: bias plus slope times every feature.
func exported(t testing.TB, tk *task.Task, dir, name, target string, bias, slope float64) {
	t.Helper()
	features, err := predictor.FeatureSet(tk, predictor.HATMeans)
	if err != nil {
		t.Fatal(err)
	}
	ridge := &predictor.Ridge{Bias: bias, Weights: make([]float64, len(features.Columns)), Center: make([]float64, len(features.Columns))}
	for i := range ridge.Weights {
		ridge.Weights[i] = slope * (1 + 0.1*float64(i))
	}
	model, err := predictor.ExportLinear(ridge, predictor.MetaOf(features, tk.Name, target, "a test"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".onnx"), model, 0o644); err != nil {
		t.Fatal(err)
	}
}

func outputs(dir string) Outputs {
	return Outputs{
		Candidates: filepath.Join(dir, "candidates.parquet"), Front: filepath.Join(dir, "front.parquet"), Ledger: filepath.Join(dir, "ledger.parquet"),
		Progress: filepath.Join(dir, "progress.parquet"), Pareto: filepath.Join(dir, "pareto.parquet"), State: filepath.Join(dir, "state"),
	}
}

func TestRunWithExportedPredictors(t *testing.T) {
	rt := orttest.Open(t)
	tk, dir := wmt(t), t.TempDir()
	exported(t, tk, dir, "student", "BLEU", 20, 1)
	exported(t, tk, dir, "surrogate", "BLEU", 19, 1.1)
	exported(t, tk, dir, "latency", Latency, -40, 15)
	in, out := Inputs{Task: tk, Models: dir}, outputs(dir)
	prov := schemas.Provenance{Stage: Name, StageVersion: Version, Key: "k", Task: tk.Name}
	if err := Run(context.Background(), small(), in, out, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	front, err := schemas.ReadFront(out.Front)
	if err != nil {
		t.Fatal(err)
	}
	// What the front says of its best, the latency predictor says too when asked alone.
	latency, err := predictor.Load(rt, filepath.Join(dir, "latency.onnx"), tk)
	if err != nil {
		t.Fatal(err)
	}
	defer latency.Close()
	a, err := tk.Space.ParseArchitecture([]byte(front[0].Architecture))
	if err != nil {
		t.Fatal(err)
	}
	ms := make([]float64, 1)
	err = latency.Predict(context.Background(), []space.Architecture{a}, ms)
	if err != nil || math.Abs(ms[0]-front[0].Cost) > 1e-3 {
		t.Errorf("the front says %v ms, the predictor %v, %v", front[0].Cost, ms[0], err)
	}
	candidates, err := schemas.ReadCandidates(out.Candidates)
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := schemas.ReadLedger(out.Ledger)
	if err != nil || len(front) != 80 || len(candidates) == 0 || len(ledger) != 2*2*(3+2+2+2) {
		t.Errorf("%d winners, %d candidates, %d accounts, %v; want 80, some, 36", len(front), len(candidates), len(ledger), err)
	}
	first := read(t, out.Candidates)
	if err := os.MkdirAll(out.State, 0o755); err != nil { // as an interrupted attempt leaves it
		t.Fatal(err)
	}
	if err := Run(context.Background(), small(), in, out, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, read(t, out.Candidates)) {
		t.Error("two runs, different candidates")
	}
	if _, err := os.Stat(out.State); !os.IsNotExist(err) {
		t.Errorf("a run that succeeded left its state: %v", err)
	}
}

func TestFaultyModels(t *testing.T) {
	orttest.Open(t)
	tk, dir := wmt(t), t.TempDir()
	exported(t, tk, dir, "student", "BLEU", 20, 1)
	exported(t, tk, dir, "latency", "BLEU", 10, 15)
	run := func() error {
		return Run(context.Background(), small(), Inputs{Task: tk, Models: dir}, outputs(dir), schemas.Provenance{}, progress.Discard)
	}
	err := run()
	if err == nil || !strings.HasPrefix(err.Error(), "search: loading the predictor of baseline: ") || !strings.Contains(err.Error(), filepath.Join(dir, "surrogate.onnx")) {
		t.Errorf("a missing baseline: %v", err)
	}
	exported(t, tk, dir, "surrogate", "BLEU", 20, 1)
	var fault *config.Error
	want := fmt.Sprintf(`search: %s predicts "BLEU", expected a predictor of "latency_ms"`, filepath.Join(dir, "latency.onnx"))
	if err := run(); !errors.As(err, &fault) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	exported(t, tk, dir, "latency", Latency, 900, 15)
	if err := run(); !errors.As(err, &fault) {
		t.Errorf("an infeasible limit: %v", err)
	}
	if entries, _ := filepath.Glob(filepath.Join(dir, "*.parquet*")); len(entries) != 0 {
		t.Errorf("a failed search left %v", entries)
	}
}

// randomSupernet writes what the stages before a search with a trained supernet
// do: predictors of the task micro.en-de, a small corpus, weights by seed.
func randomSupernet(t *testing.T, dir string) Inputs {
	t.Helper()
	tk, err := task.Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	exported(t, tk, dir, "student", "BLEU", 20, 1)
	exported(t, tk, dir, "control-log-decoder-layers", "BLEU", 19, 1.1)
	in := Inputs{Task: tk, Models: dir, Supernet: filepath.Join(dir, "weights.safetensors"), Corpus: filepath.Join(dir, "corpus.parquet")}
	set := corpus.Micro(corpus.Sizes{Train: 200, Valid: 6, Test: 1})
	var rows []schemas.CorpusPair
	for name, pairs := range map[string][]corpus.Pair{schemas.CorpusTrain: set.Train, schemas.CorpusValid: set.Valid, schemas.CorpusTest: set.Test} {
		for i, p := range pairs {
			rows = append(rows, schemas.CorpusPair{Set: name, Position: int32(i), Source: strings.Join(p.Source, " "), Target: strings.Join(p.Target, " ")})
		}
	}
	if err := schemas.WriteCorpus(in.Corpus, rows, schemas.Provenance{}); err != nil {
		t.Fatal(err)
	}
	dims, layout := layoutOf(t, tk)
	if err := micro.WriteWeights(in.Supernet, layout, layout.Initialise(dims, 7), micro.Origin{Task: tk.Name, Architecture: "supernet"}); err != nil {
		t.Fatal(err)
	}
	return in
}

func layoutOf(t *testing.T, tk *task.Task) (micro.Dims, *micro.Layout) {
	t.Helper()
	dims, err := micro.DimsOf(tk)
	if err != nil {
		t.Fatal(err)
	}
	shape, err := micro.ShapeOf(dims, tk.Space.Largest())
	if err != nil {
		t.Fatal(err)
	}
	layout, err := micro.NewLayout(dims, shape)
	if err != nil {
		t.Fatal(err)
	}
	return dims, layout
}

// supernetSettings search micro.en-de with its supernet, in all ways.
func supernetSettings() Params {
	p := small()
	p.Constraint, p.Limits, p.Seeds, p.Workers = "", nil, []int64{1}, 1
	p.Baseline, p.Searches = TrainedSupernet, Searches()
	return p
}

func TestRunWithTrainedSupernet(t *testing.T) {
	rt := orttest.Open(t)
	dir := t.TempDir()
	in, out := randomSupernet(t, dir), outputs(dir)
	if err := Run(context.Background(), supernetSettings(), in, out, schemas.Provenance{}, progress.Discard); err != nil {
		t.Fatal(err)
	}
	front, err := schemas.ReadFront(out.Front)
	if err != nil || len(front) != 5*len(Searches()) || front[0].Scorer != TrainedSupernet || front[0].Score != front[0].BaselineScore {
		t.Fatalf("%d winners, %v; want five of each search, the first by the supernet", len(front), err)
	}
	// What the front says of its best, the supernet says too when asked alone.
	dims, layout := layoutOf(t, in.Task)
	c, err := schemas.LoadCorpus(in.Corpus)
	if err != nil {
		t.Fatal(err)
	}
	s, err := micro.NewSupernetScorer(rt, dims, in.Task.Space.Largest(), layout.Initialise(dims, 7), c.Encode(c.Valid), micro.ScorerOptions{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a, err := in.Task.Space.ParseArchitecture([]byte(front[0].Architecture))
	if err != nil {
		t.Fatal(err)
	}
	loss := make([]float64, 1)
	if err := s.Losses(context.Background(), []space.Architecture{a}, loss); err != nil || loss[0] != -front[0].Score {
		t.Errorf("the front says %v, the supernet's loss is %v, %v", front[0].Score, loss[0], err)
	}
	ledger, err := schemas.ReadLedger(out.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	var shared int64
	for _, l := range ledger {
		shared += l.Shared
	}
	if shared == 0 {
		t.Errorf("nothing was shared: %+v", ledger)
	}
}

func TestTrainedSupernetFaults(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	in := randomSupernet(t, dir)
	run := func(in Inputs) error {
		return Run(context.Background(), supernetSettings(), in, outputs(dir), schemas.Provenance{}, progress.Discard)
	}
	none := in
	none.Supernet = ""
	var fault *config.Error
	want := "search: the baseline is supernet, but this run trains none; name an exported predictor, such as baseline: surrogate"
	if err := run(none); !errors.As(err, &fault) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if err := os.WriteFile(in.Supernet, []byte("no weights"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(in); err == nil || !strings.Contains(err.Error(), in.Supernet) {
		t.Errorf("damaged weights: %v", err)
	}
}
