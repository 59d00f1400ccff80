"""Cases in a real PostgreSQL: one undecided case a subject, each item decided once, also when many try."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from seawall.cases import claims, danger, presence, priority, store
from seawall.cases.clocks import Clocks
from seawall.cases.conditions import Whose
from seawall.cases.items import weigh
from seawall.cases.queue import BEFORE_ALL, UNDECIDED, count_overdue, page
from seawall.cases.stages import Floor
from seawall.cases.store import DecisionResult, QueueFilter
from seawall.database.sessions import Database
from seawall.database.tables import Case, CaseItem, Decision, now
from seawall.errors import BadInput, Conflict, NotFound
from seawall.records import CaseState, EventType, HarmClass, ItemState, Match, Outcome, Trust, Verdict
from tests.integration.cases.material import add, content, match, person, scan_owed, sealed

REASON = "looked at it"


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """What `count` threads got that began together: results, or the errors that they met."""
    start, results = threading.Barrier(count), list[object]()

    def run(number: int) -> None:
        start.wait()
        try:
            results.append(work(number))
        except (Conflict, NotFound) as error:
            results.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == count, "a thread met an error that is none of ours"
    return results


# Adding


def test_everything_of_an_account_comes_into_one_case(database: Database) -> None:
    with database.transaction() as session:
        case, first, created = add(session, "c1", "account-1")
        other, second, created_too = add(session, "c2", "account-1")
        assert (case.id, case.subject, case.account_id) == (other.id, "account:account-1", "account-1")
        assert (created, created_too) == (True, True)
        assert first.id != second.id


def test_a_content_without_account_has_a_case_of_its_own(database: Database) -> None:
    with database.transaction() as session:
        cases = {add(session, name)[0].subject for name in ("c1", "c2")}
    assert cases == {"content:c1", "content:c2"}


def test_the_same_content_is_added_once_as_it_was_first_found(database: Database) -> None:
    with database.transaction() as session:
        case, item, _ = add(session, "c1", "account-1")
        before = case.priority
        again, same, created = add(session, "c1", "account-1", findings=[match(distance=0)], urgent=True)
        assert (again.id, same.id, created) == (case.id, item.id, False)
        assert again.priority == before


def test_a_decided_case_is_left_alone_and_a_new_one_opened(database: Database) -> None:
    with database.transaction() as session:
        case, item, _ = add(session, "c1", "account-1")
        store.decide(session, item_id=item.id, user_id=person(session), outcome=Outcome.CONFIRM, reason=REASON)
        other, _, created = add(session, "c2", "account-1")
        assert (created, other.id == case.id, other.state) == (True, False, CaseState.OPEN)


def test_one_real_item_makes_a_case_real(database: Database) -> None:
    with database.transaction() as session:
        assert add(session, "c1", "account-1", is_test=True)[0].is_test
        assert not add(session, "c2", "account-1", is_test=False)[0].is_test
        assert not add(session, "c3", "account-1", is_test=True)[0].is_test


def test_urgency_and_priority_only_rise(database: Database) -> None:
    with database.transaction() as session:
        case, *_ = add(session, "c1", "account-1", findings=[scan_owed()])
        assert (case.urgent, case.priority) == (False, 0)
        urgent = [match(trust=Trust.TRUSTED, distance=0)]
        case, *_ = add(session, "c2", "account-1", findings=urgent, urgent=True)
        assert (case.urgent, case.priority) == (True, 1000 + 100 + 50 + 31 + 1)
        case, *_ = add(session, "c3", "account-1", findings=[match(distance=31)])
        assert (case.urgent, case.priority) == (True, 1000 + 100 + 50 + 31 + 2)
        view = store.get_case(session, case.id)
        assert priority.total(view.terms) == view.priority


def test_many_at_once_open_exactly_one_case(database: Database) -> None:
    def work(number: int) -> int:
        with database.transaction() as session:
            return add(session, f"c{number}", "account-1")[0].id

    cases = at_once(10, work)
    assert len(set(cases)) == 1
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 1
        assert session.scalar(select(func.count()).select_from(CaseItem)) == 10
        case = session.scalars(select(Case)).one()
        assert case.priority == 50 + 27 + 9


def test_the_same_content_at_once_is_one_item(database: Database) -> None:
    with database.transaction() as session:
        content(session, "c1", "account-1")

    def work(_number: int) -> tuple[int, bool]:
        with database.transaction() as session:
            _, item, created = add(session, "c1", "account-1")
            return item.id, created

    results = at_once(8, work)
    assert len({item for item, _ in results}) == 1  # type: ignore[misc]
    assert sum(created for _, created in results) == 1  # type: ignore[misc]


def test_the_database_itself_refuses_a_second_undecided_case(database: Database) -> None:
    from sqlalchemy.exc import IntegrityError

    with database.transaction() as session:
        add(session, "c1", "account-1")
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(Case(subject="account:account-1", state=CaseState.ESCALATED.value))


# Deciding


def decided(
    database: Database, outcome: Outcome, *, account: str | None = "account-1", **more: bool
) -> DecisionResult:
    with database.transaction() as session:
        _, item, _ = add(session, "c1", account)
        return store.decide(session, item_id=item.id, user_id=person(session), outcome=outcome, reason=REASON, **more)


@pytest.mark.parametrize(
    ("outcome", "event", "item", "state"),
    [
        (Outcome.CONFIRM, EventType.CONTENT_REMOVE, ItemState.CONFIRMED, "removed"),
        (Outcome.NOT_A_MATCH, EventType.CONTENT_RELEASE, ItemState.NOT_A_MATCH, "released"),
    ],
)
def test_a_decision_tells_the_platform(
    database: Database, outcome: Outcome, event: EventType, item: ItemState, state: str
) -> None:
    result = decided(database, outcome)
    assert result.case_closed
    assert [kind for kind, _ in result.events] == [event]
    assert result.events[0][1] == {
        "content_id": "c1",
        "account_id": "account-1",
        "surface": "upload",
        "sha256": result.content.identity.hex(),
        "case_id": result.case_id,
        "outcome": outcome.value,
        "test": True,
    }
    with database.transaction() as session:
        view = store.get_case(session, result.case_id)
        assert (view.state, view.items[0].state, view.items[0].content_state) == (
            CaseState.DECIDED,
            item,
            state,
        )
        assert view.decided_at is not None
        assert view.items[0].decided_at is not None


def test_escalating_leaves_the_item_to_somebody_else(database: Database) -> None:
    result = decided(database, Outcome.ESCALATE)
    assert (result.case_closed, result.events) == (False, [])
    with database.transaction() as session:
        view = store.get_case(session, result.case_id)
        assert (view.state, view.pending, view.items[0].content_state) == (CaseState.ESCALATED, 1, "held")
        other = person(session, "another test reviewer")
        last = store.decide(session, item_id=result.item_id, user_id=other, outcome=Outcome.CONFIRM, reason=REASON)
        assert last.case_closed


def test_a_case_closes_with_its_last_item(database: Database) -> None:
    with database.transaction() as session:
        user = person(session)
        items = [add(session, f"c{number}", "account-1")[1].id for number in range(3)]
        closed = [
            store.decide(session, item_id=item, user_id=user, outcome=Outcome.NOT_A_MATCH, reason=REASON).case_closed
            for item in items
        ]
    assert closed == [False, False, True]


def test_an_account_is_restricted_when_the_reviewer_says_so(database: Database) -> None:
    result = decided(database, Outcome.CONFIRM, restrict_account=True)
    assert [kind for kind, _ in result.events] == [EventType.CONTENT_REMOVE, EventType.ACCOUNT_RESTRICT]
    assert result.events[1][1] == {"account_id": "account-1", "case_id": result.case_id, "test": True}


def test_no_account_can_be_restricted_that_nobody_named(database: Database) -> None:
    with pytest.raises(BadInput, match="no account"):
        decided(database, Outcome.CONFIRM, account=None, restrict_account=True)


def test_no_account_is_restricted_for_what_is_not_a_match(database: Database) -> None:
    with pytest.raises(BadInput, match="not a match"):
        decided(database, Outcome.NOT_A_MATCH, restrict_account=True)


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 4001, "a\0b"])
def test_a_decision_needs_a_reason_that_can_be_kept(database: Database, reason: str) -> None:
    with database.transaction() as session:
        _, item, _ = add(session, "c1")
        user = person(session)
        with pytest.raises(BadInput):
            store.decide(session, item_id=item.id, user_id=user, outcome=Outcome.CONFIRM, reason=reason)


def test_an_item_that_is_not_there_cannot_be_decided(database: Database) -> None:
    with database.transaction() as session, pytest.raises(NotFound):
        store.decide(session, item_id=5, user_id=1, outcome=Outcome.CONFIRM, reason=REASON)


def test_exactly_one_of_many_decides(database: Database) -> None:
    with database.transaction() as session:
        case, item, _ = add(session, "c1", "account-1")
        users = [person(session, f"test reviewer {number}") for number in range(8)]

    def work(number: int) -> DecisionResult:
        outcome = Outcome.CONFIRM if number % 2 else Outcome.NOT_A_MATCH
        with database.transaction() as session:
            return store.decide(session, item_id=item.id, user_id=users[number], outcome=outcome, reason=REASON)

    results = at_once(8, work)
    winners = [result for result in results if isinstance(result, DecisionResult)]
    assert len(winners) == 1
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Decision)) == 1
        state = store.get_case(session, case.id).items[0].content_state
    assert winners[0].events[0][0].value == {"removed": "content.remove", "released": "content.release"}[state]


def test_no_item_is_lost_in_a_case_that_closes_at_that_moment(database: Database) -> None:
    """Ten accounts, each with one item being decided while another is added: the new one is pending in a case that
    is not decided."""
    with database.transaction() as session:
        user = person(session)
        items = [add(session, f"c{number}", f"account-{number}")[1].id for number in range(5)]

    def work(number: int) -> object:
        account, adding = divmod(number, 2)
        with database.transaction() as session:
            if adding:
                return add(session, f"late-{account}", f"account-{account}")[1].id
            return store.decide(session, item_id=items[account], user_id=user, outcome=Outcome.CONFIRM, reason=REASON)

    at_once(10, work)
    with database.transaction() as session:
        pending = select(Case.state).join(CaseItem).where(CaseItem.state == ItemState.PENDING.value)
        assert list(session.scalars(pending)) == [CaseState.OPEN] * 5


def test_a_decision_says_whether_its_maker_had_looked(database: Database) -> None:
    from seawall.cases import reveals
    from seawall.records import RevealStage

    with database.transaction() as session:
        looked, only_asked = person(session), person(session, "another test reviewer")
        case, first, _ = add(session, "c1", "account-1")
        _, second, _ = add(session, "c2", "account-1")
        evidence = [sealed(session, item) for item in (first, second)]
        reveals.redeem(session, reveals.ask(session, evidence[0], looked, RevealStage.BLURRED, Floor()), looked)
        reveals.ask(session, evidence[1], only_asked, RevealStage.BLURRED, Floor())
        for item, user in ((first, only_asked), (second, only_asked)):
            store.decide(session, item_id=item.id, user_id=user, outcome=Outcome.ESCALATE, reason=REASON)
        store.decide(session, item_id=first.id, user_id=looked, outcome=Outcome.CONFIRM, reason=REASON)
        store.decide(session, item_id=second.id, user_id=looked, outcome=Outcome.CONFIRM, reason=REASON)
        views = store.get_case(session, case.id).items
    assert [[decision.viewed for decision in view.decisions] for view in views] == [
        [False, True],
        [False, False],
    ]
    assert [len([look for look in view.reveals if look.shown_at]) for view in views] == [1, 0]


# Looking


def test_a_case_that_is_not_there(database: Database) -> None:
    with database.transaction() as session, pytest.raises(NotFound):
        store.get_case(session, 1)


def test_a_case_shows_all_that_belongs_to_it(database: Database) -> None:
    with database.transaction() as session:
        case, item, _ = add(session, "c1", "account-1", findings=[match(), scan_owed()])
        evidence = sealed(session, item)
        view = store.get_case(session, case.id)
    only = view.items[0]
    assert (only.id, only.content_id, only.evidence_id, only.verdict) == (
        item.id,
        "c1",
        evidence,
        Verdict.HOLD,
    )
    assert [reason.code for reason in only.reasons] == ["perceptual_match", "media_corrupt"]
    assert isinstance(only.findings[0], Match)
    assert (view.pending, only.decisions, only.reveals) == (1, (), ())


def test_the_queue_puts_what_is_pressing_first(database: Database) -> None:
    with database.transaction() as session:
        add(session, "far", findings=[match(distance=30)])
        add(session, "near", findings=[match(distance=2)])
        add(session, "urgent", findings=[scan_owed()], urgent=True)
        add(session, "near too", findings=[match(distance=2)])
        rows = store.queue(session)
        assert [row.subject for row in rows] == [
            "content:urgent",
            "content:near",
            "content:near too",
            "content:far",
        ]
        pages, after = list[int](), None
        while page := store.queue(session, limit=1, after=after):
            pages.append(page[0].case_id)
            after = page[0].cursor
        assert pages == [row.case_id for row in rows]


def test_a_row_of_the_queue_says_why(database: Database) -> None:
    with database.transaction() as session:
        add(session, "c1", "account-1", findings=[scan_owed()])
        add(session, "c2", "account-1", findings=[match(list_name="Test list B")], verdict=Verdict.BLOCK)
        _, item, _ = add(session, "c3", "account-1", findings=[match(list_name="Test list A")])
        store.decide(session, item_id=item.id, user_id=person(session), outcome=Outcome.CONFIRM, reason=REASON)
        row = store.queue(session)[0]
    assert (row.items, row.pending, row.lists) == (3, 2, ("Test list A", "Test list B"))
    assert [reason.list for reason in row.reasons] == ["Test list B"]


def test_the_queue_shows_what_is_asked_for(database: Database) -> None:
    with database.transaction() as session:
        user = person(session)
        add(session, "c1", "account-1", urgent=True, is_test=False)
        _, item, _ = add(session, "c2", "account-2")
        store.decide(session, item_id=item.id, user_id=user, outcome=Outcome.ESCALATE, reason=REASON)
        _, item, _ = add(session, "c3")
        store.decide(session, item_id=item.id, user_id=user, outcome=Outcome.CONFIRM, reason=REASON)

        def subjects(*states: CaseState, **filters: object) -> list[str]:
            rows = store.queue(session, states or tuple(CaseState), filters=QueueFilter(**filters))  # type: ignore[arg-type]
            return [row.subject for row in rows]

        assert subjects() == ["account:account-1", "account:account-2", "content:c3"]
        assert subjects(CaseState.OPEN) == ["account:account-1"]
        assert subjects(CaseState.DECIDED, CaseState.ESCALATED) == ["account:account-2", "content:c3"]
        assert subjects(urgent=True) == subjects(is_test=False) == ["account:account-1"]
        assert subjects(account_id="account-2") == ["account:account-2"]
        assert store.queue(session, []) == []
        assert store.counts(session) == {CaseState.OPEN: 1, CaseState.ESCALATED: 1, CaseState.DECIDED: 1}


@pytest.mark.parametrize("cursor", ["", "x", "é", "bnVsbA==", "WzEsMiwzLDRd", "W3RydWUsIDEsICJub3ciLCAxXQ=="])
def test_a_cursor_that_is_none(database: Database, cursor: str) -> None:
    with database.transaction() as session, pytest.raises(BadInput):
        store.queue(session, after=cursor)


CLOCKS = Clocks({"urgent": 1, "csam": 24, "terrorism": 24, "ncii": 48, "other": 72})


def test_the_queue_walks_its_indexes_among_100_000_cases(database: Database) -> None:
    """The plans touch a page of rows from anywhere in the queue, not the whole of it."""
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO cases (subject, state, urgent, priority, harm_class, opened_at) SELECT 'content:' || n, "
                "(ARRAY['open', 'escalated', 'decided'])[1 + n % 3], n % 50 = 0, n * 7919 % 1000, "
                "(ARRAY['csam', 'ncii', 'other'])[1 + n % 7 % 3], now() - n * interval '1 second' "
                "FROM generate_series(1, 100000) AS n"
            )
        )
        session.execute(text("ANALYZE cases"))
        middle = session.execute(text("SELECT rank, id, opened_at FROM cases OFFSET 50000 LIMIT 1")).one()
        far = {"calm": True, "rank": middle.rank, "id": middle.id, "due_at": middle.opened_at}
        for overdue, most in ((None, 2 * 50), (CLOCKS, 2 * 8 * 50)):
            for place in (BEFORE_ALL, far):
                statement, values = page(UNDECIDED, QueueFilter(), overdue)
                explained = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}")
                plan = session.scalar(explained, values | dict(place) | {"limit": 50})
                assert rows_read(plan[0]["Plan"], "cases") <= most + 16


def test_what_ought_to_have_been_decided_comes_by_how_long_ago(database: Database) -> None:
    with database.transaction() as session:
        ages = {"fresh": (1, HarmClass.CSAM), "late": (26, HarmClass.CSAM), "later": (90, HarmClass.NCII)}
        for name, (hours, harm_class) in (ages | {"calm": (71, HarmClass.OTHER)}).items():
            case, *_ = add(session, name, findings=[match(harm_class=harm_class)])
            case.opened_at = now() - timedelta(hours=hours)
        case, *_ = add(session, "urgent", urgent=True)
        case.opened_at = now() - timedelta(hours=2)
        session.flush()
        rows = store.queue(session, overdue=CLOCKS)
        assert [row.subject for row in rows] == ["content:later", "content:late", "content:urgent"]
        assert count_overdue(session, CLOCKS) == 3
        again, after = list[str](), None
        while some := store.queue(session, overdue=CLOCKS, limit=1, after=after):
            again.append(some[0].subject)
            after = some[0].cursor
        assert again == [row.subject for row in rows]
        only = store.queue(session, overdue=CLOCKS, filters=QueueFilter(harm_class=HarmClass.NCII))
        assert [row.subject for row in only] == ["content:later"]


def test_an_hour_of_waiting_is_worth_a_point(database: Database) -> None:
    with database.transaction() as session:
        old, *_ = add(session, "old", findings=[match(distance=20)])
        add(session, "near", findings=[match(distance=8)])
        old.opened_at = now() - timedelta(hours=11, minutes=50)
        session.flush()
        assert [row.subject for row in store.queue(session)] == ["content:near", "content:old"]
        old.opened_at = now() - timedelta(hours=12, minutes=10)
        session.flush()
        assert [row.subject for row in store.queue(session)] == ["content:old", "content:near"]


def test_the_queue_says_who_works_on_what_and_who_looks(database: Database) -> None:
    with database.transaction() as session:
        one, two = person(session, "one"), person(session, "two")
        mine, theirs = add(session, "mine")[0].id, add(session, "theirs")[0].id
        add(session, "free", findings=[match(harm_class=HarmClass.NCII)])
        claims.claim(session, mine, one, timedelta(minutes=5))
        claims.claim(session, theirs, two, timedelta(minutes=5))
        presence.note(session, theirs, one)

        def subjects(**filters: object) -> list[str]:
            return [row.subject for row in store.queue(session, filters=QueueFilter(**filters))]  # type: ignore[arg-type]

        assert subjects(whose=Whose.MINE, user_id=one) == ["content:mine"]
        assert subjects(whose=Whose.FREE) == ["content:free"] == subjects(harm_class=HarmClass.NCII)
        assert subjects(whose=Whose.TAKEN) == ["content:mine", "content:theirs"]
        rows = {row.case_id: (row.holder, row.looking) for row in store.queue(session)}
        assert (rows[mine], rows[theirs]) == (("one", ()), ("two", ("one",)))
        session.execute(text("UPDATE claims SET expires_at = now() - interval '1 minute'"))
        assert subjects(whose=Whose.TAKEN) == []


def test_a_child_in_danger_comes_first_and_stays_first(database: Database) -> None:
    with database.transaction() as session:
        add(session, "urgent", urgent=True)
        case, *_ = add(session, "c1", "account-1")
        danger.mark(session, case.id)
        assert [row.subject for row in store.queue(session)] == ["account:account-1", "content:urgent"]
        add(session, "c2", "account-1")
        weigh(session, case, urgent=False)
        view = store.get_case(session, case.id)
        assert (view.urgent, view.at_risk, priority.total(view.terms)) == (True, True, view.priority)
        assert view.terms[0].name == "child at risk now"


def rows_read(plan: dict[str, object], table: str) -> int:
    """How many rows of a table the plan touched."""
    own = 0
    if plan.get("Relation Name") == table:
        own = int((plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"])  # type: ignore[operator, call-overload]
    return own + sum(rows_read(part, table) for part in plan.get("Plans", []))  # type: ignore[attr-defined]
