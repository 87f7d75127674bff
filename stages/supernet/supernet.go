// Package supernet is the stage that trains a weight-sharing supernet, the
// baseline predictor of the search: every architecture of the space inherits the
// first rows and columns of the shared weights, and the loss that it has with
// them orders architectures without training any.
package supernet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"hsnas/internal/fault"
	"hsnas/internal/metric"
	"hsnas/internal/micro"
	"hsnas/internal/ort"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output
// changes for the same input.
const (
	Name    = "supernet"
	Version = 1
)

// Trained is what the scores of this supernet are called.
const Trained = "trained"

// Inputs are what the stage reads.
type Inputs struct {
	Task          *task.Task
	Corpus        string // corpus/corpus.parquet
	Architectures string // sample/architectures.parquet
	TFS           string // tfs/tfs.parquet
}

// Outputs are the files that the stage writes. Checkpoint is there while the
// training is under way, State is a folder of scores that shards left; "" has none.
type Outputs struct{ Weights, Scores, Training, Checkpoint, State string }

// Run trains the supernet and scores every architecture whose truth is known.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	if err := p.Validate(); err != nil {
		return err
	}
	s, err := prepare(p, in, out, rep)
	if err != nil {
		return err
	}
	net, err := s.Train(ctx)
	if err != nil {
		return err
	}
	fault.Point("supernet trained", "")
	known, err := readKnown(in)
	if err != nil {
		return err
	}
	losses, seconds, err := scoreAll(ctx, p, s, net, known.archs, out.State)
	if err != nil {
		return fmt.Errorf("supernet: %w", err)
	}
	row := summary(p, net, known, losses)
	row.ScoreMS = 1000 * seconds / float64(max(1, len(losses)))
	rep.Logf("supernet: tau of minus the inherited loss with validation %s %.3f (%.3f to %.3f), with test %s %.3f, %d architectures; %.1f ms of processor time a step",
		in.Task.Metric.Name, row.Tau, row.TauLo, row.TauHi, in.Task.Metric.Name, row.TestTau, row.N, row.StepMS)
	if err := micro.WriteWeights(out.Weights, net.Layout, net.Parameters, net.Origin); err != nil {
		return err
	}
	if err := schemas.WriteSupernetScores(out.Scores, known.rows(losses), prov); err != nil {
		return err
	}
	if err := schemas.WriteSupernetTraining(out.Training, row, prov); err != nil {
		return err
	}
	fault.Point("supernet written", "")
	if err := os.Remove(out.Checkpoint); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if out.State == "" {
		return nil
	}
	return os.RemoveAll(out.State)
}

func prepare(p Params, in Inputs, out Outputs, rep progress.Reporter) (*micro.SupernetTraining, error) {
	dims, err := micro.DimsOf(in.Task)
	if err != nil {
		return nil, err
	}
	c, err := schemas.LoadCorpus(in.Corpus)
	if err != nil {
		return nil, err
	}
	rt, err := ort.Open()
	if err != nil {
		return nil, err
	}
	return &micro.SupernetTraining{
		Runtime: rt, Task: in.Task.Name, Dims: dims, Space: in.Task.Space, Corpus: c,
		Recipe: p.Recipe, Rule: p.Rule, Seed: uint64(p.Seed), Checkpoint: out.Checkpoint, Progress: rep,
	}, nil
}

// known are the architectures whose truth is known.
type known struct {
	archs       []space.Architecture
	score, test []float64
}

func readKnown(in Inputs) (known, error) {
	var k known
	truth, err := schemas.ReadTFS(in.TFS)
	if err != nil {
		return k, err
	}
	rows, err := schemas.ReadArchitectures(in.Architectures)
	if err != nil {
		return k, err
	}
	texts := map[string]string{}
	for _, r := range rows {
		texts[r.ID] = r.Architecture
	}
	for _, t := range truth {
		a, err := in.Task.Space.ParseArchitecture([]byte(texts[t.ID]))
		if err != nil {
			return k, fmt.Errorf("supernet: architecture %s: %w", t.ID, err)
		}
		k.archs, k.score, k.test = append(k.archs, a), append(k.score, t.Score), append(k.test, t.TestScore)
	}
	return k, nil
}

// rows hold minus the loss, so that more is better.
func (k known) rows(losses []float64) []schemas.SupernetScore {
	out := make([]schemas.SupernetScore, len(losses))
	for i, l := range losses {
		out[i] = schemas.SupernetScore{ID: k.archs[i].ID(), Supernet: Trained, Score: -l}
	}
	return out
}

func score(ctx context.Context, s *micro.SupernetTraining, net *micro.Supernet, archs []space.Architecture) ([]float64, float64, error) {
	scorer, err := micro.NewSupernetScorer(s.Runtime, s.Dims, s.Space.Largest(), net.Parameters, s.Corpus.Encode(s.Corpus.Valid), micro.ScorerOptions{})
	if err != nil {
		return nil, 0, err
	}
	defer scorer.Close()
	losses := make([]float64, len(archs))
	start := time.Now()
	err = scorer.Losses(ctx, archs, losses)
	return losses, time.Since(start).Seconds(), err
}

// draws of the bootstrap.
const draws = 2000

func summary(p Params, net *micro.Supernet, k known, losses []float64) schemas.SupernetTraining {
	order := make([]float64, len(losses))
	for i, l := range losses {
		order[i] = -l
	}
	row := schemas.SupernetTraining{
		Rule: p.Rule, Steps: int32(p.Recipe.Steps), Parameters: int64(len(net.Parameters)), LossCurve: net.Losses,
		CPUSeconds: math.NaN(), StepMS: math.NaN(), N: int32(len(losses)), WeightsFile: Name + "/weights.safetensors",
	}
	if net.CPUSeconds > 0 {
		row.CPUSeconds, row.StepMS = net.CPUSeconds, 1000*net.CPUSeconds/float64(p.Recipe.Steps)
	}
	row.Tau, row.TauLo, row.TauHi = tau(order, k.score)
	row.TestTau, row.TestTauLo, row.TestTauHi = tau(order, k.test)
	return row
}

// tau is Kendall's with its 95 % interval, NaN where it is not defined.
func tau(order, truth []float64) (value, lo, hi float64) {
	nan := math.NaN()
	if len(order) < 2 {
		return nan, nan, nan
	}
	value = metric.KendallTauB(order, truth)
	if math.IsNaN(value) {
		return value, nan, nan
	}
	i := metric.Bootstrap(len(order), draws, rand.New(rand.NewPCG(1, 0)), func(items []int) float64 {
		return metric.KendallTauB(metric.Pick(order, items), metric.Pick(truth, items))
	})
	return value, i.Lo, i.Hi
}
