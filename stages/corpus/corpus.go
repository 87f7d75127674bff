// Package corpus is the stage that brings the text which architectures are
// trained on and judged by: the corpus of the embedded task's grammar, or a
// parallel text of the user's, with the vocabularies of its training set.
package corpus

import (
	"context"
	"fmt"

	"hsnas/internal/corpus"
	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output
// changes for the same input.
const (
	Name    = "corpus"
	Version = 1
)

// MaxTokens is how long a sentence of the user's may be, on either side: a batch
// is as long as its longest sentence, and attention takes the square of that.
const MaxTokens = 100

// Inputs are what the stage reads; the user's files are among its parameters.
type Inputs struct{ Task *task.Task }

// Outputs are the files that the stage writes.
type Outputs struct{ Corpus, Vocabulary string }

// Run writes the corpus and its vocabularies.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	if err := p.Validate(); err != nil {
		return err
	}
	set, err := p.set()
	if err != nil {
		return fmt.Errorf("corpus: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c := corpus.New(set.Train, set.Valid, set.Test)
	rep.Logf("%d pairs to train on, %d to validate, %d to test; vocabularies of %d and %d", len(c.Train), len(c.Valid), len(c.Test), c.Source.Len(), c.Target.Len())
	for _, remark := range remarks(c, in.Task) {
		rep.Logf("%s", remark)
	}
	if err := schemas.WriteCorpus(out.Corpus, schemas.CorpusRows(set), prov); err != nil {
		return err
	}
	return schemas.WriteVocabulary(out.Vocabulary, wordRows(c), prov)
}

// set makes or reads the pairs.
func (p Params) set() (corpus.Set, error) {
	if !p.files() {
		return corpus.Micro(corpus.Sizes{Train: p.Train, Valid: p.Valid, Test: p.Test}), nil
	}
	var s corpus.Set
	for _, part := range []struct {
		file string
		into *[]corpus.Pair
	}{{p.TrainFile, &s.Train}, {p.ValidFile, &s.Valid}, {p.TestFile, &s.Test}} {
		var err error
		if *part.into, err = corpus.Read(part.file, MaxTokens); err != nil {
			return s, err
		}
	}
	return s, nil
}

func wordRows(c *corpus.Corpus) []schemas.VocabularyEntry {
	var rows []schemas.VocabularyEntry
	add := func(side string, v *corpus.Vocabulary) {
		counts := v.Counts()
		for id, word := range v.Words() {
			rows = append(rows, schemas.VocabularyEntry{Side: side, ID: int32(id), Word: word, Count: counts[id]})
		}
	}
	add(schemas.SideSource, c.Source)
	add(schemas.SideTarget, c.Target)
	return rows
}

// Files returns the files outside the run that the stage reads: the user's task
// and parallel text.
func Files(p Params, t *task.Task) []string {
	files := t.Files()
	if p.files() {
		files = append(files, p.TrainFile, p.ValidFile, p.TestFile)
	}
	return files
}
