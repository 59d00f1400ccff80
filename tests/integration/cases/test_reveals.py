"""A look works once, for one person, for a short time, and the first one shows least."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, text

from seawall.cases import reveals
from seawall.database.sessions import Database
from seawall.database.tables import Reveal
from seawall.errors import Conflict, NotFound
from seawall.records import RevealStage
from tests.integration.cases.material import add, person, sealed


@pytest.fixture
def evidence(database: Database) -> tuple[int, int, int]:
    """A piece of evidence and two people."""
    with database.transaction() as session:
        _, item, _ = add(session, "c1", "account-1")
        return sealed(session, item), person(session), person(session, "another test reviewer")


def ask(database: Database, evidence_id: int, user: int, stage: RevealStage = RevealStage.BLURRED) -> str:
    with database.transaction() as session:
        return reveals.ask(session, evidence_id, user, stage)


def redeem(database: Database, token: str, user: int) -> reveals.RedeemedReveal:
    with database.transaction() as session:
        return reveals.redeem(session, token, user)


def test_a_token_shows_what_was_asked_for_once(database: Database, evidence: tuple[int, int, int]) -> None:
    number, user, _ = evidence
    token = ask(database, number, user)
    assert redeem(database, token, user) == reveals.RedeemedReveal(number, RevealStage.BLURRED)
    with pytest.raises(NotFound):
        redeem(database, token, user)
    with database.transaction() as session:
        row = session.scalars(select(Reveal)).one()
        assert row.shown_at is not None
        assert token.encode() not in row.token_hash


def test_a_token_is_one_persons(database: Database, evidence: tuple[int, int, int]) -> None:
    number, user, other = evidence
    token = ask(database, number, user)
    with pytest.raises(NotFound):
        redeem(database, token, other)
    assert redeem(database, token, user).evidence_id == number


@pytest.mark.parametrize("token", ["", "unknown", "é\0", "\ud800"])
def test_a_token_that_nobody_was_given(database: Database, evidence: tuple[int, int, int], token: str) -> None:
    with pytest.raises(NotFound):
        redeem(database, token, evidence[1])


def test_a_token_expires(database: Database, evidence: tuple[int, int, int]) -> None:
    number, user, _ = evidence
    token = ask(database, number, user)
    with database.transaction() as session:
        row = session.scalars(select(Reveal)).one()
        assert 59 < (row.expires_at - row.asked_at).total_seconds() < 61
        session.execute(text("UPDATE reveals SET expires_at = now() - interval '1 millisecond'"))
    with pytest.raises(NotFound):
        redeem(database, token, user)


def test_of_many_at_once_one_sees(database: Database, evidence: tuple[int, int, int]) -> None:
    number, user, _ = evidence
    token, seen = ask(database, number, user), list[bool]()

    def look() -> None:
        try:
            redeem(database, token, user)
            seen.append(True)
        except NotFound:
            seen.append(False)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [False] * 7 + [True]


@pytest.mark.parametrize("stage", [RevealStage.GREY, RevealStage.COLOUR])
def test_the_first_look_is_blurred(database: Database, evidence: tuple[int, int, int], stage: RevealStage) -> None:
    number, user, other = evidence
    with pytest.raises(Conflict):
        ask(database, number, user, stage)
    token = ask(database, number, user)
    with pytest.raises(Conflict):  # asked, but not seen
        ask(database, number, user, stage)
    redeem(database, token, user)
    assert redeem(database, ask(database, number, user, stage), user).stage is stage
    with pytest.raises(Conflict):  # what one person saw does not count for another
        ask(database, number, other, stage)


def test_evidence_that_is_not_there(database: Database, evidence: tuple[int, int, int]) -> None:
    with pytest.raises(NotFound):
        ask(database, evidence[0] + 1, evidence[1])


def test_what_is_undone_is_not_a_look(database: Database, evidence: tuple[int, int, int]) -> None:
    number, user, _ = evidence
    token = ask(database, number, user)
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        reveals.redeem(session, token, user)
        raise ZeroDivisionError
    assert redeem(database, token, user).evidence_id == number
