"""Blind review: deciding once more what somebody else decided, without seeing what they said or who they are."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.responses import Response

from seawall import flow, reviewing
from seawall.access.people import PersonSession
from seawall.access.permissions import Act, may
from seawall.cases import blind, store
from seawall.cases.blind import BlindView
from seawall.cases.decisions import LONGEST_REASON
from seawall.cases.reveals import FIRST, Aim
from seawall.cases.store import CaseView
from seawall.console import views, wording
from seawall.console.desk import Desk, desk_of
from seawall.console.looks import Shown, Wanted, look_at, panels
from seawall.console.routes.cases import aimed, chosen
from seawall.console.troubles import is_htmx
from seawall.console.views import ItemPart
from seawall.console.visitor import Allowed, AnyVisitor, Visitor, own_form
from seawall.console.wording import Notice
from seawall.errors import BadInput, Conflict, NotFound
from seawall.records import Outcome, RevealStage

router = APIRouter(prefix="/blind")
ADesk = Annotated[Desk, Depends(desk_of)]
APerson = Annotated[PersonSession, Depends(Allowed(Act.DECIDE))]
AWanted = Annotated[Wanted, Depends(chosen)]
ADDRESS = "/console/blind"
PICTURE = "parts/picture.html"
# Of the upload no more than tells what it is: not by what the case could be found, in which all stands.
FACTS = frozenset({"Surface", "Kind", "Policy"})
CHOICES = tuple(each for each in wording.CHOICES if each.value != Outcome.ESCALATE)


@router.get("")
def page(desk: ADesk, visitor: AnyVisitor, person: APerson, wanted: AWanted, done: str = "") -> Response:
    """What this person has taken, or how many wait; `done` says that an answer was just recorded."""
    message = Notice("Recorded.", "What the other person said is not shown to you.", "good") if done else None
    return _page(desk, visitor, person, message=message, wanted=wanted)


@router.post("/take", dependencies=[Depends(own_form)])
def take(desk: ADesk, person: APerson) -> Response:
    """Takes the next one."""
    with desk.database.transaction() as session:
        blind.take(session, person.user_id)
    return RedirectResponse(ADDRESS, status_code=303)


@router.post("/{number}/pass", dependencies=[Depends(own_form)])
def pass_on(number: int, desk: ADesk, person: APerson) -> Response:
    """Leaves it to somebody else, without a reason."""
    with desk.database.transaction() as session:
        blind.give_back(session, number, person.user_id)
    return RedirectResponse(ADDRESS, status_code=303)


@router.get("/{number}/picture")
def covered(number: int, desk: ADesk, visitor: AnyVisitor, person: APerson, wanted: AWanted) -> Response:
    """The picture, covered again, with what was chosen in its panel."""
    held = _held(desk, person, number)
    return desk.pages.answer(PICTURE, visitor, **_shown(desk, person, held, replace(wanted, item_id=number)))


@router.post("/{number}/reveal", dependencies=[Depends(own_form)])
def reveal(
    number: int,
    request: Request,
    desk: ADesk,
    visitor: AnyVisitor,
    person: APerson,
    _looks: Annotated[PersonSession, Depends(Allowed(Act.REVEAL))],
    stage: Annotated[RevealStage, Form()],
    aim: Annotated[Aim, Depends(aimed)],
) -> Response:
    """Asks for one look, on record, as a case's page does."""
    held = _held(desk, person, number)
    evidence_id = _case(desk, held).items[0].evidence_id
    if evidence_id is None:
        raise NotFound("There is no picture of this item.", hint="The platform sent its hashes alone.")
    token = flow.ask_to_reveal(desk.rooms, person, evidence_id, stage, aim)
    shown = look_at(number, token, stage, aim)
    if is_htmx(request):
        return JSONResponse(asdict(shown) | {"over": shown.over})
    wanted = Wanted(number, None, FIRST, aim.place or 0, aim.step) if aim.strip else Wanted(number, stage, aim)
    return _page(desk, visitor, person, wanted=wanted, shown=shown)


@router.post("/{number}/answer", dependencies=[Depends(own_form)])
def answer(
    number: int,
    desk: ADesk,
    visitor: AnyVisitor,
    person: APerson,
    outcome: Annotated[Outcome, Form()],
    reason: Annotated[str, Form(max_length=LONGEST_REASON)] = "",
) -> Response:
    """Records what this person says. Whether it agrees is not told."""
    try:
        if outcome is Outcome.ESCALATE:
            raise BadInput("A blind review says what it is.", hint="Pass it on if you cannot tell.")
        reviewing.answer(desk.rooms, person, number, outcome, reason)
    except (BadInput, Conflict) as error:
        notice = Notice(error.message, error.hint, "trouble")
        return _page(desk, visitor, person, message=notice, outcome=outcome, reason=reason, status=error.http_status)
    return RedirectResponse(f"{ADDRESS}?done=yes", status_code=303)


def _page(
    desk: Desk,
    visitor: Visitor,
    person: PersonSession,
    *,
    message: Notice | None = None,
    wanted: Wanted | None = None,
    shown: Shown | None = None,
    outcome: Outcome | None = None,
    reason: str = "",
    status: int = 200,
) -> Response:
    with desk.database.transaction() as session:
        held = blind.mine(session, person.user_id)
        waiting = blind.waiting(session, person.user_id)
    return desk.pages.answer(
        "blind.html",
        visitor,
        here="/console/",
        exactly=False,
        status=status,
        message=message,
        waiting=waiting,
        shown=shown,
        choices=CHOICES,
        outcome=outcome,
        reason=reason,
        longest=LONGEST_REASON,
        **({"item": None} if held is None else _shown(desk, person, held, wanted)),
    )


def _shown(desk: Desk, person: PersonSession, held: BlindView, wanted: Wanted | None) -> dict[str, Any]:
    """The item under the number of the review, without anything that says what became of it."""
    case = _case(desk, held)
    looks = {}
    if may(person, Act.REVEAL):
        aimed_at = None if wanted is None else replace(wanted, item_id=held.item_id)
        with desk.database.transaction() as session:
            looks = panels(session, desk.settings, person, case, aimed_at)
    return {
        "item": _blinded(views.case_page(case).items[0], held.id),
        "panels": {held.id: looks[held.item_id]} if held.item_id in looks else {},
        "page_at": ADDRESS,
        "item_at": f"{ADDRESS}/{held.id}",
    }


def _blinded(item: ItemPart, number: int) -> ItemPart:
    return replace(
        item,
        id=number,
        content_id="",
        standing="",
        looks="",
        decisions=(),
        facts=tuple((name, value) for name, value in item.facts if name in FACTS),
    )


def _held(desk: Desk, person: PersonSession, number: int) -> BlindView:
    with desk.database.transaction() as session:
        return blind.get(session, number, person.user_id)


def _case(desk: Desk, held: BlindView) -> CaseView:
    """The case with this one item."""
    with desk.database.transaction() as session:
        case = store.get_case(session, held.case_id)
    return replace(case, items=tuple(item for item in case.items if item.id == held.item_id))
