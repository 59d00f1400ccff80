"""Which kept signatures may show the same picture as one that arrives: the words that their keypoints have in common.

A word is a few bits of a descriptor, always the same ones of a table. Of two points that show the same, some words
agree; of two that do not, hardly any. The words of all that is kept lie in order, so that looking one up is a binary
search, and what has most of them in common is compared in full (:mod:`seawall.matching.keypoint_geometry`).

A change builds what is new beside what there is. Segments of similar size are joined, so that there are few.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from seawall.fingerprints.keypoints import MOST_KEYPOINTS, KeypointSignature
from seawall.matching.keypoint_geometry import descriptors_of

TABLES, BITS = 4, 20
# Which bits the tables look at, and how words are mixed. Words that another scheme made are made anew.
SCHEME = 1
# So many at most are compared in full, a few milliseconds each, and none with fewer words in common.
MOST_CANDIDATES = 8
FEWEST_VOTES = 12
# A word that more signatures have than this tells nothing.
LONGEST_RUN = 64
_FOLD_RATIO = 4
_WORD_BYTES = 4

Words = NDArray[np.uint32]


@cache
def _masks() -> NDArray[np.uint64]:
    """(tables, 4): the same bits in every process and for ever, as SCHEME says."""
    chance = np.random.Generator(np.random.PCG64(SCHEME))
    masks = np.zeros((TABLES, 256), dtype=np.uint8)
    for table in range(TABLES):
        masks[table, chance.permutation(256)[:BITS]] = 1
    return np.packbits(masks, axis=1).view(np.uint64)


def words_in(signature: KeypointSignature) -> bytes:
    """The words of a signature, TABLES of 32 bits for each point."""
    from seawall.matching.keypoint_kernels import words_of

    words: Words = words_of(descriptors_of(signature), _masks())
    return words.astype("<u4").tobytes()


def are_words(said: bytes) -> bool:
    """Whether that can be the words of a signature."""
    return len(said) % (_WORD_BYTES * TABLES) == 0 and len(said) <= _WORD_BYTES * TABLES * MOST_KEYPOINTS


@dataclass(frozen=True, slots=True)
class _Segment:
    """Words in order, and at which place of `ids` each one's signature stands."""

    ids: NDArray[np.int64]
    words: Words
    owners: NDArray[np.int32]

    @classmethod
    def of(cls, kept: Mapping[int, bytes]) -> _Segment:
        ids = np.array(sorted(kept), dtype=np.int64)
        each = [np.frombuffer(kept[number], dtype="<u4") for number in ids.tolist()]
        words = np.concatenate([*each, np.empty(0, dtype="<u4")]).astype(np.uint32)
        owners = np.repeat(np.arange(len(ids), dtype=np.int32), [len(some) for some in each])
        return cls._ordered(ids, words, owners)

    @classmethod
    def _ordered(cls, ids: NDArray[np.int64], words: Words, owners: NDArray[np.int32]) -> _Segment:
        order = np.argsort(words, kind="stable")
        return cls(ids, words[order], owners[order])

    def joined(self, other: _Segment) -> _Segment:
        words = np.concatenate((self.words, other.words))
        owners = np.concatenate((self.owners, other.owners + np.int32(len(self.ids))))
        return self._ordered(np.concatenate((self.ids, other.ids)), words, owners)

    def without(self, gone: NDArray[np.int64]) -> _Segment:
        stays = ~np.isin(self.ids, gone)
        place = np.cumsum(stays, dtype=np.int32) - 1
        kept = stays[self.owners]
        return _Segment(self.ids[stays], self.words[kept], place[self.owners[kept]].astype(np.int32))

    def votes(self, asked: Words) -> NDArray[np.int32]:
        from seawall.matching.keypoint_kernels import count_votes

        votes = np.zeros(len(self.ids), dtype=np.int32)
        count_votes(asked, self.words, self.owners, LONGEST_RUN, votes)
        return votes


@dataclass(frozen=True, slots=True)
class KeypointIndex:
    """What is kept, as one moment saw it: never changed, but followed by another."""

    segments: tuple[_Segment, ...] = ()

    @property
    def ids(self) -> set[int]:
        """The numbers of the signatures in it."""
        return {number for segment in self.segments for number in segment.ids.tolist()}

    def __len__(self) -> int:
        return sum(len(segment.ids) for segment in self.segments)

    def after(self, new: Mapping[int, bytes], gone: Collection[int]) -> KeypointIndex:
        """The same with these signatures more, by their words, and those fewer."""
        segments = list(self.segments)
        if gone:
            lost = np.array(sorted(gone), dtype=np.int64)
            segments = [
                segment.without(lost) if np.isin(segment.ids, lost).any() else segment for segment in segments
            ]
        if new:
            segments.append(_Segment.of(new))
        segments = [segment for segment in segments if len(segment.ids)]
        while len(segments) > 1 and len(segments[-2].words) < _FOLD_RATIO * len(segments[-1].words):
            last = segments.pop()
            segments[-1] = segments[-1].joined(last)
        return KeypointIndex(tuple(segments))

    def candidates(self, signature: KeypointSignature) -> list[int]:
        """The numbers of those that may show the same picture, likeliest first."""
        if not self.segments:
            return []
        asked = np.frombuffer(words_in(signature), dtype="<u4").astype(np.uint32).reshape(-1, TABLES)
        votes = np.concatenate([segment.votes(asked) for segment in self.segments])
        ids = np.concatenate([segment.ids for segment in self.segments])
        order = np.lexsort((ids, -votes))[:MOST_CANDIDATES]
        return [int(ids[place]) for place in order if votes[place] >= FEWEST_VOTES]
