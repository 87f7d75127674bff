// Package ablations is the stage that scores a matrix of prompt variants: what
// each component, the number and order of demonstrations, the way to ask, and
// names that an LLM may remember are worth, and what each variant costs.
package ablations

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"

	"hsnas/internal/atomicfile"
	"hsnas/internal/metric"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/prompt"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output
// changes for the same input.
const (
	Name    = "ablations"
	Version = 1
)

// Inputs are what the stage reads.
type Inputs struct {
	Task          *task.Task
	Architectures string // sample/architectures.parquet
	TFS           string // tfs/tfs.parquet
	Cells         []Answers
}

// Answers are what the LLM said about a cell, as the stage label writes it.
type Answers struct {
	Name, Group               string
	Ask                       string // prompt.Values, prompt.Ranking or prompt.Pairs
	Labels, Requests, Prompts string // files
}

// Outputs are the files that the stage writes: the table, the same as Markdown,
// and every request of the matrix in one batch file.
type Outputs struct{ Ablations, Markdown, Requests string }

// Run scores every cell on the test sets, and sums up what it takes.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	m, err := read(in)
	if err != nil {
		return fmt.Errorf("ablations: %w", err)
	}
	if m.prices, err = p.prices(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	rows := m.rows(predictor.Bootstrap{Draws: p.Draws, Seed: p.Seed}, p.PriceModel)
	unanswered := 0
	for _, c := range m.cells {
		if c.answered == 0 {
			unanswered++
		}
	}
	rep.Logf("%d cells, %d of them without an answer", len(m.cells), unanswered)
	if err := schemas.WriteAblations(out.Ablations, rows, prov); err != nil {
		return err
	}
	if err := atomicfile.Write(out.Markdown, Markdown(rows)); err != nil {
		return err
	}
	return writeRequests(in.Cells, out.Requests)
}

// writeRequests joins the cells' batch files.
func writeRequests(cells []Answers, path string) error {
	var all []byte
	for _, c := range cells {
		text, err := os.ReadFile(c.Prompts)
		if err != nil {
			return fmt.Errorf("ablations: %w", err)
		}
		all = append(all, text...)
	}
	return atomicfile.Write(path, all)
}

// rows are the table: for each cell its splits and their mean.
func (m *matrix) rows(b predictor.Bootstrap, priceModel string) []schemas.Ablation {
	var outcomes []predictor.Outcome
	for _, c := range m.cells {
		outcomes = append(outcomes, c.outcome)
	}
	standings := map[string]map[string]predictor.Standing{}
	for _, s := range predictor.Scoreboard(outcomes, m.cells[0].name, b) {
		if standings[s.Predictor] == nil {
			standings[s.Predictor] = map[string]predictor.Standing{}
		}
		standings[s.Predictor][s.Split] = s
	}
	var out []schemas.Ablation
	for _, c := range m.cells {
		for _, split := range append(slices.Clone(m.splits), schemas.SplitMean) {
			out = append(out, m.row(c, split, standings[c.name], priceModel))
		}
	}
	return out
}

func (m *matrix) row(c *cell, split string, standings map[string]predictor.Standing, priceModel string) schemas.Ablation {
	nan := math.NaN()
	u := c.use[split]
	row := schemas.Ablation{
		Task: m.task.Name, Metric: m.task.Metric.Name, Cell: c.name, Group: c.group, Split: split,
		MAE: nan, Tau: nan, MAEStd: nan, TauStd: nan, MAELo: nan, MAEHi: nan, TauLo: nan, TauHi: nan, PMAE: nan, PTau: nan,
		Spread: metric.Mean(u.spreads), Requests: u.requests, Answered: u.answered,
		PromptTokens: u.prompt, CompletionTokens: u.completion, TokensEstimated: u.estimated,
		Dollars: m.dollars(u), PriceModel: priceModel, Note: c.note(m.splits),
	}
	if s, ok := standings[split]; ok {
		row.Architectures = int32(s.N)
		row.MAE, row.Tau, row.MAEStd, row.TauStd = s.MAE, s.Tau, s.MAEStd, s.TauStd
		row.MAELo, row.MAEHi, row.TauLo, row.TauHi = s.MAE95.Lo, s.MAE95.Hi, s.Tau95.Lo, s.Tau95.Hi
		row.PMAE, row.PTau = s.PMAE, s.PTau
	}
	return row
}

// note says what a cell's figures are of.
func (c *cell) note(splits []string) string {
	switch {
	case c.answered == 0:
		return "not answered: the requests are written, the recording has no answers to them"
	case len(c.outcome.Splits) < len(splits):
		return fmt.Sprintf("answered for %d of %d splits", len(c.outcome.Splits), len(splits))
	case c.ask == prompt.Ranking:
		return "an order: no error in the metric's unit"
	case c.ask == prompt.Pairs:
		return "strengths of a Bradley-Terry model fitted to the comparisons: an order"
	}
	return ""
}
