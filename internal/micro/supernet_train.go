package micro

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"hsnas/internal/corpus"
	"hsnas/internal/ort"
	"hsnas/internal/progress"
	"hsnas/internal/space"
)

// SupernetTraining trains a supernet of a space.
type SupernetTraining struct {
	Runtime *ort.Runtime
	Task    string
	Dims    Dims
	Space   *space.Space
	Corpus  *corpus.Corpus
	Recipe  Recipe
	Rule    string // Uniform or Sandwich
	Seed    uint64
	// Checkpoint is the file that an interrupted training goes on from; "" for none.
	Checkpoint string
	Progress   progress.Reporter
}

// Supernet is a trained supernet.
type Supernet struct {
	Layout     *Layout
	Parameters []float32
	Losses     []float64 // smoothed training loss, the mean of each ten steps
	CPUSeconds float64   // of the steps; 0 where the system does not tell
	Origin     Origin
}

// supernetProgress is what a checkpoint keeps beside the parameters.
type supernetProgress struct {
	Losses     []float64
	CPUSeconds float64
}

// supernetCheckpoint is how many steps lie between two checkpoints: what a kill
// costs at the most, some seconds.
const supernetCheckpoint = 100

// Train takes all steps, or those that the checkpoint leaves.
func (s *SupernetTraining) Train(ctx context.Context) (*Supernet, error) {
	if err := s.Recipe.fits(s.Corpus, s.Dims, s.Task); err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	largest, err := ShapeOf(s.Dims, s.Space.Largest())
	if err != nil {
		return nil, err
	}
	t, err := NewSupernet(s.Runtime, s.Dims, largest, s.Recipe, s.Seed, TrainerOptions{})
	if err != nil {
		return nil, err
	}
	defer t.Close()
	key, err := hashOf(s.Recipe, s.Dims, s.Corpus, s.Space)
	if err != nil {
		return nil, err
	}
	origin := Origin{Task: s.Task, Architecture: "supernet, " + s.Rule, Seed: s.Seed, Recipe: key}
	var done supernetProgress
	if err := s.resume(t, origin, &done); err != nil {
		return nil, err
	}
	if err := s.steps(ctx, t, origin, &done); err != nil {
		return nil, fmt.Errorf("supernet: %w", err)
	}
	return &Supernet{
		Layout: t.Layout(), Parameters: append([]float32(nil), t.Parameters()...),
		Losses: done.Losses, CPUSeconds: done.CPUSeconds, Origin: origin,
	}, nil
}

// resume takes up a checkpoint of this training. That of one with another seed or
// rule, which was killed, is of no use: the file is written anew.
func (s *SupernetTraining) resume(t *Trainer, o Origin, done *supernetProgress) error {
	if _, err := os.Stat(s.Checkpoint); s.Checkpoint == "" || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if same, err := o.sameTraining(s.Checkpoint); err == nil && !same {
		return nil
	}
	_, err := t.takeUp(s.Checkpoint, o, done, s.Progress.Logf)
	return err
}

func (s *SupernetTraining) steps(ctx context.Context, t *Trainer, o Origin, done *supernetProgress) error {
	s.Progress.Start("training the supernet, steps", s.Recipe.Steps)
	defer s.Progress.Done()
	s.Progress.Add(t.Steps())
	batches := NewBatches(s.Corpus.Encode(s.Corpus.Train), s.Recipe.Batch, s.Seed)
	sampler := NewSampler(s.Dims, s.Space, s.Rule, s.Seed)
	began := threadSeconds()
	var sum float64
	whole := context.WithoutCancel(ctx) // an interrupted training ends with a checkpoint, a few steps later
	first := t.Steps()
	for t.Steps() < s.Recipe.Steps {
		shape, err := sampler.At(t.Steps())
		if err != nil {
			return err
		}
		result, err := t.Step(whole, shape, batches.At(t.Steps()))
		if err != nil {
			return err
		}
		sum += result.Loss
		if t.Steps()%lossesEvery != 0 {
			continue
		}
		done.Losses = append(done.Losses, sum/lossesEvery)
		sum = 0
		s.Progress.Add(lossesEvery)
		now := threadSeconds()
		done.CPUSeconds += now - began
		began = now
		if s.Checkpoint != "" && (t.Steps()%supernetCheckpoint == 0 || ctx.Err() != nil) {
			if err := t.Save(s.Checkpoint, o, *done); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if s.Checkpoint == "" || t.Steps() == first {
		return nil
	}
	return t.Save(s.Checkpoint, o, *done) // what is done with the weights may be interrupted, too
}
