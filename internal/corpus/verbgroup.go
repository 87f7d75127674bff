package corpus

import "slices"

// verbGroup is a verb with its auxiliaries.
type verbGroup struct {
	english  []string
	finite   string   // German: the second place of a main clause
	bracket  []string // what ends a main clause
	last     []string // what ends a subordinate clause
	negation []string
}

// verbGroup draws negation and tense: present, perfect, or a modal verb.
func (g *grammar) verbGroup(v verb, plural bool) verbGroup {
	negated := g.random.chance(0.12)
	var group verbGroup
	switch x := g.random.uniform(); {
	case x < 0.45:
		group = v.present(plural, negated)
	case x < 0.7:
		group = v.perfect(plural, negated)
	default:
		group = v.with(pick(&g.random, modals), plural, negated)
	}
	if negated {
		group.negation = []string{"nicht"}
	}
	return group
}

func (v verb) present(plural, negated bool) verbGroup {
	group := verbGroup{english: []string{choose(plural, v.english, v.third)}, finite: choose(plural, v.infinitive, v.germanThird)}
	if negated {
		group.english = []string{choose(plural, "do", "does"), "not", v.english}
	}
	if v.prefix != "" {
		group.bracket = []string{v.prefix}
	}
	group.last = []string{v.prefix + group.finite}
	return group
}

func (v verb) perfect(plural, negated bool) verbGroup {
	forms := auxiliaries[v.auxiliary]
	return compound(choose(plural, "have", "has"), v.participle, negated,
		choose(plural, forms.plural, forms.singular), v.prefix+v.germanParticiple)
}

func (v verb) with(m modal, plural, negated bool) verbGroup {
	return compound(m.english, v.english, negated, choose(plural, m.plural, m.singular), v.prefix+v.infinitive)
}

// compound is a finite auxiliary or modal with what it governs.
func compound(english, governed string, negated bool, finite, bracket string) verbGroup {
	var not []string
	if negated {
		not = []string{"not"}
	}
	return verbGroup{
		english: slices.Concat([]string{english}, not, []string{governed}),
		finite:  finite, bracket: []string{bracket}, last: []string{bracket, finite},
	}
}

func choose(plural bool, many, one string) string {
	if plural {
		return many
	}
	return one
}
