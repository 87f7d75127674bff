package report

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"hsnas/schemas"
)

var nan = math.NaN()

// madeUp writes artifacts whose figures are invented, one or two rows of each
// kind, laid out as in a run directory.
func madeUp(t *testing.T, dir string) Inputs {
	t.Helper()
	path := func(name string) string {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		return p
	}
	in := Inputs{
		Task:          load14(t),
		Architectures: path("sample/architectures.parquet"),
		TFS:           path("tfs/tfs.parquet"), Runs: path("tfs/runs.parquet"),
		Training: path("supernet/training.parquet"), Winners: path("winners/winners.parquet"), Finalists: path("finalists/finalists.parquet"),
		Labels: path("label/labels.parquet"), Requests: path("label/requests.parquet"),
		Students: path("distill/students.parquet"), Curve: path("distill/learning_curve.parquet"), Scoreboard: path("distill/scoreboard.parquet"),
		Latency: path("latency/latency.parquet"), Models: path("export/models.parquet"),
		Front: path("search/front.parquet"), Ledger: path("search/ledger.parquet"),
		Roofline: path("benchmark/roofline.parquet"), Progress: path("search/progress.parquet"), Pareto: path("search/pareto.parquet"),
		Benchmark: path("benchmark/benchmark.parquet"), BenchmarkSamples: path("benchmark/samples.parquet"),
		Predictions: path("distill/predictions.parquet"), LatencyDataset: path("latency/dataset.parquet"),
	}
	p := schemas.Provenance{Stage: "made-up", StageVersion: 1, Key: "k", Task: "wmt14.en-de"}
	for _, err := range []error{
		schemas.WriteArchitectures(in.Architectures, architectures, p),
		schemas.WriteTFS(in.TFS, tfs, p),
		schemas.WriteTFSRuns(in.Runs, runs, p),
		schemas.WriteSupernetTraining(in.Training, supernetTraining, p),
		schemas.WriteFinalists(in.Finalists, finalists, p),
		schemas.WriteWinnersTrained(in.Winners, winnersTrained, p),
		schemas.WriteLabels(in.Labels, labels, p),
		schemas.WriteRequests(in.Requests, requests, p),
		schemas.WriteStudents(in.Students, students, p),
		schemas.WriteLearningCurve(in.Curve, curve, p),
		schemas.WriteRooflines(in.Roofline, rooflines, p),
		schemas.WriteSearchProgress(in.Progress, searchProgress, p),
		schemas.WritePareto(in.Pareto, pareto, p),
		schemas.WriteScoreboard(in.Scoreboard, scores, p),
		schemas.WriteLatencyScores(in.Latency, latencies, p),
		schemas.WriteModels(in.Models, models, p),
		schemas.WriteFront(in.Front, winners, p),
		schemas.WriteLedger(in.Ledger, ledgers, p),
		schemas.WriteBenchmarks(in.Benchmark, benchmarks, p),
		schemas.WriteBenchmarkSamples(in.BenchmarkSamples, benchmarkSamples, p),
		schemas.WritePredictions(in.Predictions, predictions, p),
		schemas.WriteLatencyDataset(in.LatencyDataset, latencyRows, p),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return in
}

var architectures = []schemas.Architecture{
	{ID: "d1", Set: schemas.SetDemonstration, Split: "123", Architecture: "{}"},
	{ID: "d1", Set: schemas.SetDemonstration, Split: "456", Architecture: "{}"},
	{ID: "t1", Set: schemas.SetTest, Split: "123", Architecture: "{}"},
	{ID: "t2", Set: schemas.SetTest, Split: "123", Position: 1, Architecture: "{}"},
	{ID: "e1", Set: schemas.SetExtra, Architecture: "{}"},
	{ID: "u1", Set: schemas.SetUnlabelled, Architecture: "{}"},
}

var tfs = []schemas.TFS{
	{ID: "d1", Score: 26.1, TestScore: nan, Metric: "BLEU", Source: schemas.SourcePublished},
	{ID: "t1", Score: 25.9, TestScore: nan, Metric: "BLEU", Source: schemas.SourcePublished},
}

var runs = []schemas.TFSRun{
	{ID: "d1", Seed: 1, Score: 26, TestScore: 25, ValidLoss: 1, CPUSeconds: 10, WallSeconds: 11, Source: schemas.SourceTable, Recorded: nan},
	{ID: "d1", Seed: 2, Score: 28, TestScore: 27, ValidLoss: 1, CPUSeconds: 10, WallSeconds: 11, Source: schemas.SourceTable, Recorded: nan},
	{ID: "d1", Seed: 1, Score: 26.5, TestScore: 25.5, ValidLoss: 1, CPUSeconds: 9.5, WallSeconds: 10, Source: schemas.SourceTrained, Recorded: 26},
	{ID: "t1", Seed: 1, Score: nan, TestScore: nan, ValidLoss: nan, CPUSeconds: 0.5, WallSeconds: 1, Source: schemas.SourceTrained, Recorded: nan, Fault: "training diverged at step 7"},
}

var supernetTraining = schemas.SupernetTraining{
	Rule: "uniform", Steps: 100, Parameters: 1000, CPUSeconds: 4, StepMS: 40, N: 30,
	Tau: 0.7, TauLo: 0.5, TauHi: 0.8, TestTau: 0.6, TestTauLo: nan, TestTauHi: nan, ScoreMS: 30, WeightsFile: "supernet/weights.safetensors",
}

// winnersTrained: hs-nas with two seeds, its control with one.
var winnersTrained = []schemas.WinnerTrained{
	{Search: "hs-nas", Limit: 100, Unit: "ms", Seed: 1, ID: "w1", Architecture: "{}", Evaluations: 40, SearchSeconds: 4, Cost: 90, StudentScore: 26, BaselineScore: -1, Score: 27, ScoreStd: 1, TestScore: 26, TestScoreStd: 1, Trainings: 2},
	{Search: "hs-nas", Limit: 100, Unit: "ms", Seed: 2, ID: "w2", Architecture: "{}", Evaluations: 60, SearchSeconds: 6, Cost: 92, StudentScore: 26, BaselineScore: -1, Score: 28, ScoreStd: 1, TestScore: 26, TestScoreStd: 1, Trainings: 2},
	{Search: "baseline-only", Limit: 100, Unit: "ms", Seed: 1, ID: "w3", Architecture: "{}", Evaluations: 125, SearchSeconds: 12, Cost: 95, StudentScore: nan, BaselineScore: -0.9, Score: 28, ScoreStd: nan, TestScore: 27, TestScoreStd: nan, Trainings: 1},
}

// finalists: two seeds of hs-nas, one over the limit, and a point of a front.
var finalists = []schemas.Finalist{
	finalist(schemas.Finalist{Search: "hs-nas", Limit: 100, Seed: 1, Kind: schemas.FinalistBest, Place: 1, ID: "w1", PredictedMS: 90, MeasuredMS: 91.5, MeasuredHiMS: 93, LimitMS: 100, ExcessMS: -8.5}),
	finalist(schemas.Finalist{Search: "hs-nas", Limit: 100, Seed: 2, Kind: schemas.FinalistBest, Place: 1, ID: "w2", PredictedMS: 92, MeasuredMS: 102.5, MeasuredHiMS: nan, LimitMS: 100, ExcessMS: 2.5}),
	finalist(schemas.Finalist{Search: "hs-nas", Limit: 150, Seed: 1, Kind: schemas.FinalistBest, Place: 1, ID: "w-hs-nas", PredictedMS: 149.5, MeasuredMS: 140, MeasuredHiMS: 141, LimitMS: 150, ExcessMS: -10}),
	finalist(schemas.Finalist{Search: "hs-nas", Limit: nan, Seed: 1, Kind: schemas.FinalistFront, Place: 2, ID: "a", PredictedMS: 60, MeasuredMS: 58, MeasuredHiMS: 59, LimitMS: nan, ExcessMS: nan}),
}

func finalist(f schemas.Finalist) schemas.Finalist {
	f.Dataset, f.Device, f.EncoderMS, f.DecoderMS = "measured", "a CPU", f.MeasuredMS/10, f.MeasuredMS*9/10
	f.Rounds, f.Repetitions, f.ControlMS, f.ControlCV, f.ControlThen = 8, 48, 212, 0.02, 200
	return f
}

var labels = []schemas.Label{
	{ID: "t1", Set: schemas.SetTest, Split: "123", Prediction: 25.8, RequestKey: "r1"},
	{ID: "t2", Set: schemas.SetTest, Split: "123", Prediction: nan, Gap: "no answer for id 2", RequestKey: "r1"},
}

var requests = []schemas.Request{
	{
		RequestKey: "r1", Split: "123", Set: schemas.SetTest, Queries: 2, Source: "replay", Model: "an-llm", FinishReason: "stop",
		PromptTokens: new(int64(900)), CompletionTokens: new(int64(100)), Asks: 1, Seconds: nan, Dollars: nan,
	},
	{RequestKey: "r2", Split: "123", Set: schemas.SetUnlabelled, Queries: 1, Source: "replay", Model: "an-llm", FinishReason: "stop", Asks: 1, Seconds: nan, Dollars: nan},
}

var students = []schemas.Student{
	{Student: "mlp", Split: "123", Features: "hat-means", Labels: 250, CVMAE: 0.2, CVTau: 0.7, TeacherMAE: 0.1, LossCurve: []float64{2, 1}},
	{Student: "ridge", Split: "123", Features: "hat-depth", Labels: 250, CVMAE: 0.15, CVTau: 0.8, TeacherMAE: 0.12, Chosen: true},
}

func score(predictor, split string, mae, tau float64) schemas.Score {
	return schemas.Score{
		Task: "wmt14.en-de", Predictor: predictor, Split: split, MAE: mae, Tau: tau, MAEStd: nan, TauStd: nan,
		MAELo: nan, MAEHi: nan, TauLo: nan, TauHi: nan, N: 20, PMAEvsLLMPP: nan, PTauVsLLMPP: nan,
		PMAEvsCombined: nan, PTauVsCombined: nan, Coverage: nan, Width: nan,
	}
}

var scores = []schemas.Score{
	{
		Task: "wmt14.en-de", Predictor: "llm-pp", Split: schemas.SplitMean, MAE: 0.1551, Tau: 0.7279, MAEStd: 0.01, TauStd: 0.02,
		MAELo: 0.12, MAEHi: 0.19, TauLo: 0.6, TauHi: 0.85, N: 60, PMAEvsLLMPP: nan, PTauVsLLMPP: nan, Coverage: 0.9285, Width: 0.8, Note: "recorded answers",
	},
	score("control:log-decoder-layers", schemas.SplitMean, 0.1622, 0.8061),
	score("control:constant", schemas.SplitMean, 0.5679, nan),
	score("supernet:hat", schemas.SplitMean, 1.2, 0.709),
	{
		Task: "wmt14.en-de", Predictor: "surrogate", Split: schemas.SplitMean, MAE: 1.2, Tau: 0.7, MAEStd: nan, TauStd: nan, MAELo: 1.1, MAEHi: 1.3,
		TauLo: nan, TauHi: nan, N: 20, PMAEvsLLMPP: 0.001, PTauVsLLMPP: nan, Coverage: nan, Width: nan, Note: "fitted to published scores of supernet hat",
	},
	score("llm-pp", "123", 0.15, 0.73),
	score("student:ridge", "123", 0.155, 0.8),
}

var latencies = []schemas.LatencyScore{
	{
		Dataset: "wmt14ende_gpu_titanxp", Device: "NVIDIA TITAN Xp", Regressor: "mlp", Features: "hat-means", Chosen: true, File: "latency/predictor.onnx",
		NTrain: 1600, NValid: 200, NTest: 200, CVMAPE: nan, CVTau: nan, ControlMS: nan, RMSEMS: 4.2, MAPE: 0.031, Tau: 0.95, Source: "published", ControlCV: nan, ControlDrift: nan,
	},
	{
		Dataset: "measured", Device: "a CPU", Regressor: "ridge", Features: "hat-means",
		NTrain: 160, NTest: 40, CVMAPE: 0.021, CVTau: 0.94, RMSEMS: 0.05, MAPE: 0.02, Tau: 0.95, Source: "measured", ControlCV: 0.115, ControlDrift: -0.025,
	},
	{
		Dataset: "measured", Device: "a CPU", Regressor: "ridge", Features: "hat-work", Chosen: true, File: "latency/measured.onnx",
		NTrain: 160, NTest: 40, CVMAPE: 0.014, CVTau: 0.95, RMSEMS: 0.03, MAPE: 0.013, Tau: 0.96, Source: "measured", ControlCV: 0.115, ControlDrift: -0.025,
	},
}

var models = []schemas.Model{
	{Name: "student", Kind: "student", File: "export/student.onnx", SHA256: "x", Bytes: 4096, Features: "hat-depth", Target: "BLEU", Opset: 17, MaxAbsDiffGo: 3.1e-6},
	{Name: "surrogate", Kind: "surrogate", File: "export/surrogate.onnx", SHA256: "y", Bytes: 4096, Features: "hat-means", Target: "BLEU", Opset: 17, MaxAbsDiffGo: nan},
}

func winner(search string, limit, student, baseline float64, scorer string) schemas.Winner {
	return schemas.Winner{
		Search: search, Constraint: "latency_ms", Limit: limit, Unit: "ms", Seed: 1, Rank: 1, ID: "w-" + search, Architecture: `{"decoder_embed_dim":512}`,
		Score: baseline, Scorer: scorer, StudentScore: student, BaselineScore: baseline, Cost: limit - 0.5, GFLOPs: 2.9, Params: new(int64(40_968_960)),
	}
}

var winners = []schemas.Winner{
	winner(hybridSearch, 150, 26.31, 25.9, "supernet:hat"),
	winner(baselineSearch, 150, 26.2, 25.95, "supernet:hat"),
	winner(hybridSearch, 100, 26.01, 25.5, "supernet:hat"),
	seed2(winner(hybridSearch, 150, 26.4, 26.1, "supernet:hat")),
	{
		Search: hybridSearch, Constraint: "latency_ms", Limit: 150, Unit: "ms", Seed: 1, Rank: 2, ID: "not-shown", Architecture: "{}", Score: 1, Scorer: "supernet:hat",
		StudentScore: nan, BaselineScore: nan, Cost: 99, GFLOPs: nan,
	},
}

func seed2(w schemas.Winner) schemas.Winner {
	w.Seed, w.ID = 2, "seed-2"
	return w
}

var ledgers = []schemas.Ledger{
	{Search: hybridSearch, Limit: 150, Seed: 1, Scorer: "distill", ScorerKind: schemas.ScorerLLMDistill, Evaluations: 1500, Remembered: 350, Seconds: 0.1},
	{Search: hybridSearch, Limit: 150, Seed: 1, Scorer: "supernet:hat", ScorerKind: schemas.ScorerSurrogate, Evaluations: 800, Remembered: 200, Seconds: 0.1},
	{Search: hybridSearch, Limit: 150, Seed: 1, Scorer: "latency_ms", ScorerKind: "latency", Evaluations: 9999, Seconds: 0.1},
	{Search: baselineSearch, Limit: 150, Seed: 1, Scorer: "supernet:hat", ScorerKind: schemas.ScorerSurrogate, Evaluations: 2800, Remembered: 725, Shared: 400, Seconds: 0.2},
	{Search: hybridSearch, Limit: 150, Seed: 2, Scorer: "supernet:hat", ScorerKind: schemas.ScorerSurrogate, Evaluations: 600, Remembered: 175, Shared: 50, Seconds: 0.1},
}

func measured(part string, ms, predicted float64) schemas.Benchmark {
	b := schemas.Benchmark{
		Name: "hs-nas-150ms", ID: "w-hs-nas", Architecture: "{}", Device: "cpu", Provider: "CPUExecutionProvider, a CPU", Threads: 2, Variant: "fp32", Part: part, Sentences: 1, Beam: 5,
		Tokens: 30, Warmup: 5, Repetitions: 300, MeanMS: ms, TrimmedMeanMS: ms, StdMS: 1, P50MS: ms, P90MS: ms + 1, P99MS: ms + 2, P50LoMS: ms - 1, P50HiMS: ms + 1,
		CPUMS: nan, LogitDifference: nan,
		GFLOPs: nan, GFLOPsPerS: nan, PredictedMS: predicted, Weights: "random:1", ModelSHA256: "z",
	}
	if part == schemas.PartTotal {
		b.GFLOPs, b.GFLOPsPerS, b.PredictedDataset = 2.9, 2.9/ms*1000, "wmt14ende_gpu_titanxp"
	}
	return b
}

var benchmarks = []schemas.Benchmark{
	measured(schemas.PartEncoder, 20, nan),
	measured(schemas.PartDecoder, 180, nan),
	measured(schemas.PartTotal, 200, 149.5),
	quantised(measured(schemas.PartTotal, 90, 149.5)), // predicted for fp32: not compared
	refused(measured(schemas.PartTotal, nan, nan)),
}

// refused makes a row that of a variant that was not timed.
func refused(b schemas.Benchmark) schemas.Benchmark {
	b.Variant, b.PredictedDataset, b.Note = "fp16", "", "the CPU has none"
	return b
}

// quantised makes a row that of the variant int8.
func quantised(b schemas.Benchmark) schemas.Benchmark {
	b.Variant, b.LogitDifference, b.CPUMS = "int8", 0.12, 88
	return b
}

var rooflines = []schemas.Roofline{
	{
		Name: "hs-nas-150ms", Variant: "fp32", Part: schemas.PartTotal, GFLOPs: 9.1, GB: 2.6, PeakGFLOPsPerS: 110, PeakGBPerS: 26,
		ComputeMS: 82.7, MemoryMS: 100, BoundMS: 100, Binds: "memory", P50MS: 200, Share: 0.5,
	},
	{Name: "hs-nas-150ms", Variant: "int8", Part: schemas.PartTotal, GFLOPs: 9.1, GB: 0.7, ComputeMS: nan, MemoryMS: 27, BoundMS: 27, Binds: "memory", P50MS: 90, Share: 0.3},
}

var benchmarkSamples = []schemas.BenchmarkSample{
	{Name: "hs-nas-150ms", Variant: "fp32", Sentences: 1, Part: schemas.PartTotal, MS: 199},
	{Name: "hs-nas-150ms", Variant: "fp32", Sentences: 1, Part: schemas.PartTotal, MS: 201},
	{Name: "hs-nas-150ms", Variant: "int8", Sentences: 1, Part: schemas.PartTotal, MS: 90},
	{Name: "hs-nas-150ms", Variant: "fp32", Sentences: 1, Part: schemas.PartEncoder, MS: 20},
}

var predictions = []schemas.Prediction{
	{Predictor: "llm-pp", Split: "123", ID: "t1", Prediction: 25.8, Truth: 25.9, Lo: 25.4, Hi: 26.3},
	{Predictor: "llm-pp", Split: "456", ID: "t2", Prediction: 26.2, Truth: 26, Lo: nan, Hi: nan},
	{Predictor: "control:log-decoder-layers", Split: "123", ID: "t1", Prediction: 25.7, Truth: 25.9, Lo: nan, Hi: nan},
	{Predictor: "control:constant", Split: "123", ID: "t1", Prediction: 99.9, Truth: 25.9, Lo: nan, Hi: nan}, // not the best control: not drawn
}

var latencyRows = []schemas.LatencyRow{
	{Dataset: "wmt14ende_gpu_titanxp", Device: "NVIDIA TITAN Xp", Part: schemas.PartTrain, LatencyMS: 60, PredictedMS: 61, EncoderMS: nan, DecoderMS: nan, StdMS: nan},
	{Dataset: "wmt14ende_gpu_titanxp", Device: "NVIDIA TITAN Xp", Row: 1, Part: schemas.PartTest, LatencyMS: 180, PredictedMS: 170, EncoderMS: nan, DecoderMS: nan, StdMS: nan},
}

var searchProgress = []schemas.SearchProgress{
	{Search: "hs-nas", Limit: nan, Seed: 1, Iteration: 0, StudentEvaluations: 125, Tau: nan, Hypervolume: 0.1},
	{Search: "hs-nas", Limit: nan, Seed: 1, Iteration: 1, StudentEvaluations: 125, BaselineEvaluations: 100, Tau: nan, Hypervolume: 0.6674},
	{Search: "baseline-only", Limit: 100, Seed: 1, Tau: nan, Hypervolume: nan}, // one without a front
}

var pareto = []schemas.ParetoPoint{
	{Search: "hs-nas", Limit: nan, Seed: 1, ID: "a", Objectives: "quality,latency_ms", Values: []float64{-1, 2}, Rank: 1, Crowding: nan},
	{Search: "hs-nas", Limit: nan, Seed: 1, ID: "b", Objectives: "quality,latency_ms", Values: []float64{-2, 3}, Rank: 2, Crowding: nan},
	{Search: "hs-nas", Limit: nan, Seed: 2, ID: "a", Objectives: "quality,latency_ms", Values: []float64{-1, 2}, Rank: 1, Crowding: nan},
}

var curve = []schemas.CurvePoint{
	curvePoint("ridge", 50, schemas.SubsetDrawn, 0.04, 0.2),
	curvePoint("ridge", 50, schemas.SubsetDrawn, 0.02, 0.18),
	curvePoint("ridge", 200, schemas.SubsetFold, 0.02, 0.17), // a size of the cross-validation alone
	curvePoint("ridge", 250, schemas.SubsetAll, nan, 0.155),
	curvePoint("mlp", 250, schemas.SubsetAll, nan, 0.17),
}

func curvePoint(student string, labels int32, subset string, label, test float64) schemas.CurvePoint {
	return schemas.CurvePoint{
		Student: student, Split: "123", Labels: labels, Subset: subset, LabelMAE: label, LabelTau: nan, TestMAE: test, TestTau: nan,
		TeacherMAE: 0.15, TeacherTau: nan, DirectMAE: 0.3, DirectTau: nan,
	}
}
