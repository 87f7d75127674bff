package corpus

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// whole is the corpus of the embedded task, generated once: nothing changes it.
var whole = Micro(Sizes{MicroTrain, MicroValid, MicroTest})

// text is the form that the checksums of the specification are of.
func text(pairs []Pair) string {
	lines := make([]string, len(pairs))
	for i, p := range pairs {
		lines[i] = strings.Join(p.Source, " ") + "\t" + strings.Join(p.Target, " ")
	}
	return strings.Join(lines, "\n")
}

// The checksums are those of the Python program that defined the corpus.
func TestMicroIsTheSpecifiedCorpus(t *testing.T) {
	for _, c := range []struct {
		name  string
		pairs []Pair
		n     int
		want  string
	}{
		{"test", whole.Test, 500, "0e48aaf8129073b7dbcb8483f60e409d3d4b3b2b092e96d5d1b2a9c49db4d2b1"},
		{"valid", whole.Valid, 300, "1fba9c7682460c0d5141df9abda3e5e5596ab90ba4cf6a7ff7eb94d0870fd021"},
		{"train", whole.Train, 10_000, "60ddf12ea2ebdc07ba8cad3903b48a2d3d157b0558d7c10d0be05aac495b2a54"},
	} {
		digest := sha256.Sum256([]byte(text(c.pairs)))
		if got := hex.EncodeToString(digest[:]); got != c.want || len(c.pairs) != c.n {
			t.Errorf("%s: %d pairs with SHA-256 %s, want %d with %s", c.name, len(c.pairs), got, c.n, c.want)
		}
	}
}

func TestMicroOfOtherSizes(t *testing.T) {
	first, again := Micro(Sizes{40, 20, 30}), Micro(Sizes{40, 20, 30})
	if !reflect.DeepEqual(first, again) {
		t.Error("the same sizes gave another corpus")
	}
	if !reflect.DeepEqual(first.Test, whole.Test[:30]) {
		t.Error("a smaller test set is not the beginning of the whole one")
	}
	seen := map[string]bool{}
	for _, p := range slices.Concat(first.Train, first.Valid, first.Test) {
		seen[strings.Join(p.Source, " ")] = true
	}
	if len(seen) != 90 {
		t.Errorf("%d different sources, want 90", len(seen))
	}
	if none := Micro(Sizes{}); len(none.Train)+len(none.Valid)+len(none.Test) != 0 {
		t.Errorf("a corpus of no sizes: %+v", none)
	}
}

func TestVocabulariesOfTheTask(t *testing.T) {
	c := New(whole.Train, whole.Valid, whole.Test)
	for _, v := range []struct {
		name         string
		got          *Vocabulary
		n            int
		first, last  []string
		most, fewest int64
	}{
		{"source", c.Source, 346 + 4, []string{"<pad>", "<s>", "</s>", "<unk>", "the", ".", "a", "in", "has"}, []string{"eighteen", "twelve", "ten"}, 11_425, 14},
		{"target", c.Target, 498 + 4, []string{"<pad>", "<s>", "</s>", "<unk>", ".", ",", "die", "im", "der"}, []string{"Äpfeln", "Bildern", "Koffern"}, 10_000, 2},
	} {
		words, counts := v.got.Words(), v.got.Counts()
		if v.got.Len() != v.n || len(words) != v.n || len(counts) != v.n {
			t.Errorf("%s: %d numbers, %d words, %d counts, want %d", v.name, v.got.Len(), len(words), len(counts), v.n)
		}
		if got := words[:9]; !slices.Equal(got, v.first) {
			t.Errorf("%s begins with %q, want %q", v.name, got, v.first)
		}
		if got := words[len(words)-3:]; !slices.Equal(got, v.last) {
			t.Errorf("%s ends with %q, want %q", v.name, got, v.last)
		}
		if counts[0] != 0 || counts[4] != v.most || counts[len(counts)-1] != v.fewest {
			t.Errorf("%s: counts %d, %d to %d, want 0, %d to %d", v.name, counts[0], counts[4], counts[len(counts)-1], v.most, v.fewest)
		}
	}
}

func TestEncode(t *testing.T) {
	words := strings.Fields
	c := New([]Pair{{words("b b a"), words("y x")}, {words("c a b"), words("x")}}, nil, nil)
	got := c.Encode([]Pair{{words("a b zebra <pad>"), words("y x")}, {}})
	want := []Example{{[]int64{5, 4, UNK, UNK, EOS}, []int64{5, 4, EOS}}, {[]int64{EOS}, []int64{EOS}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("encoded %v, want %v", got, want)
	}
	if got, want := c.Source.Decode([]int64{PAD, 5, UNK, 99, -1, 6, PAD, 4, EOS, 4}), words("a <unk> <unk> <unk> c b"); !slices.Equal(got, want) {
		t.Errorf("decoded %q, want %q", got, want)
	}
	micro := New(whole.Train, whole.Valid, whole.Test)
	for _, p := range whole.Test {
		if got := micro.Target.Decode(micro.Target.Encode(p.Target)); !slices.Equal(got, p.Target) {
			t.Fatalf("%q came back as %q", p.Target, got)
		}
	}
}

// Equal counts are told apart by code points, not by a language's order.
func TestVocabularyOrder(t *testing.T) {
	v := NewVocabulary([][]string{{"é", "z", "Z", "ä", "𝛼", "twice"}, {"twice", "\uff5e"}})
	if got, want := v.Words()[4:], []string{"twice", "Z", "z", "ä", "é", "\uff5e", "𝛼"}; !slices.Equal(got, want) {
		t.Errorf("words %q, want %q", got, want)
	}
	if !v.Has("ä") || v.Has("<unk>") {
		t.Error("the vocabulary does not know its words from its symbols")
	}
}
