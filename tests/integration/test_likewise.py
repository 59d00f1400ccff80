"""What is decided of an item is decided of every exact copy that waits, in one case or in many."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, update

from seawall import claiming, flow, likewise
from seawall.access.people import PersonSession
from seawall.cases import store as cases
from seawall.database.tables import Case, CaseItem, Content, Decision, OutboxMessage
from seawall.evidence import audit
from seawall.records import CaseState, HashArrival, ItemState, Outcome
from seawall.runtime import Runtime
from tests.integration.second import pairs
from tests.integration.test_copies import PICTURE, upload
from tests.integration.test_flow import list_exactly, reviewer, runtime

__all__ = ["runtime"]

REASON = "A harmless test picture."


@pytest.fixture
def person(runtime: Runtime) -> PersonSession:
    list_exactly(runtime, PICTURE)
    return reviewer(runtime)


def states(runtime: Runtime) -> dict[str, str]:
    """State of each item, by the content id."""
    with runtime.database.transaction() as session:
        wanted = select(Content.content_id, CaseItem.state).join(CaseItem, CaseItem.content_row == Content.id)
        return dict(session.execute(wanted.order_by(CaseItem.id)).all())  # type: ignore[arg-type]


def item(runtime: Runtime, content_id: str) -> int:
    with runtime.database.transaction() as session:
        wanted = select(CaseItem.id).join(Content, Content.id == CaseItem.content_row)
        return session.scalars(wanted.where(Content.content_id == content_id)).one()


def decide(runtime: Runtime, person: PersonSession, content_id: str, outcome: Outcome) -> None:
    pairs.decide(runtime.rooms, person, item(runtime, content_id), outcome, REASON)


def acts(runtime: Runtime) -> list[str]:
    with runtime.database.transaction() as session:
        assert audit.verify(session).ok
        return [link.act for link in audit.links(session)]


def due(runtime: Runtime) -> bool:
    with runtime.database.transaction() as session:
        return session.scalar(select(CaseItem.id).where(CaseItem.spread_due)) is not None


@pytest.mark.parametrize(
    ("outcome", "state"), [(Outcome.CONFIRM, ItemState.CONFIRMED), (Outcome.NOT_A_MATCH, ItemState.NOT_A_MATCH)]
)
def test_a_decision_goes_to_every_copy_that_waits(
    runtime: Runtime, person: PersonSession, outcome: Outcome, state: ItemState
) -> None:
    for number in range(3):
        upload(runtime, f"c{number}", PICTURE)
    pairs.decide(
        runtime.rooms,
        person,
        item(runtime, "c1"),
        outcome,
        REASON,
        restrict_account=outcome is Outcome.CONFIRM,
    )
    assert states(runtime) == {f"c{number}": state for number in range(3)}
    with runtime.database.transaction() as session:
        first, *copies = session.scalars(select(Decision).order_by(Decision.id)).all()
        assert first.copy_of is None
        assert [(each.copy_of, each.user_id, each.reason) for each in copies] == [
            (first.id, person.user_id, REASON),
            (first.id, person.user_id, REASON),
        ]
        assert not any(each.viewed or each.restrict_account for each in copies)
        assert set(session.scalars(select(Case.state))) == {CaseState.DECIDED}
        told = session.scalars(select(OutboxMessage.event)).all()
        views = [decision for number in (1, 3) for decision in cases.get_case(session, number).items[0].decisions]
    assert [view.copy_of for view in views] == [2, 2]
    assert [view.second_person for view in views] == ["test-colleague" if outcome is Outcome.NOT_A_MATCH else ""] * 2
    assert acts(runtime).count(f"item.{outcome}") == 3
    assert sum(event == "account.restrict" for event in told) <= 1
    assert not due(runtime)


def test_a_copy_that_met_more_is_not_released_with_the_others(runtime: Runtime, person: PersonSession) -> None:
    upload(runtime, "c1", PICTURE)
    list_exactly(runtime, PICTURE, name="Another test list")
    upload(runtime, "c2", PICTURE)
    decide(runtime, person, "c1", Outcome.NOT_A_MATCH)
    assert states(runtime) == {"c1": ItemState.NOT_A_MATCH, "c2": ItemState.PENDING}
    assert not due(runtime)


def test_what_is_escalated_waits_for_somebody_else(runtime: Runtime, person: PersonSession) -> None:
    for name in ("c1", "c2", "c3"):
        upload(runtime, name, PICTURE)
    decide(runtime, person, "c2", Outcome.ESCALATE)
    assert states(runtime) == dict.fromkeys(("c1", "c2", "c3"), ItemState.PENDING)
    decide(runtime, person, "c1", Outcome.CONFIRM)
    assert states(runtime) == {"c1": ItemState.CONFIRMED, "c2": ItemState.PENDING, "c3": ItemState.CONFIRMED}


def test_hashes_alone_decide_nothing_of_bytes(runtime: Runtime, person: PersonSession) -> None:
    upload(runtime, "bytes", PICTURE)
    with runtime.database.transaction() as session:
        sha256 = session.scalars(select(Content.sha256)).one()
    for name in ("hashes", "more-hashes"):
        flow.judge_hashes(runtime.rooms, HashArrival(name, sha256=sha256, account_id=name))
    decide(runtime, person, "hashes", Outcome.NOT_A_MATCH)
    assert states(runtime) == {
        "bytes": ItemState.PENDING,
        "hashes": ItemState.NOT_A_MATCH,
        "more-hashes": ItemState.NOT_A_MATCH,
    }


def test_a_decision_on_test_data_decides_nothing_real(runtime: Runtime, person: PersonSession) -> None:
    upload(runtime, "c1", PICTURE)
    upload(runtime, "c2", PICTURE)
    with runtime.database.transaction() as session:
        session.execute(update(Case).where(Case.id == 1).values(is_test=True))
        session.execute(update(Case).where(Case.id == 2).values(is_test=False))
    decide(runtime, person, "c1", Outcome.CONFIRM)
    assert states(runtime) == {"c1": ItemState.CONFIRMED, "c2": ItemState.PENDING}


def test_many_copies_are_decided_once_each_whoever_does_it(runtime: Runtime, person: PersonSession) -> None:
    names = [f"c{number}" for number in range(likewise.RIGHT_AWAY + 6)]
    for name in names:
        upload(runtime, name, PICTURE)
    decide(runtime, person, names[0], Outcome.CONFIRM)
    assert list(states(runtime).values()).count(ItemState.PENDING) == 5
    assert due(runtime)
    counted: list[int] = []
    threads = [threading.Thread(target=lambda: counted.append(likewise.settle(runtime.rooms))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counted) == 5
    assert set(states(runtime).values()) == {ItemState.CONFIRMED}
    assert acts(runtime).count("item.confirm") == len(names)
    assert not due(runtime)


def test_a_case_that_somebody_works_on_is_left_to_them(runtime: Runtime, person: PersonSession) -> None:
    upload(runtime, "c1", PICTURE)
    upload(runtime, "c2", PICTURE)
    claiming.claim_case(runtime.rooms, reviewer(runtime, "another-reviewer"), 2)
    decide(runtime, person, "c1", Outcome.CONFIRM)
    assert states(runtime) == {"c1": ItemState.CONFIRMED, "c2": ItemState.PENDING}
    assert not due(runtime)
