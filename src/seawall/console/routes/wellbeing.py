"""Wellbeing: what one has looked at oneself, one's own floor, a pause; and what a team has, in totals alone."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from seawall import flow
from seawall.access.people import PersonSession
from seawall.access.permissions import Act, may
from seawall.cases import exposure, floors, stages
from seawall.cases.stages import Floor
from seawall.console import wording
from seawall.console.desk import Desk, desk_of
from seawall.console.exposures import bars, in_words, spent_words
from seawall.console.visitor import Allowed, AnyVisitor, own_form, proven
from seawall.console.wording import Notice
from seawall.errors import BadInput, SeawallError
from seawall.records import HarmClass, RevealStage
from seawall.request_records import RequestState
from seawall.second import deciding

router = APIRouter(prefix="/wellbeing")
ADesk = Annotated[Desk, Depends(desk_of)]
ADDRESS = "/console/wellbeing"
DAYS = 14
Looker = Annotated[PersonSession, Depends(Allowed(Act.REVEAL))]
Manager = Annotated[PersonSession, Depends(Allowed(Act.SEE_TEAM))]
DONE = {
    "floor": Notice("Your floor is changed.", "It binds from now on.", "good"),
    "raised": Notice("The floor is raised.", "It binds everybody from now on.", "good"),
    "asked": Notice("A lower floor is asked for.", "It waits for a senior reviewer, under Second look.", "good"),
    "lowered": Notice("The floor is lowered.", "It is on record that one person was enough.", "good"),
    "granted": Notice("More is granted for today.", "It is on record.", "good"),
}


@router.get("")
def own_page(desk: ADesk, visitor: AnyVisitor, person: Looker, done: str = "") -> Response:
    """One's own numbers, floor and help."""
    return _own(desk, visitor, person, DONE.get(done))


@router.post("/floor", dependencies=[Depends(own_form)])
def own_floor(
    desk: ADesk,
    visitor: AnyVisitor,
    person: Looker,
    harm_class: Annotated[HarmClass, Form()],
    first: Annotated[RevealStage, Form()],
    clearest: Annotated[RevealStage, Form()],
) -> Response:
    """Changes one's own floor for a class."""
    try:
        flow.set_own_floor(desk.rooms, person, harm_class, _floor(first, clearest))
    except SeawallError as error:
        return _own(desk, visitor, person, _trouble(error), error.http_status)
    return RedirectResponse(f"{ADDRESS}?done=floor#notice", status_code=303)


@router.get("/team")
def team_page(desk: ADesk, visitor: AnyVisitor, person: Manager, done: str = "") -> Response:
    """What all have looked at together, and the floors that bind everybody."""
    return _team(desk, visitor, person, DONE.get(done))


@router.post("/team/floor", dependencies=[Depends(own_form)])
def raise_floor(
    desk: ADesk,
    visitor: AnyVisitor,
    person: Annotated[PersonSession, Depends(Allowed(Act.RAISE_FLOORS))],
    harm_class: Annotated[HarmClass, Form()],
    first: Annotated[RevealStage, Form()],
    clearest: Annotated[RevealStage, Form()],
) -> Response:
    """Raises the organisation's floor for a class."""
    try:
        flow.raise_floor(desk.rooms, person, harm_class, _floor(first, clearest))
    except SeawallError as error:
        return _team(desk, visitor, person, _trouble(error), error.http_status)
    return RedirectResponse(f"{ADDRESS}/team?done=raised#notice", status_code=303)


@router.post("/team/floor/lower", dependencies=[Depends(own_form)])
def lower_floor(
    desk: ADesk,
    visitor: AnyVisitor,
    person: Annotated[PersonSession, Depends(Allowed(Act.RAISE_FLOORS))],
    _proof: Annotated[PersonSession, Depends(proven)],
    harm_class: Annotated[HarmClass, Form()],
    first: Annotated[RevealStage, Form()],
    clearest: Annotated[RevealStage, Form()],
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Asks for a lower floor of a class, which takes two people, each of whom has shown lately that it is them."""
    try:
        floor = _floor(first, clearest)
        with desk.database.transaction() as session:
            asked = deciding.ask_lower_floor(session, desk.settings, person, harm_class, floor, reason)
    except SeawallError as error:
        return _team(desk, visitor, person, _trouble(error), error.http_status)
    done = "asked" if asked.state is RequestState.WAITING else "lowered"
    return RedirectResponse(f"{ADDRESS}/team?done={done}#notice", status_code=303)


@router.post("/team/grant", dependencies=[Depends(own_form)])
def grant(
    desk: ADesk,
    visitor: AnyVisitor,
    person: Annotated[PersonSession, Depends(Allowed(Act.GRANT_EXPOSURE))],
    name: Annotated[str, Form(max_length=64)],
    looks: Annotated[int, Form(ge=0, le=10_000)] = 0,
    minutes: Annotated[int, Form(ge=0, le=10_000)] = 0,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Grants a person more for today."""
    try:
        flow.grant_exposure(desk.rooms, person, name.strip(), looks, minutes, reason)
    except SeawallError as error:
        return _team(desk, visitor, person, _trouble(error), error.http_status)
    return RedirectResponse(f"{ADDRESS}/team?done=granted#notice", status_code=303)


def _floor(first: RevealStage, clearest: RevealStage) -> Floor:
    if stages.rank(first) > stages.rank(clearest):
        raise BadInput("A first look cannot be clearer than the clearest.", hint="Choose a milder first look.")
    return Floor(first, clearest)


def _trouble(error: SeawallError) -> Notice:
    return Notice(error.message, error.hint, "trouble")


def _own(
    desk: Desk, visitor: AnyVisitor, person: PersonSession, message: Notice | None, status: int = 200
) -> Response:
    with desk.database.transaction() as session:
        now = exposure.standing(session, desk.settings, person.user_id)
        days = exposure.by_day(session, desk.settings, person.user_id, DAYS)
        ours = floors.of_organisation(session, desk.settings)
        mine = floors.of_person(session, desk.settings, person.user_id)
    return desk.pages.answer(
        "wellbeing.html",
        visitor,
        here=ADDRESS,
        status=status,
        message=message,
        standing=now,
        level=now.level.value,
        said=spent_words(now),
        days=list(reversed(days)),
        bars=bars([day.seconds for day in days]),
        floors=[_choice(each, mine[each], ours[each]) for each in HarmClass],
        help=desk.settings.wellbeing_help,
        timezone=desk.settings.timezone,
        in_words=in_words,
    )


def _team(
    desk: Desk, visitor: AnyVisitor, person: PersonSession, message: Notice | None, status: int = 200
) -> Response:
    with desk.database.transaction() as session:
        days = exposure.of_team(session, desk.settings, DAYS)
        dates = _dates(session, desk)
        ours = floors.of_organisation(session, desk.settings)
    settled = floors.from_settings(desk.settings)
    return desk.pages.answer(
        "team.html",
        visitor,
        here=f"{ADDRESS}/team",
        status=status,
        message=message,
        days=list(reversed(list(zip(dates, days, strict=True)))),
        bars=bars([0 if day is None else day.seconds for day in days]),
        floors=[_choice(each, ours[each], ours[each]) for each in HarmClass],
        lowerable=[_choice(each, ours[each], settled[each]) for each in HarmClass if ours[each] != settled[each]],
        fewest=exposure.FEWEST_OF_A_TEAM,
        timezone=desk.settings.timezone,
        may_raise=may(person, Act.RAISE_FLOORS),
        may_grant=may(person, Act.GRANT_EXPOSURE),
        in_words=in_words,
    )


def _dates(session: Session, desk: Desk) -> list[Any]:
    return [seen.day for seen in exposure.by_day(session, desk.settings, None, DAYS)]


def _choice(harm_class: HarmClass, now: Floor, most: Floor) -> dict[str, Any]:
    """A class with its floor, and what may be chosen: nothing beyond the organisation's."""

    def upto(stage: RevealStage) -> list[tuple[str, str]]:
        return [(each.value, wording.STAGES[each][0]) for each in stages.STAGES[: stages.rank(stage) + 1]]

    return {
        "value": harm_class.value,
        "label": wording.HARM_CLASSES[harm_class.value],
        "first": now.first.value,
        "clearest": now.clearest.value,
        "firsts": upto(most.first),
        "clearests": upto(most.clearest),
    }
