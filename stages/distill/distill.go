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
	Version = 2
)

// Predictors by name; students are "student:NAME", published supernets
// "supernet:NAME".
const (
	LLMPP        = "llm-pp"
	Distilled    = "distill"
	Combined     = "combined"
	Surrogate    = "surrogate"
	Supernet     = "supernet"              // trained by the run: an order, no quality
	SupernetLine = "control:supernet-line" // a line in what it says
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
type Outputs struct{ Students, Predictions, Scoreboard, Dir string }

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
	classes, err := distilAll(ctx, p, d, out.Dir, rep)
	if err != nil {
		return err
	}
	if err := b.fill(ctx, classes); err != nil {
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

// write writes the three tables.
func (b *board) write(p Params, classes []*class, out Outputs, prov schemas.Provenance) error {
	var students []schemas.Student
	for _, c := range classes {
		for _, s := range c.students {
			students = append(students, s.row)
		}
	}
	if err := schemas.WriteStudents(out.Students, students, prov); err != nil {
		return err
	}
	if err := schemas.WritePredictions(out.Predictions, b.predictions(), prov); err != nil {
		return err
	}
	var rows []schemas.Score
	for _, s := range predictor.Scoreboard(b.outcomes, LLMPP, predictor.Bootstrap{Draws: p.Draws, Seed: p.Seed}) {
		rows = append(rows, schemas.Score{
			Task: b.data.task.Name, Predictor: s.Predictor, Split: s.Split,
			MAE: s.MAE, Tau: s.Tau, MAEStd: s.MAEStd, TauStd: s.TauStd,
			MAELo: s.MAE95.Lo, MAEHi: s.MAE95.Hi, TauLo: s.Tau95.Lo, TauHi: s.Tau95.Hi,
			N: int32(s.N), PMAEvsLLMPP: s.PMAE, PTauVsLLMPP: s.PTau, Note: s.Note,
		})
	}
	return schemas.WriteScoreboard(out.Scoreboard, rows, prov)
}
