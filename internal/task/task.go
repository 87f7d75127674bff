// Package task holds what an experiment is about as data: the space that is
// searched, the metric with its direction and range, the model family where
// there is one, the prompt, and where the measured scores come from.
package task

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"hsnas/data"
	"hsnas/internal/config"
	"hsnas/internal/space"
)

// Task is a task, resolved: its space and prompt are loaded.
type Task struct {
	Name   string
	Title  string
	Family string // HAT, Micro, or "" for a space without a model family of ours
	Space  *space.Space
	Metric Metric
	Model  *Transformer // set where there is a family
	Prompt Prompt
	Data   Data
	Dir    string // folder of the task's file, "" for one that ships; relative paths start here

	files   []string
	wording promptSource // the prompt section of the task's file
}

// Metric is what the search optimises.
type Metric struct {
	Name      string  `yaml:"name"` // as prompts and tables write it: BLEU
	Unit      string  `yaml:"unit"`
	Direction string  `yaml:"direction"` // maximize or minimize
	Min       float64 `yaml:"min"`       // a prediction outside [Min, Max] is refused
	Max       float64 `yaml:"max"`
	Decimals  int     `yaml:"decimals"` // in prompts and tables
}

// Minimize says whether smaller is better.
func (m Metric) Minimize() bool { return m.Direction == "minimize" }

// Validate implements config.Validator.
func (m *Metric) Validate() error {
	switch {
	case m.Name == "":
		return config.Fieldf("name", "a metric needs a name, BLEU for example")
	case m.Direction != "maximize" && m.Direction != "minimize":
		return config.Fieldf("direction", "expected maximize or minimize, found %q", m.Direction)
	case !(m.Min < m.Max):
		return config.Fieldf("min", "the metric's range is empty: min %v, max %v", m.Min, m.Max)
	case m.Decimals < 0 || m.Decimals > 9:
		return config.Fieldf("decimals", "expected 0 to 9, found %d", m.Decimals)
	}
	return nil
}

// Transformer is what the models of a family and their costs need beside the
// architecture.
type Transformer struct {
	Vocabulary       int  `yaml:"vocabulary"`        // rows of the embedding, the decoder's where they are two; 0 where unknown
	SourceVocabulary int  `yaml:"source_vocabulary"` // rows of the encoder's embedding where it is not shared
	SourceTokens     int  `yaml:"source_tokens"`
	TargetTokens     int  `yaml:"target_tokens"`
	SharedEmbeddings bool `yaml:"shared_embeddings"` // encoder, decoder and output share one; else the last two do
	QKV              int  `yaml:"qkv"`               // width of queries, keys and values; 0 for HAT's, 512
}

// Validate implements config.Validator.
func (m *Transformer) Validate() error {
	switch {
	case m.SourceTokens < 1 || m.TargetTokens < 1 || m.Vocabulary < 0:
		return config.Fieldf("source_tokens", "a model needs source_tokens and target_tokens of at least 1, and a vocabulary of at least 0")
	case m.SharedEmbeddings == (m.SourceVocabulary != 0):
		return config.Fieldf("source_vocabulary", "a source_vocabulary goes with embeddings that are not shared, and the other way round")
	case m.QKV < 0:
		return config.Fieldf("qkv", "expected the width of queries, keys and values, or 0 for HAT's 512; found %d", m.QKV)
	}
	return nil
}

// Data names where the truth comes from: published figures or a table.
type Data struct {
	LLMAS string `yaml:"llmas"` // folder name in the paper's published data, wmt14ende for example
	Table string `yaml:"table"` // measured scores and costs: a table that ships, or the path of a CSV, relative to the task's file
}

// Validate implements config.Validator.
func (d *Data) Validate() error {
	if (d.LLMAS != "") && (d.Table != "") {
		return config.Fieldf("table", "give either llmas or table, not both")
	}
	return nil
}

// document is a task file as it is written.
type document struct {
	Name   string       `yaml:"name"`
	Title  string       `yaml:"title"`
	Space  string       `yaml:"space"`
	Family string       `yaml:"family"`
	Metric Metric       `yaml:"metric"`
	Model  *Transformer `yaml:"model"`
	Prompt promptSource `yaml:"prompt"`
	Data   Data         `yaml:"data"`
}

// Validate implements config.Validator.
func (d *document) Validate() error {
	switch {
	case d.Name == "":
		return config.Fieldf("name", "a task needs a name")
	case d.Space == "":
		return config.Fieldf("space", "a task needs a space: the name of one that ships, or a path")
	case d.Metric.Name == "":
		return config.Fieldf("metric", "a task needs a metric")
	case d.Family != "" && d.Family != HAT && d.Family != Micro:
		return config.Fieldf("family", "unknown family %q; known: %s, %s; leave it out for a space without one", d.Family, HAT, Micro)
	case (d.Family != "") != (d.Model != nil):
		return config.Fieldf("model", "a family and a model section go together: give both or neither")
	case d.Family == Micro && d.Model.SharedEmbeddings:
		return config.Fieldf("model", "the source of the family %s has an embedding of its own: give a source_vocabulary, and shared_embeddings false", Micro)
	}
	return nil
}

// Load reads a task by the name of one that ships, or by the path of a YAML
// file: whatever ends in .yaml or .yml or holds a slash is a path.
func Load(nameOrPath string) (*Task, error) {
	text, file, dir, err := Find(data.Tasks, "", nameOrPath)
	if err != nil {
		return nil, err
	}
	var d document
	if err := config.Decode(file, text, &d); err != nil {
		return nil, err
	}
	t := &Task{Name: d.Name, Title: d.Title, Family: d.Family, Metric: d.Metric, Model: d.Model, Data: d.Data, Dir: dir}
	if t.Title == "" {
		t.Title = t.Name
	}
	t.addFile(dir, file)
	spaceText, spaceFile, spaceDir, err := Find(data.Spaces, dir, d.Space)
	if err != nil {
		return nil, err
	}
	if t.Space, err = space.Parse(spaceFile, spaceText); err != nil {
		return nil, err
	}
	t.addFile(spaceDir, spaceFile)
	if err := t.checkFamily(file); err != nil {
		return nil, err
	}
	t.wording = d.Prompt
	t.Prompt, err = t.loadPrompt(d.Prompt, true)
	return t, err
}

// Find returns the text of a YAML file of a kind, by name or by path relative to
// dir; the folder it lies in is "" where it ships.
func Find(kind, dir, nameOrPath string) (text []byte, file, folder string, err error) {
	if !IsPath(nameOrPath) {
		if text, file, err = data.Read(kind, nameOrPath); err != nil {
			return nil, "", "", config.Errorf("", 0, "unknown %s %q%s (or give the path of a .yaml file)",
				strings.TrimSuffix(kind, "s"), nameOrPath, config.DidYouMean(nameOrPath, data.Names(kind)))
		}
		return text, file, "", nil
	}
	if file = nameOrPath; !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	if text, err = os.ReadFile(file); err != nil {
		return nil, "", "", config.Errorf("", 0, "cannot read the %s: %v", strings.TrimSuffix(kind, "s"), err)
	}
	return text, file, filepath.Dir(file), nil
}

// IsPath says whether a reference is the path of a file, not the name of one that
// ships.
func IsPath(s string) bool {
	return strings.ContainsRune(s, '/') || strings.HasSuffix(s, ".yaml") || strings.HasSuffix(s, ".yml")
}

// addFile remembers a file of the user's that the task was read from.
func (t *Task) addFile(dir, file string) {
	if dir != "" {
		t.files = append(t.files, file)
	}
}

// Files returns the paths of the user's files that the task was read from, its
// table included; those that ship are part of the program.
func (t *Task) Files() []string {
	files := append([]string(nil), t.files...)
	if t.Data.Table != "" && !t.TableShips() {
		files = append(files, t.Path(t.Data.Table))
	}
	return files
}

// Path resolves a path written in the task's file.
func (t *Task) Path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(t.Dir, p)
}

// String returns the name and title.
func (t *Task) String() string { return fmt.Sprintf("%s (%s)", t.Name, t.Title) }
