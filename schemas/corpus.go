package schemas

import (
	"fmt"
	"strings"

	"hsnas/internal/corpus"
)

// CorpusPair is a row of corpus/corpus.parquet: a sentence and its translation.
type CorpusPair struct {
	Set      string // CorpusTrain, CorpusValid or CorpusTest
	Position int32
	Source   string // tokens, a blank between them
	Target   string
}

// The values of column set.
const (
	CorpusTrain = "train"
	CorpusValid = "valid"
	CorpusTest  = "test"
)

var corpusPairs = table[CorpusPair]{name: "corpus", version: 1, columns: []column[CorpusPair]{
	text("set", "use of the pair: train, valid or test", func(r *CorpusPair) *string { return &r.Set }),
	small("position", "", "place within the set, from 0", func(r *CorpusPair) *int32 { return &r.Position }),
	text("source", "tokens of the sentence, a blank between them", func(r *CorpusPair) *string { return &r.Source }),
	text("target", "tokens of its translation, a blank between them", func(r *CorpusPair) *string { return &r.Target }),
}}

// WriteCorpus writes corpus/corpus.parquet.
func WriteCorpus(path string, rows []CorpusPair, p Provenance) error {
	return corpusPairs.write(path, rows, p)
}

// ReadCorpus reads what WriteCorpus wrote.
func ReadCorpus(path string) ([]CorpusPair, error) { return corpusPairs.read(path) }

// CorpusRows are the rows of a set of pairs.
func CorpusRows(set corpus.Set) []CorpusPair {
	var rows []CorpusPair
	add := func(name string, pairs []corpus.Pair) {
		for i, p := range pairs {
			rows = append(rows, CorpusPair{Set: name, Position: int32(i), Source: strings.Join(p.Source, " "), Target: strings.Join(p.Target, " ")})
		}
	}
	add(CorpusTrain, set.Train)
	add(CorpusValid, set.Valid)
	add(CorpusTest, set.Test)
	return rows
}

// LoadCorpus reads what WriteCorpus wrote and numbers its words.
func LoadCorpus(path string) (*corpus.Corpus, error) {
	rows, err := ReadCorpus(path)
	if err != nil {
		return nil, err
	}
	sets := map[string][]corpus.Pair{CorpusTrain: nil, CorpusValid: nil, CorpusTest: nil}
	for i, r := range rows {
		pairs, ok := sets[r.Set]
		if !ok || int(r.Position) != len(pairs) {
			return nil, &Error{path, fmt.Sprintf("row %d is number %d of the set %q, expected train, valid or test, each in order; run the stage that writes it again", i, r.Position, r.Set)}
		}
		sets[r.Set] = append(pairs, corpus.Pair{Source: strings.Fields(r.Source), Target: strings.Fields(r.Target)})
	}
	return corpus.New(sets[CorpusTrain], sets[CorpusValid], sets[CorpusTest]), nil
}
