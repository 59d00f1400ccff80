"""Matches per list and day, written beside the judgements."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from seawall.database.sessions import Database
from seawall.errors import DatabaseUnavailable
from seawall.hashlists import store
from seawall.hashlists.store import ListDefinition
from seawall.hashlists.tally import MatchTally
from seawall.records import Actor

CLERK = Actor("cli", "test")


def make(database: Database, *names: str) -> None:
    with database.transaction() as session:
        for name in names:
            store.ensure_list(session, name, ListDefinition(is_test=True), CLERK)
        session.execute(text("TRUNCATE list_days"))


def written(database: Database) -> list[tuple[str, str, int, int]]:
    query = text("""
        SELECT name, day::text, matches, late_matches FROM list_days JOIN hash_lists ON id = list_id
        ORDER BY name, day
    """)
    with database.transaction() as session:
        return [(name, day, matches, late) for name, day, matches, late in session.execute(query)]


def test_sums_are_written_by_list_and_day(database: Database) -> None:
    make(database, "list-a", "list-b")
    times = [datetime(2026, 1, 1, 23, 59, tzinfo=UTC)]
    tally = MatchTally(database, clock=lambda: times[-1])
    tally.record(["list-a", "list-a", "list-b", None])
    tally.record(["list-a"])
    tally.record(["list-a"], late=True)
    times.append(datetime(2026, 1, 2, tzinfo=UTC))
    tally.record(["list-b"])
    tally.record([None])
    tally.flush()
    tally.record(["list-b"])
    tally.flush()
    assert written(database) == [
        ("list-a", "2026-01-01", 2, 1),
        ("list-b", "2026-01-01", 1, 0),
        ("list-b", "2026-01-02", 2, 0),
    ]


def test_a_list_that_went_meanwhile_is_left_out(database: Database) -> None:
    make(database, "list-a", "list-b")
    tally = MatchTally(database)
    tally.record(["list-a", "list-b"])
    with database.transaction() as session:
        store.remove_list(session, "list-b", CLERK)
    tally.flush()
    assert [row[0] for row in written(database)] == ["list-a"]


def test_closing_writes_what_is_left_and_many_threads_lose_nothing(database: Database) -> None:
    make(database, "list-a")
    tally = MatchTally(database, every_s=0.01)
    tally.start()
    threads = [threading.Thread(target=lambda: [tally.record(["list-a"]) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.close()
    assert sum(row[2] for row in written(database)) == 2000


def test_what_cannot_be_written_is_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    make(database, "list-a")
    tally = MatchTally(database)
    tally.record(["list-a"])
    with monkeypatch.context() as broken:
        broken.setattr(tally, "_database", Database("postgresql:///nowhere?host=/nonexistent"))
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                tally.flush()
    tally.flush()
    assert [row[2] for row in written(database)] == [1]
