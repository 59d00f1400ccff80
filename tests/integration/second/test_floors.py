"""Lowering the organisation's floor takes two people; raising it does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from seawall.access.people import PersonSession
from seawall.access.requests import Asker, RequestInfo
from seawall.cases import floors
from seawall.cases.stages import Floor
from seawall.database.sessions import Database
from seawall.errors import Conflict, Forbidden, NotFound
from seawall.evidence import audit
from seawall.records import HarmClass, RevealStage, Role
from seawall.request_records import RequestKind, RequestState
from seawall.second import asking
from seawall.second import floors as second_floors
from seawall.settings import Settings
from tests.integration.second.pairs import somebody

BLURRED = Floor(clearest=RevealStage.BLURRED)
GREY = Floor(clearest=RevealStage.GREY)
COLOUR = Floor(clearest=RevealStage.COLOUR)


@pytest.fixture
def chosen(settings: Settings) -> Settings:
    return settings.model_copy(update={"reveal_floors": "csam=blurred-colour"})


@pytest.fixture
def admin(database: Database, chosen: Settings) -> PersonSession:
    """Who asks, where the floor was raised to blurred."""
    with database.transaction() as session:
        floors.raise_for_all(session, chosen, HarmClass.CSAM, BLURRED)
    return somebody(database, "admin-1", Role.ADMIN)


def ask(database: Database, person: PersonSession, wanted: Floor) -> RequestInfo:
    with database.transaction() as session:
        return asking.ask(
            session,
            RequestKind.LOWER_FLOOR,
            second_floors.subject_of(HarmClass.CSAM),
            second_floors.parameters_of(HarmClass.CSAM, wanted),
            Asker(person.actor, person.user_id),
            "Grey is needed to tell drawings from photographs.",
            timedelta(days=1),
        )


def answer(database: Database, person: PersonSession, number: int) -> RequestState:
    with database.transaction() as session:
        return asking.answer(session, person, number, approved=True, words="I agree.").state


def floor(database: Database, settings: Settings) -> Floor:
    with database.transaction() as session:
        return floors.of_organisation(session, settings)[HarmClass.CSAM]


def test_a_floor_is_lowered_when_a_senior_agrees(database: Database, chosen: Settings, admin: PersonSession) -> None:
    asked = ask(database, admin, GREY)
    assert floor(database, chosen) == BLURRED
    for nobody in (admin, somebody(database, "admin-2", Role.ADMIN), somebody(database, "reviewer-1")):
        with pytest.raises(Forbidden):
            answer(database, nobody, asked.id)
    assert answer(database, somebody(database, "senior-1", Role.SENIOR), asked.id) is RequestState.CARRIED_OUT
    assert floor(database, chosen) == GREY
    with database.transaction() as session:
        assert audit.verify(session).ok
        (done,) = [link for link in audit.links(session) if link.act == "floor.lower"]
    assert (done.actor, done.details["second_person"]) == ("user:admin-1", "user:senior-1")
    assert (done.details["before"], done.details["after"]) == ("blurred-blurred", "blurred-grey")


def test_a_floor_that_was_changed_meanwhile_is_not_lowered(
    database: Database, chosen: Settings, admin: PersonSession
) -> None:
    asked = ask(database, admin, COLOUR)
    with database.transaction() as session:
        floors.lower_for_all(session, HarmClass.CSAM, GREY)
    assert answer(database, somebody(database, "senior-1", Role.SENIOR), asked.id) is RequestState.VOID
    assert floor(database, chosen) == GREY


def test_what_cannot_be_lowered_is_not_asked_for(database: Database, chosen: Settings, admin: PersonSession) -> None:
    with database.transaction() as session:
        floors.check_lower(session, chosen, HarmClass.CSAM, COLOUR)
        for wanted in (Floor(), BLURRED):  # beyond the settings; and no lower than now
            with pytest.raises(Conflict):
                floors.check_lower(session, chosen, HarmClass.CSAM, wanted)
        with pytest.raises(NotFound):
            floors.hold_raised(session, HarmClass.OTHER)
    ask(database, admin, GREY)
    with pytest.raises(Conflict, match="waits for a second person"):
        ask(database, admin, COLOUR)
