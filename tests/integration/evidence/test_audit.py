"""The chain in a real PostgreSQL: it grows in one line under concurrency, and nothing in it can be changed."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from seawall.database.sessions import Database
from seawall.evidence import audit
from seawall.evidence.audit import BATCH, GENESIS, append, links, verify
from seawall.records import SYSTEM, Actor


def grow(database: Database, count: int) -> None:
    with database.transaction() as session:
        for number in range(count):
            append(session, SYSTEM, "test.event", f"test:{number}", {"number": number})


def tamper(database: Database, statement: str) -> None:
    """What a person with all rights over the database can do."""
    with database.transaction() as session:
        session.execute(text("ALTER TABLE audit_events DISABLE TRIGGER append_only"))
        session.execute(text(statement))
        session.execute(text("ALTER TABLE audit_events ENABLE ALWAYS TRIGGER append_only"))


def test_events_continue_each_other(database: Database) -> None:
    with database.transaction() as session:
        first = append(session, Actor("user", "Zoë"), "case.open", "case:1", {"account": "a"})
        second = append(session, SYSTEM, "case.close", "case:1", {})
    with database.transaction() as session:
        third = append(session, SYSTEM, "case.open", "case:2", {})
        assert verify(session).ok
    assert [first.number, second.number, third.number] == [1, 2, 3]
    assert [first.previous, second.previous, third.previous] == [GENESIS, first.hash, second.hash]
    assert first.actor == "user:Zoë"


def test_what_was_rolled_back_leaves_no_gap(database: Database) -> None:
    grow(database, 1)
    with pytest.raises(RuntimeError), database.transaction() as session:
        append(session, SYSTEM, "test.event", "test:gone", {})
        raise RuntimeError
    grow(database, 1)
    with database.transaction() as session:
        report = verify(session)
    assert (report.ok, report.events) == (True, 2)


def test_many_writers_at_once_make_one_chain(database: Database) -> None:
    def write(name: str) -> None:
        for number in range(10):
            with database.transaction() as session:
                append(session, Actor("key", name), "test.event", f"test:{number}", {})

    threads = [threading.Thread(target=write, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.transaction() as session:
        report = verify(session)
    assert (report.ok, report.events) == (True, 80)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters()), VALUES, max_size=4), st.text(st.characters()))
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_details_verify_after_the_database_has_kept_them(
    database: Database, details: dict[str, object], subject: str
) -> None:
    with database.transaction() as session:
        append(session, SYSTEM, "test.event", subject, details)
    with database.transaction() as session:
        assert verify(session).ok


@pytest.mark.parametrize("value", [1.5, b"bytes", object(), {1: "number as key"}, [{"inner": 0.1}]])
def test_details_without_one_spelling_are_refused(database: Database, value: object) -> None:
    with database.transaction() as session, pytest.raises(TypeError):
        append(session, SYSTEM, "test.event", "test:1", {"value": value})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET act = 'other'",
        "UPDATE audit_events SET act = act WHERE false",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "SET LOCAL session_replication_role = replica; DELETE FROM audit_events",
    ],
)
def test_the_database_refuses_every_change(database: Database, statement: str) -> None:
    grow(database, 2)
    with pytest.raises(ProgrammingError, match="append-only"), database.transaction() as session:
        session.execute(text(statement))
    with database.transaction() as session:
        assert verify(session).events == 2


@pytest.mark.parametrize(
    ("statement", "number", "code"),
    [
        ("UPDATE audit_events SET details = '{\"number\": 7}' WHERE number = 3", 3, "changed"),
        ("UPDATE audit_events SET at = at + interval '1 microsecond' WHERE number = 1", 1, "changed"),
        ("UPDATE audit_events SET actor = 'user:other' WHERE number = 6", 6, "changed"),
        ("UPDATE audit_events SET hash = decode(repeat('00', 32), 'hex') WHERE number = 2", 2, "changed"),
        ("DELETE FROM audit_events WHERE number = 1", 1, "missing"),
        ("DELETE FROM audit_events WHERE number IN (4, 5)", 4, "missing"),
        (
            "UPDATE audit_events SET number = -number WHERE number IN (2, 3);"
            "UPDATE audit_events SET number = 5 + number WHERE number < 0",
            2,
            "changed",
        ),
    ],
)
def test_tampering_is_found_where_it_happened(database: Database, statement: str, number: int, code: str) -> None:
    grow(database, 6)
    tamper(database, statement)
    with database.transaction() as session:
        problem = verify(session).first_problem
    assert problem is not None
    assert (problem.number, problem.code) == (number, code)


def test_an_end_that_was_cut_off_needs_a_head_to_be_found(database: Database) -> None:
    grow(database, 6)
    with database.transaction() as session:
        head = verify(session).head
    tamper(database, "DELETE FROM audit_events WHERE number > 4")
    with database.transaction() as session:
        assert verify(session).ok
        problem = verify(session, expected_head=head).first_problem
    assert problem is not None
    assert problem.code == "truncated"


def test_more_events_than_one_batch_are_streamed_in_order(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BATCH > 7
    monkeypatch.setattr(audit, "BATCH", 7)
    grow(database, 21)
    with database.transaction() as session:
        assert [link.number for link in links(session)] == list(range(1, 22))
        assert [link.number for link in audit.last_links(session, 3)] == [19, 20, 21]
        assert verify(session).events == 21
