package corpus

import (
	"fmt"
	"strings"

	"hsnas/internal/corpus"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// remarks says what is no fault, but good to know: sentences that are judged
// though they were trained on, words that no model can know, and a cost model
// that counts other embeddings.
func remarks(c *corpus.Corpus, t *task.Task) []string {
	trained := map[string]bool{}
	for _, p := range c.Train {
		trained[strings.Join(p.Source, " ")] = true
	}
	out := append(heldOut(c, trained, schemas.CorpusValid, c.Valid), heldOut(c, trained, schemas.CorpusTest, c.Test)...)
	m := t.Model
	if m == nil || m.Vocabulary == 0 || m.SharedEmbeddings {
		return out
	}
	if m.SourceVocabulary != c.Source.Len() || m.Vocabulary != c.Target.Len() {
		out = append(out, fmt.Sprintf("the costs of task %s are those of vocabularies of %d and %d", t.Name, m.SourceVocabulary, m.Vocabulary))
	}
	return out
}

// heldOut compares one of the other sets with the training set.
func heldOut(c *corpus.Corpus, trained map[string]bool, set string, pairs []corpus.Pair) []string {
	again, unknown := 0, 0
	for _, p := range pairs {
		if trained[strings.Join(p.Source, " ")] {
			again++
		}
		unknown += c.Source.Unknown(p.Source) + c.Target.Unknown(p.Target)
	}
	var out []string
	if again > 0 {
		out = append(out, fmt.Sprintf("%d of the %d sources of the set %s are in the training set, too", again, len(pairs), set))
	}
	if unknown > 0 {
		out = append(out, fmt.Sprintf("%d tokens of the set %s are in no vocabulary: models read them as <unk>", unknown, set))
	}
	return out
}
