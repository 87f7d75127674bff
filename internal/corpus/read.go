package corpus

import (
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"hsnas/internal/config"
)

// Read reads a parallel text of the user's: in each line a source and its
// translation with a tab between them, both in tokens separated by blanks, with
// at most limit tokens on either side. Every fault is a *config.Error with file
// and line.
func Read(file string, limit int) ([]Pair, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, config.Errorf("", 0, "cannot read the parallel text: %v", err)
	}
	return parse(file, string(text), limit)
}

// parser knows where it is.
type parser struct {
	file  string
	line  int // from 1
	limit int // of tokens
}

func parse(file, text string, limit int) ([]Pair, error) {
	p := parser{file: file, limit: limit}
	var pairs []Pair
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		p.line++
		pair, err := p.pair(line)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
	if len(pairs) == 0 {
		return nil, config.Errorf(file, 0, "the file is empty, expected a sentence, a tab and its translation in each line")
	}
	return pairs, nil
}

func (p *parser) pair(line string) (Pair, error) {
	source, target, _ := strings.Cut(line, "\t")
	switch tabs := strings.Count(line, "\t"); {
	case !utf8.ValidString(line):
		return Pair{}, p.fault("byte %d of the line is not UTF-8, expected a file saved as UTF-8", invalid(line)+1)
	case strings.TrimSpace(line) == "" && tabs == 0:
		return Pair{}, p.fault("an empty line, expected a sentence, a tab and its translation; remove it")
	case tabs != 1:
		return Pair{}, p.fault("%d tabs, expected 1, between a sentence and its translation", tabs)
	}
	pair := Pair{strings.Fields(source), strings.Fields(target)}
	if err := p.length("source", pair.Source); err != nil {
		return Pair{}, err
	}
	return pair, p.length("target", pair.Target)
}

func (p *parser) length(side string, tokens []string) error {
	switch n := len(tokens); {
	case n == 0:
		return p.fault("no %s, expected a sentence, a tab and its translation", side)
	case n > p.limit:
		return p.fault("the %s has %d tokens, expected at most %d; shorten or remove the line", side, n, p.limit)
	}
	return nil
}

func (p *parser) fault(format string, args ...any) error {
	return config.Errorf(p.file, p.line, format, args...)
}

// invalid returns the first byte that is no UTF-8.
func invalid(line string) int {
	for i, r := range line {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(line[i:]); size == 1 {
				return i
			}
		}
	}
	return len(line)
}

// Check holds the pairs that Read gave for a file against the vocabularies: a
// word that they do not have is a *config.Error with its line.
func (c *Corpus) Check(file string, pairs []Pair) error {
	for i, p := range pairs {
		for _, side := range []struct {
			name       string
			vocabulary *Vocabulary
			words      []string
		}{{"source", c.Source, p.Source}, {"target", c.Target, p.Target}} {
			unknown := func(word string) bool { return !side.vocabulary.Has(word) }
			if at := slices.IndexFunc(side.words, unknown); at >= 0 {
				return config.Errorf(file, i+1, "the %s token %q is not in the vocabulary, expected words of the training set; replace it or train on sentences that have it", side.name, side.words[at])
			}
		}
	}
	return nil
}
