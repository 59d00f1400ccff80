"""Claims in a real PostgreSQL: one person a case, also when many reach for it at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from seawall.cases import claims, presence, store
from seawall.cases.conditions import QueueFilter
from seawall.cases.next import claim_next
from seawall.database.sessions import Database
from seawall.database.tables import Case, CaseItem, Claim, Decision
from seawall.errors import CaseClaimed, Conflict, NotFound
from seawall.records import CaseState, Outcome
from tests.integration.cases.material import add, match, person

LEASE = timedelta(minutes=5)
REASON = "looked at it"


def let_leases_run_out(session: Session) -> None:
    session.execute(text("UPDATE claims SET expires_at = clock_timestamp() - interval '1 second'"))


def decide(session: Session, case_id: int, user: int, outcome: Outcome = Outcome.CONFIRM) -> None:
    """The first pending item of a case."""
    item = session.scalars(select(CaseItem.id).filter_by(case_id=case_id, state="pending").limit(1)).one()
    store.decide(session, item_id=item, user_id=user, outcome=outcome, reason=REASON)


def test_a_claimed_case_is_one_persons_until_the_lease_is_over(database: Database) -> None:
    with database.transaction() as session:
        case = add(session, "c1")[0].id
        one, two = person(session, "one"), person(session, "two")
        first = claims.claim(session, case, one, LEASE, "urgent=yes")
        again = claims.claim(session, case, one, LEASE)
        assert (first.new, again.new, again.within, again.taken_at) == (True, False, "urgent=yes", first.taken_at)
        with pytest.raises(CaseClaimed, match="one works on case 1"):
            claims.claim(session, case, two, LEASE)
        let_leases_run_out(session)
        assert claims.of_case(session, case) is None
        assert claims.claim(session, case, two, LEASE).new
        assert not claims.renew(session, case, one, LEASE)
        with pytest.raises(CaseClaimed, match="two works"):
            claims.claim(session, case, one, LEASE)


def test_nobody_else_decides_what_somebody_works_on(database: Database) -> None:
    with database.transaction() as session:
        case = add(session, "c1", "account-1")[0].id
        add(session, "c2", "account-1")
        one, two = person(session, "one"), person(session, "two")
        claims.claim(session, case, one, LEASE)
        with pytest.raises(CaseClaimed, match="one works on case"):
            decide(session, case, two)
        assert session.scalar(select(func.count()).select_from(Decision)) == 0
        decide(session, case, one)
        assert claims.of_case(session, case) is not None
        let_leases_run_out(session)
        decide(session, case, two)
        assert session.get_one(Case, case).state == CaseState.DECIDED
        assert session.scalar(select(func.count()).select_from(Claim)) == 0
        with pytest.raises(Conflict, match="is decided"):
            claims.claim(session, case, one, LEASE)


def test_a_lease_that_is_over_goes_on_unless_somebody_took_the_case(database: Database) -> None:
    with database.transaction() as session:
        case, one, two = add(session, "c1")[0].id, person(session, "one"), person(session, "two")
        claims.claim(session, case, one, LEASE)
        let_leases_run_out(session)
        assert claims.renew(session, case, one, LEASE)
        assert not claims.renew(session, case, two, LEASE)
        holder = claims.of_case(session, case)
        assert holder is not None
        assert holder.user == "one"
        assert claims.release(session, case, one)
        assert not claims.release(session, case, one)
        assert not claims.renew(session, case, one, LEASE)


def test_an_escalated_case_waits_for_somebody_else(database: Database) -> None:
    with database.transaction() as session:
        case, one, two = add(session, "c1")[0].id, person(session, "one"), person(session, "two")
        claims.claim(session, case, one, LEASE)
        decide(session, case, one, Outcome.ESCALATE)
        assert claims.of_case(session, case) is None
        assert claim_next(session, one, LEASE) is None
        taken = claim_next(session, two, LEASE)
        assert taken is not None
        assert taken.case_id == case


def test_reassigning_gives_a_case_to_one_person_alone(database: Database) -> None:
    with database.transaction() as session:
        case, pressing = add(session, "c1")[0].id, add(session, "c2", urgent=True)[0].id
        one, two = person(session, "one"), person(session, "two")
        claims.claim(session, case, one, LEASE)
        assert claims.reassign(session, case, two, timedelta(hours=1)) == "one"
        with pytest.raises(Conflict, match="with two already"):
            claims.reassign(session, case, two, LEASE)
        with pytest.raises(CaseClaimed, match="two works"):
            decide(session, case, one)
        taken = claim_next(session, two, LEASE)
        assert taken is not None
        assert (taken.case_id, taken.assigned) == (case, False)
        assert taken.expires_at - taken.taken_at == timedelta(hours=1)
        following = claim_next(session, two, LEASE)
        assert following is not None
        assert following.case_id == pressing
        session.execute(text("UPDATE users SET disabled_at = now() WHERE name = 'one'"))
        with pytest.raises(NotFound):
            claims.reassign(session, case, one, LEASE)


def test_the_next_case_is_the_most_pressing_free_one_of_the_filter(database: Database) -> None:
    with database.transaction() as session:
        far = add(session, "far", "account-1", findings=[match(distance=30)])[0].id
        near = add(session, "near", findings=[match(distance=2)])[0].id
        urgent = add(session, "urgent", urgent=True)[0].id
        users = [person(session, f"person-{number}") for number in range(4)]
        only = claim_next(session, users[3], LEASE, filters=QueueFilter(account_id="account-1"), within="account=x")
        assert only is not None
        assert (only.case_id, only.within) == (far, "account=x")
        assert claim_next(session, users[0], LEASE, states=[CaseState.ESCALATED]) is None
        taken = [claim_next(session, user, LEASE) for user in users[:3]]
    assert [each and each.case_id for each in taken] == [urgent, near, None]


def test_who_looks_is_seen_for_a_while(database: Database) -> None:
    with database.transaction() as session:
        case, other = add(session, "c1")[0].id, add(session, "c2")[0].id
        one, two = person(session, "one"), person(session, "two")
        for user in (two, one, one):
            presence.note(session, case, user)
        assert presence.looking(session, [case, other]) == {case: ("one", "two")}
        presence.leave(session, case, two)
        assert presence.looking(session, [case]) == {case: ("one",)}
        session.execute(text("UPDATE presences SET seen_at = seen_at - interval '1 hour'"))
        assert presence.looking(session, [case]) == {}
        presence.note(session, other, two)
        assert session.scalar(text("SELECT count(*) FROM presences")) == 1


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Runs `work` that often at once; what one of them meets that is none of ours fails the test."""
    start, failures = threading.Barrier(count), list[BaseException]()

    def run(number: int) -> None:
        start.wait()
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_many_who_reach_for_one_case_get_it_once(database: Database) -> None:
    with database.transaction() as session:
        case = add(session, "c1")[0].id
        users = [person(session, f"person-{number}") for number in range(8)]
    got: list[int] = []

    def work(number: int) -> None:
        try:
            with database.transaction() as session:
                claims.claim(session, case, users[number], LEASE)
        except CaseClaimed:
            return
        got.append(number)

    in_threads(8, work)
    assert len(got) == 1


def test_many_who_take_the_next_case_decide_each_once(database: Database) -> None:
    """Ten people at once, until nothing is left; some put back or escalate what they took, and one lets leases run
    out all the while."""
    cases = 60
    with database.transaction() as session:
        for number in range(cases):
            add(session, f"c{number}", findings=[match(distance=number % 5)])
        users = [person(session, f"person-{number}") for number in range(10)]

    def work(number: int) -> None:
        acts = 0
        while True:
            with database.transaction() as session:
                taken = claim_next(session, users[number], LEASE)
                if taken is None:
                    break
            acts += 1
            with database.transaction() as session:
                if acts % 9 == 0 and number == 3:
                    let_leases_run_out(session)
                if acts % 7 == 0:
                    claims.release(session, taken.case_id, users[number])
                    continue
            try:
                with database.transaction() as session:
                    item = session.scalars(select(CaseItem.id).filter_by(case_id=taken.case_id)).one()
                    store.decide(
                        session,
                        item_id=item,
                        user_id=users[number],
                        outcome=Outcome.ESCALATE if acts % 11 == 0 and number < 5 else Outcome.CONFIRM,
                        reason=REASON,
                    )
            except Conflict:
                continue  # the lease was over, and another has it or was quicker

    in_threads(10, work)
    with database.transaction() as session:
        final = select(Decision.case_id, func.count()).where(Decision.outcome == "confirm").group_by(Decision.case_id)
        counted = {row.case_id: row.count for row in session.execute(final)}
        assert set(counted.values()) == {1}
        # What somebody escalated last may wait: its escalator is not given it again.
        waiting = session.scalars(select(Case.id).where(Case.state == "escalated")).all()
        assert len(counted) + len(waiting) == cases
        assert session.scalars(select(Case.id).where(Case.state == "open")).all() == []
