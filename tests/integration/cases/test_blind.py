"""Blind reviews: what is drawn, who is given it, and what their answers make of the item; against a simple model."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field

import pytest
from sqlalchemy.orm import Session

from seawall.access.permissions import ALLOWED, Act
from seawall.cases import agreement, blind, store
from seawall.database.sessions import Database
from seawall.database.tables import BlindReview, Case, CaseItem, User, now
from seawall.errors import BadInput, Conflict, NotFound
from seawall.records import CaseState, HarmClass, ItemState, Outcome
from tests.integration.cases.material import add, person

OUTCOMES = (Outcome.CONFIRM, Outcome.NOT_A_MATCH)


def tag(words: str) -> bytes:
    return hashlib.sha256(b"a test key" + words.encode()).digest()


def all_of_them(_harm_class: HarmClass) -> float:
    return 100.0


def drawn(session: Session, item: int, percent: float = 100.0) -> bool:
    return blind.draw(session, item, lambda _class: percent, tag, ALLOWED[Act.DECIDE])


def decided(session: Session, name: str, by: int, outcome: Outcome) -> int:
    """An item of a case of its own that somebody decided."""
    _case, item, _created = add(session, name, f"account-{name}")
    store.decide(session, item_id=item.id, user_id=by, outcome=outcome, reason="looked at it")
    return item.id


@dataclass
class Model:
    """What ought to be: of each review who decided first and what, who passed it, who holds it, and its answer."""

    first: dict[int, tuple[int, Outcome]] = field(default_factory=dict)
    passed: dict[int, set[int]] = field(default_factory=dict)
    holder: dict[int, int] = field(default_factory=dict)
    answers: dict[int, Outcome] = field(default_factory=dict)

    def open_to(self, who: int) -> list[int]:
        return [
            number
            for number, (first, _outcome) in sorted(self.first.items())
            if number not in self.answers
            and number not in self.holder
            and first != who
            and who not in self.passed[number]
        ]

    def held_by(self, who: int) -> int | None:
        return next((number for number, holder in self.holder.items() if holder == who), None)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_people_do_the_second_is_never_the_first_and_nothing_is_answered_twice(
    database: Database, seed: int
) -> None:
    chance = random.Random(seed)
    model = Model()
    items: dict[int, int] = {}
    with database.transaction() as session:
        people = [person(session, f"test-{number}") for number in range(3)]
    for step in range(70):
        who, outcome = chance.choice(people), chance.choice(OUTCOMES)
        with database.transaction() as session:
            act = chance.choice(("decide", "take", "take", "answer", "answer", "pass"))
            held = model.held_by(who)
            if act == "decide":
                item = decided(session, f"c{step}", who, outcome)
                assert drawn(session, item)
                number = session.query(BlindReview.id).filter_by(item_id=item).scalar()
                model.first[number], model.passed[number], items[number] = (who, outcome), set(), item
            elif act == "take":
                expected = held if held is not None else next(iter(model.open_to(who)), None)
                assert blind.waiting(session, who) == len(model.open_to(who))
                found = blind.take(session, who)
                assert (None if found is None else found.id) == expected
                if expected is not None:
                    model.holder[expected] = who
            elif held is None:
                for number in model.first:
                    with pytest.raises(NotFound):
                        blind.answer(session, number, who, outcome, "words")
            elif act == "pass":
                blind.give_back(session, held, who)
                model.passed[held].add(who)
                del model.holder[held]
            else:
                with pytest.raises(BadInput):
                    blind.answer(session, held, who, outcome, " ")
                result = blind.answer(session, held, who, outcome, "words")
                model.answers[held] = outcome
                del model.holder[held]
                assert result.agrees is (outcome is model.first[held][1])
                if not result.agrees:
                    assert (result.item.state, result.case.state) == (ItemState.PENDING, CaseState.ESCALATED)
    with database.transaction() as session:
        assert {row.id: row.outcome for row in session.query(BlindReview) if row.outcome} == model.answers
        assert all(row.user_id != model.first[row.id][0] for row in session.query(BlindReview))
        told = agreement.by_policy(session)
        assert sum(each.reviews for each in told) == len(model.answers)
        assert sum(each.agreed for each in told) == sum(
            outcome is model.first[number][1] for number, outcome in model.answers.items()
        )


def test_a_share_is_drawn_and_a_team_of_one_does_nothing(database: Database) -> None:
    with database.transaction() as session:
        alone = person(session, "test-1")
        assert not drawn(session, decided(session, "alone", alone, Outcome.CONFIRM))
        other = person(session, "test-2")
        items = [decided(session, f"c{number}", alone, Outcome.CONFIRM) for number in range(100)]
        assert 10 <= sum(drawn(session, item, 25.0) for item in items) <= 40
        assert not any(drawn(session, decided(session, f"d{n}", alone, Outcome.CONFIRM), 0.0) for n in range(20))
        escalated = decided(session, "escalated", alone, Outcome.ESCALATE)
        assert not drawn(session, escalated)
        session.get_one(User, other).disabled_at = now()
        session.flush()
        assert not drawn(session, decided(session, "alone again", alone, Outcome.CONFIRM))


def test_what_was_decided_again_meanwhile_needs_no_answer(database: Database) -> None:
    with database.transaction() as session:
        first, second = person(session, "test-1"), person(session, "test-2")
        item = decided(session, "c1", first, Outcome.CONFIRM)
        assert drawn(session, item)
        held = blind.take(session, second)
        assert held is not None
        session.get_one(CaseItem, item).state = ItemState.PENDING.value
        session.flush()
        with pytest.raises((Conflict, NotFound)):
            blind.answer(session, held.id, second, Outcome.CONFIRM, "words")
        assert blind.take(session, second) is None


def test_only_a_senior_who_is_neither_settles_it(database: Database) -> None:
    with database.transaction() as session:
        first, second, third = (person(session, f"test-{number}") for number in range(3))
        item_id = decided(session, "c1", first, Outcome.CONFIRM)
        assert drawn(session, item_id)
        held = blind.take(session, second)
        assert held is not None
        result = blind.answer(session, held.id, second, Outcome.NOT_A_MATCH, "words")
        assert session.get_one(Case, result.case.id).state == CaseState.ESCALATED
        for who, senior in ((first, True), (second, True), (third, False)):
            with pytest.raises(Conflict, match="senior"):
                blind.refuse_decider(session, result.item, who, senior=senior)
        blind.refuse_decider(session, result.item, third, senior=True)


def test_a_conversation_is_not_drawn_and_one_that_was_waits_for_nobody(database: Database) -> None:
    conversation = [{"finding": "conversation"}]
    with database.transaction() as session:
        first, second = person(session, "test-1"), person(session, "test-2")
        item = session.get_one(CaseItem, decided(session, "c1", first, Outcome.CONFIRM))
        item.findings = conversation
        session.flush()
        assert not drawn(session, item.id)
        other = session.get_one(CaseItem, decided(session, "c2", first, Outcome.CONFIRM))
        assert drawn(session, other.id)
        assert blind.waiting(session, second) == 1
        held = blind.take(session, second)
        assert held is not None
        other.findings = conversation
        session.flush()
        assert (blind.waiting(session, second), blind.mine(session, second)) == (0, None)
        with pytest.raises(NotFound):
            blind.answer(session, held.id, second, Outcome.NOT_A_MATCH, "words")
