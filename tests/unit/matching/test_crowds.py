"""Data that is made to be slow: an answer is bounded, holds the nearest, and says that there was more."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from seawall.matching.bitmaps import no_rows
from seawall.matching.entries import ENTRY, HAS, NO_CLASSIFICATION, EntryBatch
from seawall.matching.segments import segment_of
from seawall.records import HashKind

pytestmark = pytest.mark.usefixtures("compiled_cache")
MANY, LIMIT = 1_000_000, 64
REACH = np.array([31], dtype=np.int16)


def near_copies(random: np.random.Generator) -> NDArray[np.uint8]:
    """A million within some bits of one hash, with every chunk's bucket as full as can be."""
    made = np.zeros((MANY, 32), dtype=np.uint8)
    for _ in range(20):
        made[np.arange(MANY), random.integers(0, 32, MANY)] ^= (1 << random.integers(0, 8, MANY)).astype(np.uint8)
    return made


def equal_chunks(random: np.random.Generator) -> NDArray[np.uint8]:
    """The same in three quarters of the bits, and anything in the others."""
    made = np.zeros((MANY, 32), dtype=np.uint8)
    made[:, 8:16] = random.integers(0, 256, (MANY, 8), dtype=np.uint8)
    return made


def all_equal(_random: np.random.Generator) -> NDArray[np.uint8]:
    return np.full((MANY, 32), 0x5A, dtype=np.uint8)


@pytest.mark.parametrize("data", [near_copies, equal_chunks, all_equal])
def test_a_million_that_are_alike(data: Callable[[np.random.Generator], NDArray[np.uint8]]) -> None:
    random = np.random.default_rng(31)
    values = data(random)
    values[-1] = 0xFF  # one that is like none of them
    rows = np.zeros(MANY, dtype=ENTRY)
    rows["entry_id"], rows["list_id"] = np.arange(1, MANY + 1), 1
    rows["classification"], rows["flags"], rows["pdq"] = NO_CLASSIFICATION, HAS[HashKind.PDQ], values
    segment = segment_of(EntryBatch(rows))
    assert segment.meta["widths"], "it looks into buckets"
    words = values.reshape(-1).view(np.uint64).reshape(-1, 4)
    queries = np.array([words[0], words[MANY // 2], words[-1], ~words[0]])
    hits = segment.near(queries, REACH, no_rows(MANY), LIMIT)
    for number, query in enumerate(queries):
        distances = np.bitwise_count(words ^ query).sum(axis=1)
        near = np.flatnonzero(distances <= 31)
        near = near[np.lexsort((near, distances[near]))]
        mine = hits.queries == number
        given = sorted(zip(hits.distances[mine].tolist(), hits.rows[mine].tolist(), strict=True))
        assert given == list(zip(distances[near[:LIMIT]].tolist(), near[:LIMIT].tolist(), strict=True))
        assert (number in hits.truncated) == (len(near) > LIMIT)
