package schemas

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"

	"hsnas/internal/corpus"
)

func TestLoadCorpus(t *testing.T) {
	path := filepath.Join(t.TempDir(), "corpus.parquet")
	rows := []CorpusPair{
		{CorpusTest, 0, "c a", "z"},
		{CorpusTrain, 0, "a b", "x y"},
		{CorpusTrain, 1, "b", "x"},
	}
	if err := WriteCorpus(path, rows, provenance); err != nil {
		t.Fatal(err)
	}
	got, err := LoadCorpus(path)
	if err != nil {
		t.Fatal(err)
	}
	train := []corpus.Pair{{Source: []string{"a", "b"}, Target: []string{"x", "y"}}, {Source: []string{"b"}, Target: []string{"x"}}}
	if want := corpus.New(train, nil, []corpus.Pair{{Source: []string{"c", "a"}, Target: []string{"z"}}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestLoadCorpusFaults(t *testing.T) {
	for name, c := range map[string]struct {
		rows []CorpusPair
		want string
	}{
		"set":   {[]CorpusPair{{CorpusTrain, 0, "a", "x"}, {"dev", 0, "a", "x"}}, `row 1 is number 0 of the set "dev", expected train, valid or test, each in order; run the stage that writes it again`},
		"order": {[]CorpusPair{{CorpusTrain, 1, "a", "x"}}, `row 0 is number 1 of the set "train", expected train, valid or test, each in order; run the stage that writes it again`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "corpus.parquet")
			if err := WriteCorpus(path, c.rows, provenance); err != nil {
				t.Fatal(err)
			}
			_, err := LoadCorpus(path)
			var damaged *Error
			if !errors.As(err, &damaged) || err.Error() != path+": "+c.want {
				t.Errorf("error %v\nwant  %s", err, c.want)
			}
		})
	}
}
