// Package report is the last stage: one page that says what was run on what, how
// good every predictor was, what the searches found and what their winners cost,
// with the published figures beside ours and a verdict on each. It is written twice
// from one model of it, as Markdown and as HTML with figures.
// The page depends on the artifacts alone: the same bytes in, the same page out.
package report

import (
	"context"
	"fmt"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version of the stage; the version is part of its key.
const (
	Name    = "report"
	Version = 10
)

// Params are the section "report" of an experiment. The zero value is not
// usable; start from Defaults.
type Params struct {
	Winners int `yaml:"winners"` // architectures listed for each search and limit, best first
}

// Defaults returns the parameters of an experiment that has no such section.
func Defaults() Params { return Params{Winners: 1} }

// Validate implements config.Validator.
func (p Params) Validate() error {
	if p.Winners < 1 {
		return config.Fieldf("winners", "expected 1 or more, found %d", p.Winners)
	}
	return nil
}

// Inputs are the artifacts that the page is made of, by path. One that is ""
// belongs to a stage that the run does not have; its section says so.
type Inputs struct {
	Task *task.Task

	Architectures, TFS, Supernet, Costs, Runs    string
	Trained, Training                            string // of a supernet that was trained here
	Labels, Requests                             string
	Students, Predictions, Scoreboard, Curve     string
	Latency, LatencyDataset, Models              string
	Candidates, Front, Ledger, Winners           string
	Finalists                                    string
	Progress, Pareto                             string
	Benchmark, BenchmarkSamples, BenchmarkModels string
	Roofline                                     string
}

// Outputs are the paths to write.
type Outputs struct{ Markdown, HTML string }

// Page is the report in its two forms.
type Page struct{ Markdown, HTML []byte }

// Run writes the page.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	page, err := Render(ctx, p, in, prov)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		path string
		text []byte
	}{{out.Markdown, page.Markdown}, {out.HTML, page.HTML}} {
		if err := atomicfile.Write(f.path, f.text); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
	}
	rep.Logf("report: %s", out.HTML)
	return nil
}

// Render returns the page.
func Render(ctx context.Context, p Params, in Inputs, prov schemas.Provenance) (Page, error) {
	art, err := load(ctx, in)
	if err != nil {
		return Page{}, err
	}
	figures, err := loadFigures()
	if err != nil {
		return Page{}, err
	}
	w := &writer{task: in.Task, params: p, art: art, figures: figures}
	w.heading(1, "%s: %s", in.Task.Name, in.Task.Title)
	w.finding()
	w.summary()
	w.scoreboard()
	w.known()
	w.students()
	w.trained()
	w.latency()
	w.search()
	w.remeasured()
	w.trials()
	w.benchmark()
	w.costs()
	w.lineage(prov)
	html, err := w.html()
	return Page{Markdown: w.markdown(), HTML: html}, err
}

// writer is the page as it grows, and what it is made of.
type writer struct {
	page
	task    *task.Task
	params  Params
	art     *artifacts
	figures *figures
}
