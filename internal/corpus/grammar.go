package corpus

import "slices"

// grammar draws sentences in English and German at once. What it draws and in
// which order defines the corpus: a draw more, or two of them swapped, and every
// sentence after it is another.
type grammar struct {
	random random
	domain domain
}

// domain is the surroundings of a sentence, on which the sense of homonyms
// depends.
type domain int

const (
	town domain = iota
	wild
	domains

	nowhere domain = -1 // the sentence names no place and has no homonyms
)

// deepest is how far clauses and noun phrases nest.
const deepest = 2

// The probabilities of what makes the task hard.
const (
	homonymChance  = 0.35 // for each noun of a sentence with a domain
	relativeChance = 0.16 // for each noun phrase above the deepest
)

// phrase is a piece of a sentence in both languages.
type phrase struct{ english, german []string }

func (p phrase) then(q phrase) phrase {
	return phrase{slices.Concat(p.english, q.english), slices.Concat(p.german, q.german)}
}

var comma = phrase{german: []string{","}}

// sentence draws a sentence: a main clause alone, behind an adverb of time,
// before a subordinate clause or after one.
func (g *grammar) sentence() phrase {
	g.domain = nowhere
	if g.random.chance(0.55) {
		g.domain = domain(g.random.below(int(domains)))
	}
	var s phrase
	switch x := g.random.uniform(); {
	case x < 0.40:
		s, _ = g.clause(clause{main: true})
	case x < 0.55:
		front := pick(&g.random, times).phrase()
		s, _ = g.clause(clause{main: true, order: inverted, front: &front})
	case x < 0.80:
		s = g.mainThenSubordinate()
	default:
		s = g.subordinateThenMain()
	}
	return phrase{append(s.english, "."), append(tidy(s.german), ".")}
}

func (g *grammar) mainThenSubordinate() phrase {
	main, antecedent := g.clause(clause{main: true})
	conjunction := pick(&g.random, conjunctions).phrase()
	subject := g.pronoun(0.5, antecedent)
	subordinate, _ := g.clause(clause{order: verbLast, depth: 1, subject: subject})
	return main.then(comma).then(conjunction).then(subordinate)
}

func (g *grammar) subordinateThenMain() phrase {
	conjunction := pick(&g.random, conjunctions).phrase()
	subordinate, antecedent := g.clause(clause{order: verbLast, depth: 1})
	subject := g.pronoun(0.3, antecedent)
	main, _ := g.clause(clause{main: true, order: inverted, subject: subject})
	between := phrase{[]string{","}, []string{","}}
	return conjunction.then(subordinate).then(between).then(main)
}

// pronoun draws whether the next clause keeps the subject; nil where it does not.
func (g *grammar) pronoun(chance float64, antecedent class) *nounPhrase {
	if !g.random.chance(chance) {
		return nil
	}
	return &nounPhrase{pronouns[antecedent].phrase(), antecedent}
}

// tidy leaves one comma where clauses that end together left several, and none
// at the end.
func tidy(words []string) []string {
	out := make([]string, 0, len(words)+1)
	for _, w := range words {
		if w != "," || len(out) > 0 && out[len(out)-1] != "," {
			out = append(out, w)
		}
	}
	if out[len(out)-1] == "," {
		out = out[:len(out)-1]
	}
	return out
}
