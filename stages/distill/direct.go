package distill

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"hsnas/internal/predictor"
	"hsnas/internal/progress"
)

// Direct begins the names of students' regressors that were fitted to the
// measured demonstrations, without an LLM.
const Direct = "direct:"

// directly fits every student to the truth about the demonstrations of each
// split: what the same regressor is worth without a teacher.
func directly(ctx context.Context, p Params, d *data, rep progress.Reporter) (map[string]fits, error) {
	rep.Start("fitting students' regressors to the demonstrations", len(d.splits))
	defer rep.Done()
	fitted := make([]fits, len(d.splits))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, s := range d.splits {
		group.Go(func() error {
			e, err := newExamples(d, d.architectures(s.demonstrations), d.truths(s.demonstrations))
			if err != nil {
				return err
			}
			all, err := e.fit(ctx, p, []part{{rows: count(len(e.y)), students: p.Students}}, progress.Discard)
			if err != nil {
				return fmt.Errorf("distill: the demonstrations of split %s: %w", s.name, err)
			}
			fitted[i] = all[0]
			rep.Add(1)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	out := map[string]fits{}
	for i, s := range d.splits {
		out[s.name] = fitted[i]
	}
	return out, nil
}

// direct adds them to the board.
func (b *board) direct(ctx context.Context, direct map[string]fits) error {
	for _, name := range Students() {
		for _, s := range b.data.splits {
			fit, ok := direct[s.name][name]
			if !ok {
				continue
			}
			f, err := predictor.FeatureSet(b.data.task, featuresOf(name))
			if err != nil {
				return err
			}
			r := &predictor.Regression{Label: Direct + name, Features: f, Regressor: fit.regressor}
			note := fmt.Sprintf("the student's regressor fitted to the %d demonstrations, without the LLM", len(s.demonstrations))
			if err := b.predict(ctx, r, []*split{s}, note); err != nil {
				return err
			}
		}
	}
	return nil
}
