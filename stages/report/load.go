package report

import (
	"context"
	"path/filepath"

	"hsnas/internal/atomicfile"
	"hsnas/schemas"
)

// artifacts are the rows of the inputs; a missing artifact has none.
type artifacts struct {
	architectures []schemas.Architecture
	tfs           []schemas.TFS
	supernet      []schemas.SupernetScore
	costs         []schemas.MeasuredCost
	labels        []schemas.Label
	requests      []schemas.Request
	students      []schemas.Student
	curve         []schemas.CurvePoint
	scores        []schemas.Score
	latency       []schemas.LatencyScore
	models        []schemas.Model
	front         []schemas.Winner
	ledger        []schemas.Ledger
	benchmarks    []schemas.Benchmark
	rooflines     []schemas.Roofline
	progress      []schemas.SearchProgress
	pareto        []schemas.ParetoPoint
	runs          []schemas.TFSRun
	training      *schemas.SupernetTraining // nil without a supernet of one's own
	winners       []schemas.WinnerTrained
	finalists     []schemas.Finalist
	predictions   []schemas.Prediction
	latencyRows   []schemas.LatencyRow
	samples       []schemas.BenchmarkSample

	files []file
}

// file is an input with its checksum, for the lineage.
type file struct{ name, sha256 string }

// load reads and hashes every input that there is.
func load(ctx context.Context, in Inputs) (*artifacts, error) {
	a := new(artifacts)
	steps := []struct {
		path string
		read func(path string) error
	}{
		{in.Architectures, into(&a.architectures, schemas.ReadArchitectures)},
		{in.TFS, into(&a.tfs, schemas.ReadTFS)},
		{in.Supernet, into(&a.supernet, schemas.ReadSupernetScores)},
		{in.Costs, into(&a.costs, schemas.ReadMeasuredCosts)},
		{in.Runs, into(&a.runs, schemas.ReadTFSRuns)},
		{in.Trained, nil},
		{in.Training, a.readTraining},
		{in.Labels, into(&a.labels, schemas.ReadLabels)},
		{in.Requests, into(&a.requests, schemas.ReadRequests)},
		{in.Students, into(&a.students, schemas.ReadStudents)},
		{in.Curve, into(&a.curve, schemas.ReadLearningCurve)},
		{in.Predictions, into(&a.predictions, schemas.ReadPredictions)},
		{in.Scoreboard, into(&a.scores, schemas.ReadScoreboard)},
		{in.Latency, into(&a.latency, schemas.ReadLatencyScores)},
		{in.LatencyDataset, into(&a.latencyRows, schemas.ReadLatencyDataset)},
		{in.Models, into(&a.models, schemas.ReadModels)},
		{in.Candidates, nil},
		{in.Front, into(&a.front, schemas.ReadFront)},
		{in.Ledger, into(&a.ledger, schemas.ReadLedger)},
		{in.Progress, into(&a.progress, schemas.ReadSearchProgress)},
		{in.Pareto, into(&a.pareto, schemas.ReadPareto)},
		{in.Finalists, into(&a.finalists, schemas.ReadFinalists)},
		{in.Winners, into(&a.winners, schemas.ReadWinnersTrained)},
		{in.Benchmark, into(&a.benchmarks, schemas.ReadBenchmarks)},
		{in.Roofline, into(&a.rooflines, schemas.ReadRooflines)},
		{in.BenchmarkSamples, into(&a.samples, schemas.ReadBenchmarkSamples)},
		{in.BenchmarkModels, nil},
	}
	for _, s := range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if s.path == "" {
			continue
		}
		if s.read != nil {
			if err := s.read(s.path); err != nil {
				return nil, err
			}
		}
		if err := a.hash(s.path, artifactName(s.path)); err != nil {
			return nil, err
		}
	}
	for _, path := range in.Task.Files() {
		if err := a.hash(path, filepath.Base(path)+" (of the task)"); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *artifacts) readTraining(path string) error {
	row, err := schemas.ReadSupernetTraining(path)
	a.training = &row
	return err
}

// into makes a reader of rows one that stores them.
func into[T any](rows *[]T, read func(string) ([]T, error)) func(string) error {
	return func(path string) (err error) {
		*rows, err = read(path)
		return err
	}
}

// hash adds a file to the lineage.
func (a *artifacts) hash(path, name string) error {
	sum, err := atomicfile.SHA256(path)
	if err != nil {
		return err
	}
	a.files = append(a.files, file{name, sum})
	return nil
}

// artifactName is the path below the run directory: stage/file.
func artifactName(path string) string {
	return filepath.ToSlash(filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path)))
}
