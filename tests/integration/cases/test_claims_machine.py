"""Claims, leases that run out, decisions and reassignment in any order, against a model of two dictionaries."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, text

from seawall.cases import claims, store
from seawall.cases.next import claim_next
from seawall.database.sessions import Database
from seawall.database.tables import CaseItem, Decision
from seawall.errors import CaseClaimed, Conflict
from seawall.records import Outcome
from tests.integration.cases.material import add, match, person

LEASE = timedelta(minutes=5)
CASES = st.integers(0, 3)
PEOPLE = st.integers(0, 2)


class ClaimMachine(RuleBasedStateMachine):
    """Four cases and three people. The model: who holds which case, which claims are over, and what was decided."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database

    @initialize(distances=st.lists(st.integers(0, 31), min_size=4, max_size=4))
    def begin(self, distances: list[int]) -> None:
        self.holder: dict[int, int] = {}  # a row, whether its lease stands or not
        self.over: set[int] = set()
        self.assigned: set[int] = set()
        self.decided: dict[int, int] = {}
        self.escalated: dict[int, set[int]] = {}
        with self.database.transaction() as session:
            session.execute(text("TRUNCATE cases, content, users RESTART IDENTITY CASCADE"))
            self.users = [person(session, f"person-{number}") for number in range(3)]
            self.cases = [add(session, f"c{n}", findings=[match(distance=d)])[0].id for n, d in enumerate(distances)]
        # The most pressing first: what is nearest, then what is oldest.
        self.order = sorted(range(4), key=lambda number: (distances[number], number))

    def standing(self, case: int) -> int | None:
        """Who works on it, by the model."""
        return None if case in self.over else self.holder.get(case)

    def took(self, case: int, who: int) -> None:
        self.holder[case] = who
        self.over.discard(case)
        self.assigned.discard(case)

    def forget(self, case: int) -> None:
        self.holder.pop(case, None)
        self.over.discard(case)
        self.assigned.discard(case)

    @rule(case=CASES, who=PEOPLE)
    def claim(self, case: int, who: int) -> None:
        free = self.standing(case) in (None, who)
        wanted = Conflict if case in self.decided else None if free else CaseClaimed
        met: type[Exception] | None = None
        try:
            with self.database.transaction() as session:
                taken = claims.claim(session, self.cases[case], self.users[who], LEASE)
        except Conflict as error:
            met = type(error)
        else:
            assert taken.new == (self.standing(case) is None)
            self.took(case, who)
        assert met is wanted

    @rule(who=PEOPLE)
    def take_next(self, who: int) -> None:
        mine = [each for each in self.order if each in self.assigned and self.holder[each] == who]
        free = [
            each
            for each in self.order
            if each not in self.decided and self.standing(each) is None and who not in self.escalated.get(each, set())
        ]
        with self.database.transaction() as session:
            taken = claim_next(session, self.users[who], LEASE)
        wanted = (mine or free or [None])[0]
        assert (taken and taken.case_id) == (None if wanted is None else self.cases[wanted])
        if wanted is not None:
            self.took(wanted, who)

    @rule(case=CASES, who=PEOPLE)
    def release(self, case: int, who: int) -> None:
        with self.database.transaction() as session:
            had = claims.release(session, self.cases[case], self.users[who])
        assert had == (self.standing(case) == who)
        if self.holder.get(case) == who:
            self.forget(case)

    @rule(case=CASES, who=PEOPLE)
    def renew(self, case: int, who: int) -> None:
        with self.database.transaction() as session:
            went_on = claims.renew(session, self.cases[case], self.users[who], LEASE)
        assert went_on == (self.holder.get(case) == who)
        if went_on:
            self.over.discard(case)

    @rule(case=CASES, to=PEOPLE)
    def reassign(self, case: int, to: int) -> None:
        refused = case in self.decided or self.standing(case) == to
        before, met = self.standing(case), False
        try:
            with self.database.transaction() as session:
                name = claims.reassign(session, self.cases[case], self.users[to], LEASE)
        except Conflict:
            met = True
        else:
            assert name == (None if before is None else f"person-{before}")
            self.took(case, to)
            self.assigned.add(case)
        assert met == refused

    @rule(case=CASES)
    def a_lease_runs_out(self, case: int) -> None:
        with self.database.transaction() as session:
            over = text("UPDATE claims SET expires_at = clock_timestamp() - interval '1 s' WHERE case_id = :case_id")
            session.execute(over, {"case_id": self.cases[case]})
        if case in self.holder:
            self.over.add(case)

    @rule(case=CASES, who=PEOPLE, outcome=st.sampled_from(Outcome))
    def decide(self, case: int, who: int, outcome: Outcome) -> None:
        held = self.standing(case) not in (None, who)
        wanted = Conflict if case in self.decided else CaseClaimed if held else None
        met: type[Exception] | None = None
        try:
            with self.database.transaction() as session:
                item = session.scalars(select(CaseItem.id).filter_by(case_id=self.cases[case])).one()
                store.decide(session, item_id=item, user_id=self.users[who], outcome=outcome, reason="test")
        except Conflict as error:
            met = type(error)
        assert met is wanted
        if met is not None:
            return
        self.forget(case)
        if outcome is Outcome.ESCALATE:
            self.escalated.setdefault(case, set()).add(who)
        else:
            self.decided[case] = who

    @invariant()
    def claims_and_decisions_are_the_models(self) -> None:
        with self.database.transaction() as session:
            held = {case: claims.of_case(session, self.cases[case]) for case in range(4)}
            final = session.execute(
                select(Decision.case_id, Decision.user_id).where(Decision.outcome != "escalate")
            ).all()
        assert {case: view and view.user_id for case, view in held.items()} == {
            case: None if (who := self.standing(case)) is None else self.users[who] for case in range(4)
        }
        assert sorted(final) == sorted((self.cases[case], self.users[who]) for case, who in self.decided.items())


def test_any_sequence_of_steps_is_as_in_the_model(database: Database) -> None:
    run_state_machine_as_test(
        lambda: ClaimMachine(database),
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
