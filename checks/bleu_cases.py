#!/usr/bin/env python3
"""Writes the golden values of internal/metric's BLEU, scored by SacreBLEU.

  bleu_cases.py > internal/metric/testdata/bleu.json      needs sacrebleu==2.6.0
"""

import json
import random
import sys

import sacrebleu

CAT = "the cat sat on the mat"
CASES = {
    "identical": ([CAT, "a dog ."], [CAT, "a dog ."]),
    "one word differs": (["the cat sat on a mat"], [CAT]),
    "no match of four words": (["the cat sat down on the mat ."], ["the cat sat on the old mat ."]),
    "no match of three or four": (["the cat the dog sat"], ["a dog the cat mat sat"]),
    "words alone match": (["mat the on sat cat the"], [CAT]),
    "nothing matches": (["ein Hund bellt laut"], [CAT]),
    "an empty hypothesis": (["", CAT], [CAT, CAT]),
    "nothing but empty hypotheses": (["", ""], [CAT, CAT]),
    "an empty reference": ([CAT, "a dog"], [CAT, ""]),
    "too short for four words": (["a dog .", "the cat"], ["a dog .", "the cat"]),
    "one sentence of four words": (["a dog barks .", "a cat"], ["a dog barks .", "the cat"]),
    "short hypotheses": (["the cat sat on", "a dog barks at"], [CAT, "a dog barks at the moon"]),
    "long hypotheses": ([CAT + " and the mat sat on the cat"], [CAT]),
    "repetition is clipped": (["the the the the the the the"], [CAT + " ."]),
    "letter case and accents": (["Der Bär sieht das schöne Büro ."], ["der Bär sieht das schone Büro ."]),
    "punctuation stays as it is": (["Yes,no (maybe) &quot; - 3.5 %."], ["Yes , no (maybe) &quot; - 3.5 %."]),
}


def noisy(sentences, vocabulary, r):
    """Drops, replaces and doubles words: hypotheses of a middling translator."""
    out = []
    for sentence in sentences:
        words = []
        for word in sentence.split():
            x = r.random()
            words += [] if x < 0.08 else [r.choice(vocabulary)] if x < 0.2 else [word, word] if x < 0.22 else [word]
        out.append(" ".join(words))
    return out


def corpus(n, seed):
    r = random.Random(seed)
    vocabulary = [f"w{i}" for i in range(60)]
    references = [" ".join(r.choices(vocabulary, [1 / (i + 1) for i in range(60)], k=r.randint(1, 25))) for _ in range(n)]
    return noisy(references, vocabulary, r), references


CASES["40 noisy sentences"] = corpus(40, 1)
CASES["25 noisy sentences"] = corpus(25, 2)

if sacrebleu.__version__ != "2.6.0":
    sys.exit(f"bleu_cases: sacrebleu {sacrebleu.__version__}, expected 2.6.0")
cases = [
    {"name": name, "hypotheses": h, "references": r, "bleu": sacrebleu.corpus_bleu(h, [r], tokenize="none").score}
    for name, (h, r) in CASES.items()
]
json.dump(cases, sys.stdout, indent=1, ensure_ascii=False)
print()
