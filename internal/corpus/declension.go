package corpus

import "strings"

// class is what articles and adjectives agree with: the gender of a singular,
// or the plural.
type class int

const (
	masculine class = iota
	feminine
	neuter
	plural
	classes
)

type grammaticalCase int

const (
	nominative grammaticalCase = iota
	accusative
	dative
	genitive
	cases
)

// strong are the endings of determiners, and of adjectives where no determiner
// shows the case.
var strong = [cases][classes]string{
	nominative: {"er", "e", "es", "e"},
	accusative: {"en", "e", "es", "e"},
	dative:     {"em", "er", "em", "en"},
	genitive:   {"es", "er", "es", "er"},
}

// definite are the forms of the definite article, which are the relative
// pronoun's, too.
var definite = [cases][classes]string{
	nominative: {"der", "die", "das", "die"},
	accusative: {"den", "die", "das", "die"},
	dative:     {"dem", "der", "dem", "den"},
	genitive:   {"des", "der", "des", "der"},
}

// pronouns stand for a subject: "it" takes its German gender from the noun.
var pronouns = [classes]word{
	masculine: {"it", "er"},
	feminine:  {"it", "sie"},
	neuter:    {"it", "es"},
	plural:    {"they", "sie"},
}

// ending is what a determiner's stem takes.
func (d determiner) ending(c grammaticalCase, k class) string {
	bare := c == nominative && (k == masculine || k == neuter) || c == accusative && k == neuter
	if d.indefinite && bare {
		return ""
	}
	return strong[c][k]
}

// german declines a determiner.
func (d determiner) german(c grammaticalCase, k class) string {
	if d.stem == "" {
		return definite[c][k]
	}
	return d.stem + d.ending(c, k)
}

// countable says whether a determiner has a plural.
func (d determiner) countable() bool { return d.english != "a" && d.english != "every" }

// weak is the ending of adjectives after a determiner that shows the case.
func weak(c grammaticalCase, k class) string {
	if c == nominative && k != plural || c == accusative && (k == feminine || k == neuter) {
		return "e"
	}
	return "en"
}

// decline gives a German noun, in its number already, the ending of its case.
func decline(noun string, c grammaticalCase, k class) string {
	switch {
	case c == genitive && (k == masculine || k == neuter):
		return noun + "s"
	case c == dative && k == plural && !strings.HasSuffix(noun, "n") && !strings.HasSuffix(noun, "s"):
		return noun + "n"
	}
	return noun
}
