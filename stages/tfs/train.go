package tfs

import (
	"context"
	"fmt"
	"math"

	"hsnas/data"
	"hsnas/internal/config"
	"hsnas/internal/measured"
	"hsnas/internal/metric"
	"hsnas/internal/micro"
	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// training is what the stage computes itself.
type training struct {
	params   Params
	task     *task.Task
	archs    []schemas.Architecture
	gathered *gatherer
	rep      progress.Reporter
	recorded map[string]measured.Run // by id and seed
}

// run trains what has no measured score, and of a table some architectures again.
func (t *training) run(ctx context.Context, corpusFile, state string) error {
	if err := t.readRecorded(); err != nil {
		return err
	}
	jobs, err := t.jobs()
	if err != nil || len(jobs) == 0 {
		return err
	}
	c, err := schemas.LoadCorpus(corpusFile)
	if err != nil {
		return err
	}
	scratch, err := micro.NewScratch(t.task, c, t.params.Recipe, state)
	if err != nil {
		return err
	}
	results, err := scratch.TrainAll(ctx, jobs, 0, t.rep)
	if err != nil {
		return err
	}
	return t.take(jobs, results)
}

// readRecorded brings the single trainings behind a table that ships.
func (t *training) readRecorded() error {
	t.recorded = map[string]measured.Run{}
	if !t.task.TableShips() {
		return nil
	}
	text, file, err := data.Table(t.task.Data.Table + ".runs")
	if err != nil {
		return nil // a table may ship without
	}
	runs, err := measured.ParseRuns(file, text)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if t.gathered.wanted[r.ID] {
			t.recorded[runKey(r.ID, r.Seed)] = r
			t.gathered.runs = append(t.gathered.runs, schemas.TFSRun{
				ID: r.ID, Seed: int64(r.Seed), Score: r.Score, TestScore: r.TestScore, ValidLoss: r.ValidLoss, LossCurve: r.Losses,
				CPUSeconds: r.CPUSeconds, WallSeconds: r.WallSeconds, Source: schemas.SourceTable, Recorded: math.NaN(),
			})
		}
	}
	return nil
}

func runKey(id string, seed uint64) string { return fmt.Sprintf("%s-%d", id, seed) }

// jobs are the trainings to do, in the order of the sample.
func (t *training) jobs() ([]micro.Job, error) {
	var jobs []micro.Job
	seen, again := map[string]bool{}, 0
	for _, row := range t.archs {
		if !t.gathered.wanted[row.ID] || seen[row.ID] {
			continue
		}
		seen[row.ID] = true
		a, err := t.task.Space.ParseArchitecture([]byte(row.Architecture))
		if err != nil {
			return nil, fmt.Errorf("architecture %s: %w", row.ID, err)
		}
		seeds := t.params.Seeds
		if t.gathered.done[row.ID] {
			if again++; again > t.params.Retrain || len(t.recorded) == 0 {
				continue // nothing to do, or no single training to hold it against
			}
			seeds = seeds[:min(1, len(seeds))]
		}
		for _, seed := range seeds {
			jobs = append(jobs, micro.Job{Arch: a, Seed: uint64(seed)})
		}
	}
	if len(jobs) == 0 && len(t.gathered.done) < len(t.gathered.wanted) {
		return nil, config.Errorf("", 0, "tfs.seeds is empty: expected at least one, such as [1, 2]")
	}
	return jobs, nil
}

// take enters the results: as the truth where there was none, else beside the
// table's.
func (t *training) take(jobs []micro.Job, results []micro.Trained) error {
	scores := map[string][]micro.Trained{}
	var diverged []string
	for i, r := range results {
		id := jobs[i].Arch.ID()
		row := schemas.TFSRun{
			ID: id, Seed: int64(jobs[i].Seed), Score: r.Valid, TestScore: r.Test, ValidLoss: r.ValidLoss, LossCurve: r.Losses,
			CPUSeconds: r.CPUSeconds, WallSeconds: r.WallSeconds, Source: schemas.SourceTrained, Recorded: math.NaN(), Fault: r.Diverged,
		}
		if r.Diverged != "" {
			row.Score, row.TestScore, row.ValidLoss = math.NaN(), math.NaN(), math.NaN()
			diverged = append(diverged, jobs[i].String())
		} else {
			scores[id] = append(scores[id], r)
		}
		if old, ok := t.recorded[runKey(id, jobs[i].Seed)]; ok {
			row.Recorded = old.Score
		}
		if r.CPUSeconds == 0 {
			row.CPUSeconds = math.NaN() // the system does not tell
		}
		if !math.IsNaN(row.Recorded) && r.Diverged == "" {
			t.rep.Logf("%s, trained again: %s %.2f, the table has %.2f (difference %+.2f)", jobs[i], t.task.Metric.Name, r.Valid, row.Recorded, r.Valid-row.Recorded)
		}
		t.gathered.runs = append(t.gathered.runs, row)
	}
	for _, j := range jobs {
		if id := j.Arch.ID(); !t.gathered.done[id] && len(scores[id]) > 0 {
			t.gathered.done[id] = true
			t.gathered.tfs = append(t.gathered.tfs, schemas.TFS{
				ID: id, Score: mean(scores[id], func(r micro.Trained) float64 { return r.Valid }),
				TestScore: mean(scores[id], func(r micro.Trained) float64 { return r.Test }),
				Metric:    t.task.Metric.Name, Source: schemas.SourceTrained,
			})
		}
	}
	if len(t.gathered.done) < len(t.gathered.wanted) {
		return fmt.Errorf("no training of some architectures ended well; these diverged: %v; lower tfs.recipe.peak", diverged)
	}
	return nil
}

func mean(results []micro.Trained, of func(micro.Trained) float64) float64 {
	values := make([]float64, len(results))
	for i, r := range results {
		values[i] = of(r)
	}
	return metric.Mean(values)
}
