"""Segments that look into buckets against one that compares all, and that against plain Python."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from seawall.matching.bitmaps import as_bools, no_rows, with_rows
from seawall.matching.columns import Source, merged_columns, plain_columns
from seawall.matching.entries import EntryBatch
from seawall.matching.schemes import Scheme
from seawall.matching.segments import ColumnSegment, Hits, ScanSegment
from seawall.records import HashKind
from tests.unit.matching.model import KnownEntry, batch_of, distance

SCHEMES = {
    "32 chunks as they are": Scheme((8,) * 32, (0,) * 32),
    "16 chunks, one flip": Scheme((16,) * 16, (1,) * 16),
    "of all kinds, across words": Scheme((17, 13, 18, *(16,) * 13), (2, 0, 2, 2, 3, *(1,) * 11)),
    "one chunk with all the flips, others of one bit": Scheme((14, *(1,) * 2, *(16,) * 15), (5, 0, 0, *(1,) * 14, 0)),
}
LIMIT = 10


def segment_by(scheme: Scheme | None, batch: EntryBatch) -> ColumnSegment:
    return ColumnSegment(*merged_columns([Source(*plain_columns(batch))], scheme=lambda _: scheme))


def words(*hashes: bytes) -> NDArray[np.uint64]:
    return np.frombuffer(b"".join(hashes), dtype=np.uint64).reshape(-1, 4)


def near_by_hand(
    batch: EntryBatch, queries: list[bytes], reach: dict[int, int], dead: set[int], limit: int
) -> tuple[set[tuple[int, int, int]], list[int]]:
    """(query, row, distance) of what is to be kept, and the queries that had more."""
    kept: set[tuple[int, int, int]] = set()
    truncated = []
    for number, query in enumerate(queries):
        hits = [
            (distance(query, bytes(entry["pdq"])), row)
            for row, entry in enumerate(batch.rows)
            if entry["flags"] & 8 and row not in dead
        ]
        hits = sorted(hit for hit in hits if hit[0] <= reach[int(batch.rows["list_id"][hit[1]])])
        chosen = hits[:limit]
        if len(hits) > limit:
            truncated.append(number)
            lists = [int(batch.rows["list_id"][row]) for _, row in hits]
            chosen += [hits[lists.index(list_id)] for list_id in set(lists)]
        kept |= {(number, row, bits) for bits, row in chosen}
    return kept, truncated


def shown(hits: Hits) -> tuple[set[tuple[int, int, int]], list[int]]:
    found = list(zip(hits.queries.tolist(), hits.rows.tolist(), hits.distances.tolist(), strict=True))
    return set(found), hits.truncated.tolist()


def flipped_at_random(value: bytes, bits: int, generator: random.Random) -> bytes:
    number = int.from_bytes(value)
    for bit in generator.sample(range(256), bits):
        number ^= 1 << bit
    return number.to_bytes(32)


def uniform(generator: random.Random) -> list[bytes]:
    return [generator.randbytes(32) for _ in range(400)]


def clustered(generator: random.Random) -> list[bytes]:
    centres = [generator.randbytes(32) for _ in range(4)]
    return [flipped_at_random(generator.choice(centres), generator.randrange(40), generator) for _ in range(400)]


def all_equal(generator: random.Random) -> list[bytes]:
    return [bytes(32)] * 300 + [bytes([255]) * 32] * 100


def equal_chunks(generator: random.Random) -> list[bytes]:
    """The same in most chunks, anything in the others."""
    return [bytes(20) + generator.randbytes(12) for _ in range(200)] + [
        generator.randbytes(12) + bytes([255]) * 20 for _ in range(200)
    ]


def low_rank(generator: random.Random) -> list[bytes]:
    """Bits that go together, as those of PDQ do."""
    made = np.random.default_rng(generator.randrange(1 << 30))
    mixing = made.normal(size=(12, 256))
    return [np.packbits((made.normal(size=12) @ mixing) > 0).tobytes() for _ in range(400)]


DATA: list[Callable[[random.Random], list[bytes]]] = [uniform, clustered, all_equal, equal_chunks, low_rank]


@pytest.mark.parametrize("scheme", [None, *SCHEMES.values()], ids=["none", *SCHEMES])
@pytest.mark.parametrize("data", DATA)
def test_what_is_near_is_found(scheme: Scheme | None, data: Callable[[random.Random], list[bytes]]) -> None:
    """With lists of different reach, dead rows, entries without PDQ, and more hits than are kept."""
    generator = random.Random(7)
    reach = {3: 31, 5: 12, 8: -1, 9: 31}
    batch = batch_of(
        *(
            KnownEntry(2 * n, generator.choice([3, 3, 3, 5, 8] if n % 50 else [9]), {HashKind.PDQ: value})
            if n % 7
            else KnownEntry(2 * n, 3, {HashKind.MD5: bytes(16)})
            for n, value in enumerate(data(generator))
        )
    )
    segment = segment_by(scheme, batch)
    dead = {row for row in range(len(batch.rows)) if generator.random() < 0.2}
    gone = with_rows(no_rows(len(batch.rows)), np.array(sorted(dead), dtype=np.int64))
    assert set(np.flatnonzero(as_bools(gone, len(batch.rows))).tolist()) == dead
    known = [bytes(row["pdq"]) for row in batch.rows]
    queries = [
        flipped_at_random(generator.choice(known), bits, generator) for bits in range(35) for _ in range(4)
    ] + [bytes(32), bytes([255]) * 32]
    binding = np.array([reach[int(list_id)] for list_id in segment.list_ids], dtype=np.int16)
    for limit in (LIMIT, 1, 1000):
        hits = segment.near(words(*queries), binding, gone, limit)
        assert shown(hits) == near_by_hand(batch, queries, reach, dead, limit)
        assert len(hits.rows) == len(shown(hits)[0])


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize("farthest", [0, 1, 7, 15, 16, 30])
def test_shorter_reach_looks_at_less_and_misses_nothing(scheme: Scheme, farthest: int) -> None:
    generator = random.Random(farthest)
    values = [generator.randbytes(32) for _ in range(60)]
    batch = batch_of(*(KnownEntry(n, 1, {HashKind.PDQ: value}) for n, value in enumerate(values)))
    segment, reach, dead = segment_by(scheme, batch), np.array([farthest], dtype=np.int16), no_rows(60)
    for bits in range(farthest + 2):
        queries = [flipped_at_random(value, bits, generator) for value in values]
        hits = segment.near(words(*queries), reach, dead, LIMIT)
        assert hits.rows.tolist() == (list(range(60)) if bits <= farthest else [])


def test_the_scan_is_what_compares_all() -> None:
    batch = batch_of(KnownEntry(1, 1, {HashKind.PDQ: bytes(32)}), KnownEntry(2, 1, {HashKind.PDQ: bytes([1]) * 32}))
    hits = ScanSegment(batch).near(words(bytes(32)), np.array([31], dtype=np.int16), no_rows(2), LIMIT)
    assert (hits.rows.tolist(), hits.distances.tolist(), hits.candidates) == ([0], [0], 2)
