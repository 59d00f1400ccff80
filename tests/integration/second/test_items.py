"""Releasing the very file that a trusted list has takes two people; the platform hears of it when both agree."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from seawall.access import people, requests
from seawall.access.people import PersonSession
from seawall.access.requests import RequestInfo
from seawall.actions import endpoints
from seawall.cases import claims
from seawall.cases import store as cases
from seawall.cases.next import claim_next
from seawall.cases.store import DecisionResult, ItemView
from seawall.database.sessions import Database
from seawall.database.tables import CaseItem, Decision, OutboxMessage, Request, now
from seawall.errors import BadInput, Conflict, Forbidden, NotFound
from seawall.evidence import audit
from seawall.evidence.master_key import MasterKey
from seawall.records import (
    SYSTEM,
    ItemState,
    Outcome,
    Role,
    Trust,
)
from seawall.request_records import RequestKind, RequestState
from seawall.second import asking, deciding
from tests.integration.cases.material import add, match
from tests.integration.second.pairs import somebody

MASTER_KEY = MasterKey(bytes(range(32)))
NO = Outcome.NOT_A_MATCH


@pytest.fixture
def desk(database: Database) -> Database:
    """A receiver, and one item that met a trusted test list exactly."""
    with database.transaction() as session:
        endpoints.add(session, MASTER_KEY, "http://127.0.0.1:9/hooks", actor=SYSTEM)
        add(session, "c1", "test-account", findings=[match(Trust.TRUSTED, distance=0)])
    return database


@pytest.fixture
def first(desk: Database) -> PersonSession:
    return somebody(desk, "first")


@pytest.fixture
def second(desk: Database) -> PersonSession:
    return somebody(desk, "second", Role.SENIOR)


def item(desk: Database) -> ItemView:
    with desk.transaction() as session:
        number = session.scalars(select(CaseItem.case_id).order_by(CaseItem.id)).first()
        assert number is not None
        return cases.get_case(session, number).items[0]


def ask(desk: Database, first: PersonSession) -> int:
    """The first person's decision, which waits."""
    waits = decide(desk, first).waits
    assert waits is not None
    return waits


def decide(desk: Database, person: PersonSession, outcome: Outcome = NO) -> DecisionResult:
    wanted = item(desk).id
    with desk.transaction() as session:
        return deciding.decide(
            session, person, wanted, outcome, "Another picture.", restrict_account=False, lasts=timedelta(days=1)
        )


def answer(
    desk: Database, person: PersonSession, number: int, *, approved: bool = True, words: str = "I looked at it too."
) -> RequestInfo:
    with desk.transaction() as session:
        return asking.answer(session, person, number, approved=approved, words=words)


def events(desk: Database) -> list[str]:
    with desk.transaction() as session:
        return list(session.scalars(select(OutboxMessage.event).order_by(OutboxMessage.created_at)))


def acts(desk: Database) -> list[tuple[str, str, object]]:
    """Who did what since the verdict, and who was the second person, by the audit chain."""
    with desk.transaction() as session:
        assert audit.verify(session).ok
        links = [link for link in audit.links(session) if link.act.startswith(("request.", "item."))]
        return [(link.actor, link.act, link.details.get("second_person")) for link in links]


def test_nothing_is_told_until_a_second_person_agrees(
    desk: Database, first: PersonSession, second: PersonSession
) -> None:
    number = ask(desk, first)
    waiting = item(desk)
    assert (waiting.state, waiting.decisions, events(desk)) == (ItemState.PENDING, (), [])
    assert waiting.waiting is not None
    assert (waiting.waiting.request_id, waiting.waiting.asked_by) == (number, "first")
    assert answer(desk, second, number).state is RequestState.CARRIED_OUT
    done = item(desk)
    (decision,) = done.decisions
    assert (done.state, done.waiting, decision.user, decision.reason, decision.second_person) == (
        ItemState.NOT_A_MATCH,
        None,
        "first",
        "Another picture.",
        "second",
    )
    assert events(desk) == ["content.release"]
    assert acts(desk) == [
        ("user:first", "request.ask", None),
        ("user:first", "item.not_a_match", "user:second"),
        ("user:second", "request.carry_out", "user:second"),
    ]


def test_who_asked_cannot_agree_nor_decide_around_it(desk: Database, first: PersonSession) -> None:
    number = ask(desk, first)
    with pytest.raises(Forbidden, match="yourself"):
        answer(desk, first, number)
    for outcome in Outcome:
        with pytest.raises(Conflict):
            decide(desk, first, outcome)
    assert events(desk) == []


@pytest.mark.parametrize("roles", [(Role.REVIEWER,), (Role.ADMIN, Role.AUDITOR), (Role.LIST_MANAGER,)])
def test_who_may_not_agree_cannot(desk: Database, first: PersonSession, roles: tuple[Role, ...]) -> None:
    number = ask(desk, first)
    with pytest.raises(Forbidden, match="agree as the second person"):
        answer(desk, somebody(desk, "third", *roles), number)
    assert item(desk).state is ItemState.PENDING


def test_refused_or_taken_back_it_can_be_decided_anew(
    desk: Database, first: PersonSession, second: PersonSession
) -> None:
    assert answer(desk, second, ask(desk, first), approved=False).state is RequestState.REFUSED
    assert item(desk).waiting is None
    number = ask(desk, first)
    with pytest.raises(Forbidden), desk.transaction() as session:
        asking.withdraw(session, second, number)
    with desk.transaction() as session:
        assert asking.withdraw(session, first, number).state is RequestState.WITHDRAWN
    with pytest.raises(Conflict):
        answer(desk, second, number)
    decide(desk, second, Outcome.CONFIRM)
    assert events(desk) == ["content.remove"]


def test_an_answer_needs_words_and_a_request(desk: Database, first: PersonSession, second: PersonSession) -> None:
    number = ask(desk, first)
    for words in ("  ", "x" * 5000, "a\0b"):
        with pytest.raises(BadInput):
            answer(desk, second, number, words=words)
    for unknown in (0, -1, number + 1, 2**70):
        with pytest.raises(NotFound):
            answer(desk, second, unknown)
    assert item(desk).state is ItemState.PENDING


def test_what_has_lapsed_is_not_carried_out(desk: Database, first: PersonSession, second: PersonSession) -> None:
    number = ask(desk, first)
    with desk.transaction() as session:
        session.execute(update(Request).values(lapses_at=now()))
    assert item(desk).waiting is None
    assert answer(desk, second, number).state is RequestState.LAPSED
    with desk.transaction() as session:
        session.execute(update(Request).values(lapses_at=now(), state=RequestState.WAITING.value))
    again = ask(desk, first)  # what nobody answered is no hindrance
    with desk.transaction() as session:
        assert requests.get(session, number).state is RequestState.LAPSED
    assert answer(desk, second, again).state is RequestState.CARRIED_OUT


def test_a_request_is_void_when_more_was_found_meanwhile(
    desk: Database, first: PersonSession, second: PersonSession
) -> None:
    number = ask(desk, first)
    with desk.transaction() as session:
        row = session.get_one(CaseItem, item(desk).id)
        (found,) = row.findings
        row.findings = [found, {**found, "entry_id": found["entry_id"] + 1}]
    assert answer(desk, second, number).state is RequestState.VOID
    assert (item(desk).state, events(desk)) == (ItemState.PENDING, [])


def test_a_request_is_void_when_it_was_written_over(
    desk: Database, first: PersonSession, second: PersonSession
) -> None:
    number = ask(desk, first)
    with desk.transaction() as session:
        session.execute(update(Request).values(reason="Somebody else's words."))
    assert answer(desk, second, number).state is RequestState.VOID


def test_a_request_of_who_was_kept_out_is_void(desk: Database, first: PersonSession, second: PersonSession) -> None:
    number = ask(desk, first)
    somebody(desk, "admin", Role.ADMIN)
    with desk.transaction() as session:
        people.disable(session, first.name, SYSTEM)
    assert answer(desk, second, number).state is RequestState.VOID


def test_switched_off_one_person_is_enough_and_every_record_says_so(desk: Database, first: PersonSession) -> None:
    with desk.transaction() as session:
        requests.switch_off(session, RequestKind.NOT_A_MATCH, "A team of one.", SYSTEM)
    assert decide(desk, first).waits is None
    (decision,) = item(desk).decisions
    assert decision.second_person == "switched off: A team of one."
    said = "second person switched off: A team of one."
    assert acts(desk) == [
        ("user:first", "item.not_a_match", said),
        ("user:first", "request.carry_out", said),
    ]
    assert events(desk) == ["content.release"]


@pytest.mark.parametrize("trust", [Trust.STANDARD, Trust.UNVERIFIED])
def test_other_hits_take_one_person(desk: Database, first: PersonSession, trust: Trust) -> None:
    with desk.transaction() as session:
        row = session.get_one(CaseItem, item(desk).id)
        row.findings = [{**row.findings[0], "list": {**row.findings[0]["list"], "trust": trust.value}}]
    assert decide(desk, first).waits is None


def test_what_is_disputed_still_takes_two(desk: Database, first: PersonSession) -> None:
    with desk.transaction() as session:
        row = session.get_one(CaseItem, item(desk).id)
        row.findings = [{**row.findings[0], "disputed": True}]
    assert decide(desk, first).waits is not None


def test_of_two_who_approve_at_once_one_does(desk: Database, first: PersonSession) -> None:
    number = ask(desk, first)
    others = [somebody(desk, f"other-{each}", Role.SENIOR) for each in range(6)]
    gate, results = threading.Barrier(len(others)), list[object]()

    def approve(person: PersonSession) -> None:
        gate.wait()
        try:
            results.append(answer(desk, person, number).state)
        except Conflict:
            results.append(Conflict)

    threads = [threading.Thread(target=approve, args=(person,)) for person in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == sorted(map(str, [RequestState.CARRIED_OUT] + [Conflict] * 5))
    assert events(desk) == ["content.release"]
    with desk.transaction() as session:
        assert len(session.scalars(select(Decision)).all()) == 1


def test_of_two_who_ask_at_once_one_does(desk: Database, first: PersonSession, second: PersonSession) -> None:
    gate, results = threading.Barrier(2), list[object]()

    def try_to(person: PersonSession) -> None:
        gate.wait()
        try:
            results.append(decide(desk, person).waits)
        except Conflict:
            results.append(Conflict)

    threads = [threading.Thread(target=try_to, args=(person,)) for person in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Conflict in results
    assert len([each for each in results if isinstance(each, int)]) == 1


def test_the_database_itself_refuses_one_person(desk: Database, first: PersonSession) -> None:
    ask(desk, first)
    with pytest.raises(IntegrityError), desk.transaction() as session:
        session.execute(text("UPDATE requests SET state = 'carried_out', answered_by = asked_by"))
    with pytest.raises(IntegrityError), desk.transaction() as session:
        session.execute(text("UPDATE requests SET state = 'carried_out'"))


def test_a_case_that_only_waits_for_a_second_person_is_nobodys_next(
    desk: Database, first: PersonSession, second: PersonSession
) -> None:
    def next_case() -> int | None:
        with desk.transaction() as session:
            taken = claim_next(session, first.user_id, timedelta(minutes=5))
            if taken is not None:
                claims.release(session, taken.case_id, first.user_id)
            return None if taken is None else taken.case_id

    case_id = next_case()
    assert case_id is not None
    number = ask(desk, first)
    assert next_case() is None
    answer(desk, second, number, approved=False)
    assert next_case() == case_id
