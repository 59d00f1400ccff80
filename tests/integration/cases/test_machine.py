"""Random sequences of adding and deciding, against a model that is a few dictionaries."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from seawall.cases import priority, store
from seawall.database.sessions import Database
from seawall.errors import BadInput, Conflict
from seawall.records import CaseState, EventType, Finding, HarmClass, ItemState, Outcome, Trust
from tests.integration.cases.material import add, match, person, scan_owed

SUBJECTS = st.sampled_from(["account-1", "account-2", None])
FINDINGS = st.lists(
    st.one_of(
        st.just(scan_owed()),
        st.builds(match, st.sampled_from(Trust), st.sampled_from(HarmClass), st.sampled_from([0, 3, 31])),
    ),
    min_size=1,
    max_size=2,
)


@dataclass
class ModelItem:
    findings: list[Finding]
    state: ItemState = ItemState.PENDING


@dataclass
class ModelCase:
    account: str | None
    state: CaseState = CaseState.OPEN
    urgent: bool = False
    is_test: bool = True
    items: dict[int, ModelItem] = field(default_factory=dict)

    @property
    def priority(self) -> int:
        return priority.total(priority.of_case(self.urgent, [item.findings for item in self.items.values()]))


class CaseMachine(RuleBasedStateMachine):
    """Adds and decides; after every step the database holds what the model holds."""

    items = Bundle("items")

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.cases: dict[int, ModelCase] = {}
        self.undecided: dict[str, int] = {}
        self.items_of_content: dict[tuple[int, str], int] = {}
        with database.transaction() as session:
            session.execute(text("TRUNCATE cases, content, users RESTART IDENTITY CASCADE"))
            self.user = person(session)

    @rule(
        target=items,
        account=SUBJECTS,
        number=st.integers(0, 4),
        findings=FINDINGS,
        urgent=st.booleans(),
        is_test=st.booleans(),
    )
    def arrive(
        self, account: str | None, number: int, findings: list[Finding], urgent: bool, is_test: bool
    ) -> object:
        content_id = f"{account}-{number}"
        with self.database.transaction() as session:
            case, item, created = add(session, content_id, account, findings=findings, urgent=urgent, is_test=is_test)
            case_id, item_id, subject = case.id, item.id, case.subject
        model = self.cases.get(case_id)
        if subject in self.undecided:
            assert case_id == self.undecided[subject]
        else:
            assert model is None
            model = self.cases[case_id] = ModelCase(account)
            self.undecided[subject] = case_id
        assert model is not None
        assert created == ((case_id, content_id) not in self.items_of_content)
        if not created:
            assert self.items_of_content[case_id, content_id] == item_id
            return multiple()
        self.items_of_content[case_id, content_id] = item_id
        model.items[item_id] = ModelItem(findings)
        model.urgent, model.is_test = model.urgent or urgent, model.is_test and is_test
        return item_id

    @rule(item_id=items, outcome=st.sampled_from(Outcome), restrict=st.booleans())
    def decide(self, item_id: int, outcome: Outcome, restrict: bool) -> None:
        case_id, model = next((key, case) for key, case in self.cases.items() if item_id in case.items)
        item = model.items[item_id]
        refusal = (
            Conflict
            if item.state is not ItemState.PENDING
            else BadInput
            if restrict and (model.account is None or outcome is Outcome.NOT_A_MATCH)
            else None
        )
        try:
            with self.database.transaction() as session:
                result = store.decide(
                    session,
                    item_id=item_id,
                    user_id=self.user,
                    outcome=outcome,
                    reason="test",
                    restrict_account=restrict,
                )
        except (Conflict, BadInput) as error:
            met: type[Exception] | None = type(error)
        else:
            met = None
        assert met is refusal
        if met is not None:
            return
        if outcome is Outcome.ESCALATE:
            model.state = CaseState.ESCALATED
        else:
            item.state = ItemState.CONFIRMED if outcome is Outcome.CONFIRM else ItemState.NOT_A_MATCH
        closed = all(each.state is not ItemState.PENDING for each in model.items.values())
        if closed:
            model.state = CaseState.DECIDED
            self.undecided = {key: value for key, value in self.undecided.items() if value != case_id}
        told = {
            Outcome.CONFIRM: [EventType.CONTENT_REMOVE],
            Outcome.NOT_A_MATCH: [EventType.CONTENT_RELEASE],
            Outcome.ESCALATE: [],
        }[outcome] + [EventType.ACCOUNT_RESTRICT] * restrict
        assert (result.case_id, result.case_closed) == (case_id, closed)
        assert [event for event, _ in result.events] == told

    @rule(item_id=consumes(items))
    def forget(self, item_id: int) -> None:
        """Lets later decisions fall on other items."""

    @invariant()
    def the_database_holds_what_the_model_holds(self) -> None:
        with self.database.transaction() as session:
            rows = store.queue(session, tuple(CaseState), limit=500)
            counts = store.counts(session)
            views = {case_id: store.get_case(session, case_id) for case_id in self.cases}
        expected = sorted(self.cases, key=lambda key: (not self.cases[key].urgent, -self.cases[key].priority, key))
        assert [row.case_id for row in rows] == expected
        for row in rows:
            model, view = self.cases[row.case_id], views[row.case_id]
            assert (row.state, row.urgent, row.priority, row.is_test) == (
                model.state,
                model.urgent,
                model.priority,
                model.is_test,
            )
            assert {item.id: item.state for item in view.items} == {
                key: item.state for key, item in model.items.items()
            }
            assert (row.items, row.pending) == (len(view.items), view.pending)
            assert priority.total(view.terms) == row.priority
        assert counts == {state: sum(case.state is state for case in self.cases.values()) for state in CaseState}


def test_any_sequence_of_steps_is_as_in_the_model(database: Database) -> None:
    run_state_machine_as_test(
        lambda: CaseMachine(database),
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
