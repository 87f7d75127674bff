package corpus

import "strings"

// The sizes of the embedded task micro.en-de.
const (
	MicroTrain = 10_000
	MicroValid = 300
	MicroTest  = 500
)

// Sizes are how many pairs each set of a generated corpus has.
type Sizes struct{ Train, Valid, Test int }

// The seed of each set; the test set is drawn first.
const (
	testSeed  = 2
	validSeed = 3
	trainSeed = 1
)

// Tokens that a sentence may have on either side.
const (
	shortest      = 4
	longestSource = 24
	longestTarget = 28
)

// Micro generates the English-German corpus of the embedded task. No source
// occurs twice, in whichever sets. A smaller training set is a prefix of a larger
// one, as long as Valid and Test are the same.
func Micro(n Sizes) Set {
	seen := map[string]bool{}
	test := generate(n.Test, testSeed, seen)
	valid := generate(n.Valid, validSeed, seen)
	return Set{Train: generate(n.Train, trainSeed, seen), Valid: valid, Test: test}
}

// generate draws n sentences of admissible length whose sources are not among
// those seen, and adds them there.
func generate(n int, seed uint64, seen map[string]bool) []Pair {
	g := grammar{random: random{seed}}
	pairs := make([]Pair, 0, n)
	for len(pairs) < n {
		s := g.sentence()
		if !admissible(s) {
			continue
		}
		key := strings.Join(s.english, " ")
		if !seen[key] {
			seen[key] = true
			pairs = append(pairs, Pair{s.english, s.german})
		}
	}
	return pairs
}

func admissible(s phrase) bool {
	source, target := len(s.english), len(s.german)
	return shortest <= source && source <= longestSource && shortest <= target && target <= longestTarget
}
