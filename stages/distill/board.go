package distill

import (
	"context"
	"fmt"

	"hsnas/internal/predictor"
	"hsnas/internal/published"
	"hsnas/internal/space"
	"hsnas/schemas"
)

// board collects what every predictor said about the test sets.
type board struct {
	data     *data
	supernet string
	outcomes []predictor.Outcome
}

// fill lets all predictors speak: the LLM, its students, supernets and controls.
func (b *board) fill(ctx context.Context, classes []*class) error {
	b.llm()
	for _, c := range classes {
		note := fmt.Sprintf("distilled from labels with the demonstrations of split %s, tested on that split alone", c.split.name)
		chosen := *c.chosen.regression
		chosen.Label = Distilled
		if err := b.predict(ctx, &chosen, []*split{c.split}, "student "+c.chosen.row.Student+", "+note); err != nil {
			return err
		}
		for _, s := range c.students {
			if err := b.predict(ctx, s.regression, []*split{c.split}, note); err != nil {
				return err
			}
		}
	}
	for _, name := range published.Supernets() {
		if scores := b.data.supernets[name]; len(scores) > 0 {
			p := lookup{"supernet:" + name, scores}
			if err := b.predict(ctx, p, b.data.splits, "published, inherited weights"); err != nil {
				return err
			}
		}
	}
	if err := b.inherited(ctx); err != nil {
		return err
	}
	if err := b.controls(ctx); err != nil {
		return err
	}
	return b.combine(ctx)
}

// inherited adds what the run's own supernet says.
func (b *board) inherited(ctx context.Context) error {
	if b.data.trained == nil {
		return nil
	}
	p := lookup{Supernet, b.data.trained}
	if err := b.predict(ctx, p, b.data.splits, "trained here, inherited weights; minus validation loss"); err != nil {
		return err
	}
	b.outcome(Supernet).OrderOnly = true
	return nil
}

// llm adds the LLM's answers about the test sets.
func (b *board) llm() {
	o, gaps := predictor.Outcome{Predictor: LLMPP}, 0
	for _, s := range b.data.splits {
		gaps += s.gaps
		so := predictor.SplitOutcome{Split: s.name}
		for _, id := range s.test {
			if y, ok := s.said[id]; ok {
				so.IDs, so.Prediction, so.Truth = append(so.IDs, id), append(so.Prediction, y), append(so.Truth, b.data.truth[id])
			}
		}
		if len(so.IDs) > 0 {
			o.Splits = append(o.Splits, so)
		}
	}
	if gaps > 0 {
		o.Note = fmt.Sprintf("%d of the test architectures have no answer and are left out", gaps)
	}
	if len(o.Splits) > 0 {
		b.outcomes = append(b.outcomes, o)
	}
}

// predict adds a predictor's outcome on the test sets of splits; outcomes of
// the same name on different splits become one.
func (b *board) predict(ctx context.Context, p predictor.Predictor, splits []*split, note string) error {
	for _, s := range splits {
		so := predictor.SplitOutcome{Split: s.name, IDs: s.test, Prediction: make([]float64, len(s.test)), Truth: b.data.truths(s.test)}
		if err := p.Predict(ctx, b.data.architectures(s.test), so.Prediction); err != nil {
			return err
		}
		b.append(p.Name(), so, note)
	}
	return nil
}

func (b *board) append(name string, so predictor.SplitOutcome, note string) {
	for i := range b.outcomes {
		if b.outcomes[i].Predictor == name {
			b.outcomes[i].Splits = append(b.outcomes[i].Splits, so)
			return
		}
	}
	b.outcomes = append(b.outcomes, predictor.Outcome{Predictor: name, Splits: []predictor.SplitOutcome{so}, Note: note})
}

// controls fits them anew to the demonstrations of every split.
func (b *board) controls(ctx context.Context) error {
	var supernets []predictor.Column
	if scores := b.data.supernets[b.supernet]; len(scores) > 0 {
		supernets = append(supernets, column(b.supernet, scores))
	}
	for _, s := range b.data.splits {
		controls, err := predictor.Controls(b.data.task, b.data.demonstrated(s), b.data.lines(), supernets)
		if err != nil {
			return fmt.Errorf("split %s: %w", s.name, err)
		}
		for _, c := range controls {
			if err := b.predict(ctx, c, []*split{s}, fmt.Sprintf("fitted to the %d demonstrations", len(s.demonstrations))); err != nil {
				return err
			}
		}
	}
	return nil
}

// combine adds the mean of the LLM's answer and of a second opinion that was
// fitted to the same demonstrations: a line in what the run's own supernet says
// where it trains one, the neuron-wise supernet with the demonstrations' mean
// difference where its published scores are known, the ridge control elsewhere.
// The choice was made on published figures; no run makes it anew.
func (b *board) combine(ctx context.Context) error {
	llm := b.outcome(LLMPP)
	if llm == nil {
		return nil
	}
	for _, so := range llm.Splits {
		s := b.data.split(so.Split)
		second, err := b.secondOpinion(s)
		if err != nil {
			return err
		}
		archs := b.data.architectures(so.IDs)
		prediction := make([]float64, len(archs))
		if err := second.Predict(ctx, archs, prediction); err != nil {
			return err
		}
		for i := range prediction {
			prediction[i] = (prediction[i] + so.Prediction[i]) / 2
		}
		so.Prediction = prediction
		b.append(Combined, so, "mean of llm-pp and "+second.Name())
	}
	return nil
}

// bestSupernet is the one whose order is best in the paper.
const bestSupernet = "mos-neuron"

func (b *board) secondOpinion(s *split) (predictor.Predictor, error) {
	wanted, supernets := "control:ridge", []predictor.Column(nil)
	if scores := b.data.supernets[bestSupernet]; b.data.trained != nil {
		wanted = SupernetLine
	} else if len(scores) > 0 {
		wanted, supernets = "control:"+bestSupernet+"-offset", []predictor.Column{column(bestSupernet, scores)}
	}
	controls, err := predictor.Controls(b.data.task, b.data.demonstrated(s), b.data.lines(), supernets)
	if err != nil {
		return nil, err
	}
	for _, c := range controls {
		if c.Name() == wanted {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no %s to combine llm-pp with", wanted)
}

func (b *board) outcome(name string) *predictor.Outcome {
	for i := range b.outcomes {
		if b.outcomes[i].Predictor == name {
			return &b.outcomes[i]
		}
	}
	return nil
}

func (b *board) predictions() []schemas.Prediction {
	var out []schemas.Prediction
	for _, o := range b.outcomes {
		for _, s := range o.Splits {
			for i, id := range s.IDs {
				out = append(out, schemas.Prediction{Predictor: o.Predictor, Split: s.Split, ID: id, Prediction: s.Prediction[i], Truth: s.Truth[i]})
			}
		}
	}
	return out
}

// lookup predicts what a table says.
type lookup struct {
	name   string
	scores map[string]float64
}

func (l lookup) Name() string { return l.name }

func (l lookup) Predict(_ context.Context, archs []space.Architecture, out []float64) error {
	for i, a := range archs {
		v, ok := l.scores[a.ID()]
		if !ok {
			return fmt.Errorf("%s has no score for architecture %s", l.name, a.ID())
		}
		out[i] = v
	}
	return nil
}
