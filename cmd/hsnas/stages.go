package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"slices"

	"hsnas/data"
	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/published"
	"hsnas/internal/task"
	"hsnas/pipeline"
	"hsnas/schemas"
	"hsnas/stages/benchmark"
	"hsnas/stages/distill"
	"hsnas/stages/export"
	"hsnas/stages/label"
	"hsnas/stages/latency"
	"hsnas/stages/report"
	"hsnas/stages/sample"
	"hsnas/stages/search"
	"hsnas/stages/tfs"
)

// The artifacts that stages hand to each other; a folder ends in a slash.
const (
	architecturesFile = "sample/architectures.parquet"
	tfsFile           = "tfs/tfs.parquet"
	supernetFile      = "tfs/supernet.parquet"
	costsFile         = "tfs/costs.parquet"
	runsFile          = "tfs/runs.parquet"
	labelsFile        = "label/labels.parquet"
	requestsFile      = "label/requests.parquet"
	promptsFile       = "label/requests.jsonl"
	journalFile       = "label/journal.jsonl"
	distillFolder     = "distill/"
	latencyDataset    = "latency/dataset.parquet"
	latencyScores     = "latency/latency.parquet"
	latencyRounds     = "latency/rounds.jsonl" // no artifact: what makes a second attempt cheaper
	latencyState      = "latency/state"        // the same, of rounds measured elsewhere
	exportFolder      = "export/"
	candidatesFile    = "search/candidates.parquet"
	frontFile         = "search/front.parquet"
	ledgerFile        = "search/ledger.parquet"
	progressFile      = "search/progress.parquet"
	paretoFile        = "search/pareto.parquet"
	searchState       = "search/state" // no artifact: what makes a second attempt cheaper
	benchmarkFile     = "benchmark/benchmark.parquet"
	samplesFile       = "benchmark/samples.parquet"
	modelsFile        = "benchmark/models.parquet"
	rooflineFile      = "benchmark/roofline.parquet"
	reportFile        = "report/report.md"
	reportPage        = "report/report.html"
)

// Stages wires the stages of the experiment: what each reads and writes. A task
// whose models cannot be built has nothing to benchmark.
func (e *Experiment) Stages() ([]pipeline.Stage, error) {
	published, err := e.publishedFiles()
	if err != nil {
		return nil, err
	}
	table, err := e.tableSum()
	if err != nil {
		return nil, err
	}
	if len(e.Ablations.Cells) > 0 {
		return e.ablationStages(published, table)
	}
	if err := e.checkLatency(); err != nil {
		return nil, err
	}
	stages := []pipeline.Stage{e.sampleStage(published, table), e.tfsStage(published, table), e.labelStage(), e.distillStage()}
	if e.trained() {
		stages = slices.Insert(stages, 0, e.corpusStage())
		stages = slices.Insert(stages, 3, e.supernetStage())
	}
	if len(e.Latency.Files()) > 0 {
		stages = append(stages, e.latencyStage())
	}
	stages = append(stages, e.exportStage(), e.searchStage())
	if e.retimed() {
		stages = append(stages, e.finalistsStage())
	}
	if e.trained() {
		stages = append(stages, e.winnersStage())
	}
	if e.task.Family == task.HAT {
		stages = append(stages, e.benchmarkStage())
	}
	return append(stages, e.reportStage()), nil
}

// publishedFiles are the authors' files that sample and tfs read.
func (e *Experiment) publishedFiles() ([]string, error) {
	files := e.task.Files()
	if e.task.Data.LLMAS == "" {
		return files, nil
	}
	root, err := published.Root()
	if err != nil {
		return nil, err
	}
	files = append(files, published.SeedFiles(root, e.task.Data.LLMAS, e.Sample.Splits)...)
	if e.Sample.UnlabelledSet != "" {
		files = append(files, published.UnlabelledFile(root, e.Sample.UnlabelledSet))
	}
	return files, nil
}

// withTable are a stage's parameters, and the checksum of a table that ships: it is
// no file outside the run, but what the stage makes depends on it all the same.
type withTable[P any] struct {
	Params P      `yaml:",inline"`
	Table  string `yaml:"table_sha256,omitempty"`
}

// withAnswers is the same for recorded answers that ship.
type withAnswers[P any] struct {
	Params  P      `yaml:",inline"`
	Answers string `yaml:"answers_sha256,omitempty"`
	Price   string `yaml:"shipped_price,omitempty"` // from the table of prices that ships
}

// answersSum returns the SHA-256 of the recorded answers where they ship, else "".
func (e *Experiment) answersSum(p label.Params) string {
	if p.Source != label.Replay {
		return ""
	}
	_, text, err := label.Shipped(p, e.task)
	if err != nil {
		return "" // a file of the user's, or none, as the stage will say
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// tableSum returns the SHA-256 of the task's table where it ships, with the single
// trainings behind it, else "".
func (e *Experiment) tableSum() (string, error) {
	if !e.task.TableShips() {
		return "", nil
	}
	text, _, err := e.task.Table()
	if err != nil {
		return "", err
	}
	runs, _, _ := data.Table(e.task.Data.Table + ".runs") // a table may ship without
	sum := sha256.Sum256(append(bytes.Clone(text), runs...))
	return hex.EncodeToString(sum[:]), nil
}

// checkLatency refuses an experiment whose search has no latency to keep to, or
// whose task's models cannot be timed.
func (e *Experiment) checkLatency() error {
	if !e.Search.Needs(latency.Target) || e.task.Family == "" || len(e.Latency.Files()) > 0 {
		return e.Latency.Check(e.task)
	}
	if e.task.Family == task.Micro {
		return config.Errorf("", 0, "the search keeps to %s, but there is nothing to learn it from; set latency.measure to a number of architectures to time, 200 for example",
			latency.Target)
	}
	return config.Errorf("", 0, "the search keeps to %s, but latency.datasets names no dataset to learn it from; known: %v",
		latency.Target, published.LatencyDatasets())
}

// provenance is what artifacts say about where they come from.
func (e *Experiment) provenance(stage string, version int, call pipeline.Call) schemas.Provenance {
	return schemas.Provenance{Stage: stage, StageVersion: version, Key: call.Key, Task: e.task.Name}
}

func (e *Experiment) sampleStage(files []string, table string) pipeline.Stage {
	return pipeline.Stage{
		Name: sample.Name, Version: sample.Version, Params: withTable[sample.Params]{e.Sample, table},
		External: files, Outputs: []string{architecturesFile},
		Run: func(ctx context.Context, c pipeline.Call) (pipeline.Result, error) {
			return pipeline.Result{}, sample.Run(ctx, e.Sample, sample.Inputs{Task: e.task},
				sample.Outputs{Architectures: c.Path(architecturesFile)}, e.provenance(sample.Name, sample.Version, c), c.Report)
		},
	}
}

func (e *Experiment) tfsStage(files []string, table string) pipeline.Stage {
	inputs := []string{architecturesFile}
	if e.trained() {
		inputs = append(inputs, corpusFile)
	}
	return pipeline.Stage{
		Name: tfs.Name, Version: tfs.Version, Params: withTable[tfs.Params]{e.TFS, table},
		Inputs: inputs, External: files, Outputs: []string{tfsFile, supernetFile, costsFile, runsFile},
		Run: func(ctx context.Context, c pipeline.Call) (pipeline.Result, error) {
			return pipeline.Result{}, tfs.Run(ctx, e.TFS, e.tfsInputs(c), tfs.Outputs{
				TFS: c.Path(tfsFile), Supernet: c.Path(supernetFile), Costs: c.Path(costsFile), Runs: c.Path(runsFile), State: c.Path(tfsState),
			}, e.provenance(tfs.Name, tfs.Version, c), c.Report)
		},
		Split: e.tfsSplit(),
	}
}

func (e *Experiment) labelStage() pipeline.Stage {
	return e.labelStageAs(label.Name, e.Label, label.Outputs{Labels: labelsFile, Requests: requestsFile, Prompts: promptsFile}, nil)
}

// labelStageAs is the stage label under another name, with other parameters, into
// other artifacts. All of a run share one journal; matrix is nil where this is the only one.
func (e *Experiment) labelStageAs(name string, p label.Params, out label.Outputs, matrix *label.Matrix) pipeline.Stage {
	var answers []string
	if p.Answers != "" && (task.IsPath(p.Answers) || p.Source == label.Batch) {
		answers = []string{p.Answers}
	}
	if p.Prices != "" {
		answers = append(answers, p.Prices)
	}
	return pipeline.Stage{
		Name: name, Version: label.Version, Params: withAnswers[label.Params]{p, e.answersSum(p), p.ShippedPrice()},
		Inputs: []string{architecturesFile, tfsFile}, External: append(answers, e.task.Files()...),
		Outputs: []string{out.Labels, out.Requests, out.Prompts},
		Run: func(ctx context.Context, c pipeline.Call) (pipeline.Result, error) {
			in := label.Inputs{
				Task: e.task, Architectures: c.Path(architecturesFile), TFS: c.Path(tfsFile), Journal: c.Path(journalFile), Confirmed: e.confirmed, Matrix: matrix,
			}
			if e.task.Data.LLMAS != "" {
				in.UnlabelledSet = e.Sample.UnlabelledSet
			}
			if err := atomicfile.MkdirAll(filepath.Dir(in.Journal)); err != nil {
				return pipeline.Result{}, err
			}
			return pipeline.Result{}, label.Run(ctx, p, in,
				label.Outputs{Labels: c.Path(out.Labels), Requests: c.Path(out.Requests), Prompts: c.Path(out.Prompts)},
				e.provenance(label.Name, label.Version, c), c.Report)
		},
	}
}

func (e *Experiment) distillStage() pipeline.Stage {
	in := []string{architecturesFile, tfsFile, supernetFile, costsFile, labelsFile}
	if e.trained() {
		in = append(in, trainedFile)
	}
	return pipeline.Stage{
		Name: distill.Name, Version: distill.Version, Params: e.Distill,
		Inputs: in, Outputs: []string{distillFolder},
		Run: func(ctx context.Context, c pipeline.Call) (pipeline.Result, error) {
			dir := c.Path(distillFolder)
			inputs := distill.Inputs{
				Task: e.task, Architectures: c.Path(architecturesFile), TFS: c.Path(tfsFile), Supernet: c.Path(supernetFile),
				Costs: c.Path(costsFile), Labels: c.Path(labelsFile),
			}
			if e.trained() {
				inputs.Trained = c.Path(trainedFile)
			}
			return pipeline.Result{}, distill.Run(ctx, e.Distill, inputs, distill.Outputs{
				Students: filepath.Join(dir, "students.parquet"), Predictions: filepath.Join(dir, "predictions.parquet"),
				Scoreboard: filepath.Join(dir, "scoreboard.parquet"), Curve: filepath.Join(dir, "learning_curve.parquet"), Dir: dir,
			}, e.provenance(distill.Name, distill.Version, c), c.Report)
		},
		Split: &pipeline.Split{}, // one computation, as benchmark's
	}
}

func (e *Experiment) latencyStage() pipeline.Stage {
	var files []string
	for _, d := range e.Latency.Datasets {
		if latency.IsFile(d) {
			files = append(files, d)
		} else if root, err := published.Root(); err == nil {
			files = append(files, filepath.Join(root, filepath.FromSlash(published.LatencyFile(d))))
		}
	}
	return pipeline.Stage{
		Name: latency.Name, Version: latency.Version, Params: e.Latency,
		External: append(files, e.task.Files()...), Outputs: append(e.latencyModels(), latencyDataset, latencyScores),
		Run: func(ctx context.Context, c pipeline.Call) (pipeline.Result, error) {
			return pipeline.Result{}, latency.Run(ctx, e.Latency, latency.Inputs{Task: e.task}, latency.Outputs{
				Dir: filepath.Dir(c.Path(latencyScores)), Dataset: c.Path(latencyDataset), Latency: c.Path(latencyScores), Rounds: c.Path(latencyRounds), State: c.Path(latencyState),
			}, e.provenance(latency.Name, latency.Version, c), c.Report)
		},
		Split: e.latencySplit(),
	}
}

// latencyModels are the predictors that the stage latency writes, the measured one
// last.
func (e *Experiment) latencyModels() []string {
	var out []string
	for _, f := range e.Latency.Files() {
		out = append(out, latency.Name+"/"+f)
	}
	return out
}

func (e *Experiment) exportStage() pipeline.Stage {
	in := append([]string{distillFolder}, e.latencyModels()...)
	return pipeline.Stage{
		Name: export.Name, Version: export.Version, Params: e.Export,
		Inputs: in, Outputs: []string{exportFolder},
		Run: func(ctx context.Context, c pipeline.Call) (pipeline.Result, error) {
			var models []string
			for _, f := range e.latencyModels() {
				models = append(models, c.Path(f))
			}
			return pipeline.Result{}, export.Run(ctx, e.Export, export.Inputs{
				Task: e.task, Students: filepath.Join(c.Path(distillFolder), "students.parquet"),
				Distill: c.Path(distillFolder), Latency: models,
			}, export.Outputs{Dir: c.Path(exportFolder), Models: filepath.Join(c.Path(exportFolder), "models.parquet")},
				e.provenance(export.Name, export.Version, c), c.Report)
		},
	}
}

// latencyModel is the exported predictor of the search's device, "" where the
// task's own table gives the cost.
func (e *Experiment) latencyModel(c pipeline.Call, i int) string {
	files := e.Latency.Files()
	if i < 0 || i >= len(files) {
		return ""
	}
	return filepath.Join(c.Path(exportFolder), files[i])
}

func (e *Experiment) searchStage() pipeline.Stage {
	in := []string{exportFolder}
	if e.searchInherits() {
		in = append(in, weightsFile, corpusFile)
	}
	if e.searchLatencies() {
		in = append(in, latencyDataset)
	}
	return pipeline.Stage{
		Name: search.Name, Version: search.Version, Params: e.Search,
		Inputs: in, External: e.task.Files(), Outputs: []string{candidatesFile, frontFile, ledgerFile, progressFile, paretoFile},
		Run: func(ctx context.Context, c pipeline.Call) (pipeline.Result, error) {
			return pipeline.Result{}, search.Run(ctx, e.Search, e.searchInputs(c),
				search.Outputs{
					Candidates: c.Path(candidatesFile), Front: c.Path(frontFile), Ledger: c.Path(ledgerFile),
					Progress: c.Path(progressFile), Pareto: c.Path(paretoFile), State: c.Path(searchState),
				},
				e.provenance(search.Name, search.Version, c), c.Report)
		},
		Split: e.searchSplit(),
	}
}

// benchmarkStage holds the measured times against the last dataset's predictor:
// the one nearest to the device that measures.
func (e *Experiment) benchmarkStage() pipeline.Stage {
	return pipeline.Stage{
		Name: benchmark.Name, Version: benchmark.Version, Params: e.Benchmark,
		Inputs: []string{frontFile, exportFolder}, Outputs: []string{benchmarkFile, samplesFile, modelsFile, rooflineFile},
		Run: func(ctx context.Context, c pipeline.Call) (pipeline.Result, error) {
			return pipeline.Result{}, benchmark.Run(ctx, e.Benchmark, benchmark.Inputs{
				Task: e.task, Front: c.Path(frontFile), Latency: e.latencyModel(c, len(e.Latency.Files())-1),
			}, benchmark.Outputs{Benchmark: c.Path(benchmarkFile), Samples: c.Path(samplesFile), Models: c.Path(modelsFile), Roofline: c.Path(rooflineFile)},
				e.provenance(benchmark.Name, benchmark.Version, c), c.Report)
		},
		Split: &pipeline.Split{Timed: true}, // one computation, and not for the node that jobs are submitted from
	}
}

func (e *Experiment) reportStage() pipeline.Stage {
	in := []string{architecturesFile, tfsFile, supernetFile, costsFile, labelsFile, requestsFile, distillFolder, exportFolder, candidatesFile, frontFile, ledgerFile, progressFile, paretoFile}
	timed, modelled := e.task.Family == task.HAT, len(e.Latency.Files()) > 0
	in = append(in, runsFile)
	if e.trained() {
		in = append(in, trainedFile, supernetFigures, winnersFile)
	}
	if e.retimed() {
		in = append(in, finalistsFile)
	}
	if timed {
		in = append(in, benchmarkFile, samplesFile, modelsFile, rooflineFile)
	}
	if modelled {
		in = append(in, latencyDataset, latencyScores)
	}
	return pipeline.Stage{
		Name: report.Name, Version: report.Version, Params: e.Report, Inputs: in, Outputs: []string{reportFile, reportPage},
		Run: func(ctx context.Context, c pipeline.Call) (pipeline.Result, error) {
			distilled, exported := c.Path(distillFolder), c.Path(exportFolder)
			inputs := report.Inputs{
				Task: e.task, Architectures: c.Path(architecturesFile), TFS: c.Path(tfsFile), Supernet: c.Path(supernetFile),
				Costs: c.Path(costsFile), Labels: c.Path(labelsFile), Requests: c.Path(requestsFile),
				Students: filepath.Join(distilled, "students.parquet"), Predictions: filepath.Join(distilled, "predictions.parquet"),
				Curve:      filepath.Join(distilled, "learning_curve.parquet"),
				Scoreboard: filepath.Join(distilled, "scoreboard.parquet"), Models: filepath.Join(exported, "models.parquet"),
				Candidates: c.Path(candidatesFile), Front: c.Path(frontFile), Ledger: c.Path(ledgerFile), Runs: c.Path(runsFile),
				Progress: c.Path(progressFile), Pareto: c.Path(paretoFile),
			}
			if e.trained() {
				inputs.Trained, inputs.Training, inputs.Winners = c.Path(trainedFile), c.Path(supernetFigures), c.Path(winnersFile)
			}
			if e.retimed() {
				inputs.Finalists = c.Path(finalistsFile)
			}
			if modelled {
				inputs.Latency, inputs.LatencyDataset = c.Path(latencyScores), c.Path(latencyDataset)
			}
			if timed {
				inputs.Benchmark, inputs.BenchmarkSamples, inputs.BenchmarkModels = c.Path(benchmarkFile), c.Path(samplesFile), c.Path(modelsFile)
				inputs.Roofline = c.Path(rooflineFile)
			}
			return pipeline.Result{}, report.Run(ctx, e.Report, inputs, report.Outputs{Markdown: c.Path(reportFile), HTML: c.Path(reportPage)},
				e.provenance(report.Name, report.Version, c), c.Report)
		},
	}
}
