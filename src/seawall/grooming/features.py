"""What a model sees of messages: words, pairs of words, and the letters of words in threes to fives.

A message is read as `spelling` reads it, so tricks of spelling are undone before. Weights follow TF-IDF (Salton and
Buckley 1988): ``(1 + log count) * idf``, scaled to a length of one; what says little is scaled to less than that, so
that two words are no judgement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]

SHORTEST, LONGEST = 3, 5
# Words whose letters are remembered; there are always new ones, so it is emptied when it is full.
MOST_REMEMBERED = 50_000
LONGEST_WORD = 24
NOTHING: Ids = np.empty(0, dtype=np.int32)
NOTHING.setflags(write=False)


def pieces(word: str) -> list[str]:
    """The letters of a word with its ends marked, in threes to fives. They begin with a hyphen, as no word does."""
    marked = f"_{word[:LONGEST_WORD]}_"
    return [
        "-" + marked[start : start + size]
        for size in range(SHORTEST, LONGEST + 1)
        for start in range(max(0, len(marked) - size) + 1 if len(marked) >= size else 0)
    ]


@dataclass(frozen=True, slots=True)
class Vector:
    """A sparse vector: places, each once, and values."""

    ids: Ids
    values: NDArray[np.float64]


class Vocabulary:
    """Features by name, each with its place and its rarity (idf). Remembers words that it met; share between threads
    only what has been made for each."""

    def __init__(self, features: Sequence[str], idf: NDArray[np.float64], floor: float) -> None:
        self.features = tuple(features)
        self.idf = idf
        self.floor = floor
        self._places: Mapping[str, int] = {name: place for place, name in enumerate(self.features)}
        self._remembered: dict[str, Ids] = {}

    def ids(self, words: Sequence[str]) -> Ids:
        """The features of a message that are known, as often as they are there."""
        if not words:
            return NOTHING
        parts = [self._of_word(word) for word in words]
        places = self._places
        pairs = [place for one in pairwise(words) if (place := places.get(" ".join(one))) is not None]
        if pairs:
            parts.append(np.array(pairs, dtype=np.int32))
        return np.concatenate(parts)

    def _of_word(self, word: str) -> Ids:
        found = self._remembered.get(word)
        if found is None:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            places = self._places
            known = [place for name in (word, *pieces(word)) if (place := places.get(name)) is not None]
            found = self._remembered[word] = np.array(known, dtype=np.int32)
        return found

    def vector(self, messages: Sequence[Ids]) -> Vector:
        """Several messages as one vector, by what `ids` gave of each."""
        together = np.concatenate(messages) if messages else NOTHING
        if not len(together):
            return Vector(NOTHING, np.empty(0))
        ids, counts = np.unique(together, return_counts=True)
        values = (1 + np.log(counts)) * self.idf[ids]
        return Vector(ids, values / max(float(np.sqrt(values @ values)), self.floor))
