// Package sample is the stage that chooses the architectures of a run: the
// demonstrations and the test set of every split, and the unlabelled set that
// the LLM labels for its student.
//
// Where the authors published them they are read; a task with a table has them
// there; otherwise they are sampled from the space.
package sample

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"

	"hsnas/internal/config"
	"hsnas/internal/cost"
	"hsnas/internal/measured"
	"hsnas/internal/progress"
	"hsnas/internal/published"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output
// changes for the same input.
const (
	Name    = "sample"
	Version = 1
)

// FixedSplit is the name of the only split of a table with a set column.
const FixedSplit = "table"

// Inputs are what the stage reads; published figures are found by themselves.
type Inputs struct{ Task *task.Task }

// Outputs are the files that the stage writes.
type Outputs struct{ Architectures string }

// Run writes the architectures.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	if err := p.Validate(); err != nil {
		return err
	}
	s := &sampler{params: p, task: in.Task}
	if err := s.draw(); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	rep.Logf("%d architectures", len(s.rows))
	return schemas.WriteArchitectures(out.Architectures, s.rows, prov)
}

// sampler collects the rows.
type sampler struct {
	params Params
	task   *task.Task
	rows   []schemas.Architecture
	taken  map[string]bool // keys of demonstrations and test, and of a table's other rows
}

func (s *sampler) draw() error {
	s.taken = map[string]bool{}
	var err error
	switch {
	case s.task.Data.LLMAS != "":
		err = s.published()
	case s.task.Data.Table != "":
		err = s.table()
	default:
		err = s.trained()
	}
	if err != nil {
		return err
	}
	if s.task.Data.LLMAS != "" && s.params.UnlabelledSet != "" {
		return s.publishedUnlabelled()
	}
	return s.add(schemas.SetUnlabelled, "", s.distinct(s.params.Unlabelled, s.params.Seed))
}

// published reads the authors' splits.
func (s *sampler) published() error {
	root, err := published.Root()
	if err != nil {
		return err
	}
	sets := map[published.Part]string{published.Demonstrations: schemas.SetDemonstration, published.Test: schemas.SetTest}
	for _, split := range s.params.Splits {
		for _, part := range []published.Part{published.Demonstrations, published.Test} {
			seeds, err := published.Seeds(root, s.task.Data.LLMAS, split, part)
			if err != nil {
				return err
			}
			texts := make([]string, len(seeds))
			for i, seed := range seeds {
				texts[i] = seed.Architecture
			}
			archs, err := s.parse(texts)
			if err != nil {
				return err
			}
			if err := s.add(sets[part], split, archs); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sampler) publishedUnlabelled() error {
	root, err := published.Root()
	if err != nil {
		return err
	}
	texts, err := published.Unlabelled(root, s.params.UnlabelledSet)
	if err != nil {
		return err
	}
	if len(texts) < s.params.Unlabelled {
		return config.Errorf("", 0, "unlabelled: %d, but the published set %s has %d", s.params.Unlabelled, s.params.UnlabelledSet, len(texts))
	}
	archs, err := s.parse(texts[:s.params.Unlabelled])
	if err != nil {
		return err
	}
	return s.add(schemas.SetUnlabelled, "", archs)
}

func (s *sampler) parse(texts []string) ([]space.Architecture, error) {
	out := make([]space.Architecture, len(texts))
	for i, text := range texts {
		var err error
		if out[i], err = s.task.Space.ParseArchitecture([]byte(text)); err != nil {
			return nil, fmt.Errorf("published %w", err)
		}
	}
	return out, nil
}

// table divides the measured architectures.
func (s *sampler) table() error {
	table, err := measured.Read(s.task)
	if err != nil {
		return err
	}
	var pool []space.Architecture
	sets := map[string][]space.Architecture{}
	for _, row := range table.Rows {
		pool = append(pool, row.Arch)
		sets[row.Set] = append(sets[row.Set], row.Arch)
		s.taken[row.Arch.Key()] = true
	}
	if !table.Sets {
		return s.divide(pool, table.File)
	}
	demonstrations, test := sets[measured.Demonstration], sets[measured.Test]
	if len(demonstrations) < 2 || len(test) < 2 {
		return config.Errorf(table.File, 0, "%d demonstrations and %d test architectures in the column %s, expected at least 2 of each", len(demonstrations), len(test), measured.SetColumn)
	}
	if err := s.add(schemas.SetDemonstration, FixedSplit, demonstrations); err != nil {
		return err
	}
	if err := s.add(schemas.SetTest, FixedSplit, test); err != nil {
		return err
	}
	return s.add(schemas.SetExtra, "", sets[measured.Extra])
}

// trained samples the architectures that will be trained here.
func (s *sampler) trained() error {
	pool := s.distinct(s.params.Demonstrations+s.params.Test, s.params.Seed+1)
	for _, a := range pool {
		s.taken[a.Key()] = true
	}
	return s.divide(pool, s.task.Space.Name)
}

// divide draws every split from the pool by its seed.
func (s *sampler) divide(pool []space.Architecture, from string) error {
	demonstrations, test := s.params.Demonstrations, s.params.Test
	if len(pool) < demonstrations+test {
		return config.Errorf("", 0, "%s has %d architectures, expected at least %d: %d demonstrations and %d for the test; lower demonstrations or test",
			from, len(pool), demonstrations+test, demonstrations, test)
	}
	for _, split := range s.params.Splits {
		seed, _ := strconv.ParseUint(split, 10, 64) // Validate has seen it
		order := rand.New(rand.NewPCG(seed, 0)).Perm(len(pool))
		pick := func(places []int) []space.Architecture {
			out := make([]space.Architecture, len(places))
			for i, place := range places {
				out[i] = pool[place]
			}
			return out
		}
		if err := s.add(schemas.SetDemonstration, split, pick(order[:demonstrations])); err != nil {
			return err
		}
		if err := s.add(schemas.SetTest, split, pick(order[demonstrations:demonstrations+test])); err != nil {
			return err
		}
	}
	return nil
}

// tries bounds the draws for each architecture that is wanted, so that a space
// that is nearly used up ends the search for new ones.
const tries = 100

// distinct samples up to n architectures that are different from each other and
// from those taken; fewer where the space has no more.
func (s *sampler) distinct(n int, seed uint64) []space.Architecture {
	r := rand.New(rand.NewPCG(seed, 1))
	seen := map[string]bool{}
	var out []space.Architecture
	for range n * tries {
		if len(out) == n {
			break
		}
		a := s.task.Space.Sample(r)
		if !seen[a.Key()] && !s.taken[a.Key()] {
			seen[a.Key()] = true
			out = append(out, a)
		}
	}
	return out
}

// add appends rows with their costs.
func (s *sampler) add(set, split string, archs []space.Architecture) error {
	for i, a := range archs {
		row := schemas.Architecture{ID: a.ID(), Set: set, Split: split, Position: int32(i), Architecture: a.String()}
		if s.task.HasCostModel() {
			c, err := cost.Of(s.task, a)
			if err != nil {
				return err
			}
			row.Params, row.EmbeddingParams = &c.Params, &c.EmbeddingParams
			row.FLOPs, row.FLOPsWithoutLastLayer = &c.FLOPs, &c.FLOPsWithoutLastLayer
		}
		s.rows = append(s.rows, row)
	}
	return nil
}

// Files returns the files outside the run that the stage reads: published
// figures, or the user's task with its table.
func Files(p Params, t *task.Task) ([]string, error) {
	files := t.Files()
	if t.Data.LLMAS == "" {
		return files, nil
	}
	root, err := published.Root()
	if err != nil {
		return nil, err
	}
	files = append(files, published.SeedFiles(root, t.Data.LLMAS, p.Splits)...)
	if p.UnlabelledSet != "" {
		files = append(files, published.UnlabelledFile(root, p.UnlabelledSet))
	}
	return files, nil
}
