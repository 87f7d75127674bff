package schemas

// Artifact describes one kind of artifact.
type Artifact struct {
	Path    string // within a run directory
	Schema  string // name and version
	Columns []Column
}

// All describes every artifact, in the order of the stages.
func All() []Artifact {
	return []Artifact{
		corpusPairs.artifact("corpus/corpus.parquet"),
		vocabulary.artifact("corpus/vocabulary.parquet"),
		architectures.artifact("sample/architectures.parquet"),
		tfs.artifact("tfs/tfs.parquet"),
		supernetScores.artifact("tfs/supernet.parquet"),
		costs.artifact("tfs/costs.parquet"),
		tfsRuns.artifact("tfs/runs.parquet"),
		supernetScores.artifact("supernet/supernet.parquet"),
		supernetTrainings.artifact("supernet/training.parquet"),
		labels.artifact("label/labels.parquet"),
		requests.artifact("label/requests.parquet"),
		students.artifact("distill/students.parquet"),
		predictions.artifact("distill/predictions.parquet"),
		scoreboard.artifact("distill/scoreboard.parquet"),
		learningCurve.artifact("distill/learning_curve.parquet"),
		latencyRows.artifact("latency/dataset.parquet"),
		latencyScores.artifact("latency/latency.parquet"),
		models.artifact("export/models.parquet"),
		candidates.artifact("search/candidates.parquet"),
		front.artifact("search/front.parquet"),
		ledger.artifact("search/ledger.parquet"),
		searchProgress.artifact("search/progress.parquet"),
		pareto.artifact("search/pareto.parquet"),
		finalists.artifact("finalists/finalists.parquet"),
		winnersTrained.artifact("winners/winners.parquet"),
		benchmarks.artifact("benchmark/benchmark.parquet"),
		benchmarkSamples.artifact("benchmark/samples.parquet"),
		benchmarkModels.artifact("benchmark/models.parquet"),
		rooflines.artifact("benchmark/roofline.parquet"),
		ablations.artifact("ablations/ablations.parquet"),
	}
}

func (t *table[T]) artifact(path string) Artifact {
	a := Artifact{Path: path, Schema: t.id()}
	for _, c := range t.columns {
		a.Columns = append(a.Columns, describe(c.field()))
	}
	return a
}
