package main

import (
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"hsnas/data"
	"hsnas/internal/config"
	"hsnas/internal/micro"
	"hsnas/internal/task"
	"hsnas/pipeline"
	"hsnas/pipeline/cluster"
	"hsnas/stages/ablations"
	"hsnas/stages/benchmark"
	"hsnas/stages/corpus"
	"hsnas/stages/distill"
	"hsnas/stages/export"
	"hsnas/stages/finalists"
	"hsnas/stages/label"
	"hsnas/stages/latency"
	"hsnas/stages/report"
	"hsnas/stages/sample"
	"hsnas/stages/search"
	"hsnas/stages/supernet"
	"hsnas/stages/tfs"
	"hsnas/stages/winners"
)

// Experiment is an experiment file, defaults filled in: one section for each
// stage.
type Experiment struct {
	Name      string           `yaml:"name"`
	Title     string           `yaml:"title"`
	Task      string           `yaml:"task"` // a task that ships, or the path of one, relative to this file
	Corpus    corpus.Params    `yaml:"corpus,omitempty"`
	Sample    sample.Params    `yaml:"sample"`
	TFS       tfs.Params       `yaml:"tfs"`
	Supernet  supernet.Params  `yaml:"supernet,omitempty"`
	Label     label.Params     `yaml:"label"`
	Distill   distill.Params   `yaml:"distill"`
	Latency   latency.Params   `yaml:"latency"`
	Export    export.Params    `yaml:"export"`
	Search    search.Params    `yaml:"search"`
	Finalists finalists.Params `yaml:"finalists,omitempty"`
	Winners   winners.Params   `yaml:"winners,omitempty"`
	Benchmark benchmark.Params `yaml:"benchmark"`
	Report    report.Params    `yaml:"report"`
	Ablations ablations.Params `yaml:"ablations,omitempty"`
	// Slurm is where and how jobs run, with --executor slurm; no stage depends on it.
	Slurm cluster.Settings `yaml:"slurm,omitempty"`

	dir  string // folder of the file, "" for one that ships
	file string // for messages
	task *task.Task

	confirmed bool // the user agreed to buy answers
}

// Validate implements config.Validator.
func (e *Experiment) Validate() error {
	if e.Name == "" {
		return config.Fieldf("name", "an experiment needs a name: its run directory is called so")
	}
	if e.Task == "" {
		return config.Fieldf("task", "an experiment needs a task: the name of one that ships, or a path")
	}
	return nil
}

// defaultExperiment has every parameter at its documented default.
func defaultExperiment() *Experiment {
	return &Experiment{
		Corpus: corpus.Defaults(), Supernet: supernet.Defaults(), Winners: winners.Defaults(),
		Sample: sample.Defaults(), TFS: tfs.Defaults(), Label: label.Defaults(), Distill: distill.Defaults(),
		Latency: latency.Defaults(), Export: export.Defaults(), Search: search.Defaults(),
		Finalists: finalists.Defaults(), Benchmark: benchmark.Defaults(), Report: report.Defaults(),
		Ablations: ablations.Defaults(),
	}
}

// loadExperiment reads an experiment by the name of one that ships, or by the
// path of a YAML file, with KEY=VALUE overrides laid over it.
func loadExperiment(nameOrPath string, sets []string) (*Experiment, error) {
	text, file, dir, err := task.Find(data.Experiments, "", nameOrPath)
	if err != nil {
		return nil, err
	}
	return readExperiment(text, file, dir, sets)
}

// readExperiment reads the text of an experiment's file, which lies in dir.
func readExperiment(text []byte, file, dir string, sets []string) (*Experiment, error) {
	root, err := config.Parse(file, text)
	if err != nil {
		return nil, err
	}
	if err := pipeline.Override(root, sets); err != nil {
		return nil, err
	}
	e := defaultExperiment()
	e.dir, e.file = dir, file
	if err := config.DecodeNode(file, root, e); err != nil {
		return nil, pipeline.Blame(err, sets)
	}
	for _, file := range []*string{&e.Corpus.TrainFile, &e.Corpus.ValidFile, &e.Corpus.TestFile} {
		if *file != "" {
			*file = e.absolute(*file)
		}
	}
	e.Task = e.resolve(e.Task)
	e.resolveLabel(&e.Label)
	for i, d := range e.Latency.Datasets {
		e.Latency.Datasets[i] = e.resolve(d)
	}
	if e.task, err = task.Load(e.Task); err != nil {
		return nil, err
	}
	e.clearUnused()
	return e, e.oneRecipe()
}

// oneRecipe gives the winners the recipe of the truth that they are compared with.
func (e *Experiment) oneRecipe() error {
	if e.Winners.Recipe != (micro.Recipe{}) && e.Winners.Recipe != e.TFS.Recipe {
		return config.Errorf("", 0, "winners.recipe: winners are trained as the truth is, for the two to be compared; set tfs.recipe")
	}
	e.Winners.Recipe = e.TFS.Recipe
	return nil
}

// resolve makes a path of the experiment file absolute; names stay names.
func (e *Experiment) resolve(nameOrPath string) string {
	if !task.IsPath(nameOrPath) {
		return nameOrPath
	}
	return e.absolute(nameOrPath)
}

// resolveLabel does so with the files that label parameters name.
func (e *Experiment) resolveLabel(p *label.Params) {
	p.Answers = e.resolve(p.Answers)
	if p.Prices != "" {
		p.Prices = e.absolute(p.Prices)
	}
}

// absolute is a path of the experiment file, seen from anywhere.
func (e *Experiment) absolute(path string) string {
	if e.dir == "" || filepath.IsAbs(path) {
		return path
	}
	abs, err := filepath.Abs(filepath.Join(e.dir, path))
	if err != nil {
		return filepath.Join(e.dir, path)
	}
	return abs
}

// Resolved returns the experiment as YAML, with every default and absolute
// paths: what the run directory keeps.
func (e *Experiment) Resolved() ([]byte, error) {
	return yaml.Marshal(e)
}
