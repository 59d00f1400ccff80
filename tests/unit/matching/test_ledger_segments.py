"""A segment of the ledger marks every row that some entry meets, whatever the data, and loses none in a merge."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seawall.errors import IndexFileInvalid
from seawall.matching import ledger_segments
from seawall.matching.columns import Meta
from seawall.matching.join import Queries
from seawall.matching.ledger_columns import Forgotten, LedgerPart, ledger_columns
from seawall.matching.ledger_segments import LedgerSegment
from seawall.matching.ledger_stream import DIGESTS, LEDGER_ROW, LedgerBlock
from seawall.matching.schemes import Scheme
from seawall.matching.segment_files import SegmentWriter, open_file
from seawall.matching.walking import Wanted, candidates
from seawall.records import HashKind

# One that works for few hashes too: what is tested is that buckets are looked into, not how long it takes.
SMALL = Scheme((16,) * 16, (1,) * 16)
WIDE = Scheme((24,) * 6 + (23,) * 4 + (20,), (2,) * 10 + (1,))
Row = tuple[int, bytes | None, bytes | None, bytes | None, bytes | None]


def around(random: np.random.Generator, centres: NDArray[np.uint8], spread: int) -> bytes:
    """A hash near one of some centres, at up to so many bits."""
    bits = centres[random.integers(len(centres))].copy()
    bits[random.choice(256, int(random.integers(0, spread + 1)), replace=False)] ^= 1
    return np.packbits(bits).tobytes()


def rows_of(random: np.random.Generator, count: int, ids: int, centres: NDArray[np.uint8], spread: int) -> list[Row]:
    """Rows of which some have several frames, some no PDQ hash, and digests that begin alike or with zeros."""

    def maybe(length: int) -> bytes | None:
        draw = random.integers(4)
        return None if draw == 0 else bytes(8) + random.bytes(length - 8) if draw == 1 else random.bytes(length)

    return [
        (
            int(random.integers(ids)) << 36,
            around(random, centres, spread) if random.integers(5) else None,
            maybe(16),
            maybe(20),
            maybe(32),
        )
        for _ in range(count)
    ]


def block_of(rows: list[Row]) -> LedgerBlock:
    array = np.zeros(len(rows), dtype=LEDGER_ROW)
    for place, (row_id, pdq, *digests) in enumerate(rows):
        array[place]["row_id"] = row_id
        if pdq is not None:
            array[place]["flags"] |= 1 << 3
            array[place]["pdq"] = np.frombuffer(pdq, np.uint8)
        for number, (kind, value) in enumerate(zip(DIGESTS, digests, strict=True)):
            if value is not None:
                array[place]["flags"] |= 1 << number
                array[place][kind.value] = np.frombuffer(value[:8], np.uint8)
    return LedgerBlock(array)


def wanted_of(hashes: list[tuple[bytes, int]], digests: dict[HashKind, list[bytes]]) -> Wanted:
    words = np.frombuffer(b"".join(pdq for pdq, _ in hashes), np.uint64).reshape(-1, 4)
    reach = np.array([reach for _, reach in hashes], np.int16)
    return Wanted(
        Queries(words, reach),
        {
            kind: np.unique(np.frombuffer(b"".join(v[:8] for v in values), np.uint64))
            for kind, values in digests.items()
        },
    )


def truth(rows: list[Row], hashes: list[tuple[bytes, int]], digests: dict[HashKind, list[bytes]]) -> list[int]:
    found = set()
    for row_id, pdq, *of_row in rows:
        if pdq is not None:
            number = int.from_bytes(pdq)
            if any((number ^ int.from_bytes(other)).bit_count() <= reach for other, reach in hashes):
                found.add(row_id)
        for kind, value in zip(DIGESTS, of_row, strict=True):
            if value is not None and value[:8] in {wanted[:8] for wanted in digests.get(kind, [])}:
                found.add(row_id)
    return sorted(found)


def asked_of(
    random: np.random.Generator, rows: list[Row], count: int, centres: NDArray[np.uint8], spread: int
) -> tuple[list[tuple[bytes, int]], dict[HashKind, list[bytes]]]:
    hashes = [(around(random, centres, spread), int(random.integers(-1, 32))) for _ in range(count)]
    digests: dict[HashKind, list[bytes]] = {}
    for number, kind in enumerate(DIGESTS):
        known = [value for row in rows if (value := row[2 + number]) is not None]
        digests[kind] = [*known[: int(random.integers(3))], random.bytes(8)]
    return hashes, digests


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(0, 150),
    queries=st.integers(0, 60),
    ids=st.sampled_from([1, 20, 10_000]),
    spread=st.integers(0, 60),
    dense=st.booleans(),
    scheme=st.sampled_from([SMALL, None]),
)
def test_as_comparing_them_all(
    seed: int, count: int, queries: int, ids: int, spread: int, dense: bool, scheme: Scheme | None
) -> None:
    """Around a few centres, so that distances lie on both sides of each reach, and read in several parts."""
    random = np.random.default_rng(seed)
    centres = random.integers(0, 2, (3, 256), dtype=np.uint8)
    rows = rows_of(random, count, ids, centres, spread)
    hashes, digests = asked_of(random, rows, queries, centres, spread)
    wanted = wanted_of(hashes, digests)
    cut = int(random.integers(count + 1))
    parts = [LedgerPart.of_block(block_of(some)) for some in (rows[:cut], rows[cut:])]
    with pytest.MonkeyPatch.context() as patched:
        if dense:
            patched.setattr(ledger_segments, "ALWAYS_PROBED", 0)
        segment = LedgerSegment(*ledger_columns(parts, scheme=lambda _: scheme))
        assert segment.meeting(wanted).tolist() == truth(rows, hashes, digests)
    assert candidates(block_of(rows), wanted).tolist() == truth(rows, hashes, digests)


@pytest.mark.parametrize("scheme", [SMALL, WIDE])
def test_planted_at_every_distance(scheme: Scheme) -> None:
    random = np.random.default_rng(4)
    query = random.integers(0, 2, 256, dtype=np.uint8)
    rows: list[Row] = []
    expected = []
    for distance in range(36):
        for start in range(0, 256, 17):
            for bits in ((start + np.arange(distance)) % 256, random.choice(256, distance, replace=False)):
                turned = query.copy()
                turned[bits] ^= 1
                rows.append((len(rows), np.packbits(turned).tobytes(), None, None, None))
                expected.append(distance <= 31)
    segment = LedgerSegment(*ledger_columns([LedgerPart.of_block(block_of(rows))], scheme=lambda _: scheme))
    found = segment.meeting(wanted_of([(np.packbits(query).tobytes(), 31)], {}))
    assert found.tolist() == np.flatnonzero(expected).tolist()


def test_a_crowd_of_near_copies_is_marked_whole() -> None:
    """More rows around each query than are worth probing, with as many queries in the same place."""
    random = np.random.default_rng(5)
    centres = random.integers(0, 2, (1, 256), dtype=np.uint8)
    crowd = [(number, around(random, centres, 14), None, None, None) for number in range(20_000)]
    others = [(20_000 + number, random.bytes(32), None, None, None) for number in range(5_000)]
    rows: list[Row] = [*crowd, *others]
    hashes = [(around(random, centres, 14), 31) for _ in range(500)]
    segment = LedgerSegment(*ledger_columns([LedgerPart.of_block(block_of(rows))]))
    assert segment.meeting(wanted_of(hashes, {})).tolist() == list(range(20_000))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 6), before=st.integers(0, 30))
def test_merging_and_forgetting_as_a_model_says(seed: int, steps: int, before: int) -> None:
    """Parts are written into files and joined in any order; rows written twice, and forgotten ones, go only once."""
    random = np.random.default_rng(seed)
    centres = random.integers(0, 2, (2, 256), dtype=np.uint8)
    rows: list[Row] = []
    parts = []
    for _ in range(steps):
        fresh = rows_of(random, int(random.integers(30)), 30, centres, 40)
        again = [rows[place] for place in random.integers(len(rows), size=5)] if rows else []
        rows += fresh
        parts.append(LedgerPart.of_block(block_of([*fresh, *again])))
        while len(parts) > 1 and random.integers(2):
            columns, _ = ledger_columns([parts.pop(), parts.pop()], scheme=lambda _: SMALL)
            parts.append(LedgerPart.of_columns(columns))
    kept = [int(number) << 36 for number in random.integers(0, 30, size=3)]
    forgotten = Forgotten(before << 36, np.array(kept, np.int64))
    segment = LedgerSegment(*ledger_columns(parts, forgotten=forgotten, scheme=lambda _: SMALL))
    left = [row for row in rows if row[0] >= before << 36 or row[0] in kept]
    hashes, digests = asked_of(random, rows, 20, centres, 40)
    assert segment.meeting(wanted_of(hashes, digests)).tolist() == truth(left, hashes, digests)
    assert segment.part.ids.tolist() == sorted({row[0] for row in left})
    assert segment.hashes == len({(row[0], row[1]) for row in left if row[1] is not None})


def written(path: Path) -> tuple[list[Row], Path]:
    random = np.random.default_rng(6)
    rows = rows_of(random, 50, 50, random.integers(0, 2, (2, 256), dtype=np.uint8), 40)
    writer = SegmentWriter(path)
    _, meta = ledger_columns([LedgerPart.of_block(block_of(rows))], writer.allocate)
    writer.finish(cast("Meta", meta))
    return rows, path


def test_a_file_holds_what_was_put_in(tmp_path: Path) -> None:
    rows, path = written(tmp_path / "ledger-1.segment")
    segment = LedgerSegment.of_file(open_file(path))
    assert segment.part.ids.tolist() == sorted({row[0] for row in rows})


def test_what_contradicts_itself_is_refused() -> None:
    random = np.random.default_rng(7)
    rows: list[Row] = [(number, random.bytes(32), None, None, random.bytes(32)) for number in range(50)]
    columns, meta = ledger_columns([LedgerPart.of_block(block_of(rows))], scheme=lambda _: SMALL)
    whole = wanted_of([(row[1], 31) for row in rows if row[1] is not None], {HashKind.SHA256: [rows[0][4] or b""]})

    def damaged(**changed: NDArray[Any]) -> LedgerSegment:
        return LedgerSegment({**columns, **changed}, meta)

    with pytest.raises(IndexFileInvalid):
        damaged(ids=columns["ids"][1:])
    with pytest.raises(IndexFileInvalid):
        damaged(buckets=columns["buckets"] + np.uint32(100)).meeting(whole)
    with pytest.raises(IndexFileInvalid):
        damaged(positions=columns["positions"] + np.uint32(100)).meeting(whole)
    with pytest.raises(IndexFileInvalid):
        damaged(pdq_rows=columns["pdq_rows"] + np.int32(50)).meeting(whole)
    with pytest.raises(IndexFileInvalid):
        damaged(sha256_rows=columns["sha256_rows"] + np.int32(50)).meeting(whole)
    with pytest.raises(IndexFileInvalid):
        LedgerSegment({"entry_ids": columns["ids"]}, meta)
