"""One decision on many items: what it would do, taking it back, carrying it out, in any order and against a model."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select, text, update

from seawall import bulk, claiming, flow
from seawall.access.people import PersonSession
from seawall.cases import bulks, workspace
from seawall.cases.bulks import BulkState
from seawall.database.tables import AuditEvent, Bulk, CaseItem, Decision, OutboxMessage, User, now
from seawall.errors import BadInput, Conflict, NotFound
from seawall.records import ItemState, MediaArrival, Outcome, Role
from seawall.runtime import Runtime
from tests.integration.cases.material import add
from tests.integration.test_flow import LISTED, list_exactly, reviewer, runtime

__all__ = ["runtime"]

REASON = "Harmless test pictures."
STATES = {Outcome.CONFIRM: ItemState.CONFIRMED, Outcome.NOT_A_MATCH: ItemState.NOT_A_MATCH}


def arrive(runtime: Runtime, name: str, account: str = "account-1") -> int:
    with runtime.database.transaction() as session:
        return add(session, name, account)[1].id


def put(runtime: Runtime, person: PersonSession, *items: int) -> None:
    with runtime.database.transaction() as session:
        for item in items:
            workspace.put_item(session, person.user_id, item)


def in_workspace(runtime: Runtime, person: PersonSession) -> set[int]:
    with runtime.database.transaction() as session:
        return {line.item_id for line in workspace.lines(session, person.user_id)}


def close_window(runtime: Runtime) -> None:
    """Lets the time pass in which what is held back can be taken back."""
    with runtime.database.transaction() as session:
        session.execute(
            update(Bulk).where(Bulk.state == "waiting").values(due_at=func.now() - timedelta(microseconds=1))
        )


def acts(runtime: Runtime, since: int = 0) -> list[str]:
    with runtime.database.transaction() as session:
        wanted = select(AuditEvent.act).where(AuditEvent.number > since).order_by(AuditEvent.number)
        return list(session.scalars(wanted))


def states(runtime: Runtime) -> list[str]:
    with runtime.database.transaction() as session:
        return list(session.scalars(select(CaseItem.state).order_by(CaseItem.id)))


@pytest.fixture
def person(runtime: Runtime) -> PersonSession:
    return reviewer(runtime)


def test_what_cannot_be_decided_is_said_before(runtime: Runtime, person: PersonSession) -> None:
    first, second, third = (arrive(runtime, name) for name in ("c1", "c2", "c3"))
    put(runtime, person, first, second)
    flow.decide_item(runtime.rooms, person, first, Outcome.CONFIRM, REASON)
    before = acts(runtime)
    found = bulk.preview(runtime.rooms, person, Outcome.CONFIRM, REASON, [first, second, third])
    assert found.decided == (second,)  # the third is not in this person's workspace
    assert found.excluded == ((first, f"Item {first} was decided already, as confirmed."),)
    assert states(runtime) == ["confirmed", "pending", "pending"]
    assert acts(runtime) == before
    with pytest.raises(BadInput):
        bulk.preview(runtime.rooms, person, Outcome.CONFIRM, " ", [second])
    with pytest.raises(BadInput):
        bulk.ask(runtime.rooms, person, Outcome.CONFIRM, REASON, [first])


def test_nothing_is_done_before_the_window_closes(runtime: Runtime, person: PersonSession) -> None:
    item = arrive(runtime, "c1")
    put(runtime, person, item)
    number = bulk.ask(runtime.rooms, person, Outcome.CONFIRM, REASON, [item])
    assert bulk.carry_out(runtime.rooms) == 0
    assert states(runtime) == ["pending"]
    assert in_workspace(runtime, person) == set()
    with pytest.raises(NotFound):
        bulk.undo(runtime.rooms, replace(person, user_id=person.user_id + 1), number)
    close_window(runtime)
    assert bulk.carry_out(runtime.rooms) == 1
    assert states(runtime) == ["confirmed"]
    with pytest.raises(Conflict):
        bulk.undo(runtime.rooms, person, number)
    assert acts(runtime)[-3:] == ["bulk.ask", "item.confirm", "bulk.end"]


def test_who_may_not_decide_any_more_decides_nothing(runtime: Runtime, person: PersonSession) -> None:
    item = arrive(runtime, "c1")
    put(runtime, person, item)
    bulk.ask(runtime.rooms, person, Outcome.CONFIRM, REASON, [item])
    close_window(runtime)
    with runtime.database.transaction() as session:
        session.get_one(User, person.user_id).roles = [Role.AUDITOR.value]
    assert bulk.carry_out(runtime.rooms) == 0
    assert states(runtime) == ["pending"]
    with runtime.database.transaction() as session:
        (view,) = bulks.recent(session, person.user_id)
    assert (view.state, view.decided, view.refusals) == (BulkState.DONE, 0, ((item, bulk.MAY_NOT),))


def test_a_workspace_is_a_persons_own_and_not_endless(runtime: Runtime, person: PersonSession) -> None:
    stranger = reviewer(runtime, "another-reviewer")
    for number in range(workspace.MOST + 1):
        arrive(runtime, f"c{number}", "account-1" if number else "account-2")
    with runtime.database.transaction() as session:
        assert workspace.put_cases(session, person.user_id, [2]) == workspace.MOST
        assert workspace.put_cases(session, person.user_id, [2]) == 0
    assert in_workspace(runtime, stranger) == set()
    with runtime.database.transaction() as session, pytest.raises(Conflict):
        workspace.put_cases(session, person.user_id, [1])
    with runtime.database.transaction() as session, pytest.raises(NotFound):
        workspace.put_cases(session, person.user_id, [1, 99])


def test_several_at_once_decide_each_item_once(runtime: Runtime, person: PersonSession) -> None:
    items = [arrive(runtime, f"c{number}", f"account-{number % 2}") for number in range(8)]
    put(runtime, person, *items)
    number = bulk.ask(runtime.rooms, person, Outcome.NOT_A_MATCH, REASON, items)
    close_window(runtime)
    undone: list[bool] = []

    def undo() -> None:
        try:
            bulk.undo(runtime.rooms, person, number)
        except Conflict:
            return
        undone.append(True)

    threads = [threading.Thread(target=bulk.carry_out, args=(runtime.rooms,)) for _ in range(2)]
    threads.append(threading.Thread(target=undo))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = ["pending" if undone else "not_a_match"] * len(items)
    assert states(runtime) == done
    with runtime.database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Decision)) == (0 if undone else len(items))
        (view,) = bulks.recent(session, person.user_id)
    assert (view.state, view.refusals) == (BulkState.UNDONE if undone else BulkState.DONE, ())


def test_what_takes_two_people_is_left_out(runtime: Runtime, person: PersonSession) -> None:
    list_exactly(runtime, LISTED)
    flow.judge_media(runtime.rooms, MediaArrival("listed", LISTED, account_id="account-2"))
    item = arrive(runtime, "c1")
    put(runtime, person, 1, item)
    found = bulk.preview(runtime.rooms, person, Outcome.NOT_A_MATCH, REASON, [1, item])
    assert (found.decided, found.excluded) == ((item,), ((1, bulk.TAKES_TWO),))
    assert bulk.preview(runtime.rooms, person, Outcome.CONFIRM, REASON, [1, item]).decided == (1, item)
    bulk.ask(runtime.rooms, person, Outcome.NOT_A_MATCH, REASON, [1, item])
    close_window(runtime)
    assert bulk.carry_out(runtime.rooms) == 1
    assert states(runtime) == ["pending", "not_a_match"]
    assert "request.ask" not in acts(runtime)
    assert in_workspace(runtime, person) == {1}


def test_a_case_that_somebody_works_on_is_left_out(runtime: Runtime, person: PersonSession) -> None:
    item = arrive(runtime, "c1")
    put(runtime, person, item)
    bulk.ask(runtime.rooms, person, Outcome.CONFIRM, REASON, [item])
    claiming.claim_case(runtime.rooms, reviewer(runtime, "another-reviewer"), 1)
    close_window(runtime)
    assert bulk.carry_out(runtime.rooms) == 0
    with runtime.database.transaction() as session:
        (view,) = bulks.recent(session, person.user_id)
    ((refused, why),) = view.refusals
    assert refused == item
    assert "another-reviewer" in why


# Any order, against a model


@dataclass
class ModelBulk:
    outcome: Outcome
    items: list[int]
    state: BulkState = BulkState.WAITING


@dataclass
class Model:
    items: dict[int, ItemState] = field(default_factory=dict)
    workspace: set[int] = field(default_factory=set)
    bulks: dict[int, ModelBulk] = field(default_factory=dict)
    told: int = 0
    decisions: int = 0

    def decide(self, items: Sequence[int], outcome: Outcome) -> int:
        """Decides what waits; of how many."""
        waiting = [item for item in items if self.items[item] is ItemState.PENDING]
        self.decisions += len(waiting)
        if outcome in STATES:
            self.told += len(waiting)
            self.items.update(dict.fromkeys(waiting, STATES[outcome]))
        return len(waiting)


class BulkMachine(RuleBasedStateMachine):
    """Puts together, asks, takes back, carries out, dies in between; the platform is told what the model says."""

    bulks = Bundle("bulks")

    def __init__(self, runtime: Runtime) -> None:
        super().__init__()
        self.runtime = runtime
        self.model = Model()
        with runtime.database.transaction() as session:
            session.execute(text("TRUNCATE cases, content, users RESTART IDENTITY CASCADE"))
            self.since = session.scalar(select(func.max(AuditEvent.number))) or 0
            session.add(User(name="test-reviewer", roles=[Role.REVIEWER.value]))
        self.person = PersonSession(1, "test-reviewer", frozenset({Role.REVIEWER}), now(), "csrf")

    @rule(account=st.sampled_from(["account-1", "account-2"]))
    def come(self, account: str) -> None:
        if len(self.model.items) < 8:
            item = arrive(self.runtime, f"c{len(self.model.items)}", account)
            self.model.items[item] = ItemState.PENDING

    @rule(data=st.data())
    def gather(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sets(st.sampled_from(sorted(self.model.items)))) if self.model.items else set()
        put(self.runtime, self.person, *chosen)
        self.model.workspace |= chosen

    @rule(data=st.data(), outcome=st.sampled_from(Outcome))
    def decide_alone(self, data: st.DataObject, outcome: Outcome) -> None:
        waiting = [item for item, state in self.model.items.items() if state is ItemState.PENDING]
        if waiting:
            item = data.draw(st.sampled_from(waiting))
            flow.decide_item(self.runtime.rooms, self.person, item, outcome, "alone")
            self.model.decide([item], outcome)

    @rule(target=bulks, data=st.data(), outcome=st.sampled_from(Outcome))
    def ask(self, data: st.DataObject, outcome: Outcome) -> int | None:
        chosen = data.draw(st.sets(st.sampled_from(sorted(self.model.items)))) if self.model.items else set()
        held = {item for each in self.model.bulks.values() if each.state is BulkState.WAITING for item in each.items}
        wanted = sorted(chosen & self.model.workspace - held)
        can = [item for item in wanted if self.model.items[item] is ItemState.PENDING]
        try:
            number = bulk.ask(self.runtime.rooms, self.person, outcome, REASON, chosen)
        except BadInput:
            assert not can
            return None
        self.model.bulks[number] = ModelBulk(outcome, can)
        self.model.workspace -= set(can)
        return number

    @rule(number=bulks)
    def undo(self, number: int | None) -> None:
        if number is None:
            return
        model = self.model.bulks[number]
        try:
            back = bulk.undo(self.runtime.rooms, self.person, number)
        except Conflict:
            assert model.state is not BulkState.WAITING
            return
        assert model.state is BulkState.WAITING
        assert back == len(model.items)
        model.state = BulkState.UNDONE
        self.model.workspace |= set(model.items)

    @rule(close=st.booleans(), die_after=st.one_of(st.none(), st.integers(0, 2)))
    def carry_out(self, close: bool, die_after: int | None) -> None:
        if close:
            close_window(self.runtime)
            waiting = {number: each for number, each in self.model.bulks.items() if each.state is BulkState.WAITING}
            if die_after is not None and waiting:
                self._die(die_after)
            for each in waiting.values():
                self.model.decide(each.items, each.outcome)
                each.state = BulkState.DONE
        bulk.carry_out(self.runtime.rooms)

    def _die(self, after: int) -> None:
        """A worker that begins, decides some items and is never heard of again."""
        with self.runtime.database.transaction() as session:
            number = bulks.begin(session)
            assert number is not None
            left = bulks.left(session, number)
            outcome = Outcome(session.get_one(Bulk, number).outcome)
        for item in left[:after]:
            try:
                flow.decide_item(self.runtime.rooms, self.person, item, outcome, REASON)
            except Conflict:
                continue

    @invariant()
    def everything_is_as_in_the_model(self) -> None:
        model = self.model
        assert in_workspace(self.runtime, self.person) == model.workspace
        with self.runtime.database.transaction() as session:
            found = dict(session.execute(select(CaseItem.id, CaseItem.state)).all())  # type: ignore[arg-type]
            decisions = session.scalar(select(func.count()).select_from(Decision))
            told = session.scalar(select(func.count()).select_from(OutboxMessage))
            kept = {view.id: view.state for view in bulks.recent(session, 1, 1000)}
        assert found == {item: state.value for item, state in model.items.items()}
        assert (decisions, told) == (model.decisions, model.told)
        assert kept == {number: each.state for number, each in model.bulks.items()}
        recorded = acts(self.runtime, self.since)
        assert sum(act.startswith("item.") for act in recorded) == model.decisions
        by_state = [each.state for each in model.bulks.values()]
        counts = {act: recorded.count(act) for act in ("bulk.ask", "bulk.undo", "bulk.end")}
        assert counts == {
            "bulk.ask": len(by_state),
            "bulk.undo": by_state.count(BulkState.UNDONE),
            "bulk.end": by_state.count(BulkState.DONE),
        }


def test_any_order_is_as_in_the_model(runtime: Runtime) -> None:
    run_state_machine_as_test(
        lambda: BulkMachine(runtime),
        settings=settings(
            max_examples=12,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
