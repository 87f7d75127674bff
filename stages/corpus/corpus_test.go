package corpus

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/corpus"
	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
)

var prov = schemas.Provenance{Stage: Name, StageVersion: Version, Key: "k", Task: "t"}

// log is a Reporter that keeps the lines.
type log struct {
	progress.Reporter
	lines []string
}

func (l *log) Logf(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

// micro is as much of the task as the stage looks at.
func micro() *task.Task {
	return &task.Task{Name: "micro.en-de", Model: &task.Transformer{Vocabulary: 502, SourceVocabulary: 350}}
}

// made runs the stage in a folder of its own.
func made(t *testing.T, p Params) (Outputs, []string) {
	t.Helper()
	dir := t.TempDir()
	out := Outputs{filepath.Join(dir, "corpus.parquet"), filepath.Join(dir, "vocabulary.parquet")}
	l := &log{Reporter: progress.Discard}
	if err := Run(t.Context(), p, Inputs{micro()}, out, prov, l); err != nil {
		t.Fatal(err)
	}
	return out, l.lines
}

func TestGrammar(t *testing.T) {
	p := Params{Train: 60, Valid: 20, Test: 30}
	out, lines := made(t, p)
	got, err := schemas.LoadCorpus(out.Corpus)
	if err != nil {
		t.Fatal(err)
	}
	want := corpus.Micro(corpus.Sizes{Train: 60, Valid: 20, Test: 30})
	if !reflect.DeepEqual(got.Set, want) {
		t.Error("the corpus came back as another")
	}
	words, err := schemas.ReadVocabulary(out.Vocabulary)
	if err != nil {
		t.Fatal(err)
	}
	if len(words) != got.Source.Len()+got.Target.Len() {
		t.Errorf("%d words, want %d and %d", len(words), got.Source.Len(), got.Target.Len())
	}
	for i, w := range words {
		side, v, id := schemas.SideSource, got.Source, i
		if i >= v.Len() {
			side, v, id = schemas.SideTarget, got.Target, i-v.Len()
		}
		if want := (schemas.VocabularyEntry{Side: side, ID: int32(id), Word: v.Words()[id], Count: v.Counts()[id]}); w != want {
			t.Fatalf("row %d is %+v, want %+v", i, w, want)
		}
	}
	if want := []string{
		"60 pairs to train on, 20 to validate, 30 to test; vocabularies of 243 and 286",
		"89 tokens of the set valid are in no vocabulary: models read them as <unk>",
		"115 tokens of the set test are in no vocabulary: models read them as <unk>",
		"the costs of task micro.en-de are those of vocabularies of 350 and 502",
	}; !slices.Equal(lines, want) {
		t.Errorf("log %q\nwant %q", lines, want)
	}
	again, _ := made(t, p)
	for i, file := range []string{again.Corpus, again.Vocabulary} {
		first, err := os.ReadFile([]string{out.Corpus, out.Vocabulary}[i])
		if err != nil {
			t.Fatal(err)
		}
		second, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Errorf("%s: the same parameters gave other bytes", filepath.Base(file))
		}
	}
}

func TestDefaultsNeedNoRemark(t *testing.T) {
	_, lines := made(t, Defaults())
	if want := []string{"10000 pairs to train on, 300 to validate, 500 to test; vocabularies of 350 and 502"}; !slices.Equal(lines, want) {
		t.Errorf("log %q, want %q", lines, want)
	}
}

// own writes a user's three files.
func own(t *testing.T, train, valid, test string) Params {
	t.Helper()
	dir := t.TempDir()
	p := Defaults()
	for _, f := range []struct {
		name, text string
		path       *string
	}{{"train.tsv", train, &p.TrainFile}, {"valid.tsv", valid, &p.ValidFile}, {"test.tsv", test, &p.TestFile}} {
		*f.path = filepath.Join(dir, f.name)
		if err := os.WriteFile(*f.path, []byte(f.text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func TestOwnText(t *testing.T) {
	p := own(t, "a b\tx y\nb c\tz\n", "a  b \tx\n", "c d\tz z w\n")
	out, lines := made(t, p)
	rows, err := schemas.ReadCorpus(out.Corpus)
	if err != nil {
		t.Fatal(err)
	}
	if want := []schemas.CorpusPair{
		{Set: "train", Position: 0, Source: "a b", Target: "x y"},
		{Set: "train", Position: 1, Source: "b c", Target: "z"},
		{Set: "valid", Position: 0, Source: "a b", Target: "x"},
		{Set: "test", Position: 0, Source: "c d", Target: "z z w"},
	}; !slices.Equal(rows, want) {
		t.Errorf("rows %+v\nwant %+v", rows, want)
	}
	if want := []string{
		"2 pairs to train on, 1 to validate, 1 to test; vocabularies of 7 and 7",
		"1 of the 1 sources of the set valid are in the training set, too",
		"2 tokens of the set test are in no vocabulary: models read them as <unk>",
		"the costs of task micro.en-de are those of vocabularies of 350 and 502",
	}; !slices.Equal(lines, want) {
		t.Errorf("log %q\nwant %q", lines, want)
	}
	if got, want := Files(p, micro()), []string{p.TrainFile, p.ValidFile, p.TestFile}; !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	if got := Files(Defaults(), micro()); len(got) != 0 {
		t.Errorf("files %q of the grammar", got)
	}
}

func TestOwnTextFaults(t *testing.T) {
	p := own(t, "a\tx\n", "a\tx\n", "a\tx\na x\n")
	err := Run(t.Context(), p, Inputs{micro()}, Outputs{"unwritten", "unwritten"}, prov, progress.Discard)
	var fault *config.Error
	if want := "corpus: " + p.TestFile + ":2: 0 tabs, expected 1, between a sentence and its translation"; !errors.As(err, &fault) || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Params)
		want   string
	}{
		"train":    {func(p *Params) { p.Train = 0 }, "train: 0, expected 1 to 1000000"},
		"valid":    {func(p *Params) { p.Valid = -3 }, "valid: -3, expected 1 to 1000000"},
		"test":     {func(p *Params) { p.Test = 1_000_001 }, "test: 1000001, expected 1 to 1000000"},
		"one file": {func(p *Params) { p.TestFile = "test.tsv" }, "train_file: no file, expected train_file, valid_file and test_file together, or none of them"},
		"two":      {func(p *Params) { p.TrainFile, p.ValidFile = "a", "b" }, "test_file: no file, expected train_file, valid_file and test_file together, or none of them"},
	} {
		t.Run(name, func(t *testing.T) {
			p := Defaults()
			c.change(&p)
			if err := p.Validate(); err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
}
