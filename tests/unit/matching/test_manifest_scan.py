"""The comparison of shards, against one written in plain Python; nothing is clean that was not compared."""

from __future__ import annotations

import pickle
import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.engines.scanning.shards import Shard
from seawall.errors import Conflict, IndexUnavailable, NotFound
from seawall.matching.entries import Changes
from seawall.matching.index import HashIndex
from seawall.matching.manifest_scan import SCHEMA, ManifestTask, ShardComparison
from seawall.matching.orientations import orientations_of
from seawall.records import HashKind, ListInfo, Orientation
from tests.unit.matching.model import KnownEntry, batch_of, distance, flipped, list_info

LEAST_QUALITY = 50


class Opened:
    """An index in memory."""

    def __init__(self, entries: Sequence[KnownEntry], lists: Sequence[ListInfo], generation: int = 7) -> None:
        self.index = HashIndex()
        self.index.apply(Changes(generation, tuple(lists), batch_of(*entries), everything=True))
        self.closed = False

    def close(self) -> None:
        self.closed = True


def compared(
    entries: Sequence[KnownEntry], known: Sequence[ListInfo], rows: Sequence[dict[str, object]], **task: object
) -> tuple[pa.Table, dict[str, int]]:
    given: dict[str, object] = {"lists": (), "minimum_pdq_quality": LEAST_QUALITY, "generation": 7, **task}
    opened = ManifestTask(lambda: Opened(entries, known), **given).open()  # type: ignore[arg-type]
    columns = ("content_id", "account_id", *(kind.value for kind in HashKind), "pdq_quality")
    types = {"pdq_quality": pa.int64()}
    batches = [
        pa.record_batch(
            {name: pa.array([row.get(name) for row in some], types.get(name, pa.string())) for name in columns}
        )
        for some in (rows[:3], rows[3:])
    ]
    written: list[pa.Table] = []
    counts = opened.run(
        Shard("/m.parquet", "parquet", columns, first_row=100, rows=len(rows)), batches, written.append
    )
    opened.close()
    return pa.concat_tables([SCHEMA.empty_table(), *written]), dict(counts)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[KnownEntry], list[ListInfo], list[dict[str, object]]]:
    """Entries, lists, and rows many of which are near some entry in one orientation or the other."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    lists = [list_info(1), list_info(2, max_distance=10), list_info(3, enabled=False)]
    entries = [
        KnownEntry(number, chance.choice(lists).list_id, {kind: chance.randbytes(kind.length) for kind in some})
        for number in range(1, draw(st.integers(1, 8)))
        if (some := [kind for kind in HashKind if chance.random() < 0.7])
    ]
    rows = []
    for number in range(draw(st.integers(0, 12))):
        row: dict[str, object] = {"content_id": f"c{number}", "account_id": chance.choice(["account-1", None])}
        for kind in HashKind:
            known = [entry.hashes[kind] for entry in entries if kind in entry.hashes]
            value = chance.choice([*known, chance.randbytes(kind.length)])
            if kind is HashKind.PDQ:
                turned = orientations_of(np.frombuffer(value, np.uint64).reshape(-1, 4))[0]
                value = turned[chance.randrange(len(Orientation))].tobytes()
                value = flipped(value, chance.sample(range(256), chance.choice([0, 5, 10, 11, 31, 32])))
            row[kind.value] = chance.choice(
                [value.hex(), value.hex().upper(), None, None, "", "no hash", "zz" * kind.length]
            )
        row["pdq_quality"] = chance.choice([None, 0, 49, 50, 100, 101])
        rows.append(row)
    return entries, lists, rows


def usable(row: dict[str, object], kind: HashKind) -> bytes | None:
    """The hash that a row has of this kind, if it can be compared."""
    try:
        value = bytes.fromhex(str(row[kind.value] or ""))
    except ValueError:
        return None
    if len(value) != kind.length:
        return None
    quality = row["pdq_quality"]
    low = quality is not None and int(str(quality)) < LEAST_QUALITY
    return None if kind is HashKind.PDQ and low else value


def met(
    row: dict[str, object], entries: Sequence[KnownEntry], lists: Sequence[ListInfo]
) -> dict[int, tuple[str, int]]:
    """Entry, kind and distance, as anyone would write it first."""
    reach = {info.list_id: info.max_distance for info in lists if info.enabled}
    found: dict[int, tuple[str, int]] = {}
    for entry in entries:
        if entry.list_id not in reach:
            continue
        exact = any(
            usable(row, kind) is not None and usable(row, kind) == entry.hashes.get(kind)
            for kind in (HashKind.MD5, HashKind.SHA1, HashKind.SHA256)
        )
        pdq, other = usable(row, HashKind.PDQ), entry.hashes.get(HashKind.PDQ)
        if exact:
            found[entry.entry_id] = ("exact", 0)
        elif pdq is not None and other is not None:
            turned = orientations_of(np.frombuffer(pdq, np.uint64).reshape(-1, 4))[0]
            nearest = min(distance(words.tobytes(), other) for words in turned)
            if nearest <= reach[entry.list_id]:
                found[entry.entry_id] = ("perceptual", nearest)
    return found


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_the_same_as_in_plain_python(world: tuple[list[KnownEntry], list[ListInfo], list[dict[str, object]]]) -> None:
    entries, lists, rows = world
    table, counts = compared(entries, lists, rows)
    said = table.to_pylist()
    for number, row in enumerate(rows):
        mine = [finding for finding in said if finding["row"] == 101 + number]
        matches = [finding for finding in mine if finding["finding"] == "match"]
        expected = met(row, entries, lists)
        assert {match["entry_id"]: (match["kind"], match["distance"]) for match in matches} == expected
        assert all(match["content_id"] == row["content_id"] for match in mine)
        assert all(match["account_id"] == row["account_id"] for match in mine)
        if not any(usable(row, kind) for kind in HashKind):
            assert {finding["finding"] for finding in mine} & {"owed", "bad"}, "what was not compared is not clean"
    assert counts["rows"] == len(rows)
    assert counts["compared"] == sum(any(usable(row, kind) for kind in HashKind) for row in rows)
    assert counts.get("matched", 0) == sum(bool(met(row, entries, lists)) for row in rows)
    for finding in ("owed", "bad"):
        assert counts[finding] == len({one["row"] for one in said if one["finding"] == finding})


PDQ = bytes(range(32))


def test_a_picture_of_low_quality_is_owed_a_scan_unless_it_has_a_digest() -> None:
    rows: list[dict[str, object]] = [
        {"content_id": "a", "pdq": PDQ.hex(), "pdq_quality": 49},
        {"content_id": "b", "pdq": PDQ.hex(), "pdq_quality": 49, "md5": "ab" * 16},
    ]
    table, counts = compared([], [list_info(1)], rows)
    assert [(row["content_id"], row["reason"]) for row in table.to_pylist()] == [("a", "pdq_quality_low")]
    assert (counts["compared"], counts["by_pdq"]) == (1, 0)


def test_a_crowd_of_near_copies_is_bounded_and_said() -> None:
    entries = [KnownEntry(number, 1, {HashKind.PDQ: PDQ}) for number in range(1, 200)]
    entries.append(KnownEntry(500, 2, {HashKind.PDQ: flipped(PDQ, [1])}))
    table, counts = compared(entries, [list_info(1), list_info(2)], [{"content_id": "a", "pdq": PDQ.hex()}])
    matches = table.to_pylist()
    assert 64 <= len(matches) <= 66
    assert all(match["truncated"] for match in matches)
    assert 500 in {match["entry_id"] for match in matches}, "the nearest of each list stays"
    assert counts["truncated"] == 1


def test_only_the_lists_that_were_named() -> None:
    entries = [KnownEntry(1, 1, {HashKind.PDQ: PDQ}), KnownEntry(2, 2, {HashKind.PDQ: PDQ})]
    lists = [list_info(1), list_info(2), list_info(3, enabled=False)]
    table, counts = compared(entries, lists, [{"content_id": "a", "pdq": PDQ.hex()}], lists=("test-2",))
    assert [match["list"] for match in table.to_pylist()] == ["test-2"]
    assert (counts["list.2"], counts.get("list.1")) == (1, None)
    with pytest.raises(NotFound, match="no list named other"):
        compared(entries, lists, [], lists=("other",))
    with pytest.raises(Conflict, match="test-3 is disabled"):
        compared(entries, lists, [], lists=("test-3",))
    with pytest.raises(Conflict, match="No list"):
        compared([], [list_info(1, enabled=False)], [])


def test_an_index_that_is_older_than_the_scan_is_not_used() -> None:
    with pytest.raises(IndexUnavailable):
        compared([], [list_info(1)], [], generation=8)


def test_a_shard_that_ends_early_is_not_done() -> None:
    opened = ShardComparison(open_nothing_task(), Opened([], [list_info(1)]))
    with pytest.raises(ValueError, match="0 rows instead of 5"):
        opened.run(Shard("/m.parquet", "parquet", (), rows=5), [], lambda _: None)


def open_nothing() -> Opened:
    return Opened([], [list_info(1)])


def open_nothing_task() -> ManifestTask:
    return ManifestTask(open_nothing, (), LEAST_QUALITY, 7)


def test_a_task_can_be_sent_and_named() -> None:
    task = open_nothing_task()
    assert pickle.loads(pickle.dumps(task)) == task
    shards = [Shard("/a.parquet", "parquet", ("content_id",), (0,), 0, 5, 100, "v")]
    assert task.named(shards) == replace(task, generation=9).named(shards), "newer lists go on with the same scan"
    others = [
        replace(task, lists=("test-1",)).named(shards),
        replace(task, minimum_pdq_quality=51).named(shards),
        replace(task, is_inventory=True).named(shards),
        task.named([replace(shards[0], version="w")]),
        task.named([]),
    ]
    assert len({task.named(shards), *others}) == 6
