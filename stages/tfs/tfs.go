// Package tfs is the stage that brings the truth: the quality of architectures
// that were trained from scratch, from published figures or the task's table,
// with what else is known of them, supernets' scores and measured costs. Tasks of
// the family micro are trained here: all of the sample where the task has no
// table, else some of it again, to hold the table against.
package tfs

import (
	"context"
	"fmt"
	"math"

	"hsnas/internal/config"
	"hsnas/internal/measured"
	"hsnas/internal/progress"
	"hsnas/internal/published"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output
// changes for the same input.
const (
	Name    = "tfs"
	Version = 2
)

// Inputs are what the stage reads; published figures are found by themselves.
type Inputs struct {
	Task          *task.Task
	Architectures string // sample/architectures.parquet
	Corpus        string // corpus/corpus.parquet; "" for tasks that are not trained here
}

// Outputs are the files that the stage writes, all of them, without rows where
// there is nothing to tell. State is a folder of results and checkpoints, which
// make a second attempt cheaper.
type Outputs struct{ TFS, Supernet, Costs, Runs, State string }

// Run writes the truth of every architecture of the sample that is not unlabelled.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	if err := p.Validate(); err != nil {
		return err
	}
	archs, g, err := known(in)
	if err != nil {
		return err
	}
	if in.Task.Family == task.Micro {
		t := &training{params: p, task: in.Task, archs: archs, gathered: g, rep: rep}
		if err := t.run(ctx, in.Corpus, out.State); err != nil {
			return fmt.Errorf("tfs: %w", err)
		}
	}
	if missing := len(g.wanted) - len(g.done); missing > 0 {
		return fmt.Errorf("tfs: %d of %d architectures have no measured %s in the source that the sample was drawn from: run sample again",
			missing, len(g.wanted), in.Task.Metric.Name)
	}
	rep.Logf("%d trained architectures", len(g.tfs))
	if err := schemas.WriteTFS(out.TFS, g.tfs, prov); err != nil {
		return err
	}
	if err := schemas.WriteSupernetScores(out.Supernet, g.supernets, prov); err != nil {
		return err
	}
	if err := schemas.WriteTFSRuns(out.Runs, g.runs, prov); err != nil {
		return err
	}
	return schemas.WriteMeasuredCosts(out.Costs, g.costs, prov)
}

// known reads the sample, and gathers the truth that is there already.
func known(in Inputs) ([]schemas.Architecture, *gatherer, error) {
	archs, err := schemas.ReadArchitectures(in.Architectures)
	if err != nil {
		return nil, nil, err
	}
	g := &gatherer{task: in.Task, wanted: map[string]bool{}, done: map[string]bool{}}
	for _, a := range archs {
		if a.Set != schemas.SetUnlabelled {
			g.wanted[a.ID] = true
		}
	}
	if err := g.gather(splits(archs)); err != nil {
		return nil, nil, fmt.Errorf("tfs: %w", err)
	}
	return archs, g, nil
}

// splits returns the names of the splits in the order of their first row.
func splits(archs []schemas.Architecture) []string {
	var out []string
	seen := map[string]bool{"": true}
	for _, a := range archs {
		if !seen[a.Split] {
			seen[a.Split] = true
			out = append(out, a.Split)
		}
	}
	return out
}

// gatherer collects the rows of architectures that are wanted, each once.
type gatherer struct {
	task         *task.Task
	wanted, done map[string]bool // by architecture id
	tfs          []schemas.TFS
	supernets    []schemas.SupernetScore
	costs        []schemas.MeasuredCost
	runs         []schemas.TFSRun
}

func (g *gatherer) gather(splits []string) error {
	switch {
	case g.task.Data.LLMAS != "":
		return g.published(splits)
	case g.task.Data.Table != "":
		return g.table()
	case g.task.Family == task.Micro:
		return nil // all of it is trained
	}
	return config.Errorf("", 0, "task %s has no measured %s: give its data section a table", g.task.Name, g.task.Metric.Name)
}

func (g *gatherer) published(splits []string) error {
	root, err := published.Root()
	if err != nil {
		return err
	}
	for _, split := range splits {
		for _, part := range []published.Part{published.Demonstrations, published.Test} {
			seeds, err := published.Seeds(root, g.task.Data.LLMAS, split, part)
			if err != nil {
				return err
			}
			for _, s := range seeds {
				if err := g.seed(s); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// seed takes over validation BLEU, of which the paper's comparisons are.
func (g *gatherer) seed(s published.Seed) error {
	a, err := g.task.Space.ParseArchitecture([]byte(s.Architecture))
	if err != nil {
		return fmt.Errorf("published %w", err)
	}
	id := a.ID()
	if !g.wanted[id] || g.done[id] {
		return nil
	}
	g.done[id] = true
	g.tfs = append(g.tfs, schemas.TFS{ID: id, Score: s.Valid, TestScore: s.Test, Metric: g.task.Metric.Name, Source: schemas.SourcePublished})
	for _, name := range published.Supernets() {
		g.supernets = append(g.supernets, schemas.SupernetScore{ID: id, Supernet: name, Score: s.Supernets[name].Valid})
	}
	return nil
}

// table takes over all rows: a cost is known of architectures that no split
// holds, too, and a cost predictor learns from it.
func (g *gatherer) table() error {
	table, err := measured.Read(g.task)
	if err != nil {
		return err
	}
	for _, row := range table.Rows {
		id := row.Arch.ID()
		for i, c := range table.Costs {
			g.costs = append(g.costs, schemas.MeasuredCost{ID: id, Cost: c.Name, Unit: c.Unit, Value: row.Costs[i]})
		}
		if !g.wanted[id] || math.IsNaN(row.Score) {
			continue
		}
		g.done[id] = true
		g.tfs = append(g.tfs, schemas.TFS{ID: id, Score: row.Score, TestScore: row.TestScore, Metric: g.task.Metric.Name, Source: schemas.SourceTable})
	}
	return nil
}
