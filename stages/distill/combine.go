package distill

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"hsnas/internal/predictor"
	"hsnas/internal/space"
)

// level of the intervals of combined predictions.
const level = 0.9

// bestSupernet is the published one whose order is best in the paper: a choice that
// the paper made on these test sets, and that the combinations' rows speak of.
const bestSupernet = "mos-neuron"

// combine adds what the LLM, the size of an architecture and a supernet say
// together, weighed by how right each is about demonstrations that it was not
// shown, and the same without the LLM and without the supernet: what each adds.
func (b *board) combine(ctx context.Context) error {
	llm := b.outcome(LLMPP)
	if llm == nil {
		return nil
	}
	for _, so := range llm.Splits {
		s := b.data.split(so.Split)
		opinions, err := b.opinions(ctx, s, so)
		if err != nil {
			return fmt.Errorf("split %s: %w", s.name, err)
		}
		if err := b.combination(Combined, s, so, opinions); err != nil {
			return err
		}
		if len(opinions) > 2 {
			if err := b.combination(CombinedNoSupernet, s, so, opinions[:2]); err != nil {
				return err
			}
		}
		if err := b.combination(CombinedNoLLM, s, so, opinions[1:]); err != nil {
			return err
		}
	}
	return nil
}

// combination adds the combination of some opinions. Without answers about held-out
// demonstrations, all weigh the same and there are no intervals.
func (b *board) combination(name string, s *split, so predictor.SplitOutcome, opinions []predictor.Opinion) error {
	var names []string
	for _, o := range opinions {
		names = append(names, o.Name)
	}
	note := "mean of " + strings.Join(names, ", ")
	known := !slices.ContainsFunc(opinions, func(o predictor.Opinion) bool { return o.HeldOut == nil })
	if !known || len(s.demonstrations) < 3 {
		so.Prediction = mean(opinions)
		b.append(name, so, note+"; label.folds: 5 would give weights and intervals")
		return nil
	}
	c, err := predictor.Combine(opinions, b.data.truths(s.demonstrations), level)
	if err != nil {
		return fmt.Errorf("split %s: %w", s.name, err)
	}
	so.Prediction, so.Lo, so.Hi = c.Prediction, c.Lo, c.Hi
	if len(b.data.supernets[bestSupernet]) > 0 && strings.Contains(note, bestSupernet) {
		note += " (the supernet that the paper found best, on these test sets)"
	}
	b.append(name, so, note+", weighed by held-out demonstrations; intervals at 90 %")
	return nil
}

func mean(opinions []predictor.Opinion) []float64 {
	out := make([]float64, len(opinions[0].Test))
	for _, o := range opinions {
		for i, y := range o.Test {
			out[i] += y / float64(len(opinions))
		}
	}
	return out
}

// opinions are the LLM's, the size's, and a supernet's where there is one.
func (b *board) opinions(ctx context.Context, s *split, so predictor.SplitOutcome) ([]predictor.Opinion, error) {
	llm := predictor.Opinion{Name: LLMPP, Test: so.Prediction}
	if len(s.heldOut) == len(s.demonstrations) {
		for _, id := range s.demonstrations {
			llm.HeldOut = append(llm.HeldOut, s.heldOut[id])
		}
	}
	out := []predictor.Opinion{llm}
	for _, c := range b.second() {
		o, err := b.opinion(ctx, s, c, b.data.architectures(so.IDs))
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// second names the controls that are combined with the LLM: the ridge on sizes,
// or on all hyperparameters where nothing is known of sizes, and a line in what the
// run's own supernet says, or the best published one at the demonstrations' mean.
func (b *board) second() []string {
	out := []string{"control:ridge"}
	if b.data.task.HasCostModel() {
		out[0] = "control:size"
	}
	if b.data.trained != nil {
		return append(out, SupernetLine)
	}
	if len(b.data.supernets[bestSupernet]) > 0 {
		return append(out, "control:"+bestSupernet+"-offset")
	}
	return out
}

// opinion fits a control to all demonstrations and to all but each.
func (b *board) opinion(ctx context.Context, s *split, name string, test []space.Architecture) (predictor.Opinion, error) {
	o := predictor.Opinion{Name: name, Test: make([]float64, len(test))}
	all := b.data.demonstrated(s)
	fitted, err := b.fit(name, all)
	if err != nil {
		return o, err
	}
	if err := fitted.Predict(ctx, test, o.Test); err != nil {
		return o, err
	}
	if len(all.Archs) < 3 {
		return o, nil
	}
	for i := range all.Archs {
		fitted, err := b.fit(name, all.Without(i))
		if err != nil {
			return o, err
		}
		said := make([]float64, 1+len(test))
		if err := fitted.Predict(ctx, append([]space.Architecture{all.Archs[i]}, test...), said); err != nil {
			return o, err
		}
		o.HeldOut, o.Without = append(o.HeldOut, said[0]), append(o.Without, said[1:])
	}
	return o, nil
}

// fit fits the control of a name.
func (b *board) fit(name string, d predictor.Demonstrations) (predictor.Predictor, error) {
	var supernets []predictor.Column
	if scores := b.data.supernets[bestSupernet]; len(scores) > 0 {
		supernets = []predictor.Column{column(bestSupernet, scores)}
	}
	controls, err := predictor.Controls(b.data.task, d, b.data.lines(), supernets)
	if err != nil {
		return nil, err
	}
	for _, c := range controls {
		if c.Name() == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no %s to combine llm-pp with", name)
}
