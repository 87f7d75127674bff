"""The micro task's corpus: a synchronous probabilistic grammar, English to German.

It has agreement in gender, case and number, verb-final subordinate clauses, inversion,
separable verbs, the perfect with haben or sein, modals, dative before accusative, nested
relative clauses, genitives, pronouns whose gender comes from the antecedent, nouns whose
sense depends on a place named elsewhere, and number words that become digits.

The order of the random draws is part of the definition: selfcheck.py holds the hashes.

  grammar.py SENTENCES SEED    prints source<TAB>target
"""

import sys
from typing import NamedTuple

# --- words -----------------------------------------------------------------------------


class Noun(NamedTuple):
    singular: str
    plural: str
    de_singular: str
    de_plural: str
    gender: str  # m, f or n


class Homonym(NamedTuple):
    """A noun with one sense in town and another in the wild."""

    singular: str
    plural: str
    town_singular: str
    town_plural: str
    town_gender: str
    wild_singular: str
    wild_plural: str
    wild_gender: str


class Place(NamedTuple):
    en: str
    de: str
    gender: str


class Verb(NamedTuple):
    base: str
    third: str  # third person singular
    participle: str
    de_third: str
    de_infinitive: str  # the third person plural too
    de_participle: str
    prefix: str  # separable; "-" for none
    auxiliary: str  # of the perfect: h for haben, s for sein


class Word(NamedTuple):
    en: str
    de: str


class Modal(NamedTuple):
    en: str
    de_third: str
    de_plural: str


class Preposition(NamedTuple):
    en: str
    de: str
    case: str


class Determiner(NamedTuple):
    en: str
    stem: str
    kind: str  # r declines like "der", e like "ein"


def table(row: type, text: str) -> list:
    return [row(*line.split()) for line in text.strip().split("\n")]


PERSONS = table(Noun, """
    man men Mann Männer m
    woman women Frau Frauen f
    child children Kind Kinder n
    boy boys Junge Jungen m
    girl girls Mädchen Mädchen n
    teacher teachers Lehrer Lehrer m
    nurse nurses Schwester Schwestern f
    king kings König Könige m
    aunt aunts Tante Tanten f
    baby babies Baby Babys n
    farmer farmers Bauer Bauern m
    witch witches Hexe Hexen f
    dog dogs Hund Hunde m
    cat cats Katze Katzen f
    horse horses Pferd Pferde n
    cow cows Kuh Kühe f
    bear bears Bär Bären m
    sheep sheeps Schaf Schafe n
""")
THINGS = table(Noun, """
    table tables Tisch Tische m
    lamp lamps Lampe Lampen f
    book books Buch Bücher n
    spoon spoons Löffel Löffel m
    fork forks Gabel Gabeln f
    knife knives Messer Messer n
    apple apples Apfel Äpfel m
    pear pears Birne Birnen f
    bread breads Brot Brote n
    ball balls Ball Bälle m
    bottle bottles Flasche Flaschen f
    window windows Fenster Fenster n
    letter letters Brief Briefe m
    door doors Tür Türen f
    picture pictures Bild Bilder n
    car cars Wagen Wagen m
    clock clocks Uhr Uhren f
    shirt shirts Hemd Hemden n
""")
HOMONYMS = table(Homonym, """
    bank banks Bank Banken f Ufer Ufer n
    bat bats Schläger Schläger m Fledermaus Fledermäuse f
    plant plants Werk Werke n Pflanze Pflanzen f
    seal seals Siegel Siegel n Robbe Robben f
    trunk trunks Koffer Koffer m Stamm Stämme m
    pen pens Stift Stifte m Gehege Gehege n
    spring springs Feder Federn f Quell Quelle m
    mole moles Spionin Spioninnen f Maulwurf Maulwürfe m
""")
# The first half is in town, the second in the wild.
PLACES = table(Place, """
    office Büro n
    street Straße f
    station Bahnhof m
    school Schule f
    shop Laden m
    hotel Hotel n
    forest Wald m
    meadow Wiese f
    valley Tal n
    desert Wüste f
    swamp Sumpf m
    jungle Dschungel n
""")
TRANSITIVE = table(Verb, """
    see sees seen sieht sehen gesehen - h
    find finds found findet finden gefunden - h
    buy buys bought kauft kaufen gekauft - h
    carry carries carried trägt tragen getragen - h
    clean cleans cleaned putzt putzen geputzt - h
    paint paints painted malt malen gemalt - h
    love loves loved liebt lieben geliebt - h
    hide hides hidden versteckt verstecken versteckt - h
    open opens opened macht machen gemacht auf h
    close closes closed macht machen gemacht zu h
    call calls called ruft rufen gerufen an h
    view views viewed sieht sehen gesehen an h
    fetch fetches fetched holt holen geholt ab h
    invite invites invited lädt laden geladen ein h
    reject rejects rejected lehnt lehnen gelehnt ab h
    take takes taken nimmt nehmen genommen mit h
""")
INTRANSITIVE = table(Verb, """
    sleep sleeps slept schläft schlafen geschlafen - h
    work works worked arbeitet arbeiten gearbeitet - h
    laugh laughs laughed lacht lachen gelacht - h
    sing sings sung singt singen gesungen - h
    fall falls fallen fällt fallen gefallen - s
    stay stays stayed bleibt bleiben geblieben - s
    arrive arrives arrived kommt kommen gekommen an s
    leave leaves left geht gehen gegangen weg s
    listen listens listened hört hören gehört zu h
    dance dances danced tanzt tanzen getanzt - h
""")
DITRANSITIVE = table(Verb, """
    give gives given gibt geben gegeben - h
    show shows shown zeigt zeigen gezeigt - h
    sell sells sold verkauft verkaufen verkauft - h
    send sends sent schickt schicken geschickt zu h
    return returns returned gibt geben gegeben zurück h
    read reads read liest lesen gelesen vor h
""")
CLAUSAL = table(Verb, """
    say says said sagt sagen gesagt - h
    know knows known weiß wissen gewusst - h
    believe believes believed glaubt glauben geglaubt - h
    hear hears heard hört hören gehört - h
    admit admits admitted gibt geben gegeben zu h
    notice notices noticed merkt merken gemerkt - h
""")
ADJECTIVES = table(Word, """
    old alt
    young jung
    big groß
    small klein
    red rot
    green grün
    blue blau
    black schwarz
    white weiß
    new neu
    clever klug
    slow langsam
    quiet still
    strange fremd
    rich reich
    poor arm
    happy froh
    brave kühn
""")
TIMES = table(Word, """
    today heute
    yesterday gestern
    now jetzt
    often oft
    always immer
    soon bald
    again wieder
    here hier
    seldom selten
    later später
""")
MANNERS = table(Word, """
    gladly gern
    quickly schnell
    loudly laut
    secretly heimlich
    carefully vorsichtig
    alone allein
    together zusammen
    angrily wütend
""")
CONJUNCTIONS = table(Word, """
    because weil
    although obwohl
    if falls
    while während
    before bevor
    until bis
""")
MODALS = table(Modal, """
    will wird werden
    can kann können
    must muss müssen
    should soll sollen
""")
PREPOSITIONS = table(Preposition, """
    with mit d
    for für a
    without ohne a
    from von d
    against gegen a
    near bei d
""")
DETERMINERS = table(Determiner, """
    the d r
    this dies r
    every jed r
    a ein e
    no kein e
    my mein e
    your dein e
""")
THE, A = DETERMINERS[0], DETERMINERS[3]
MALE_NAMES = "Adam Boris Carl David Emil Fritz Georg Hugo Ivan Jakob Karim Leo Max Nico Oskar Paul".split()
FEMALE_NAMES = "Anna Berta Clara Dora Eva Frida Greta Hanna Ida Julia Karla Lena Maria Nora Olga Petra".split()
UNITS = "zero one two three four five six seven eight nine".split()
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()

# Endings by case (n, a, d, g), then by agreement class: gender, or p for the plural.
STRONG = {
    "n": dict(m="er", f="e", n="es", p="e"),
    "a": dict(m="en", f="e", n="es", p="e"),
    "d": dict(m="em", f="er", n="em", p="en"),
    "g": dict(m="es", f="er", n="es", p="er"),
}
# Of "der", after its d.
ARTICLE = {
    "n": dict(m="er", f="ie", n="as", p="ie"),
    "a": dict(m="en", f="ie", n="as", p="ie"),
    "d": dict(m="em", f="er", n="em", p="en"),
    "g": dict(m="es", f="er", n="es", p="er"),
}
PRONOUNS = dict(m="er", f="sie", n="es", p="sie")

# --- random numbers --------------------------------------------------------------------


class SplitMix64:
    """The generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014)."""

    MASK = (1 << 64) - 1

    def __init__(self, seed: int):
        self.state = seed

    def uniform(self) -> float:
        """The next number in [0, 1), of 53 bits."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & self.MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & self.MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & self.MASK
        return ((z ^ (z >> 31)) >> 11) / 2**53

    def below(self, n: int) -> int:
        return int(self.uniform() * n)

    def choice(self, items: list):
        return items[self.below(len(items))]

    def chance(self, p: float) -> bool:
        return self.uniform() < p


# --- grammar ---------------------------------------------------------------------------

HOMONYM_CHANCE = 0.35  # of a noun, where the sentence has a domain
RELATIVE_CHANCE = 0.16  # of a relative clause after a noun
MAX_DEPTH = 2  # of nested clauses
TOO_DEEP = 9
TOWN, WILD = 0, 1


class Phrase(NamedTuple):
    """Words in both languages, and the agreement class of what they name."""

    en: list[str]
    de: list[str]
    agreement: str = ""


NOTHING = Phrase([], [])


class VerbGroup(NamedTuple):
    """The verb in English, and its German parts by place."""

    en: list[str]
    finite: str  # in second place
    bracket: list[str]  # at the end of a main clause
    final: list[str]  # at the end of a subordinate clause


class Grammar:
    def __init__(self, seed: int):
        self.random = SplitMix64(seed)
        self.domain: int | None = None  # TOWN, WILD, or none

    def number(self) -> Phrase:
        """2 to 999: words to digits."""
        r = self.random
        if r.chance(0.3):
            value = 2 + r.below(8)
        elif r.chance(0.6):
            value = 10 + r.below(90)
        else:
            value = 100 + r.below(900)
        hundreds, rest = divmod(value, 100)
        words = [UNITS[hundreds], "hundred"] if hundreds else []
        if 10 <= rest < 20:
            words.append(TEENS[rest - 10])
        else:
            words += [TENS[rest // 10]] if rest >= 20 else []
            words += [UNITS[rest % 10]] if rest % 10 else []
        return Phrase(words, list(str(value)))

    def noun(self, pool: list[Noun]) -> Noun:
        if self.domain is None or not self.random.chance(HOMONYM_CHANCE):
            return self.random.choice(pool)
        h = self.random.choice(HOMONYMS)
        return Noun(h.singular, h.plural, *(h[5:8] if self.domain == WILD else h[2:5]))

    def name(self) -> Phrase:
        gender = self.random.below(2)
        word = self.random.choice([MALE_NAMES, FEMALE_NAMES][gender])
        return Phrase([word], [word], "mf"[gender])

    def determiner(self) -> Determiner:
        if self.random.chance(0.6):
            return self.random.choice(DETERMINERS)
        return THE if self.random.chance(0.5) else A

    def noun_phrase(self, case: str, pool: list[Noun], depth: int, names: bool = True) -> Phrase:
        r = self.random
        if names and r.chance(0.15):
            return self.name()
        noun = self.noun(pool)
        ending = ""  # of the determiner
        if r.uniform() < 0.12:
            plural = True
            en, de, _ = self.number()
        else:
            word = self.determiner()
            plural = word.en not in ("a", "every") and r.chance(0.3)
            en, de, ending = determine(word, case, plural, noun.gender)
        agreement = "p" if plural else noun.gender
        adjectives = 1 + r.chance(0.25) if r.chance(0.4) else 0
        for _ in range(adjectives):
            adjective = r.choice(ADJECTIVES)
            en.append(adjective.en)
            de.append(adjective.de + adjective_ending(ending, case, agreement))
        en.append(noun.plural if plural else noun.singular)
        de.append(decline(noun, case, agreement))
        if case != "g" and r.chance(0.08):
            owner = self.noun_phrase("g", PERSONS, TOO_DEEP, names=False)
            en, de = en + ["of"] + owner.en, de + owner.de
        elif depth < MAX_DEPTH and r.chance(RELATIVE_CHANCE):
            gap = "subject" if r.chance(0.5) else "object"
            relative = self.clause("final", depth + 1, gap=gap, head=agreement)
            en, de = en + ["that"] + relative.en, de + [","] + relative.de + [","]
        return Phrase(en, de, agreement)

    def prepositional_phrase(self, depth: int) -> Phrase:
        preposition = self.random.choice(PREPOSITIONS)
        pool = PERSONS if self.random.chance(0.5) else THINGS
        np = self.noun_phrase(preposition.case, pool, depth)
        return Phrase([preposition.en] + np.en, [preposition.de] + np.de)

    def place(self) -> Phrase:
        half = len(PLACES) // 2
        place = PLACES[self.random.below(half) + half * self.domain]
        return Phrase(["in", "the", place.en], ["in", "der", place.de] if place.gender == "f" else ["im", place.de])

    def adverb(self, words: list[Word]) -> Phrase:
        word = self.random.choice(words)
        return Phrase([word.en], [word.de])

    def verb_group(self, verb: Verb, plural: bool, negated: bool) -> VerbGroup:
        """Present, perfect or modal."""
        prefix = "" if verb.prefix == "-" else verb.prefix
        negation = ["not"] if negated else []
        tense = self.random.uniform()
        if tense < 0.45:
            if negated:
                en = ["do" if plural else "does", "not", verb.base]
            else:
                en = [verb.base if plural else verb.third]
            finite = verb.de_infinitive if plural else verb.de_third
            return VerbGroup(en, finite, [prefix] if prefix else [], [prefix + finite])
        if tense < 0.7:
            en = ["have" if plural else "has"] + negation + [verb.participle]
            finite = (["hat", "haben"] if verb.auxiliary == "h" else ["ist", "sind"])[plural]
            last = prefix + verb.de_participle
        else:
            modal = self.random.choice(MODALS)
            en = [modal.en] + negation + [verb.base]
            finite = modal.de_plural if plural else modal.de_third
            last = prefix + verb.de_infinitive
        return VerbGroup(en, finite, [last], [last, finite])

    def clause(
        self,
        order: str,
        depth: int,
        gap: str = "",
        head: str = "",
        subject: Phrase | None = None,
        main: bool = False,
        front: Phrase | None = None,
    ) -> Phrase:
        """A clause, and the agreement class of its subject.

        order is the place of the German verb: "second" after the subject, "inverted" before
        it, or "final". gap makes it a relative clause on a noun of the class head, which is its
        "subject" or "object". subject is a pronoun, where there is one; front an adverb that
        opens the sentence. Only main clauses name a place.
        """
        r = self.random
        kind = r.uniform()
        if gap == "object" or kind < 0.5:
            verbs = TRANSITIVE
        elif kind < 0.75:
            verbs = INTRANSITIVE
        else:
            verbs = DITRANSITIVE if kind < 0.9 or depth > 0 else CLAUSAL
        verb = r.choice(verbs)
        if gap == "subject":
            subject = Phrase([], ["d" + ARTICLE["n"][head]], head)
        elif subject is None:
            subject = self.noun_phrase("n", PERSONS, depth)
        negated = r.chance(0.12)
        group = self.verb_group(verb, subject.agreement == "p", negated)

        direct = indirect = complement = NOTHING
        if gap != "object" and verbs in (TRANSITIVE, DITRANSITIVE):
            direct = self.noun_phrase("a", THINGS if r.chance(0.7) else PERSONS, depth)
        if verbs is DITRANSITIVE:
            person = self.noun_phrase("d", PERSONS, depth)
            indirect = Phrase(["to"] + person.en, person.de)
        if verbs is CLAUSAL:
            said = self.clause("final", depth + 1)
            complement = Phrase(["that"] + said.en, [",", "dass"] + said.de)

        time = manner = place = NOTHING
        chance = 0.3 if depth == 0 else 0.15
        if r.chance(chance) and not front:
            time = self.adverb(TIMES)
        if r.chance(chance):
            manner = self.adverb(MANNERS) if r.chance(0.5) else self.prepositional_phrase(depth + 1)
        if main and self.domain is not None:
            place = self.place()
        place_first = bool(main and place.en and front is None and r.chance(0.3) and order == "second")

        en = subject.en + group.en + direct.en + indirect.en + manner.en
        if place_first:
            en = place.en + en + time.en + complement.en
            front, place, order = Phrase([], place.de), NOTHING, "inverted"
        else:
            en = en + place.en + time.en + complement.en
        if front:
            en = front.en + en
        middle = indirect.de + time.de + direct.de + manner.de + place.de + ["nicht"] * negated
        if order == "second":
            de = subject.de + [group.finite] + middle + group.bracket
        elif order == "inverted":
            de = (front.de if front else []) + [group.finite] + subject.de + middle + group.bracket
        else:
            relative = ["d" + ARTICLE["a"][head]] if gap == "object" else []
            de = relative + subject.de + middle + group.final
        return Phrase(en, de + complement.de, subject.agreement)

    def sentence(self) -> tuple[list[str], list[str]]:
        r = self.random
        self.domain = r.below(2) if r.chance(0.55) else None
        form = r.uniform()
        if form < 0.40:
            en, de, _ = self.clause("second", 0, main=True)
        elif form < 0.55:
            en, de, _ = self.clause("inverted", 0, main=True, front=self.adverb(TIMES))
        elif form < 0.80:
            first = self.clause("second", 0, main=True)
            conjunction = r.choice(CONJUNCTIONS)
            subject = pronoun(first.agreement) if r.chance(0.5) else None
            second = self.clause("final", 1, subject=subject)
            en = first.en + [conjunction.en] + second.en
            de = first.de + [",", conjunction.de] + second.de
        else:
            conjunction = r.choice(CONJUNCTIONS)
            first = self.clause("final", 1)
            subject = pronoun(first.agreement) if r.chance(0.3) else None
            second = self.clause("inverted", 0, main=True, subject=subject)
            en = [conjunction.en] + first.en + [","] + second.en
            de = [conjunction.de] + first.de + [","] + second.de
        return en + ["."], merge_commas(de) + ["."]


def determine(word: Determiner, case: str, plural: bool, gender: str) -> tuple[list[str], list[str], str]:
    """A determiner in both languages, and the German ending, on which that of adjectives depends."""
    agreement = "p" if plural else gender
    ending = STRONG[case][agreement]
    if word.kind == "e" and (case == "n" and agreement in "mn" or case == "a" and agreement == "n"):
        ending = ""
    en = "these" if plural and word.en == "this" else word.en
    de = "d" + ARTICLE[case][agreement] if word is THE else word.stem + ending
    return [en], [de], ending


def adjective_ending(determiner_ending: str, case: str, agreement: str) -> str:
    """Strong where the determiner shows nothing, else weak."""
    if not determiner_ending:
        return STRONG[case][agreement]
    return "e" if case == "n" and agreement != "p" or case == "a" and agreement in "fn" else "en"


def decline(noun: Noun, case: str, agreement: str) -> str:
    word = noun.de_plural if agreement == "p" else noun.de_singular
    if case == "g" and agreement in "mn":
        return word + "s"
    if case == "d" and agreement == "p" and word[-1] not in "ns":
        return word + "n"
    return word


def pronoun(agreement: str) -> Phrase:
    """English "it" or "they"; the German gender is the antecedent's."""
    return Phrase(["they" if agreement == "p" else "it"], [PRONOUNS[agreement]], agreement)


def merge_commas(words: list[str]) -> list[str]:
    """Without the second of two commas, or one at the end."""
    merged: list[str] = []
    for word in words:
        if word != "," or not merged or merged[-1] != ",":
            merged.append(word)
    return merged[:-1] if merged[-1] == "," else merged


def corpus(
    sentences: int, seed: int, seen: set[str] | None = None, shortest: int = 4, longest: int = 24
) -> list[tuple[list[str], list[str]]]:
    """Sentences and their translations, none with a source in seen, to which theirs are added."""
    grammar, pairs = Grammar(seed), []
    seen = set() if seen is None else seen
    while len(pairs) < sentences:
        en, de = grammar.sentence()
        source = " ".join(en)
        if shortest <= len(en) <= longest and shortest <= len(de) <= longest + 4 and source not in seen:
            seen.add(source)
            pairs.append((en, de))
    return pairs


if __name__ == "__main__":
    for en, de in corpus(int(sys.argv[1]), int(sys.argv[2])):
        print(" ".join(en) + "\t" + " ".join(de))
