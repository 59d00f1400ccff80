"""Months of the ledger, made ahead and forgotten, on a real PostgreSQL."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from seawall.cases import store as cases
from seawall.database.locks import Lock, take
from seawall.database.sessions import Database
from seawall.database.tables import Content
from seawall.evidence import audit
from seawall.matching import expiry
from seawall.matching.expiry import Expiry, expire
from seawall.matching.partitions import Month, day_of, first_id, make_months, partitions
from seawall.records import SYSTEM
from tests.integration.cases.material import judgement, scan_owed

TODAY = date(2025, 3, 20)
JANUARY, MARCH = date(2025, 1, 15), date(2025, 3, 1)


def put(database: Database, name: str, day: date | None, *, number: int = 1, cased: bool = False) -> int:
    """A row of the ledger that was made on that day; without a day, one from before there were partitions."""
    row_id = number if day is None else first_id(day) + number
    with database.transaction() as session:
        row = Content(
            id=row_id,
            content_id=name,
            identity=name.encode(),
            surface="upload",
            frames=[],
            verdict="allow",
            reasons=[],
            policy_version="p",
            state="published",
            judged_at=datetime.combine(day or JANUARY, datetime.min.time(), UTC),
        )
        session.add(row)
        session.flush()
        if cased:
            case, _, _ = cases.add_item(
                session,
                subject=f"content:{name}",
                account_id=None,
                content_row=row,
                judgement=judgement([scan_owed()]),
                findings=[scan_owed()],
                is_test=True,
            )
            row.case_id = case.id
    return row_id


def names(database: Database) -> set[str]:
    with database.transaction() as session:
        return {part.name for part in partitions(session)}


def kept(database: Database) -> set[str]:
    with database.transaction() as session:
        return set(session.execute(text("SELECT content_id FROM content")).scalars())


def where(database: Database, name: str) -> str:
    query = text("SELECT tableoid::regclass::text FROM content WHERE content_id = :name")
    with database.transaction() as session:
        return str(session.execute(query, {"name": name}).scalar_one())


class TestMonths:
    def test_this_one_and_three_ahead_are_made_once(self, database: Database) -> None:
        made = ("content_2025_11", "content_2025_12", "content_2026_01", "content_2026_02")
        assert make_months(database, today=date(2025, 11, 30)) == made
        assert make_months(database, today=date(2025, 11, 30)) == ()
        assert make_months(database, today=date(2025, 12, 1)) == ("content_2026_03",)

    def test_every_row_lies_in_the_month_of_its_day(self, database: Database) -> None:
        make_months(database, today=TODAY)
        for number, day in enumerate((date(2025, 3, 1), date(2025, 3, 31), date(2025, 4, 1), date(2025, 9, 1))):
            put(database, f"row-{number}", day)
        found = [where(database, f"row-{number}") for number in range(4)]
        assert found == ["content_2025_03", "content_2025_03", "content_2025_04", "content_default"]

    def test_what_arrives_now_finds_its_month(self, database: Database) -> None:
        make_months(database)
        with database.transaction() as session:
            session.execute(
                text("""INSERT INTO content (content_id, identity, surface, frames, verdict, reasons, policy_version,
                    state) VALUES ('now', '', 'upload', '[]', 'allow', '[]', 'p', 'published')""")
            )
            row_id = session.execute(text("SELECT id FROM content")).scalar_one()
        day = day_of(row_id)
        assert day is not None
        assert where(database, "now") == Month.of(day).partition

    def test_rows_in_the_default_leave_the_month_there_and_the_others_are_made(self, database: Database) -> None:
        put(database, "early bird", date(2025, 4, 2))
        assert make_months(database, today=TODAY) == ("content_2025_03", "content_2025_05", "content_2025_06")
        assert kept(database) == {"early bird"}

    def test_many_makers_at_once_make_each_once(self, database: Database) -> None:
        made: list[str] = []
        start = threading.Barrier(6)

        def work() -> None:
            start.wait()
            made.extend(make_months(database, today=TODAY))

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(made) == sorted(set(made))
        # Whoever had to wait for too long leaves it to the others, and none is missing in the end.
        make_months(database, today=TODAY)
        assert {f"content_2025_0{month}" for month in (3, 4, 5, 6)} <= names(database)

    def test_a_transaction_in_the_way_only_delays(self, database: Database) -> None:
        with database.transaction() as session:
            session.execute(text("LOCK TABLE content IN ACCESS SHARE MODE"))
            session.execute(text("LOCK TABLE content_default IN ROW EXCLUSIVE MODE"))
            assert make_months(database, today=TODAY, ahead=0) == ()
        assert make_months(database, today=TODAY, ahead=0) == ("content_2025_03",)


class TestExpiry:
    def test_a_month_without_cases_goes_as_a_table(self, database: Database) -> None:
        make_months(database, today=date(2025, 1, 1), ahead=2)
        put(database, "old", JANUARY)
        put(database, "young", MARCH)
        assert expire(database, 30, SYSTEM, today=TODAY) == (Expiry("content_2025_01", None),)
        assert kept(database) == {"young"}
        assert "content_2025_01" not in names(database)
        with database.transaction() as session:
            assert session.execute(text("SELECT to_regclass('content_2025_01')")).scalar_one() is None

    def test_what_is_in_a_case_stays_and_the_rest_of_its_month_goes(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(expiry, "BATCH", 2)
        make_months(database, today=date(2025, 1, 1), ahead=2)
        for number in range(7):
            put(database, f"old-{number}", JANUARY, number=number, cased=number in (0, 3))
        assert expire(database, 30, SYSTEM, today=TODAY) == (Expiry("content_2025_01", 5),)
        assert kept(database) == {"old-0", "old-3"}
        assert expire(database, 30, SYSTEM, today=TODAY) == ()

    def test_a_row_that_only_an_item_names_stays_too(self, database: Database) -> None:
        make_months(database, today=date(2025, 1, 1), ahead=2)
        put(database, "old", JANUARY, cased=True)
        with database.transaction() as session:
            session.execute(text("UPDATE content SET case_id = NULL"))
        assert expire(database, 30, SYSTEM, today=TODAY) == ()
        assert kept(database) == {"old"}

    def test_rows_without_a_month_of_their_own_are_forgotten_by_their_age(self, database: Database) -> None:
        put(database, "from before", None)
        put(database, "from before, in a case", None, number=2, cased=True)
        put(database, "in the default", JANUARY)
        put(database, "in the default, young", MARCH)
        put(database, "clock far ahead", date(2031, 1, 1))
        assert expire(database, 30, SYSTEM, today=TODAY) == (
            Expiry("content_0000", 1),
            Expiry("content_default", 1),
        )
        assert kept(database) == {"from before, in a case", "in the default, young", "clock far ahead"}

    def test_only_whole_months_go(self, database: Database) -> None:
        make_months(database, today=date(2025, 1, 1), ahead=2)
        put(database, "old", JANUARY)
        assert expire(database, 50, SYSTEM, today=TODAY) == ()
        assert expire(database, 48, SYSTEM, today=TODAY) == ()
        assert expire(database, 47, SYSTEM, today=TODAY) == (Expiry("content_2025_01", None),)

    def test_content_that_is_being_judged_is_left_for_the_next_time(self, database: Database) -> None:
        put(database, "busy", JANUARY)
        put(database, "idle", JANUARY, number=2)
        with database.transaction() as session:
            take(session, Lock.CONTENT, of=f"busy:{b'busy'.hex()}")
            assert expire(database, 30, SYSTEM, today=TODAY) == (Expiry("content_default", 1),)
        assert kept(database) == {"busy"}
        expire(database, 30, SYSTEM, today=TODAY)
        assert kept(database) == set()

    def test_a_reader_in_the_way_of_dropping_makes_it_row_by_row(self, database: Database) -> None:
        make_months(database, today=date(2025, 1, 1), ahead=2)
        put(database, "old", JANUARY)
        with database.transaction() as session:
            session.execute(text("SELECT FROM content"))
            assert expire(database, 30, SYSTEM, today=TODAY) == (Expiry("content_2025_01", 1),)
        assert kept(database) == set()

    def test_every_part_that_lost_something_is_in_the_audit_chain(self, database: Database) -> None:
        make_months(database, today=date(2025, 1, 1), ahead=2)
        put(database, "old", JANUARY)
        put(database, "from before", None)
        expire(database, 30, SYSTEM, today=TODAY)
        with database.transaction() as session:
            events = session.execute(text("SELECT act, subject, details FROM audit_events ORDER BY number")).all()
            assert audit.verify(session).events == 2
        assert [tuple(event) for event in events] == [
            ("ledger.expire", "ledger:content_0000", {"before": "2025-02-01", "rows": 1, "whole": False}),
            ("ledger.expire", "ledger:content_2025_01", {"before": "2025-02-01", "rows": None, "whole": True}),
        ]
