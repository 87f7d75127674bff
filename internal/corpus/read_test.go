package corpus

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/config"
)

func TestParse(t *testing.T) {
	want := []Pair{
		{[]string{"a", "dog", "."}, []string{"ein", "Hund", "."}},
		{[]string{"Größe"}, []string{"size", "x"}},
	}
	for name, text := range map[string]string{
		"plain":           "a dog .\tein Hund .\nGröße\tsize x\n",
		"no last newline": "a dog .\tein Hund .\nGröße\tsize x",
		"Windows":         "\ufeffa dog .\tein Hund .\r\nGröße\tsize x\r\n",
		"many blanks":     " a  dog . \t ein Hund .\n Größe\tsize\u00a0x \n",
	} {
		if got, err := parse("t.tsv", text, 3); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
}

// fault holds an error against the whole message that it must have.
func fault(t *testing.T, err error, want string) {
	t.Helper()
	var user *config.Error
	if !errors.As(err, &user) || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

func TestParseFaults(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty file":  {"", "t.tsv: the file is empty, expected a sentence, a tab and its translation in each line"},
		"only a mark": {"\ufeff", "t.tsv: the file is empty, expected a sentence, a tab and its translation in each line"},
		"empty line":  {"a\tb\n\na\tb\n", "t.tsv:2: an empty line, expected a sentence, a tab and its translation; remove it"},
		"blank line":  {"a\tb\n  \r\n", "t.tsv:2: an empty line, expected a sentence, a tab and its translation; remove it"},
		"no tab":      {"a b\n", "t.tsv:1: 0 tabs, expected 1, between a sentence and its translation"},
		"two tabs":    {"a\tb\na\tb\tc\n", "t.tsv:2: 2 tabs, expected 1, between a sentence and its translation"},
		"no source":   {" \tb\n", "t.tsv:1: no source, expected a sentence, a tab and its translation"},
		"no target":   {"a\t\n", "t.tsv:1: no target, expected a sentence, a tab and its translation"},
		"neither":     {"\t\n", "t.tsv:1: no source, expected a sentence, a tab and its translation"},
		"long source": {"a b c\tx\na b c d\tx\n", "t.tsv:2: the source has 4 tokens, expected at most 3; shorten or remove the line"},
		"long target": {"a\tx y z x y\n", "t.tsv:1: the target has 5 tokens, expected at most 3; shorten or remove the line"},
		"Latin-1":     {"a\tb\nGr\xf6\xdfe\tsize\n", "t.tsv:2: byte 3 of the line is not UTF-8, expected a file saved as UTF-8"},
		"cut":         {"\ufffd a\tb\xc3", "t.tsv:1: byte 8 of the line is not UTF-8, expected a file saved as UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse("t.tsv", c.text, 3)
			fault(t, err, c.want)
		})
	}
}

func TestRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pairs.tsv")
	if err := os.WriteFile(file, []byte(text(whole.Valid)+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(file, 100); err != nil || !reflect.DeepEqual(got, whole.Valid) {
		t.Errorf("%d pairs, %v; want those that were written", len(got), err)
	}
	_, err := Read(file, 20)
	fault(t, err, file+":1: the target has 21 tokens, expected at most 20; shorten or remove the line")
	_, err = Read("absent.tsv", 20)
	fault(t, err, "cannot read the parallel text: open absent.tsv: no such file or directory")
}

func TestCheck(t *testing.T) {
	words := strings.Fields
	c := New([]Pair{{words("a b"), words("x y")}}, nil, nil)
	if err := c.Check("t.tsv", []Pair{{words("b a"), words("y")}}); err != nil {
		t.Error(err)
	}
	fault(t, c.Check("t.tsv", []Pair{{words("a"), words("x")}, {words("a c"), words("x")}}),
		`t.tsv:2: the source token "c" is not in the vocabulary, expected words of the training set; replace it or train on sentences that have it`)
	fault(t, c.Check("t.tsv", []Pair{{words("a"), words("x <unk>")}}),
		`t.tsv:1: the target token "<unk>" is not in the vocabulary, expected words of the training set; replace it or train on sentences that have it`)
}

func FuzzParse(f *testing.F) {
	f.Add("a dog .\tein Hund .\r\nGröße\tsize x")
	f.Add("\ufeffa\tb\n\n")
	f.Add("\xf6\t\t")
	f.Fuzz(func(t *testing.T, in string) {
		pairs, err := parse("f", in, 5)
		if err != nil {
			var user *config.Error
			if !errors.As(err, &user) {
				t.Errorf("error %T: %v", err, err)
			}
			return
		}
		again, err := parse("f", "\ufeff"+text(pairs), 5)
		if err != nil || !slices.EqualFunc(pairs, again, func(a, b Pair) bool { return reflect.DeepEqual(a, b) }) {
			t.Errorf("%q came back as %q, %v", pairs, again, err)
		}
	})
}
