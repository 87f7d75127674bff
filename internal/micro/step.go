package micro

import (
	"context"
	"fmt"

	"hsnas/internal/autodiff"
	"hsnas/internal/config"
	"hsnas/internal/onnx"
	"hsnas/internal/ort"
)

// Recipe is how a network is trained. The zero value is not usable; start from
// SettingA.
type Recipe struct {
	Steps     int     `yaml:"steps"`
	Batch     int     `yaml:"batch"`               // sentence pairs
	Peak      float64 `yaml:"peak"`                // learning rate after the warm-up
	Warmup    int     `yaml:"warmup"`              // steps of linear growth
	Clip      float64 `yaml:"clip"`                // largest norm of the gradient
	Smoothing float64 `yaml:"smoothing"`           // of the targets
	Dropout   float64 `yaml:"dropout"`             // behind every sub-layer
	Beta1     float64 `yaml:"adam_beta1"`          // of Adam
	Beta2     float64 `yaml:"adam_beta2"`          // of Adam
	Epsilon   float64 `yaml:"adam_epsilon"`        // of Adam
	Floor     float64 `yaml:"learning_rate_floor"` // the rate falls linearly to this part of Peak
}

// SettingA is the default recipe of the embedded task, training from scratch.
func SettingA() Recipe {
	return Recipe{
		Steps: 500, Batch: 64, Peak: 4e-3, Warmup: 100, Clip: 1, Smoothing: 0.1,
		Beta1: 0.9, Beta2: 0.98, Epsilon: 1e-9, Floor: 0.02,
	}
}

// Validate implements config.Validator.
func (r *Recipe) Validate() error {
	switch {
	case r.Steps < 1:
		return config.Fieldf("steps", "%d, expected at least 1", r.Steps)
	case r.Batch < 1:
		return config.Fieldf("batch", "%d, expected at least 1", r.Batch)
	case !(r.Peak > 0):
		return config.Fieldf("peak", "%v, expected a learning rate above 0", r.Peak)
	case r.Warmup < 0:
		return config.Fieldf("warmup", "%d, expected 0 or more steps", r.Warmup)
	case !(r.Clip > 0):
		return config.Fieldf("clip", "%v, expected a norm above 0", r.Clip)
	case !(r.Smoothing >= 0 && r.Smoothing < 1):
		return config.Fieldf("smoothing", "%v, expected 0 or more and less than 1", r.Smoothing)
	case !(r.Dropout >= 0 && r.Dropout < 1):
		return config.Fieldf("dropout", "%v, expected 0 or more and less than 1", r.Dropout)
	case !(r.Beta1 > 0 && r.Beta1 < 1):
		return config.Fieldf("adam_beta1", "%v, expected more than 0 and less than 1", r.Beta1)
	case !(r.Beta2 > 0 && r.Beta2 < 1):
		return config.Fieldf("adam_beta2", "%v, expected more than 0 and less than 1", r.Beta2)
	case !(r.Epsilon > 0):
		return config.Fieldf("adam_epsilon", "%v, expected more than 0", r.Epsilon)
	case !(r.Floor >= 0 && r.Floor <= 1):
		return config.Fieldf("learning_rate_floor", "%v, expected 0 to 1", r.Floor)
	}
	return nil
}

// Rate is the learning rate of a step counted from 1.
func (r Recipe) Rate(step int) float64 {
	if step < r.Warmup {
		return r.Peak * float64(step) / float64(r.Warmup)
	}
	left := 1 - float64(step-r.Warmup)/float64(max(1, r.Steps-r.Warmup))
	return r.Peak * max(r.Floor, left)
}

func (r Recipe) adam() autodiff.Adam {
	return autodiff.Adam{Beta1: r.Beta1, Beta2: r.Beta2, Epsilon: r.Epsilon}
}

// stepGraph is a session that takes training steps on a part of a layout.
type stepGraph struct {
	layout  *autodiff.Parameters
	feeds   []feed
	session *ort.Session
}

// newStepGraph builds the training step of a shape: forward pass, gradients,
// clipping and Adam in one graph. With sampled, the shape gives the number of
// layers alone, and the layout is a supernet's.
func newStepGraph(rt *ort.Runtime, d Dims, l *autodiff.Parameters, s Shape, sampled bool, r Recipe, threads int) (*stepGraph, error) {
	b := newBuilder("micro_training_step", d, s)
	b.sampled, b.dropout = sampled, r.Dropout
	views := b.bind(l)
	flat := func(name string) value { return b.g.Input(name, onnx.Float32, onnx.Fixed(int64(l.Size()))) }
	state := autodiff.State{Parameters: flat("parameters"), First: flat("first"), Second: flat("second")}
	adam := r.adam()
	rates := adam.Inputs(b.g)
	loss := b.loss(float32(r.Smoothing))
	gradients, err := autodiff.Options{Composites: &b.composites, Threads: threads}.Gradients(b.g, loss, views...)
	if err != nil {
		return nil, err
	}
	gradient, norm := autodiff.ClipNorm(b.g, l.Flatten(b.g, gradients), float32(r.Clip))
	next := adam.Update(b.g, state, gradient, rates)
	b.g.Output("loss", loss)
	b.g.Output("norm", norm)
	b.g.Output("next_parameters", next.Parameters)
	b.g.Output("next_first", next.First)
	b.g.Output("next_second", next.Second)
	session, err := open(rt, b, "training step", threads)
	if err != nil {
		return nil, err
	}
	return &stepGraph{layout: l, feeds: b.feeds, session: session}, nil
}

// open starts a session. Graphs that are made to fit are not rewritten: it takes
// longer to open them then, and no step is faster. Sentences differ in length,
// so memory is not planned ahead.
func open(rt *ort.Runtime, b *builder, name string, threads int) (*ort.Session, error) {
	return openOn(rt, b, ort.Options{Name: name, Threads: threads})
}

// openOn is open for any device.
func openOn(rt *ort.Runtime, b *builder, o ort.Options) (*ort.Session, error) {
	model, err := b.g.Marshal()
	if err != nil {
		return nil, err
	}
	o.Optimization, o.NoMemoryPattern = ort.OptimizeNone, true
	return rt.LoadBytes(model, o)
}

// state is everything that training changes: the parameters and Adam's two
// moments. Tensors of prefixes and views are made once.
type state struct {
	flat    [3][]float32 // parameters, first and second moment
	tensors map[int]*stateTensors
}

// stateTensors are a state's arrays as a step graph takes them.
type stateTensors struct {
	views []*ort.Tensor
	flat  [3]*ort.Tensor
}

func newState(n int) *state {
	s := &state{tensors: map[int]*stateTensors{}}
	for i := range s.flat {
		s.flat[i] = make([]float32, n)
	}
	return s
}

// of is the state's prefix that a layout describes.
func (s *state) of(l *autodiff.Parameters) (*stateTensors, error) {
	n := l.Size()
	if t, ok := s.tensors[n]; ok {
		return t, nil
	}
	t := &stateTensors{}
	var err error
	if t.views, err = l.Tensors(s.flat[0][:n]); err != nil {
		return nil, err
	}
	for i := range t.flat {
		if t.flat[i], err = ort.NewFloats([]int64{int64(n)}, s.flat[i][:n]); err != nil {
			return nil, err
		}
	}
	s.tensors[n] = t
	return t, nil
}

func (s *state) release() {
	for _, t := range s.tensors {
		for _, x := range append(t.views, t.flat[:]...) {
			x.Destroy()
		}
	}
	s.tensors = map[int]*stateTensors{}
}

// run takes one step from a state into another. What the graph does not touch is
// copied.
func (g *stepGraph) run(ctx context.Context, from, to *state, c *call, size, correction, loss, norm *ort.Tensor) error {
	before, err := from.of(g.layout)
	if err != nil {
		return err
	}
	after, err := to.of(g.layout)
	if err != nil {
		return err
	}
	fed, release, err := tensors(g.feeds, c)
	if err != nil {
		return fmt.Errorf("training step: %w", err)
	}
	defer release()
	in := make([]*ort.Tensor, 0, len(before.views)+5+len(fed))
	in = append(in, before.views...)
	in = append(in, before.flat[0], before.flat[1], before.flat[2], size, correction)
	in = append(in, fed...)
	if err := g.session.Run(ctx, in, []*ort.Tensor{loss, norm, after.flat[0], after.flat[1], after.flat[2]}); err != nil {
		return err
	}
	for i := range from.flat {
		copy(to.flat[i][g.layout.Size():], from.flat[i][g.layout.Size():])
	}
	return nil
}
