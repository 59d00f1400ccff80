"""Entries are looked for some at a time, each of them once as it is and once in every other orientation."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select

from seawall.database.sessions import Database
from seawall.database.tables import Entry
from seawall.hashlists import store
from seawall.hashlists.store import ListDefinition
from seawall.matching import rounds
from seawall.matching.loading import Part, parts_to_walk
from seawall.matching.orientations import orientations_of
from seawall.matching.rounds import Rounds
from seawall.records import SYSTEM, EntryDraft, HashKind

REACH = {1: 31, 2: 12}


def put(database: Database, name: str, count: int, *, md5_only: bool = False) -> None:
    random = np.random.default_rng(count)
    drafts = [
        EntryDraft(line, md5=random.bytes(16), pdq=None if md5_only else random.bytes(32)) for line in range(count)
    ]
    with database.transaction() as session:
        store.import_entries(session, name, drafts, actor=SYSTEM, definition=ListDefinition(is_test=True))


def parts_of(database: Database, most: int) -> list[Part]:
    with database.transaction() as session:
        lists = sorted(set(session.scalars(select(Entry.list_id))))
        return [part for list_id in lists for part in parts_to_walk(session, list_id, -1, most)]


@pytest.mark.parametrize(("most", "groups"), [(3, 4), (4, 3), (100, 1)])
def test_every_entry_is_looked_for_in_bounded_rounds(
    database: Database, monkeypatch: pytest.MonkeyPatch, most: int, groups: int
) -> None:
    monkeypatch.setattr(rounds, "ENTRIES_AT_ONCE", most)
    put(database, "First test list", 7)
    put(database, "Second test list", 3)
    made = Rounds(database, parts_of(database, most), REACH)
    assert len(made) == 2 * groups
    upright = [made[number].near for number in range(groups)]
    turned = [made[number].near for number in range(groups, 2 * groups)]
    assert all(len(near.words) <= most for near in upright)
    with database.transaction() as session:
        entries = session.execute(select(Entry.list_id, Entry.pdq, Entry.md5)).all()
    expected = {(bytes(entry.pdq), REACH[entry.list_id]) for entry in entries}
    found = [
        (row.tobytes(), int(reach)) for near in upright for row, reach in zip(near.words, near.reach, strict=True)
    ]
    assert sorted(found) == sorted(expected)
    others = {
        (row.tobytes(), reach)
        for pdq, reach in expected
        for row in orientations_of(np.frombuffer(pdq, dtype=np.uint64).reshape(1, 4))[0, 1:]
    }
    also = [(row.tobytes(), int(reach)) for near in turned for row, reach in zip(near.words, near.reach, strict=True)]
    assert sorted(also) == sorted(others)
    prefixes = sorted(int(each) for number in range(groups) for each in made[number].prefixes[HashKind.MD5])
    assert prefixes == sorted(int.from_bytes(entry.md5[:8], "little") for entry in entries)


def test_lists_that_do_not_bind_are_not_looked_for(database: Database) -> None:
    put(database, "First test list", 2)
    put(database, "Second test list", 1)
    made = Rounds(database, parts_of(database, 10), {1: -1, 2: 31})
    assert [len(made[number].near.words) for number in range(len(made))] == [1, 7]


def test_digests_have_no_orientations(database: Database) -> None:
    put(database, "First test list", 2, md5_only=True)
    made = Rounds(database, parts_of(database, 10), REACH)
    assert [made[number].is_empty for number in range(len(made))] == [False, True]


def test_what_has_walked_is_left_out(database: Database) -> None:
    put(database, "First test list", 2)
    with database.transaction() as session:
        newest = max(session.scalars(select(Entry.change)))
        assert parts_to_walk(session, 1, newest, 10) == []
