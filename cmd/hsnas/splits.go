package main

import (
	"context"
	"path/filepath"

	"hsnas/pipeline"
	"hsnas/stages/latency"
	"hsnas/stages/search"
	"hsnas/stages/supernet"
	"hsnas/stages/tfs"
	"hsnas/stages/winners"
)

// split makes a Split of one wave.
func split(shards func(c pipeline.Call) ([]string, error), do func(ctx context.Context, c pipeline.Call, shard string) (files []string, err error)) *pipeline.Split {
	return &pipeline.Split{
		Shards: func(_ context.Context, c pipeline.Call) ([][]string, error) {
			names, err := shards(c)
			return [][]string{names}, err
		},
		Do: func(ctx context.Context, c pipeline.Call, shard string) ([]string, error) {
			return relative(c)(do(ctx, c, shard))
		},
	}
}

// relative makes the files of a shard relative to the run directory.
func relative(c pipeline.Call) func(files []string, err error) ([]string, error) {
	return func(files []string, err error) ([]string, error) {
		for i := range files {
			if err == nil {
				files[i], err = filepath.Rel(c.Dir, files[i])
				files[i] = filepath.ToSlash(files[i])
			}
		}
		return files, err
	}
}

// one is a shard's only file.
func one(file string, err error) ([]string, error) { return []string{file}, err }

func (e *Experiment) tfsInputs(c pipeline.Call) tfs.Inputs {
	in := tfs.Inputs{Task: e.task, Architectures: c.Path(architecturesFile)}
	if e.trained() {
		in.Corpus = c.Path(corpusFile)
	}
	return in
}

func (e *Experiment) tfsSplit() *pipeline.Split {
	return split(
		func(c pipeline.Call) ([]string, error) { return tfs.Shards(e.TFS, e.tfsInputs(c)) },
		func(ctx context.Context, c pipeline.Call, shard string) ([]string, error) {
			return one(tfs.RunShard(ctx, e.TFS, e.tfsInputs(c), c.Path(tfsState), shard, c.Report))
		})
}

func (e *Experiment) winnersInputs(c pipeline.Call) winners.Inputs {
	return winners.Inputs{Task: e.task, Corpus: c.Path(corpusFile), Front: c.Path(frontFile), Ledger: c.Path(ledgerFile)}
}

func (e *Experiment) winnersSplit() *pipeline.Split {
	return split(
		func(c pipeline.Call) ([]string, error) { return winners.Shards(e.Winners, e.winnersInputs(c)) },
		func(ctx context.Context, c pipeline.Call, shard string) ([]string, error) {
			return one(winners.RunShard(ctx, e.Winners, e.winnersInputs(c), c.Path(winnersState), shard, c.Report))
		})
}

func (e *Experiment) supernetInputs(c pipeline.Call) supernet.Inputs {
	return supernet.Inputs{Task: e.task, Corpus: c.Path(corpusFile), Architectures: c.Path(architecturesFile), TFS: c.Path(tfsFile)}
}

func supernetOutputs(c pipeline.Call) supernet.Outputs {
	return supernet.Outputs{
		Weights: c.Path(weightsFile), Scores: c.Path(trainedFile), Training: c.Path(supernetFigures),
		Checkpoint: c.Path(supernetProgress), State: c.Path(supernetState),
	}
}

func (e *Experiment) supernetSplit() *pipeline.Split {
	return &pipeline.Split{
		Shards: func(_ context.Context, c pipeline.Call) ([][]string, error) {
			return supernet.Shards(e.Supernet, e.supernetInputs(c))
		},
		Do: func(ctx context.Context, c pipeline.Call, shard string) ([]string, error) {
			return relative(c)(one(supernet.RunShard(ctx, e.Supernet, e.supernetInputs(c), supernetOutputs(c), shard, c.Report)))
		},
	}
}

func (e *Experiment) latencySplit() *pipeline.Split {
	in := latency.Inputs{Task: e.task}
	s := split(
		func(pipeline.Call) ([]string, error) { return latency.Shards(e.Latency, in) },
		func(ctx context.Context, c pipeline.Call, shard string) ([]string, error) {
			return one(latency.RunShard(ctx, e.Latency, in, c.Path(latencyState), shard, c.Report))
		})
	s.Timed = true
	return s
}

// searchInputs are the exported predictors and, where the search asks for them, the
// supernet and the measured latencies.
func (e *Experiment) searchInputs(c pipeline.Call) search.Inputs {
	in := search.Inputs{Task: e.task, Models: c.Path(exportFolder), Latency: e.latencyModel(c, 0)}
	if e.searchLatencies() {
		in.Latencies = c.Path(latencyDataset)
	}
	if e.searchInherits() {
		in.Supernet, in.Corpus = c.Path(weightsFile), c.Path(corpusFile)
	}
	return in
}

func (e *Experiment) searchInherits() bool {
	return e.trained() && e.Search.Baseline == search.TrainedSupernet
}

func (e *Experiment) searchLatencies() bool {
	return len(e.Search.Quantiles) > 0 && len(e.Latency.Files()) > 0
}

func (e *Experiment) searchSplit() *pipeline.Split {
	return split(
		func(c pipeline.Call) ([]string, error) { return search.Shards(e.Search, e.searchInputs(c)) },
		func(ctx context.Context, c pipeline.Call, shard string) ([]string, error) {
			return search.RunShard(ctx, e.Search, e.searchInputs(c), c.Path(searchState), c.Key, shard, c.Report)
		})
}
