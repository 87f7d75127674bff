package distill

import (
	"context"
	"fmt"
	"math"
	"slices"

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

// fill lets all predictors speak: the LLM, its students, their regressors without
// it, supernets and controls.
func (b *board) fill(ctx context.Context, classes []*class, direct map[string]fits) error {
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
	if err := b.direct(ctx, direct); err != nil {
		return err
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
	for _, name := range slices.Compact(slices.Sorted(slices.Values([]string{b.supernet, bestSupernet}))) {
		if scores := b.data.supernets[name]; len(scores) > 0 {
			supernets = append(supernets, column(name, scores))
		}
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
				row := schemas.Prediction{Predictor: o.Predictor, Split: s.Split, ID: id, Prediction: s.Prediction[i], Truth: s.Truth[i], Lo: math.NaN(), Hi: math.NaN()}
				if s.Lo != nil {
					row.Lo, row.Hi = s.Lo[i], s.Hi[i]
				}
				out = append(out, row)
			}
		}
	}
	return out
}

// scores are the scoreboard, with p-values against the LLM and against the
// combination.
func (b *board) scores(bootstrap predictor.Bootstrap) []schemas.Score {
	combined := predictor.Scoreboard(b.outcomes, Combined, bootstrap)
	var out []schemas.Score
	for i, s := range predictor.Scoreboard(b.outcomes, LLMPP, bootstrap) {
		out = append(out, schemas.Score{
			Task: b.data.task.Name, Predictor: s.Predictor, Split: s.Split,
			MAE: s.MAE, Tau: s.Tau, MAEStd: s.MAEStd, TauStd: s.TauStd,
			MAELo: s.MAE95.Lo, MAEHi: s.MAE95.Hi, TauLo: s.Tau95.Lo, TauHi: s.Tau95.Hi,
			N: int32(s.N), PMAEvsLLMPP: s.PMAE, PTauVsLLMPP: s.PTau,
			PMAEvsCombined: combined[i].PMAE, PTauVsCombined: combined[i].PTau,
			Coverage: s.Coverage, Width: s.Width, Note: s.Note,
		})
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
