"""The trail of lookups on a real database."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from seawall.access import keys, trail
from seawall.access.trail import LookupTrail
from seawall.database.sessions import Database
from seawall.database.tables import now
from seawall.errors import DatabaseUnavailable
from seawall.records import Actor, Scope


@pytest.fixture
def key_ids(database: Database) -> list[int]:
    ids = []
    for name in ("test-a", "test-b"):
        with database.transaction() as session:
            secret = keys.create(session, name, (Scope.JUDGE,), None, Actor("cli", "test"))
            ids.append(keys.authenticate(session, secret).id)
    return ids


def seen(database: Database) -> dict[tuple[str, datetime], tuple[int, int]]:
    with database.transaction() as session:
        return {(row.key, row.hour): (row.lookups, row.matches) for row in trail.recent(session, hours=100)}


def test_counts_add_up_over_writes_and_processes(database: Database, key_ids: list[int]) -> None:
    hour = now().replace(minute=0, second=0, microsecond=0)
    one, other = (LookupTrail(database, clock=lambda: hour + timedelta(minutes=5)) for _ in range(2))
    one.record(key_ids[0])
    one.record(key_ids[0], lookups=10, matches=2)
    other.record(key_ids[0], matches=1)
    other.record(key_ids[1])
    assert seen(database) == {}
    one.flush()
    other.flush()
    one.flush()
    assert seen(database) == {("test-a", hour): (12, 3), ("test-b", hour): (1, 0)}


def test_each_hour_stands_for_itself(database: Database, key_ids: list[int]) -> None:
    at = now().replace(minute=59, second=59)
    moment = [at]
    counting = LookupTrail(database, clock=lambda: moment[0])
    counting.record(key_ids[0])
    moment[0] = at + timedelta(seconds=1)
    counting.record(key_ids[0])
    counting.flush()
    assert sorted(hour.minute for _, hour in seen(database)) == [0, 0]
    assert all(hour.tzinfo is not None and hour.astimezone(UTC) for _, hour in seen(database))


def test_closing_writes_what_is_left(database: Database, key_ids: list[int]) -> None:
    with LookupTrail(database, every_s=3600) as counting:
        threads = [
            threading.Thread(target=lambda: [counting.record(key_ids[0]) for _ in range(500)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert list(seen(database).values()) == [(2000, 0)]


def test_what_cannot_be_written_is_kept(database: Database, key_ids: list[int]) -> None:
    counting = LookupTrail(database)
    counting.record(key_ids[0])
    with database.engine.connect() as connection:
        connection.execute(text("LOCK TABLE lookup_counts IN ACCESS EXCLUSIVE MODE"))
        database_name = connection.scalar(text("SELECT current_database()"))
        with database.transaction() as session:
            session.execute(text(f'ALTER DATABASE "{database_name}" SET lock_timeout = 50'))
        impatient = Database(database.url)
        counting._database = impatient
        with pytest.raises(DatabaseUnavailable):
            counting.flush()
        connection.rollback()
    counting.record(key_ids[0])
    counting.flush()
    impatient.close()
    assert list(seen(database).values()) == [(2, 0)]
