"""The micro task's sentences as word ids."""

import collections
import dataclasses
from collections.abc import Iterable

import grammar

PAD, BOS, EOS, UNK = 0, 1, 2, 3
SPECIAL_WORDS = 4  # PAD, BOS, EOS, UNK

TEST_SENTENCES, TEST_SEED = 500, 2
VALID_SENTENCES, VALID_SEED = 300, 3
TRAIN_SENTENCES, TRAIN_SEED = 10_000, 1


@dataclasses.dataclass(frozen=True)
class Pair:
    """A sentence and its translation, each ending in EOS."""

    source: list[int]
    target: list[int]


@dataclasses.dataclass(frozen=True)
class Corpus:
    train: list[Pair]
    valid: list[Pair]
    test: list[Pair]
    source_vocabulary: dict[str, int]  # word to id
    target_vocabulary: dict[str, int]

    @property
    def source_words(self) -> int:
        """Rows of the source embeddings, the special words included."""
        return len(self.source_vocabulary) + SPECIAL_WORDS

    @property
    def target_words(self) -> int:
        return len(self.target_vocabulary) + SPECIAL_WORDS


def load() -> Corpus:
    """Generates the three sets, in the order in which they exclude one another's sources."""
    seen: set[str] = set()
    test = grammar.corpus(TEST_SENTENCES, TEST_SEED, seen=seen)
    valid = grammar.corpus(VALID_SENTENCES, VALID_SEED, seen=seen)
    train = grammar.corpus(TRAIN_SENTENCES, TRAIN_SEED, seen=seen)
    source = vocabulary(s for s, _ in train)
    target = vocabulary(t for _, t in train)

    def ids(pairs) -> list[Pair]:
        return [
            Pair([source.get(w, UNK) for w in s] + [EOS], [target.get(w, UNK) for w in t] + [EOS]) for s, t in pairs
        ]

    return Corpus(ids(train), ids(valid), ids(test), source, target)


def vocabulary(sentences: Iterable[list[str]]) -> dict[str, int]:
    """Ids by falling count, then by word."""
    counts = collections.Counter(w for s in sentences for w in s)
    order = sorted(counts, key=lambda w: (-counts[w], w))
    return {w: i for i, w in enumerate(order, SPECIAL_WORDS)}
