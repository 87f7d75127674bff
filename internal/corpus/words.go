package corpus

// word is a word that does not change, or the stem of an adjective.
type word struct{ english, german string }

func (w word) phrase() phrase { return phrase{[]string{w.english}, []string{w.german}} }

// determiner is an article or what stands in its place.
type determiner struct {
	english, stem string // no stem: the definite article, whose forms are in definite
	indefinite    bool   // declined as ein is, without an ending in some forms
}

// The places of the two articles, which are drawn more often than the rest.
const (
	definiteArticle   = 0
	indefiniteArticle = 3
)

var determiners = []determiner{
	{"the", "", false},
	{"this", "dies", false},
	{"every", "jed", false},
	{"a", "ein", true},
	{"no", "kein", true},
	{"my", "mein", true},
	{"your", "dein", true},
}

// preposition comes with the case that it asks for.
type preposition struct {
	english, german string
	governs         grammaticalCase
}

var prepositions = []preposition{
	{"with", "mit", dative},
	{"for", "für", accusative},
	{"without", "ohne", accusative},
	{"from", "von", dative},
	{"against", "gegen", accusative},
	{"near", "bei", dative},
}

var adjectives = []word{
	{"old", "alt"},
	{"young", "jung"},
	{"big", "groß"},
	{"small", "klein"},
	{"red", "rot"},
	{"green", "grün"},
	{"blue", "blau"},
	{"black", "schwarz"},
	{"white", "weiß"},
	{"new", "neu"},
	{"clever", "klug"},
	{"slow", "langsam"},
	{"quiet", "still"},
	{"strange", "fremd"},
	{"rich", "reich"},
	{"poor", "arm"},
	{"happy", "froh"},
	{"brave", "kühn"},
}

var times = []word{
	{"today", "heute"},
	{"yesterday", "gestern"},
	{"now", "jetzt"},
	{"often", "oft"},
	{"always", "immer"},
	{"soon", "bald"},
	{"again", "wieder"},
	{"here", "hier"},
	{"seldom", "selten"},
	{"later", "später"},
}

var manners = []word{
	{"gladly", "gern"},
	{"quickly", "schnell"},
	{"loudly", "laut"},
	{"secretly", "heimlich"},
	{"carefully", "vorsichtig"},
	{"alone", "allein"},
	{"together", "zusammen"},
	{"angrily", "wütend"},
}

// conjunctions begin subordinate clauses.
var conjunctions = []word{
	{"because", "weil"},
	{"although", "obwohl"},
	{"if", "falls"},
	{"while", "während"},
	{"before", "bevor"},
	{"until", "bis"},
}

// Number words below a hundred; hundreds are counted with units.
var (
	units = []string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
	teens = []string{"ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"}
	tens  = []string{"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"}
)
