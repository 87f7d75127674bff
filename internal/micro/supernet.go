package micro

import (
	"context"
	"fmt"
	"math/rand/v2"

	"hsnas/internal/corpus"
	"hsnas/internal/ort"
	"hsnas/internal/space"

	"golang.org/x/sync/errgroup"
)

// The rules by which a supernet chooses the sub-network of a training step.
const (
	Uniform  = "uniform"  // any of the space
	Sandwich = "sandwich" // in turns the largest, the smallest and two of the space (Yu and Huang, 2019)
)

// SupernetRecipe is the recipe of the embedded task's supernet, chosen among a
// few by its order of the demonstrations and the extra architectures: longer
// training and higher rates lower the loss and worsen the order.
func SupernetRecipe() Recipe {
	r := SettingA()
	r.Steps, r.Peak = 1500, 2e-3
	return r
}

// Sampler chooses the sub-network of every step.
type Sampler struct {
	space *space.Space
	dims  Dims
	rule  string
	seed  uint64
}

// NewSampler returns a sampler of a space by a rule.
func NewSampler(d Dims, s *space.Space, rule string, seed uint64) *Sampler {
	return &Sampler{space: s, dims: d, rule: rule, seed: seed}
}

// At is the sub-network of step i, from 0: the same whenever it is asked for.
func (s *Sampler) At(i int) (Shape, error) {
	arch := s.space.Sample(rand.New(rand.NewPCG(s.seed, uint64(i))))
	if s.rule == Sandwich {
		switch i % 4 {
		case 0:
			arch = s.space.Largest()
		case 1:
			arch = s.space.Smallest()
		}
	}
	return ShapeOf(s.dims, arch)
}

// SupernetScorer scores architectures by the loss that they have with inherited weights. Several
// are scored side by side, one thread each.
type SupernetScorer struct {
	dims    Dims
	scorers []*Scorer
}

// ScorerOptions say where a supernet's architectures are scored. The zero value is
// the CPU, one architecture on each core.
type ScorerOptions struct {
	// Workers is how many are scored side by side on the CPU; another device scores
	// one after the other.
	Workers int
	// Device is cpu (or nothing), webgpu, cuda or cuda:N.
	Device string
}

// NewSupernetScorer prepares the scoring of a supernet's parameters on examples.
func NewSupernetScorer(rt *ort.Runtime, d Dims, largest space.Architecture, parameters []float32, examples []corpus.Example, o ScorerOptions) (*SupernetScorer, error) {
	shape, err := ShapeOf(d, largest)
	if err != nil {
		return nil, err
	}
	l, err := NewLayout(d, shape)
	if err != nil {
		return nil, err
	}
	device, err := ort.ParseDevice(o.Device)
	if err != nil {
		return nil, err
	}
	sessions := 1
	if device.CPU() {
		sessions = Workers(o.Workers)
	}
	s := &SupernetScorer{dims: d}
	for range sessions {
		one, err := newScorer(rt, device, d, l, parameters, true, examples)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.scorers = append(s.scorers, one)
	}
	return s, nil
}

// Close gives the sessions back.
func (s *SupernetScorer) Close() {
	for _, one := range s.scorers {
		one.Close()
	}
}

// Losses writes the inherited loss of each architecture, nats a token, to out.
// It is not for several goroutines at once.
func (s *SupernetScorer) Losses(ctx context.Context, archs []space.Architecture, out []float64) error {
	group, ctx := errgroup.WithContext(ctx)
	next := make(chan int, len(archs))
	for i := range archs {
		next <- i
	}
	close(next)
	for _, scorer := range s.scorers {
		group.Go(func() error {
			for i := range next {
				shape, err := ShapeOf(s.dims, archs[i])
				if err != nil {
					return err
				}
				if out[i], err = scorer.Loss(ctx, shape); err != nil {
					return fmt.Errorf("architecture %s: %w", archs[i].ID(), err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}
