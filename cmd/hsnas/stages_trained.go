package main

import (
	"context"

	"hsnas/internal/task"
	"hsnas/pipeline"
	"hsnas/stages/ablations"
	"hsnas/stages/corpus"
	"hsnas/stages/finalists"
	"hsnas/stages/supernet"
	"hsnas/stages/tfs"
	"hsnas/stages/winners"
)

// The artifacts of tasks whose architectures are trained here; a folder ends in a
// slash.
const (
	corpusFile       = "corpus/corpus.parquet"
	vocabularyFile   = "corpus/vocabulary.parquet"
	weightsFile      = "supernet/weights.safetensors"
	trainedFile      = "supernet/supernet.parquet"
	supernetFigures  = "supernet/training.parquet"
	winnersFile      = "winners/winners.parquet"
	tfsState         = "tfs/state" // no artifacts: what makes a second attempt cheaper
	winnersState     = "winners/state"
	supernetProgress = "supernet/checkpoint.safetensors"
	supernetState    = "supernet/state"
)

// trained says whether the task's architectures are trained here.
func (e *Experiment) trained() bool { return e.task.Family == task.Micro }

// clearUnused empties the sections of stages that the task does not have, so that
// the run directory does not keep parameters of what never ran.
func (e *Experiment) clearUnused() {
	if len(e.Ablations.Cells) == 0 {
		e.Ablations = ablations.Params{}
	}
	if !e.retimed() {
		e.Finalists = finalists.Params{}
	}
	if e.trained() {
		return
	}
	e.Corpus, e.TFS, e.Supernet, e.Winners = corpus.Params{}, tfs.Params{}, supernet.Params{}, winners.Params{}
}

func (e *Experiment) corpusStage() pipeline.Stage {
	return pipeline.Stage{
		Name: corpus.Name, Version: corpus.Version, Params: e.Corpus,
		External: corpus.Files(e.Corpus, e.task), Outputs: []string{corpusFile, vocabularyFile},
		Run: func(ctx context.Context, c pipeline.Call) (pipeline.Result, error) {
			return pipeline.Result{}, corpus.Run(ctx, e.Corpus, corpus.Inputs{Task: e.task},
				corpus.Outputs{Corpus: c.Path(corpusFile), Vocabulary: c.Path(vocabularyFile)},
				e.provenance(corpus.Name, corpus.Version, c), c.Report)
		},
	}
}

func (e *Experiment) supernetStage() pipeline.Stage {
	return pipeline.Stage{
		Name: supernet.Name, Version: supernet.Version, Params: e.Supernet,
		Inputs: []string{corpusFile, architecturesFile, tfsFile}, External: e.task.Files(),
		Outputs: []string{weightsFile, trainedFile, supernetFigures},
		Run: func(ctx context.Context, c pipeline.Call) (pipeline.Result, error) {
			return pipeline.Result{}, supernet.Run(ctx, e.Supernet, e.supernetInputs(c), supernetOutputs(c),
				e.provenance(supernet.Name, supernet.Version, c), c.Report)
		},
		Split: e.supernetSplit(),
	}
}

func (e *Experiment) winnersStage() pipeline.Stage {
	return pipeline.Stage{
		Name: winners.Name, Version: winners.Version, Params: e.Winners,
		Inputs: []string{corpusFile, frontFile, ledgerFile}, External: e.task.Files(), Outputs: []string{winnersFile},
		Run: func(ctx context.Context, c pipeline.Call) (pipeline.Result, error) {
			return pipeline.Result{}, winners.Run(ctx, e.Winners, e.winnersInputs(c), winners.Outputs{Winners: c.Path(winnersFile), State: c.Path(winnersState)},
				e.provenance(winners.Name, winners.Version, c), c.Report)
		},
		Split: e.winnersSplit(),
	}
}
