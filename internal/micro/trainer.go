package micro

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"hsnas/internal/ort"
)

// Trainer trains the parameters of a layout, a step at a time. Two states take
// turns, one read and one written. It is not for several goroutines at once.
type Trainer struct {
	dims    Dims
	layout  *Layout
	recipe  Recipe
	threads int
	sampled bool
	rt      *ort.Runtime
	graphs  map[int]*stepGraph // by decoder layers
	states  [2]*state
	step    int // steps taken
	seed    uint64
	tables  *tables

	size, correction, loss, norm *ort.Tensor
}

// TrainerOptions say how a Trainer works; none changes what it computes.
type TrainerOptions struct {
	Threads int // of the session; 0 means 1
}

// NewTrainer prepares the training of the architecture s from the parameters
// that seed draws.
func NewTrainer(rt *ort.Runtime, d Dims, s Shape, r Recipe, seed uint64, o TrainerOptions) (*Trainer, error) {
	return newTrainer(rt, d, s, r, seed, false, o)
}

// NewSupernet prepares the training of a supernet of the size of s, of which
// every step trains one sub-network.
func NewSupernet(rt *ort.Runtime, d Dims, s Shape, r Recipe, seed uint64, o TrainerOptions) (*Trainer, error) {
	return newTrainer(rt, d, s, r, seed, true, o)
}

func newTrainer(rt *ort.Runtime, d Dims, s Shape, r Recipe, seed uint64, sampled bool, o TrainerOptions) (*Trainer, error) {
	l, err := NewLayout(d, s)
	if err != nil {
		return nil, err
	}
	t := &Trainer{
		dims: d, layout: l, recipe: r, threads: max(1, o.Threads), sampled: sampled, rt: rt, seed: seed,
		graphs: map[int]*stepGraph{}, tables: newTables(d.Ladder),
	}
	for i := range t.states {
		t.states[i] = newState(l.Size())
	}
	copy(t.states[0].flat[0], l.Initialise(d, seed))
	for _, into := range []**ort.Tensor{&t.size, &t.correction, &t.loss, &t.norm} {
		if *into, err = ort.NewFloats([]int64{1}, make([]float32, 1)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Layout is where each parameter lies in Parameters.
func (t *Trainer) Layout() *Layout { return t.layout }

// Parameters are the present ones, in the layout's order. They are valid until the
// next step.
func (t *Trainer) Parameters() []float32 { return t.states[0].flat[0] }

// Steps is how many steps were taken.
func (t *Trainer) Steps() int { return t.step }

// StepResult is what a step tells.
type StepResult struct {
	Loss float64 // smoothed cross entropy in nats a token, before the step
	Norm float64 // of the gradient before clipping
}

// Step takes a training step of the architecture s on a batch. A loss that is
// not a number is a *DivergedError, and the parameters are worthless then.
func (t *Trainer) Step(ctx context.Context, s Shape, b *Batch) (StepResult, error) {
	g, err := t.graph(s)
	if err != nil {
		return StepResult{}, err
	}
	c := &call{shape: s, batch: b, tables: t.tables, dropout: t.recipe.Dropout}
	if c.dropout > 0 {
		c.random = rand.New(rand.NewPCG(t.seed, uint64(t.step)))
	}
	step := t.step + 1
	t.size.Floats()[0], t.correction.Floats()[0], _ = t.recipe.adam().Rates(step, t.recipe.Rate(step))
	if err := g.run(ctx, t.states[0], t.states[1], c, t.size, t.correction, t.loss, t.norm); err != nil {
		return StepResult{}, err
	}
	t.states[0], t.states[1] = t.states[1], t.states[0]
	t.step = step
	result := StepResult{Loss: float64(t.loss.Floats()[0]), Norm: float64(t.norm.Floats()[0])}
	if x := result.Loss + result.Norm; math.IsNaN(x) || math.IsInf(x, 0) {
		return result, &DivergedError{Step: step, Loss: result.Loss, Norm: result.Norm}
	}
	return result, nil
}

// graph is the session for as many decoder layers as s has.
func (t *Trainer) graph(s Shape) (*stepGraph, error) {
	depth := s.Decoder.Layers()
	if g, ok := t.graphs[depth]; ok {
		return g, nil
	}
	g, err := newStepGraph(t.rt, t.dims, t.layout.upTo(depth), s, t.sampled, t.recipe, t.threads)
	if err != nil {
		return nil, err
	}
	t.graphs[depth] = g
	return g, nil
}

// Close gives the sessions back.
func (t *Trainer) Close() {
	for _, g := range t.graphs {
		g.session.Close()
	}
	for _, s := range t.states {
		s.release()
	}
	for _, x := range []*ort.Tensor{t.size, t.correction, t.loss, t.norm} {
		x.Destroy()
	}
}

// DivergedError says that a loss or a gradient became infinite or not a number.
type DivergedError struct {
	Step       int
	Loss, Norm float64
}

// Error names the step and what to try.
func (e *DivergedError) Error() string {
	return fmt.Sprintf("training diverged at step %d: loss %v, gradient norm %v; lower the learning rate", e.Step, e.Loss, e.Norm)
}
