package main

import (
	"context"
	"encoding/json"
	"io"
	"path"
	"slices"

	"hsnas/internal/config"
	"hsnas/pipeline"
	"hsnas/schemas"
	"hsnas/stages/ablations"
	"hsnas/stages/label"
)

// The artifacts of an experiment with a matrix of prompt variants.
const (
	ablationsFile    = "ablations/ablations.parquet"
	ablationsTable   = "ablations/ablations.md"
	ablationsPrompts = "ablations/requests.jsonl"
)

// ablationStages are those of an experiment with cells: the truth, the stage label
// once for each cell, and the table.
func (e *Experiment) ablationStages(published []string, table string) ([]pipeline.Stage, error) {
	stages := []pipeline.Stage{e.sampleStage(published, table), e.tfsStage(published, table)}
	if e.trained() {
		stages = slices.Insert(stages, 0, e.corpusStage())
	}
	inputs := []string{architecturesFile, tfsFile}
	params, err := e.labelParams()
	if err != nil {
		return nil, err
	}
	matrix := &label.Matrix{Cells: params}
	var cells []ablations.Answers
	for i, c := range e.Ablations.Cells {
		p, out := params[i], cellFiles(c.Name)
		stages = append(stages, e.labelStageAs(label.Name+"-"+c.Name, p, out, matrix))
		inputs = append(inputs, out.Labels, out.Requests, out.Prompts)
		cells = append(cells, ablations.Answers{Name: c.Name, Group: c.Group, Ask: p.Elicitation})
	}
	return append(stages, e.ablationStage(inputs, cells)), nil
}

// labelParams are those of every label stage: of each cell, or of the one stage where
// there are none.
func (e *Experiment) labelParams() ([]label.Params, error) {
	if len(e.Ablations.Cells) == 0 {
		return []label.Params{e.Label}, nil
	}
	var out []label.Params
	for _, c := range e.Ablations.Cells {
		p, err := e.cellParams(c)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// checkPrices says before the first stage which price is not known that has to be.
func (e *Experiment) checkPrices() error {
	params, err := e.labelParams()
	if err != nil {
		return err
	}
	for _, p := range params {
		if err := p.CheckPrice(); err != nil {
			return err
		}
	}
	if len(e.Ablations.Cells) == 0 {
		return nil
	}
	return e.Ablations.CheckPrice()
}

// cellParams are the experiment's label parameters with what the cell changes.
func (e *Experiment) cellParams(c ablations.Cell) (label.Params, error) {
	p := e.Label
	if len(c.Label.Content) > 0 {
		if err := config.DecodeNode(e.file, &c.Label, &p); err != nil {
			return p, err
		}
		e.resolveLabel(&p)
	}
	if p.Tag == "" {
		p.Tag = c.Name
	}
	return p, nil
}

// cellFiles are what the stage label writes for a cell.
func cellFiles(cell string) label.Outputs {
	folder := path.Join(label.Name, cell)
	return label.Outputs{
		Labels: folder + "/labels.parquet", Requests: folder + "/requests.parquet", Prompts: folder + "/requests.jsonl",
	}
}

func (e *Experiment) ablationStage(inputs []string, cells []ablations.Answers) pipeline.Stage {
	return pipeline.Stage{
		Name: ablations.Name, Version: ablations.Version, Params: e.Ablations,
		Inputs: inputs, Outputs: []string{ablationsFile, ablationsTable, ablationsPrompts},
		Run: func(ctx context.Context, c pipeline.Call) (pipeline.Result, error) {
			in := ablations.Inputs{Task: e.task, Architectures: c.Path(architecturesFile), TFS: c.Path(tfsFile), Cells: slices.Clone(cells)}
			for i, cell := range in.Cells {
				out := cellFiles(cell.Name)
				in.Cells[i].Labels, in.Cells[i].Requests, in.Cells[i].Prompts = c.Path(out.Labels), c.Path(out.Requests), c.Path(out.Prompts)
			}
			return pipeline.Result{}, ablations.Run(ctx, e.Ablations, in, ablations.Outputs{
				Ablations: c.Path(ablationsFile), Markdown: c.Path(ablationsTable), Requests: c.Path(ablationsPrompts),
			}, e.provenance(ablations.Name, ablations.Version, c), c.Report)
		},
	}
}

// ablationRow is a row of eval --json; what is undefined is null.
type ablationRow struct {
	Task          string   `json:"task"`
	Cell          string   `json:"cell"`
	Group         string   `json:"group"`
	Split         string   `json:"split"`
	MAE           *float64 `json:"mae"`
	Tau           *float64 `json:"tau"`
	MAEStd        *float64 `json:"mae_std"`
	TauStd        *float64 `json:"tau_std"`
	PMAE          *float64 `json:"p_mae_vs_reference"`
	PTau          *float64 `json:"p_tau_vs_reference"`
	Spread        *float64 `json:"spread"`
	Requests      int32    `json:"requests"`
	Answered      int32    `json:"answered"`
	Architectures int32    `json:"n"`
	Tokens        int64    `json:"tokens"`
	Estimated     bool     `json:"tokens_estimated"`
	Dollars       *float64 `json:"dollars"`
	Note          string   `json:"note"`
}

// printAblations prints the matrix as Markdown, or as JSON.
func printAblations(w io.Writer, path string, asJSON bool) error {
	rows, err := schemas.ReadAblations(path)
	if err != nil {
		return err
	}
	if !asJSON {
		_, err = w.Write(ablations.Markdown(rows))
		return err
	}
	out := make([]ablationRow, len(rows))
	for i, r := range rows {
		out[i] = ablationRow{
			r.Task, r.Cell, r.Group, r.Split, orNull(r.MAE), orNull(r.Tau), orNull(r.MAEStd), orNull(r.TauStd),
			orNull(r.PMAE), orNull(r.PTau), orNull(r.Spread), r.Requests, r.Answered, r.Architectures,
			r.PromptTokens + r.CompletionTokens, r.TokensEstimated, orNull(r.Dollars), r.Note,
		}
	}
	return json.NewEncoder(w).Encode(out)
}
