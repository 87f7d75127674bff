// Package winners is the stage that says what a search was worth: it trains the
// best architecture of every search from scratch and holds the result beside what
// the predictors had said and what the search had cost.
package winners

import (
	"context"
	"fmt"
	"math"
	"slices"

	"hsnas/internal/config"
	"hsnas/internal/metric"
	"hsnas/internal/micro"
	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output
// changes for the same input.
const (
	Name    = "winners"
	Version = 1
)

// Inputs are what the stage reads.
type Inputs struct {
	Task   *task.Task
	Corpus string // corpus/corpus.parquet
	Front  string // search/front.parquet
	Ledger string // search/ledger.parquet
}

// Outputs are the files that the stage writes. State is a folder of results and
// checkpoints, which make a second attempt cheaper.
type Outputs struct{ Winners, State string }

// Run trains the first of every search, each architecture once for each seed,
// however many searches it won.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	if err := p.Validate(); err != nil {
		return err
	}
	rows, jobs, err := plan(p, in)
	if err != nil {
		return err
	}
	s, err := scratch(p, in, out.State)
	if err != nil {
		return err
	}
	results, err := s.TrainAll(ctx, jobs, 0, rep)
	if err != nil {
		return fmt.Errorf("winners: %w", err)
	}
	trained := map[string][]micro.Trained{}
	for i, r := range results {
		if r.Diverged == "" {
			id := jobs[i].Arch.ID()
			trained[id] = append(trained[id], r)
		}
	}
	for i := range rows {
		fill(&rows[i], trained[rows[i].ID])
		if rows[i].Trainings == 0 {
			rep.Logf("%s, seed %d: every training of the winner %s diverged; lower tfs.recipe.peak", rows[i].Search, rows[i].Seed, rows[i].ID)
			continue
		}
		rep.Logf("%s, seed %d: winner %s, validation %s %.2f, test %.2f", rows[i].Search, rows[i].Seed, rows[i].ID, in.Task.Metric.Name, rows[i].Score, rows[i].TestScore)
	}
	return schemas.WriteWinnersTrained(out.Winners, rows, prov)
}

// plan returns the winners and the trainings that they need.
func plan(p Params, in Inputs) ([]schemas.WinnerTrained, []micro.Job, error) {
	rows, err := read(p, in)
	if err != nil {
		return nil, nil, err
	}
	jobs, err := jobsOf(p, in.Task, rows)
	return rows, jobs, err
}

func scratch(p Params, in Inputs, state string) (*micro.Scratch, error) {
	c, err := schemas.LoadCorpus(in.Corpus)
	if err != nil {
		return nil, err
	}
	return micro.NewScratch(in.Task, c, p.Recipe, state)
}

// Shards names the trainings of the stage, each a shard of its own.
func Shards(p Params, in Inputs) ([]string, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	_, jobs, err := plan(p, in)
	return micro.Names(jobs), err
}

// RunShard does one of the trainings and returns the file of its result, in the folder
// state: Run takes it from there.
func RunShard(ctx context.Context, p Params, in Inputs, state, shard string, rep progress.Reporter) (file string, err error) {
	_, jobs, err := plan(p, in)
	if err != nil {
		return "", err
	}
	s, err := scratch(p, in, state)
	if err != nil {
		return "", err
	}
	if file, err = s.TrainNamed(ctx, jobs, shard, rep); err != nil {
		return "", fmt.Errorf("winners: %w", err)
	}
	return file, nil
}

// read joins the winners with what their searches cost.
func read(p Params, in Inputs) ([]schemas.WinnerTrained, error) {
	front, err := schemas.ReadFront(in.Front)
	if err != nil {
		return nil, err
	}
	ledger, err := schemas.ReadLedger(in.Ledger)
	if err != nil {
		return nil, err
	}
	each := secondsEach(ledger)
	var rows []schemas.WinnerTrained
	for _, w := range front {
		if w.Rank != 1 || len(p.Searches) > 0 && !slices.Contains(p.Searches, w.Search) {
			continue
		}
		row := schemas.WinnerTrained{
			Search: w.Search, Limit: w.Limit, Unit: w.Unit, Seed: w.Seed, ID: w.ID, Architecture: w.Architecture,
			Cost: w.Cost, StudentScore: w.StudentScore, BaselineScore: w.BaselineScore,
		}
		for _, l := range ledger {
			if l.Search != w.Search || l.Seed != w.Seed || !same(l.Limit, w.Limit) {
				continue
			}
			if l.ScorerKind == schemas.ScorerSupernet || l.ScorerKind == schemas.ScorerSurrogate {
				row.Evaluations += l.Evaluations
			}
			if l.ScorerKind == schemas.ScorerSupernet {
				row.SearchSeconds += each * float64(l.Evaluations)
			} else {
				row.SearchSeconds += l.Seconds
			}
		}
		rows = append(rows, row)
	}
	for _, name := range p.Searches {
		if !slices.ContainsFunc(rows, func(r schemas.WinnerTrained) bool { return r.Search == name }) {
			return nil, config.Errorf("", 0, "winners: %s has no winner of the search %q; name searches that ran", in.Front, name)
		}
	}
	return rows, nil
}

// secondsEach is the mean time that the supernet took for one evaluation. The
// searches of a run share its work, so that the seconds of a single one depend on
// which came first.
func secondsEach(ledger []schemas.Ledger) float64 {
	var seconds, computed float64
	for _, l := range ledger {
		if l.ScorerKind == schemas.ScorerSupernet {
			seconds += l.Seconds
			computed += float64(l.Evaluations - l.Shared)
		}
	}
	return seconds / max(1, computed)
}

// same compares limits, of which NaN means none.
func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func jobsOf(p Params, t *task.Task, rows []schemas.WinnerTrained) ([]micro.Job, error) {
	var jobs []micro.Job
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.ID] {
			continue
		}
		seen[r.ID] = true
		a, err := t.Space.ParseArchitecture([]byte(r.Architecture))
		if err != nil {
			return nil, fmt.Errorf("winners: architecture %s: %w", r.ID, err)
		}
		for _, seed := range p.Seeds {
			jobs = append(jobs, micro.Job{Arch: a, Seed: uint64(seed)})
		}
	}
	return jobs, nil
}

// fill enters the trainings of a winner.
func fill(row *schemas.WinnerTrained, results []micro.Trained) {
	var valid, test []float64
	for _, r := range results {
		valid, test = append(valid, r.Valid), append(test, r.Test)
	}
	row.Trainings = int32(len(results))
	row.Score, row.ScoreStd = metric.Mean(valid), spread(valid)
	row.TestScore, row.TestScoreStd = metric.Mean(test), spread(test)
}

// spread is the sample standard deviation, NaN for fewer than two.
func spread(v []float64) float64 {
	if len(v) < 2 {
		return math.NaN()
	}
	return metric.Std(v)
}
