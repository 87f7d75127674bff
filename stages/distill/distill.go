// Package distill is the stage that turns the LLM's answers into a cheap
// regressor (LLM-Distill-PP) and holds every predictor against the truth: the
// LLM itself, the students, supernets, and controls that need no LLM.
package distill

import (
	"context"
	"fmt"
	"slices"

	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output
// changes for the same input.
const (
	Name    = "distill"
	Version = 4
)

// Predictors by name; students are "student:NAME", their regressors fitted to the
// measured demonstrations alone "direct:NAME", published supernets "supernet:NAME".
const (
	LLMPP     = "llm-pp"
	Distilled = "distill"
	Combined  = "combined"
	// The combination without one of its parts, to see what the part adds.
	CombinedNoLLM      = "combined:no-llm"
	CombinedNoSupernet = "combined:no-supernet"
	Surrogate          = "surrogate"
	Supernet           = "supernet"              // trained by the run: an order, no quality
	SupernetLine       = "control:supernet-line" // a line in what it says
)

// Inputs are what the stage reads. A task with a table has its costs read from
// there.
type Inputs struct {
	Task          *task.Task
	Architectures string // sample/architectures.parquet
	TFS           string // tfs/tfs.parquet
	Supernet      string // tfs/supernet.parquet
	Trained       string // supernet/supernet.parquet, "" for a run that trains no supernet
	Costs         string // tfs/costs.parquet
	Labels        string // label/labels.parquet
}

// Outputs are the files that the stage writes. Dir gets the fitted regressors:
// student-NAME.onnx, surrogate.onnx, control-NAME.onnx and cost-NAME.onnx.
type Outputs struct{ Students, Predictions, Scoreboard, Curve, Dir string }

// Run fits the students, predicts with everything, and scores it.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	if err := p.Validate(); err != nil {
		return err
	}
	d, err := read(in)
	if err != nil {
		return err
	}
	b := &board{data: d, supernet: p.Supernet}
	if err := enoughLabels(d); err != nil {
		return err
	}
	direct, err := directly(ctx, p, d, rep)
	if err != nil {
		return err
	}
	classes, err := distilAll(ctx, p, d, direct, out.Dir, rep)
	if err != nil {
		return err
	}
	if err := b.fill(ctx, classes, direct); err != nil {
		return fmt.Errorf("distill: %w", err)
	}
	surrogate, err := fitSurrogate(d, p.Supernet)
	if err != nil {
		return fmt.Errorf("distill: %w", err)
	}
	if err := b.predict(ctx, surrogate.regression, d.splits[:1], surrogate.note); err != nil {
		return fmt.Errorf("distill: %w", err)
	}
	controls, err := controlModels(d)
	if err != nil {
		return fmt.Errorf("distill: %w", err)
	}
	costs, err := costModels(d)
	if err != nil {
		return fmt.Errorf("distill: %w", err)
	}
	for _, m := range slices.Concat(controls, costs, []model{surrogate}) {
		if err := m.write(out.Dir); err != nil {
			return fmt.Errorf("distill: %w", err)
		}
	}
	return b.write(p, classes, out, prov)
}

// write writes the tables.
func (b *board) write(p Params, classes []*class, out Outputs, prov schemas.Provenance) error {
	var students []schemas.Student
	var points []schemas.CurvePoint
	for _, c := range classes {
		points = append(points, c.curve...)
		for _, s := range c.students {
			students = append(students, s.row)
		}
	}
	if err := schemas.WriteStudents(out.Students, students, prov); err != nil {
		return err
	}
	if err := schemas.WriteLearningCurve(out.Curve, points, prov); err != nil {
		return err
	}
	if err := schemas.WritePredictions(out.Predictions, b.predictions(), prov); err != nil {
		return err
	}
	rows := b.scores(predictor.Bootstrap{Draws: p.Draws, Seed: p.Seed})
	return schemas.WriteScoreboard(out.Scoreboard, rows, prov)
}
