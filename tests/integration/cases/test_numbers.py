"""The numbers of the desk, against the same counted one by one."""

from __future__ import annotations

import random
import statistics
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import update

from seawall.cases import exports, numbers, store
from seawall.database.sessions import Database
from seawall.database.tables import Case, CaseItem
from seawall.records import Outcome
from tests.integration.cases.material import add, match, person

UNTIL = date(2026, 5, 20)
SINCE = UNTIL - timedelta(days=9)
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


def test_each_day_is_what_happened_on_it(database: Database) -> None:
    chance = random.Random(5)
    opened: Counter[date] = Counter()
    closed: Counter[date] = Counter()
    waits: dict[date, list[float]] = defaultdict(list)
    undecided = 0
    with database.transaction() as session:
        reviewer = person(session, "reviewer-1")
        for number in range(40):
            case, item, _created = add(session, f"c{number}", f"account-{number}")
            at = NOON - timedelta(hours=chance.randrange(0, 12 * 24))
            done = at + timedelta(minutes=chance.randrange(1, 3000))
            opened[at.date()] += 1
            session.execute(update(Case).where(Case.id == case.id).values(opened_at=at))
            session.execute(update(CaseItem).where(CaseItem.id == item.id).values(added_at=at))
            if number % 3 == 0:
                undecided += 1
                continue
            outcome = Outcome.CONFIRM if number % 2 else Outcome.NOT_A_MATCH
            store.decide(session, item_id=item.id, user_id=reviewer, outcome=outcome, reason="looked at it")
            session.execute(update(Case).where(Case.id == case.id).values(decided_at=done))
            session.execute(update(CaseItem).where(CaseItem.id == item.id).values(decided_at=done))
            closed[done.date()] += 1
            waits[done.date()].append((done - at).total_seconds())
    with database.transaction() as session:
        days = numbers.days(session, SINCE, UNTIL)
        assert numbers.waiting(session) == undecided
        assert numbers.first_day(session) == min(opened)
    assert [day.day for day in days] == [SINCE + timedelta(days=step) for step in range(10)]
    for day in days:
        assert (day.opened, day.closed, day.items) == (opened[day.day], closed[day.day], len(waits[day.day]))
        if waits[day.day]:
            assert day.median_s == statistics.median(waits[day.day])
            assert day.most_s is not None
            assert day.median_s <= day.most_s <= max(waits[day.day])
        else:
            assert (day.median_s, day.most_s) == (None, None)


def test_an_item_counts_once_for_each_list_that_it_met(database: Database) -> None:
    findings = {
        "c1": (match(list_name="A"), match(list_name="A", distance=0), match(list_name="B")),
        "c2": (match(list_name="A"),),
        "c3": (match(list_name="B"),),
    }
    with database.transaction() as session:
        reviewer = person(session, "reviewer-1")
        items = {
            name: add(session, name, f"account-{name}", findings=found)[1].id for name, found in findings.items()
        }
        for name, outcome in (("c1", Outcome.CONFIRM), ("c2", Outcome.NOT_A_MATCH)):
            store.decide(session, item_id=items[name], user_id=reviewer, outcome=outcome, reason="looked at it")
    with database.transaction() as session:
        assert numbers.reviewed(session) == [numbers.Reviewed("A", 1, 1), numbers.Reviewed("B", 1, 0)]
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
        assert numbers.reviewed(session, tomorrow) == []


def test_rows_come_in_the_order_of_their_numbers_each_once(database: Database) -> None:
    with database.transaction() as session:
        ids = [add(session, f"c{number}", f"account-{number}")[0].id for number in range(5)]
    with database.transaction() as session:
        rows = exports.cases(session)
        assert [row[0] for row in rows] == ids
        assert [row[0] for row in exports.cases(session, ids[2])] == ids[3:]
        assert exports.cases(session, ids[-1]) == []
        assert all(len(row) == len(exports.CASE_COLUMNS) for row in rows)
        assert exports.decisions(session) == []
