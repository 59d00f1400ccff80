"""A look works once, for one person, for a short time, and the first one shows least."""

from __future__ import annotations

import itertools
import threading

import pytest
from sqlalchemy import select, text

from seawall.cases import reveals
from seawall.cases.reveals import Aim
from seawall.cases.stages import Floor
from seawall.database.sessions import Database
from seawall.database.tables import Reveal
from seawall.errors import BadInput, Conflict, Forbidden, NotFound
from seawall.records import RevealStage
from seawall.strips import Strip
from tests.integration.cases.material import add, person, sealed


@pytest.fixture
def evidence(database: Database) -> tuple[int, int, int]:
    """A piece of evidence and two people."""
    with database.transaction() as session:
        _, item, _ = add(session, "c1", "account-1")
        return sealed(session, item), person(session), person(session, "another test reviewer")


def ask(
    database: Database,
    evidence_id: int,
    user: int,
    stage: RevealStage = RevealStage.BLURRED,
    floor: Floor = Floor(),  # noqa: B008 - frozen
    aim: Aim = reveals.FIRST,
) -> str:
    with database.transaction() as session:
        return reveals.ask(session, evidence_id, user, stage, floor, aim)


def redeem(database: Database, token: str, user: int) -> reveals.RedeemedReveal:
    with database.transaction() as session:
        return reveals.redeem(session, token, user)


def test_a_token_shows_what_was_asked_for_once(database: Database, evidence: tuple[int, int, int]) -> None:
    number, user, _ = evidence
    token = ask(database, number, user)
    assert redeem(database, token, user) == reveals.RedeemedReveal(1, number, RevealStage.BLURRED)
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


def test_each_stage_opens_the_next(database: Database, evidence: tuple[int, int, int]) -> None:
    number, user, other = evidence
    for stage, later in itertools.pairwise(RevealStage):
        with pytest.raises(Conflict):
            ask(database, number, user, later)
        token = ask(database, number, user, stage)
        with pytest.raises(Conflict):  # asked, but not seen
            ask(database, number, user, later)
        redeem(database, token, user)
        with pytest.raises(Conflict):  # what one person saw does not count for another
            ask(database, number, other, later)
    assert redeem(database, ask(database, number, user, RevealStage.ORIGINAL), user).stage is RevealStage.ORIGINAL


def test_nothing_is_shown_beyond_the_floor(database: Database, evidence: tuple[int, int, int]) -> None:
    number, user, _ = evidence
    floor = Floor(RevealStage.GREY, RevealStage.GREY)
    redeem(database, ask(database, number, user, RevealStage.GREY, floor), user)
    with pytest.raises(Forbidden):
        ask(database, number, user, RevealStage.COLOUR, floor)


def shown_strip(database: Database, evidence_id: int, user: int, stage: RevealStage, *places: int) -> None:
    """A look at stills of these places."""
    token = ask(database, evidence_id, user, stage, aim=Aim(0, strip=True))
    look = redeem(database, token, user)
    with database.transaction() as session:
        reveals.note_strip(session, look.reveal_id, Strip(places, False, True, None))


def test_a_still_is_one_that_a_strip_showed_and_goes_on_from_there(
    database: Database, evidence: tuple[int, int, int]
) -> None:
    number, user, other = evidence
    still, elsewhere, frame = Aim(4000, moving=True), Aim(4001, moving=True), Aim(4000)
    with pytest.raises(Conflict):  # the first look is blurred, of stills too
        ask(database, number, user, RevealStage.GREY, aim=Aim(0, strip=True))
    with pytest.raises(NotFound):
        ask(database, number, user, aim=still)
    shown_strip(database, number, user, RevealStage.BLURRED, 0, 4000)
    with pytest.raises(BadInput):
        ask(database, number, user, RevealStage.COLOUR, aim=Aim(0, strip=True))
    with pytest.raises(Conflict):
        ask(database, number, user, RevealStage.COLOUR, aim=still)
    shown_strip(database, number, user, RevealStage.GREY, 0, 4000)
    for aim in (elsewhere, frame):
        with pytest.raises(NotFound):
            ask(database, number, user, aim=aim)
    with pytest.raises(NotFound):  # what one person saw does not count for another
        ask(database, number, other, aim=still)
    with pytest.raises(Conflict):  # nor one still for the first picture
        ask(database, number, user, RevealStage.COLOUR)
    look = redeem(database, ask(database, number, user, RevealStage.COLOUR, aim=still), user)
    assert (look.stage, look.aim) == (RevealStage.COLOUR, still)
    with pytest.raises(Conflict):
        ask(database, number, user, RevealStage.ORIGINAL, aim=Aim(0, moving=True))
    with database.transaction() as session:
        assert reveals.last_strip(session, number, user) == Strip((0, 4000), False, True, None)
        assert reveals.last_strip(session, number, other) is None


def closed(database: Database, token: str, user: int) -> float | None:
    """How long the look lasted by the record, after saying that it is over."""
    with database.transaction() as session:
        reveals.close(session, token, user)
    with database.transaction() as session:
        row = session.scalars(select(Reveal)).one()
        return (
            None if row.closed_at is None or row.shown_at is None else (row.closed_at - row.shown_at).total_seconds()
        )


def test_a_look_is_closed_once_by_whose_it_is_and_lasts_no_longer_than_it_may(
    database: Database, evidence: tuple[int, int, int]
) -> None:
    number, user, other = evidence
    token = ask(database, number, user)
    redeem(database, token, user)
    assert closed(database, token, other) is None
    with database.transaction() as session:
        session.execute(text("UPDATE reveals SET shown_at = now() - interval '1 day'"))
    assert closed(database, token, user) == reveals.LONGEST_LOOK.total_seconds()
    with database.transaction() as session:
        session.execute(text("UPDATE reveals SET closed_at = shown_at + interval '7 seconds'"))
    assert closed(database, token, user) == 7


def test_what_is_let_go_before_it_was_shown_is_not_shown(database: Database, evidence: tuple[int, int, int]) -> None:
    number, user, _ = evidence
    token = ask(database, number, user)
    assert closed(database, token, user) is None
    with pytest.raises(NotFound):
        redeem(database, token, user)


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
