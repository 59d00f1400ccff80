"""What a table is as a file."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import StringIO
from typing import Any, cast

import pytest
from sqlalchemy.orm import Session

from seawall.access.permissions import Act
from seawall.console.tables import TABLES, Place, Table, text_of
from seawall.database.sessions import Database


class NoDatabase:
    """What gives no session, for tables that ask none."""

    @contextmanager
    def transaction(self) -> Any:
        yield None


def read(table: Table) -> list[list[str]]:
    text = "".join(text_of(cast("Database", NoDatabase()), table))
    return list(csv.reader(StringIO(text)))


def of(rows: Sequence[Sequence[object]]) -> Table:
    return Table("t", "T", Act.SEE_LISTS, ("a", "b"), lambda _session, _after: rows, small=True)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (-3, "-3"),
        (0.25, "0.25"),
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00+00:00"),
        ('plain, with "marks"\nand lines', 'plain, with "marks"\nand lines'),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("\t=1", "'\t=1"),
    ],
)
def test_a_cell_is_read_back_and_never_runs(value: object, cell: str) -> None:
    assert read(of([("x", value)])) == [["a", "b"], ["x", cell]]


def test_a_large_table_is_asked_for_in_pieces_each_behind_the_last() -> None:
    asked: list[Place] = []
    ids = [uuid.UUID(int=number) for number in range(1, 8)]

    def rows(_session: Session, after: Place) -> Sequence[Sequence[object]]:
        asked.append(after)
        behind = 0 if after is None else ids.index(cast("uuid.UUID", after)) + 1
        return [(each, "x") for each in ids[behind : behind + 3]]

    read_back = read(Table("t", "T", Act.SEE_LISTS, ("a", "b"), rows))
    assert [row[0] for row in read_back[1:]] == [str(each) for each in ids]
    assert asked == [None, ids[2], ids[5], ids[6]]


def test_each_table_is_named_once_as_its_address_has_it() -> None:
    assert all(name == table.name and name.isalpha() and table.columns for name, table in TABLES.items())
