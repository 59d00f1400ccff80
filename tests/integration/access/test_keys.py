"""API keys on a real database."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from seawall.access import keys
from seawall.access.keys import KeyRing
from seawall.database.sessions import Database
from seawall.database.tables import ApiKey, AuditEvent, now
from seawall.errors import BadInput, Conflict, DatabaseUnavailable, NotFound, Unauthenticated
from seawall.records import Actor, Scope

OPERATOR = Actor("cli", "test")


def make(database: Database, name: str = "test-forum", *scopes: Scope, rate: int | None = None) -> str:
    with database.transaction() as session:
        return keys.create(session, name, scopes or (Scope.JUDGE,), rate, OPERATOR)


def test_a_key_opens_what_it_was_made_for(database: Database) -> None:
    secret = make(database, "test-forum", Scope.JUDGE, Scope.LISTS, rate=50)
    with database.transaction() as session:
        info = keys.authenticate(session, secret)
    assert (info.name, info.scopes, info.rate_per_minute) == ("test-forum", {Scope.JUDGE, Scope.LISTS}, 50)
    assert str(info.actor) == "key:test-forum"


def test_the_secret_is_kept_nowhere(database: Database) -> None:
    secret = make(database)
    with database.transaction() as session:
        row = session.scalars(select(ApiKey)).one()
        event = session.scalars(select(AuditEvent)).one()
    assert len(row.secret_hash) == 32
    assert secret.encode() not in row.secret_hash
    assert secret not in str(event.details)
    assert (event.act, event.subject) == ("key.create", "key:test-forum")


@pytest.mark.parametrize(
    "given",
    ["", "swk_", "swk_" + "A" * 43, "Bearer swk_x", "swk_\x00" + "A" * 42, "swk_\ud800" + "A" * 42, "é" * 47],
)
def test_another_secret_opens_nothing(database: Database, given: str) -> None:
    make(database)
    ring = KeyRing(database)
    with pytest.raises(Unauthenticated):
        ring.authenticate(given)
    assert len(ring) == 0


def test_names_are_never_used_twice(database: Database) -> None:
    make(database)
    with pytest.raises(Conflict):
        make(database)
    with database.transaction() as session:
        keys.revoke(session, "test-forum", OPERATOR)
    with pytest.raises(Conflict):
        make(database)


@pytest.mark.parametrize("name", ["", "two words", "-dash", "x" * 65, "tab\t", "nl\n", "\u0430dmin"])
def test_unusable_names_are_refused(database: Database, name: str) -> None:
    with pytest.raises(BadInput):
        make(database, name)


def test_unusable_scopes_and_rates_are_refused(database: Database) -> None:
    with database.transaction() as session, pytest.raises(BadInput):
        keys.create(session, "test", (), None, OPERATOR)
    for rate in (0, -1, 10**9):
        with pytest.raises(BadInput):
            make(database, rate=rate)


def test_a_revoked_key_ends_when_the_memory_of_it_does(database: Database) -> None:
    clock = [0.0]
    ring = KeyRing(database, ttl_s=2.0, clock=lambda: clock[0])
    secret = make(database)
    ring.authenticate(secret)
    with database.transaction() as session:
        keys.revoke(session, "test-forum", OPERATOR)
    clock[0] = 1.9
    assert ring.authenticate(secret).name == "test-forum"
    clock[0] = 2.0
    with pytest.raises(Unauthenticated):
        ring.authenticate(secret)
    with pytest.raises(Unauthenticated):
        ring.authenticate(secret)


def test_what_is_remembered_needs_no_database_and_all_else_does(database: Database) -> None:
    clock = [0.0]
    gone = Database("postgresql://nobody@127.0.0.1:1/none")
    ring = KeyRing(database, clock=lambda: clock[0])
    secret = make(database)
    assert ring.remembered(secret) is None
    info = ring.authenticate(secret)
    ring._database = gone  # as if it went away
    assert ring.authenticate(secret) == ring.remembered(secret) == info
    assert ring.remembered(secret[:-1]) is None
    clock[0] = 10.0
    assert ring.remembered(secret) is None
    with pytest.raises(DatabaseUnavailable):
        ring.authenticate(secret)


def test_the_memory_is_bounded(database: Database) -> None:
    ring = KeyRing(database, capacity=3)
    for number in range(5):
        ring.authenticate(make(database, f"test-{number}"))
    assert len(ring) == 3


def test_last_use_is_written_at_most_once_a_minute(database: Database) -> None:
    secret = make(database)

    def last_use() -> object:
        with database.transaction() as session:
            keys.authenticate(session, secret)
        with database.transaction() as session:
            return keys.list_keys(session)[0].last_used_at

    first = last_use()
    assert first is not None
    assert last_use() == first
    with database.transaction() as session:
        session.execute(update(ApiKey).values(last_used_at=now() - timedelta(seconds=61)))
    assert last_use() > first  # type: ignore[operator]


def test_many_threads_authenticate_at_once(database: Database) -> None:
    secret = make(database)
    ring = KeyRing(database, ttl_s=0.0)
    seen: list[str] = []

    def authenticate() -> None:
        for _ in range(10):
            seen.append(ring.authenticate(secret).name)

    threads = [threading.Thread(target=authenticate) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 80


def test_revoking_what_is_not_there(database: Database) -> None:
    with database.transaction() as session, pytest.raises(NotFound):
        keys.revoke(session, "nothing", OPERATOR)
    make(database)
    with database.transaction() as session:
        keys.revoke(session, "test-forum", OPERATOR)
    with database.transaction() as session, pytest.raises(Conflict):
        keys.revoke(session, "test-forum", OPERATOR)
