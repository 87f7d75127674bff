package corpus

import "slices"

// order is where German has the finite verb.
type order int

const (
	subjectFirst order = iota // subject, verb: a main clause
	inverted                  // verb, subject: behind something that is fronted
	verbLast                  // a subordinate clause
)

// gap is what a relative clause lacks, the relative pronoun standing for it.
type gap int

const (
	noGap gap = iota
	subjectGap
	objectGap
)

// clause says what kind of clause to draw.
type clause struct {
	main    bool // may name the place of the sentence
	order   order
	depth   int
	gap     gap
	head    class       // what a relative clause belongs to
	subject *nounPhrase // nil: to be drawn
	front   *phrase     // an adjunct before the verb
}

// parts are a clause before its words are put in order.
type parts struct {
	subject, recipient, object, complement phrase
	manner, place, time                    phrase
	verb                                   verbGroup
}

// clause draws a clause and returns the class of its subject with it.
func (g *grammar) clause(c clause) (phrase, class) {
	f := g.frame(c)
	v := pick(&g.random, f.verbs)
	subject := g.subject(c)
	p := parts{subject: subject.phrase, verb: g.verbGroup(v, subject.class == plural)}
	g.addObjects(&p, f, c)
	g.addAdjuncts(&p, c)
	if g.frontsPlace(c, p) {
		front := p.place
		c.front, c.order, p.place = &front, inverted, phrase{}
	}
	return phrase{p.english(c), p.german(c)}, subject.class
}

// frame is what a verb is joined by.
type frame struct {
	verbs                         []verb
	object, recipient, complement bool
}

var (
	transitive   = frame{verbs: transitives, object: true}
	intransitive = frame{verbs: intransitives}
	ditransitive = frame{verbs: ditransitives, object: true, recipient: true}
	complemented = frame{verbs: reporting, complement: true}
)

// frame draws one; a clause inside another has no clause as its complement.
func (g *grammar) frame(c clause) frame {
	switch x := g.random.uniform(); {
	case c.gap == objectGap || x < 0.5:
		return transitive
	case x < 0.75:
		return intransitive
	case x < 0.9 || c.depth > 0:
		return ditransitive
	}
	return complemented
}

// subject draws the subject where the clause does not come with one.
func (g *grammar) subject(c clause) nounPhrase {
	switch {
	case c.gap == subjectGap:
		return nounPhrase{phrase{german: []string{definite[nominative][c.head]}}, c.head}
	case c.subject != nil:
		return *c.subject
	}
	return g.nounPhraseOrName(nominative, persons, c.depth)
}

func (g *grammar) addObjects(p *parts, f frame, c clause) {
	if f.object && c.gap != objectGap {
		p.object = g.nounPhraseOrName(accusative, g.either(0.7, things, persons), c.depth).phrase
	}
	if f.recipient {
		recipient := g.nounPhraseOrName(dative, persons, c.depth).phrase
		p.recipient = phrase{english: []string{"to"}}.then(recipient)
	}
	if f.complement {
		that := phrase{[]string{"that"}, []string{",", "dass"}}
		complement, _ := g.clause(clause{order: verbLast, depth: c.depth + 1})
		p.complement = that.then(complement)
	}
}

// either draws one of two lists of nouns, the first with the given chance.
func (g *grammar) either(chance float64, first, second []noun) []noun {
	if g.random.chance(chance) {
		return first
	}
	return second
}

func (g *grammar) addAdjuncts(p *parts, c clause) {
	chance := 0.3
	if c.depth > 0 {
		chance = 0.15
	}
	if g.random.chance(chance) && c.front == nil {
		p.time = pick(&g.random, times).phrase()
	}
	if g.random.chance(chance) {
		p.manner = g.manner(c.depth)
	}
	if c.main && g.domain != nowhere {
		p.place = g.place()
	}
}

// manner draws an adverb or a preposition with its noun phrase.
func (g *grammar) manner(depth int) phrase {
	if g.random.chance(0.5) {
		return pick(&g.random, manners).phrase()
	}
	p := pick(&g.random, prepositions)
	object := g.nounPhraseOrName(p.governs, g.either(0.5, persons, things), depth+1).phrase
	return phrase{[]string{p.english}, []string{p.german}}.then(object)
}

// place draws a place of the sentence's domain.
func (g *grammar) place() phrase {
	p := pick(&g.random, places[g.domain])
	german := []string{"im", p.german}
	if p.gender == feminine {
		german = []string{"in", "der", p.german}
	}
	return phrase{[]string{"in", "the", p.english}, german}
}

// frontsPlace draws whether the place begins the sentence. The draw is made for
// inverted clauses, too, where it decides nothing.
func (g *grammar) frontsPlace(c clause, p parts) bool {
	possible := len(p.place.german) > 0 && c.front == nil
	return possible && g.random.chance(0.3) && c.order == subjectFirst
}

// english puts the parts in English order.
func (p parts) english(c clause) []string {
	return slices.Concat(c.fronted().english, p.subject.english, p.verb.english, p.object.english,
		p.recipient.english, p.manner.english, p.place.english, p.time.english, p.complement.english)
}

// german puts the parts in German order.
func (p parts) german(c clause) []string {
	middle := slices.Concat(p.recipient.german, p.time.german, p.object.german,
		p.manner.german, p.place.german, p.verb.negation)
	finite := []string{p.verb.finite}
	switch c.order {
	case subjectFirst:
		return slices.Concat(p.subject.german, finite, middle, p.verb.bracket, p.complement.german)
	case inverted:
		return slices.Concat(c.fronted().german, finite, p.subject.german, middle, p.verb.bracket, p.complement.german)
	}
	var relative []string
	if c.gap == objectGap {
		relative = []string{definite[accusative][c.head]}
	}
	return slices.Concat(relative, p.subject.german, middle, p.verb.last, p.complement.german)
}

func (c clause) fronted() phrase {
	if c.front == nil {
		return phrase{}
	}
	return *c.front
}
