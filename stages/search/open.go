package search

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"hsnas/internal/config"
	"hsnas/internal/evolve"
	"hsnas/internal/micro"
	"hsnas/internal/ort"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// load opens every model that the settings name; release gives them back.
func load(p Params, in Inputs, rep progress.Reporter) (m models, release func(), err error) {
	rt, err := ort.Open()
	if err != nil {
		return models{}, nil, err
	}
	o := &opened{rt: rt, device: p.Device, rep: rep, in: in, scorers: map[string]evolve.Scorer{}}
	if err = o.all(p); err == nil {
		m, err = assemble(p, in, o.scorers)
	}
	if err != nil {
		o.close()
		return models{}, nil, err
	}
	return m, o.close, nil
}

// opened are scorers by role, and how to give them back.
type opened struct {
	rt      *ort.Runtime
	device  string
	rep     progress.Reporter
	in      Inputs
	scorers map[string]evolve.Scorer
	closers []func()
}

func (o *opened) close() {
	for _, c := range o.closers {
		c()
	}
}

func (o *opened) all(p Params) error {
	files := p.Files(o.in)
	for _, role := range slices.Sorted(maps.Keys(files)) {
		if err := o.predictor(role, files[role]); err != nil {
			return err
		}
	}
	if p.Baseline != TrainedSupernet {
		return nil
	}
	return o.supernet(p.Workers)
}

// predictor opens an exported predictor.
func (o *opened) predictor(role, file string) error {
	m, err := o.load(role, file)
	if err != nil {
		return fmt.Errorf("search: loading the predictor of %s: %w", role, err)
	}
	o.closers = append(o.closers, func() { m.Close() })
	o.scorers[role] = evolve.Func(strings.TrimSuffix(filepath.Base(file), ".onnx"), m.Predict)
	return checkTarget(m, file, role, o.in.Task)
}

// load opens it on the device. Trees are on the CPU whatever the device is: no other
// has the operator, and a search should not fail for the kind of regressor that
// cross-validation happened to choose.
func (o *opened) load(role, file string) (*predictor.ONNX, error) {
	m, err := predictor.LoadOn(o.rt, o.device, file, o.in.Task)
	if !predictor.OnlyTrees(err) {
		return m, err
	}
	o.rep.Logf("the predictor of %s, %s, is of trees, which device %s has no operator for: it runs on the CPU", role, filepath.Base(file), o.device)
	return predictor.Load(o.rt, file, o.in.Task)
}

// checkTarget refuses a predictor of something else than its role needs: a
// search that takes milliseconds for BLEU ends well and means nothing.
func checkTarget(o *predictor.ONNX, file, role string, t *task.Task) error {
	want := role
	if role == roleStudent || role == roleBaseline || role == roleControl {
		want = t.Metric.Name
	}
	if got := o.Meta().Target; got != want {
		return config.Errorf("", 0, "search: %s predicts %q, expected a predictor of %q", file, got, want)
	}
	return nil
}

// supernet opens the supernet that the run has trained as the baseline.
func (o *opened) supernet(workers int) error {
	if o.in.Supernet == "" || o.in.Corpus == "" {
		return config.Errorf("", 0, "search: the baseline is %s, but this run trains none; name an exported predictor, such as baseline: surrogate", TrainedSupernet)
	}
	s, err := o.openSupernet(workers)
	if err != nil {
		return fmt.Errorf("search: loading the supernet: %w", err)
	}
	o.closers = append(o.closers, s.Close)
	o.scorers[roleBaseline] = evolve.Func(TrainedSupernet, func(ctx context.Context, archs []space.Architecture, out []float64) error {
		err := s.Losses(ctx, archs, out)
		for i := range out {
			out[i] = -out[i]
		}
		return err
	})
	return nil
}

// openSupernet reads the shared weights and the validation set.
func (o *opened) openSupernet(workers int) (*micro.SupernetScorer, error) {
	dims, err := micro.DimsOf(o.in.Task)
	if err != nil {
		return nil, err
	}
	largest := o.in.Task.Space.Largest()
	shape, err := micro.ShapeOf(dims, largest)
	if err != nil {
		return nil, err
	}
	layout, err := micro.NewLayout(dims, shape)
	if err != nil {
		return nil, err
	}
	weights, err := micro.ReadWeights(o.in.Supernet, layout)
	if err != nil {
		return nil, err
	}
	corpus, err := schemas.LoadCorpus(o.in.Corpus)
	if err != nil {
		return nil, err
	}
	return micro.NewSupernetScorer(o.rt, dims, largest, weights, corpus.Encode(corpus.Valid), micro.ScorerOptions{Workers: workers, Device: o.device})
}
