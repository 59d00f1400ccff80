"""How clearly is shown what: by the settings, by what was raised since, and by each person's own wish."""

from __future__ import annotations

import pytest

from seawall.cases import floors
from seawall.cases.stages import Floor
from seawall.database.sessions import Database
from seawall.errors import Conflict, NotFound
from seawall.records import HarmClass, RevealStage
from seawall.settings import Settings
from tests.integration.cases.material import add, match, person, scan_owed, sealed

GREY_AT_MOST = Floor(clearest=RevealStage.GREY)
BLURRED_ALONE = Floor(clearest=RevealStage.BLURRED)
COLOUR_AT_MOST = Floor(clearest=RevealStage.COLOUR)


@pytest.fixture
def chosen(settings: Settings) -> Settings:
    return settings.model_copy(update={"reveal_floors": "csam=blurred-colour, other=grey-original"})


def test_each_class_has_its_own_floor_and_the_unknown_the_strictest(database: Database, chosen: Settings) -> None:
    with database.transaction() as session:
        user = person(session)
        found = {
            "csam": [match()],
            "other": [match(harm_class=HarmClass.OTHER)],
            "both": [match(), match(harm_class=HarmClass.OTHER)],
            "owed": [scan_owed()],
        }
        numbers = {name: sealed(session, add(session, name, findings=each)[1]) for name, each in found.items()}
        of = {name: floors.of_evidence(session, chosen, number, user) for name, number in numbers.items()}
        with pytest.raises(NotFound):
            floors.of_evidence(session, chosen, max(numbers.values()) + 1, user)
    assert of == {
        "csam": COLOUR_AT_MOST,
        "other": Floor(RevealStage.GREY, RevealStage.ORIGINAL),
        "both": COLOUR_AT_MOST,
        "owed": COLOUR_AT_MOST,
    }


def test_the_organisation_can_only_raise(database: Database, chosen: Settings) -> None:
    with database.transaction() as session:
        assert floors.raise_for_all(session, chosen, HarmClass.CSAM, GREY_AT_MOST) == COLOUR_AT_MOST
        assert floors.raise_for_all(session, chosen, HarmClass.CSAM, BLURRED_ALONE) == GREY_AT_MOST
        for wider in (GREY_AT_MOST, COLOUR_AT_MOST, Floor(RevealStage.GREY, RevealStage.GREY)):
            with pytest.raises(Conflict):
                floors.raise_for_all(session, chosen, HarmClass.CSAM, wider)
        held = floors.of_organisation(session, chosen)
    assert held[HarmClass.CSAM] == BLURRED_ALONE
    assert held[HarmClass.NCII] == Floor()


def test_a_person_raises_for_themself_alone_and_never_below_the_organisation(
    database: Database, chosen: Settings
) -> None:
    with database.transaction() as session:
        one, other = person(session), person(session, "another test reviewer")
        floors.set_own(session, chosen, one, HarmClass.CSAM, BLURRED_ALONE)
        assert floors.of_person(session, chosen, one)[HarmClass.CSAM] == BLURRED_ALONE
        assert floors.of_person(session, chosen, other)[HarmClass.CSAM] == COLOUR_AT_MOST
        with pytest.raises(Conflict):
            floors.set_own(session, chosen, one, HarmClass.CSAM, Floor())
        assert floors.set_own(session, chosen, one, HarmClass.CSAM, GREY_AT_MOST) == BLURRED_ALONE
        floors.raise_for_all(session, chosen, HarmClass.CSAM, BLURRED_ALONE)
        assert floors.of_person(session, chosen, one)[HarmClass.CSAM] == BLURRED_ALONE
        floors.set_own(session, chosen, one, HarmClass.CSAM, BLURRED_ALONE)
        assert floors.of_person(session, chosen, other)[HarmClass.CSAM] == BLURRED_ALONE
