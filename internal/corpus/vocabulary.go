package corpus

import (
	"cmp"
	"maps"
	"slices"
)

// The numbers that no word has.
const (
	PAD int64 = iota // fills up the shorter sentences of a batch
	BOS              // begins the decoder's input
	EOS              // ends every sentence
	UNK              // stands for a word that the training set does not have

	special = 4
)

// symbols are what the special numbers look like.
var symbols = [special]string{"<pad>", "<s>", "</s>", "<unk>"}

// Vocabulary numbers the words of one language: the special symbols first, then
// the words by falling count, those of equal count by code points.
type Vocabulary struct {
	words  []string // by number
	counts []int64  // the same; 0 for the special symbols
	ids    map[string]int64
}

// NewVocabulary numbers the words of sentences.
func NewVocabulary(sentences [][]string) *Vocabulary {
	counts := map[string]int64{}
	for _, sentence := range sentences {
		for _, word := range sentence {
			counts[word]++
		}
	}
	ranked := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	v := &Vocabulary{
		words:  append(symbols[:special:special], ranked...),
		counts: make([]int64, special+len(ranked)),
		ids:    make(map[string]int64, len(ranked)),
	}
	for i, word := range ranked {
		v.ids[word] = int64(special + i)
		v.counts[special+i] = counts[word]
	}
	return v
}

// Len is how many numbers there are, the special ones included.
func (v *Vocabulary) Len() int { return len(v.words) }

// Words returns the word of every number, the special symbols included.
func (v *Vocabulary) Words() []string { return slices.Clone(v.words) }

// Counts returns how often the training set has each of Words; 0 for the
// special symbols.
func (v *Vocabulary) Counts() []int64 { return slices.Clone(v.counts) }

// Has says whether the training set has the word.
func (v *Vocabulary) Has(word string) bool {
	_, ok := v.ids[word]
	return ok
}

// Unknown counts the words that Encode turns into UNK.
func (v *Vocabulary) Unknown(words []string) int {
	n := 0
	for _, word := range words {
		if !v.Has(word) {
			n++
		}
	}
	return n
}

// Encode returns the numbers of words, UNK for one that is not known, and EOS
// at the end.
func (v *Vocabulary) Encode(words []string) []int64 {
	out := make([]int64, 0, len(words)+1)
	for _, word := range words {
		id, ok := v.ids[word]
		if !ok {
			id = UNK
		}
		out = append(out, id)
	}
	return append(out, EOS)
}

// Decode returns the words of ids up to the first EOS, without PAD. A number
// outside the vocabulary reads as UNK does.
func (v *Vocabulary) Decode(ids []int64) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		switch {
		case id == EOS:
			return out
		case id == PAD:
		case id < 0 || id >= int64(len(v.words)):
			out = append(out, symbols[UNK])
		default:
			out = append(out, v.words[id])
		}
	}
	return out
}
