"""The comparison of a few hashes with many misses nothing and invents nothing, whatever the data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seawall.matching import join
from seawall.matching.join import CHUNKS, FEW_QUERIES, Queries, meeting


@pytest.fixture(scope="module", autouse=True)
def through_chunks() -> Iterator[None]:
    """Few rows are compared with all queries otherwise, and the tables would never be made."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(join, "FEW_COMPARISONS", 0)
        yield


def words(random: np.random.Generator, count: int) -> NDArray[np.uint64]:
    return np.frombuffer(random.bytes(count * 32), dtype=np.uint64).reshape(-1, 4).copy()


def flipped(word: NDArray[np.uint64], bits: NDArray[np.integer]) -> NDArray[np.uint64]:
    as_bits = np.unpackbits(word.view(np.uint8), bitorder="little")
    as_bits[bits] ^= 1
    return np.packbits(as_bits, bitorder="little").view(np.uint64)


def truth(rows: NDArray[np.uint64], queries: Queries) -> NDArray[np.bool_]:
    distances = np.bitwise_count(rows[:, None, :] ^ queries.words[None, :, :]).sum(axis=2)
    met: NDArray[np.bool_] = (distances <= queries.reach[None, :]).any(axis=1)
    return met


def test_the_chunks_let_nothing_escape() -> None:
    assert sum(width for width, _ in CHUNKS) == 256
    assert sum(radius + 1 for _, radius in CHUNKS) == 32


@pytest.mark.parametrize("count", [FEW_QUERIES, FEW_QUERIES + 1])
def test_planted_at_every_distance(count: int) -> None:
    """Every distance 0 to 34, with the bits spread out and all in one place, by both ways of comparing."""
    random = np.random.default_rng(count)
    queries = Queries(words(random, count), np.full(count, 31, dtype=np.int16))
    rows, near = [], []
    for distance in range(35):
        for start in range(0, 256, 13):
            close = (start + np.arange(distance)) % 256
            spread = random.choice(256, distance, replace=False)
            for bits in (close, spread):
                rows.append(flipped(queries.words[start % count], bits))
                near.append(distance <= 31)
    assert (meeting(np.array(rows), queries) == np.array(near)).all()


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    queries=st.integers(0, 60),
    rows=st.integers(0, 300),
    spread=st.integers(1, 60),
)
def test_as_comparing_them_all(seed: int, queries: int, rows: int, spread: int) -> None:
    """Around a few centres, so that distances lie on both sides of the limit; each query with a reach of its own."""
    random = np.random.default_rng(seed)
    centres = words(random, 4)

    def around(count: int) -> NDArray[np.uint64]:
        chosen = [
            flipped(centres[random.integers(4)], random.choice(256, random.integers(0, spread), replace=False))
            for _ in range(count)
        ]
        return np.array(chosen, dtype=np.uint64).reshape(-1, 4)

    given_queries = Queries(around(queries), random.integers(-1, 32, queries).astype(np.int16))
    given_rows = around(rows)
    assert (meeting(given_rows, given_queries) == truth(given_rows, given_queries)).all()


def test_many_near_copies_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """All chunks equal, and more queries than are taken at once."""
    monkeypatch.setattr(join, "MOST_QUERIES", 64)
    random = np.random.default_rng(3)
    one = words(random, 1)
    queries = Queries(np.repeat(one, 200, axis=0), np.full(200, 31, dtype=np.int16))
    rows = np.concatenate([np.repeat(one, 5000, axis=0), words(random, 5000)])
    assert (meeting(rows, queries) == truth(rows, queries)).all()


def test_a_crowd_that_shares_chunks_without_being_near() -> None:
    """Rows and queries have most chunks in common, and differ in more bits than count: comparing all is quicker."""
    random = np.random.default_rng(9)
    base = words(random, 1)[0]
    rows = np.array([flipped(base, random.choice(60, 20, replace=False)) for _ in range(5_000)])
    asked = np.array([flipped(base, 100 + random.choice(60, 20, replace=False)) for _ in range(50)])
    queries = Queries(asked, np.full(len(asked), 31, dtype=np.int16))
    assert join._is_quicker(rows, queries)
    assert not meeting(rows, queries).any()
    queries.words[7] = rows[3]
    assert (meeting(rows, queries) == truth(rows, queries)).all()
