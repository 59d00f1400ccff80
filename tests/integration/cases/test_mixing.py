"""What somebody passed on is not theirs for a day, and severe cases do not follow each other for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from seawall.cases import claims, mixing
from seawall.cases.next import claim_next
from seawall.database.sessions import Database
from seawall.database.tables import Decision
from seawall.errors import Conflict, NotFound
from seawall.records import CaseState, HarmClass, Outcome
from tests.integration.cases.material import add, match, person, scan_owed

LEASE = timedelta(minutes=10)
OTHER = match(harm_class=HarmClass.OTHER)


def next_for(session: Session, user: int) -> int | None:
    """The case that is offered; afterwards it is free again."""
    taken = claim_next(session, user, LEASE, severe_in_a_row=3)
    if taken is None:
        return None
    claims.end(session, taken.case_id)
    return taken.case_id


def decided(session: Session, user: int, number: int, *, severe: bool = True, viewed: bool = True) -> None:
    """A decision on a case that is over."""
    case, item, _ = add(session, f"decided-{number}", findings=[match() if severe else OTHER])
    case.state = CaseState.DECIDED.value
    session.add(
        Decision(
            case_id=case.id,
            item_id=item.id,
            user_id=user,
            outcome=Outcome.CONFIRM.value,
            reason="test",
            viewed=viewed,
        )
    )
    session.flush()


def test_what_was_passed_on_is_offered_to_others_and_after_a_day_again(database: Database) -> None:
    with database.transaction() as session:
        one, other = person(session), person(session, "another-test-reviewer")
        first, second = add(session, "c1", urgent=True)[0].id, add(session, "c2")[0].id
        assert next_for(session, one) == first
        mixing.pass_on(session, first, one)
        mixing.pass_on(session, first, one)
        assert next_for(session, one) == second
        assert next_for(session, other) == first
        mixing.pass_on(session, second, one)
        assert next_for(session, one) is None
        session.execute(text("UPDATE passed_on SET passed_at = passed_at - interval '25 hours'"))
        assert next_for(session, one) == first


def test_only_what_waits_can_be_passed_on(database: Database) -> None:
    with database.transaction() as session:
        one = person(session)
        case = add(session, "c1")[0]
        with pytest.raises(NotFound):
            mixing.pass_on(session, case.id + 1, one)
        case.state = CaseState.DECIDED.value
        session.flush()
        with pytest.raises(Conflict):
            mixing.pass_on(session, case.id, one)


def test_after_severe_ones_in_a_row_comes_something_else(database: Database) -> None:
    with database.transaction() as session:
        one, other = person(session), person(session, "another-test-reviewer")
        severe, calm = add(session, "c1")[0].id, add(session, "c2", findings=[OTHER])[0].id
        for number in range(3):
            assert next_for(session, one) == severe
            decided(session, one, number)
        assert next_for(session, one) == calm
        assert next_for(session, other) == severe
        decided(session, one, 4, viewed=False)  # what was not looked at is no rest, and no burden
        assert next_for(session, one) == calm
        decided(session, one, 5, severe=False)
        assert next_for(session, one) == severe


def test_what_is_urgent_waits_for_nobodys_rest_and_neither_does_a_queue_of_severe_ones(database: Database) -> None:
    with database.transaction() as session:
        one = person(session)
        for number in range(3):
            decided(session, one, number)
        severe = add(session, "c1")[0].id
        assert next_for(session, one) == severe
        add(session, "c2", findings=[OTHER])
        urgent = add(session, "c3", urgent=True)[0].id
        assert next_for(session, one) == urgent


def test_what_was_seen_long_ago_does_not_count(database: Database) -> None:
    with database.transaction() as session:
        one = person(session)
        for number in range(3):
            decided(session, one, number)
        severe = add(session, "c1")[0].id
        add(session, "c2", findings=[OTHER])
        session.execute(text("UPDATE decisions SET decided_at = decided_at - interval '5 hours'"))
        assert next_for(session, one) == severe


def test_severe_is_said_alike_in_both_languages() -> None:
    assert mixing.is_severe([scan_owed(), match()])
    assert mixing.is_severe([match(harm_class=HarmClass.TERRORISM)])
    assert not mixing.is_severe([scan_owed(), OTHER, match(harm_class=HarmClass.NCII)])
