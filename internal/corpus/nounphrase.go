package corpus

import (
	"strconv"
	"strings"
)

// nounPhrase is a phrase that verbs and pronouns agree with.
type nounPhrase struct {
	phrase
	class class
}

// noun draws a noun of the list, or a homonym in the sense that the domain gives it.
func (g *grammar) noun(from []noun) noun {
	if g.domain == nowhere || !g.random.chance(homonymChance) {
		return pick(&g.random, from)
	}
	h := pick(&g.random, homonyms)
	s := h.senses[g.domain]
	return noun{h.english, h.englishPlural, s.german, s.germanPlural, s.gender}
}

// nounPhraseOrName is a name now and then.
func (g *grammar) nounPhraseOrName(c grammaticalCase, from []noun, depth int) nounPhrase {
	if !g.random.chance(0.15) {
		return g.nounPhrase(c, from, depth)
	}
	names, gender := maleNames, masculine
	if g.random.below(2) == 1 {
		names, gender = femaleNames, feminine
	}
	name := pick(&g.random, names)
	return nounPhrase{phrase{[]string{name}, []string{name}}, gender}
}

// nounPhrase draws a determiner or number, adjectives, a noun and what follows it.
func (g *grammar) nounPhrase(c grammaticalCase, from []noun, depth int) nounPhrase {
	n := g.noun(from)
	head, ending := g.opening(c, n.gender)
	for range g.adjectives() {
		a := pick(&g.random, adjectives)
		head.phrase = head.then(phrase{[]string{a.english}, []string{a.german + ending}})
	}
	english, german := n.english, n.german
	if head.class == plural {
		english, german = n.englishPlural, n.germanPlural
	}
	head.phrase = head.then(phrase{[]string{english}, []string{decline(german, c, head.class)}})
	head.phrase = head.then(g.attribute(c, head.class, depth))
	return head
}

// opening draws what a noun phrase begins with, a number or a determiner, and
// returns the ending that adjectives have after it.
func (g *grammar) opening(c grammaticalCase, gender class) (first nounPhrase, ending string) {
	if g.random.uniform() < 0.12 {
		return nounPhrase{g.number(), plural}, strong[c][plural]
	}
	d := g.determiner()
	k, english := gender, d.english
	if d.countable() && g.random.chance(0.3) {
		k = plural
		if english == "this" {
			english = "these"
		}
	}
	if ending = strong[c][k]; d.ending(c, k) != "" {
		ending = weak(c, k)
	}
	return nounPhrase{phrase{[]string{english}, []string{d.german(c, k)}}, k}, ending
}

func (g *grammar) determiner() determiner {
	switch {
	case g.random.chance(0.6):
		return pick(&g.random, determiners)
	case g.random.chance(0.5):
		return determiners[definiteArticle]
	}
	return determiners[indefiniteArticle]
}

// number draws 2 to 999: words in English, one token for each digit in German.
func (g *grammar) number() phrase {
	var n int
	switch {
	case g.random.chance(0.3):
		n = 2 + g.random.below(8)
	case g.random.chance(0.6):
		n = 10 + g.random.below(90)
	default:
		n = 100 + g.random.below(900)
	}
	return phrase{spell(n), strings.Split(strconv.Itoa(n), "")}
}

// spell writes a number below a thousand in English words.
func spell(n int) []string {
	var words []string
	if n >= 100 {
		words = append(words, units[n/100], "hundred")
		n %= 100
	}
	if 10 <= n && n < 20 {
		return append(words, teens[n-10])
	}
	if n >= 20 {
		words = append(words, tens[n/10])
	}
	if n%10 > 0 {
		words = append(words, units[n%10])
	}
	return words
}

// adjectives draws how many there are.
func (g *grammar) adjectives() int {
	switch {
	case !g.random.chance(0.4):
		return 0
	case g.random.chance(0.25):
		return 2
	}
	return 1
}

// attribute draws a genitive, a relative clause or, mostly, nothing.
func (g *grammar) attribute(c grammaticalCase, head class, depth int) phrase {
	if c != genitive && g.random.chance(0.08) {
		owner := g.nounPhrase(genitive, persons, deepest)
		return phrase{english: []string{"of"}}.then(owner.phrase)
	}
	if depth >= deepest || !g.random.chance(relativeChance) {
		return phrase{}
	}
	gap := objectGap
	if g.random.chance(0.5) {
		gap = subjectGap
	}
	relative, _ := g.clause(clause{order: verbLast, depth: depth + 1, gap: gap, head: head})
	return phrase{[]string{"that"}, []string{","}}.then(relative).then(comma)
}
