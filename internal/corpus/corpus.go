// Package corpus is the text of a translation task: pairs of tokenised
// sentences in three sets, made by the grammar of the embedded task or read from
// a user's files, with the vocabularies that turn them into numbers.
package corpus

// Pair is a sentence and its translation, in tokens.
type Pair struct{ Source, Target []string }

// Set is a whole corpus, divided.
type Set struct {
	Train []Pair // what models and vocabularies are made of
	Valid []Pair // what the search may look at
	Test  []Pair // what is looked at once, at the end
}

// Corpus is a set with the vocabularies of its training part.
type Corpus struct {
	Set
	Source, Target *Vocabulary
}

// New builds the vocabularies. The pairs are kept, not copied.
func New(train, valid, test []Pair) *Corpus {
	sources, targets := make([][]string, len(train)), make([][]string, len(train))
	for i, p := range train {
		sources[i], targets[i] = p.Source, p.Target
	}
	return &Corpus{
		Set:    Set{Train: train, Valid: valid, Test: test},
		Source: NewVocabulary(sources),
		Target: NewVocabulary(targets),
	}
}

// Example is a pair in numbers, each side with EOS at its end.
type Example struct{ Source, Target []int64 }

// Encode turns pairs into numbers; words outside the vocabularies become UNK.
func (c *Corpus) Encode(pairs []Pair) []Example {
	out := make([]Example, len(pairs))
	for i, p := range pairs {
		out[i] = Example{c.Source.Encode(p.Source), c.Target.Encode(p.Target)}
	}
	return out
}
