"""The short way of hashes that are new and on no list, held against the long way as its model."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select, text

from seawall import flow
from seawall.access.keys import KeyInfo
from seawall.database.sessions import Database
from seawall.database.tables import Case, CaseItem, Content, OutboxMessage
from seawall.errors import DatabaseUnavailable, IndexUnavailable
from seawall.gateways.http.hall import Hall, open_hall
from seawall.gateways.judging import judge_hashes
from seawall.hashlists import store
from seawall.hashlists.store import ListDefinition
from seawall.matching import entering
from seawall.records import SYSTEM, Answer, EntryDraft, HarmClass, HashArrival, Scope, Trust, Verdict
from seawall.runtime import Runtime
from seawall.settings import Settings

KEY = KeyInfo(1, "test", frozenset({Scope.JUDGE}), None)
LISTED_SHA256, LISTED_MD5 = b"\x11" * 32, b"\x22" * 16
LISTED_PDQ = bytes.fromhex("f0e1d2c3b4a5968778695a4b3c2d1e0f" * 2)
NEAR_PDQ = bytes((LISTED_PDQ[0] ^ 0b111, *LISTED_PDQ[1:]))
FAR_PDQ = bytes(byte ^ 0x5A for byte in LISTED_PDQ)
NAMESPACES = count()


@pytest.fixture(scope="module")
def hall(postgres_address: str, compiled_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """A real hall with a test list."""
    import psycopg

    name = "test_new_hashes"
    with psycopg.connect(postgres_address.replace("/seawall?", "/postgres?"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE seawall STRATEGY FILE_COPY")
        address = SecretStr(postgres_address.replace("/seawall?", f"/{name}?"))
        home = tmp_path_factory.mktemp("home")
        with Runtime(Settings(home=home, decoder_processes=1, database_url=address)) as runtime:
            definition = ListDefinition(trust=Trust.TRUSTED, harm_class=HarmClass.CSAM, is_test=True)
            drafts = [
                EntryDraft(1, sha256=LISTED_SHA256),
                EntryDraft(2, md5=LISTED_MD5),
                EntryDraft(3, pdq=LISTED_PDQ, pdq_quality=100),
            ]
            with runtime.database.transaction() as session:
                store.import_entries(session, "Test list", drafts, actor=SYSTEM, definition=definition)
            runtime.rooms.index.catch_up()
            yield open_hall(runtime)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


hashes = st.fixed_dictionaries(
    {},
    optional={
        "sha256": st.sampled_from([LISTED_SHA256, b"\x33" * 32, b"\x44" * 32]),
        "md5": st.sampled_from([LISTED_MD5, b"\x55" * 16]),
        "sha1": st.sampled_from([b"\x66" * 20]),
        "pdq": st.sampled_from([LISTED_PDQ, NEAR_PDQ, FAR_PDQ]),
    },
).filter(bool)
arrivals = st.builds(
    lambda found, told: HashArrival(**told, **found),
    hashes,
    st.fixed_dictionaries(
        {
            "content_id": st.sampled_from(["c1", "c2", 'c "3\\', "ç😀"]),
            "account_id": st.sampled_from([None, "account"]),
            "surface": st.sampled_from(["upload", "avatar"]),
            "filename": st.sampled_from([None, "a'b.png"]),
            "uploader_ip": st.sampled_from([None, "192.0.2.7", "2001:db8::7"]),
            "uploaded_at": st.sampled_from([None, datetime(2026, 5, 4, 3, 2, 1, 1234, UTC)]),
            "url_hash": st.sampled_from([None, b"\x77" * 32]),
            "pdq_quality": st.sampled_from([None, 0, 100]),
        }
    ),
).map(lambda arrival: arrival if arrival.pdq is not None else replace(arrival, pdq_quality=None))
batches = st.lists(st.lists(arrivals, min_size=1, max_size=8), min_size=1, max_size=4)


def within(namespace: str, arrival: HashArrival) -> HashArrival:
    account = None if arrival.account_id is None else f"{namespace}{arrival.account_id}"
    return replace(arrival, content_id=f"{namespace}{arrival.content_id}", account_id=account)


def told(answer: Answer) -> tuple[object, ...]:
    """An answer without what differs from time to time and place to place."""
    return answer.verdict, answer.reasons, answer.fingerprint, answer.case_id is not None, answer.policy_version


OWN = {"id", "content_id", "account_id", "case_id", "written_in", "judged_at", "updated_at"}


def kept(database: Database, namespace: str) -> list[object]:
    """All that is kept of the contents of a namespace, without what differs from one to another."""
    with database.transaction() as session:
        rows = session.scalars(
            select(Content)
            .where(Content.content_id.startswith(namespace, autoescape=True))
            .order_by(Content.content_id, Content.identity)
        ).all()
        names = {row.id: row.content_id.removeprefix(namespace) for row in rows}
        contents = [
            (
                names[row.id],
                (row.account_id or "-").removeprefix(namespace),
                row.case_id is not None,
                {
                    column.name: getattr(row, column.name)
                    for column in Content.__table__.columns
                    if column.name not in OWN
                },
            )
            for row in rows
        ]
        items = session.execute(
            select(CaseItem.content_row, CaseItem.state, Case.subject)
            .join(Case, Case.id == CaseItem.case_id)
            .where(CaseItem.content_row.in_(names))
            .order_by(CaseItem.id)
        ).all()
        cases = [(names[item.content_row], item.state, item.subject.replace(namespace, "")) for item in items]
        wanted = select(OutboxMessage.event, OutboxMessage.payload).order_by(OutboxMessage.id)
        events = [
            (message.event, message.payload["data"]["content_id"].removeprefix(namespace))
            for message in session.execute(wanted).all()
            if message.payload["data"]["content_id"].startswith(namespace)
        ]
    return [contents, cases, events]


# Shrinking would take longer than a test may: each example is many transactions.
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(batches)
def test_batches_are_judged_as_one_by_one(hall: Hall, batches: list[list[HashArrival]]) -> None:
    number = next(NAMESPACES)
    short, long = f"short{number}-", f"long{number}-"
    for batch in batches:
        answers = judge_hashes(hall, KEY, [within(short, each) for each in batch])
        expected = [flow.judge_hashes(hall.rooms, within(long, each)) for each in batch]
        assert [told(answer) for answer in answers] == [told(answer) for answer in expected]
        assert [answer.replayed for answer in answers] == [answer.replayed for answer in expected]
    assert kept(hall.database, short) == kept(hall.database, long)


def test_what_is_new_and_clean_needs_no_long_way(hall: Hall) -> None:
    clean = [HashArrival(f"quick-{number}", sha256=number.to_bytes(32, "big")) for number in range(250)]
    mixed = [*clean[:100], HashArrival("quick-listed", md5=LISTED_MD5), *clean[100:], clean[7]]
    answers = flow.judge_new_hashes(hall.rooms, mixed)
    assert set(answers) == set(range(len(mixed))) - {100, len(mixed) - 1}
    assert {answer.verdict for answer in answers.values()} == {Verdict.ALLOW}
    assert flow.judge_new_hashes(hall.rooms, mixed) == {}, "all of it is known by now"


def test_overlapping_batches_at_once_enter_each_content_once(hall: Hall) -> None:
    """Each thread sends the same contents in an order of its own, some of them listed: no ring, no double."""
    contents = [
        HashArrival(f"both-{number}", account_id=f"both-account-{number % 5}", sha256=LISTED_SHA256)
        if number % 40 == 7
        else HashArrival(f"both-{number}", pdq=FAR_PDQ, sha256=(number + 10**6).to_bytes(32, "big"))
        for number in range(240)
    ]
    orders = [contents, contents[::-1], contents[120:] + contents[:120], contents[::2] + contents[1::2]]
    given_back: dict[int, list[Answer]] = {}

    def send(place: int) -> None:
        given_back[place] = judge_hashes(hall, KEY, orders[place])

    threads = [threading.Thread(target=send, args=(place,)) for place in range(len(orders))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(given_back) == len(orders), "somebody waits for somebody"
    for place, answers in given_back.items():
        for arrival, answer in zip(orders[place], answers, strict=True):
            assert answer.verdict is (Verdict.BLOCK if arrival.sha256 == LISTED_SHA256 else Verdict.ALLOW)
    with hall.database.transaction() as session:
        rows = session.scalars(select(Content.content_id).where(Content.content_id.startswith("both-"))).all()
    assert sorted(rows) == sorted(each.content_id for each in contents)


def test_who_holds_a_content_is_waited_for_on_the_long_way(hall: Hall) -> None:
    """The statement never waits for a content: it leaves it out, and enters the rest."""
    free, held = HashArrival("free", md5=b"\x01" * 16), HashArrival("held", sha256=b"\x02" * 32)
    key = f"held:{held.sha256.hex()}"  # type: ignore[union-attr]
    with hall.database.transaction() as session:
        session.execute(text("SELECT pg_advisory_xact_lock(71002, hashtext(:key))"), {"key": key})
        assert set(flow.judge_new_hashes(hall.rooms, [held, free])) == {1}
    assert set(flow.judge_new_hashes(hall.rooms, [held, free])) == {0}


def test_what_was_entered_says_with_which_lists_and_in_which_transaction(hall: Hall) -> None:
    flow.judge_new_hashes(hall.rooms, [HashArrival("stamped", md5=b"\x03" * 16)])
    with hall.database.transaction() as session:
        row = session.scalars(select(Content).where(Content.content_id == "stamped")).one()
        now = session.scalar(text("SELECT pg_current_xact_id()::text::bigint"))
    assert row.generation == hall.rooms.index.generation
    assert 0 < int(row.written_in) < int(str(now))
    assert row.id >> 36 > 20_000, "the day"


def test_without_the_index_nothing_is_called_clean(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = HashArrival("held-before", account_id="a", md5=LISTED_MD5)
    judge_hashes(hall, KEY, [listed])
    monkeypatch.setattr(hall.rooms.index, "_abandoned", True)
    assert flow.judge_new_hashes(hall.rooms, [HashArrival("unasked", md5=b"\x04" * 16)]) == {}
    with pytest.raises(IndexUnavailable):
        judge_hashes(hall, KEY, [HashArrival("unasked", md5=b"\x04" * 16)])
    assert judge_hashes(hall, KEY, [listed])[0].verdict is Verdict.BLOCK


def test_a_batch_that_fails_midway_keeps_what_was_judged(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = [HashArrival(f"midway-{number}", sha256=(number + 10**7).to_bytes(32, "big")) for number in range(150)]
    batch[60] = HashArrival("midway-60", sha256=LISTED_SHA256)
    statement, calls = hall.database.statement, []

    def failing(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise DatabaseUnavailable("away")
        return statement(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(hall.database, "statement", failing)
        with pytest.raises(DatabaseUnavailable):
            judge_hashes(hall, KEY, batch)
    with hall.database.transaction() as session:
        rows = session.scalars(select(Content.content_id).where(Content.content_id.startswith("midway-"))).all()
    assert len(rows) == entering.STRETCH
    answers = judge_hashes(hall, KEY, batch)
    assert [answer.verdict is Verdict.ALLOW for answer in answers] == [number != 60 for number in range(150)]
    assert judge_hashes(hall, KEY, batch)[60].case_id == answers[60].case_id


def test_a_connection_that_was_lost_is_opened_anew(hall: Hall) -> None:
    def entered(content_id: str) -> bool:
        return bool(flow.judge_new_hashes(hall.rooms, [HashArrival(content_id, md5=b"\x05" * 16)]))

    assert entered("before the loss")
    with hall.database.transaction() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'seawall-statements'"
            )
        )
    assert entered("after the loss")
