package schemas

// VocabularyEntry is a row of corpus/vocabulary.parquet: a word and its number.
type VocabularyEntry struct {
	Side  string // SideSource or SideTarget
	ID    int32
	Word  string
	Count int64
}

// The values of column side.
const (
	SideSource = "source"
	SideTarget = "target"
)

var vocabulary = table[VocabularyEntry]{name: "vocabulary", version: 1, columns: []column[VocabularyEntry]{
	text("side", "language of the word: source or target", func(r *VocabularyEntry) *string { return &r.Side }),
	small("id", "", "number of the word, its row of the embedding, from 0", func(r *VocabularyEntry) *int32 { return &r.ID }),
	text("word", "the word; <pad>, <s>, </s> and <unk> for the special numbers 0 to 3", func(r *VocabularyEntry) *string { return &r.Word }),
	integer("count", "tokens", "how often the training set has it, 0 for the special numbers", func(r *VocabularyEntry) *int64 { return &r.Count }),
}}

// WriteVocabulary writes corpus/vocabulary.parquet.
func WriteVocabulary(path string, rows []VocabularyEntry, p Provenance) error {
	return vocabulary.write(path, rows, p)
}

// ReadVocabulary reads what WriteVocabulary wrote.
func ReadVocabulary(path string) ([]VocabularyEntry, error) { return vocabulary.read(path) }
