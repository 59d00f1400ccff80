"""Second look: what one person asked for, and waits for another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall import flow
from seawall.access import requests
from seawall.access.people import PersonSession
from seawall.access.permissions import DEMANDS_PROOF, Act, may
from seawall.access.proof import require_proof
from seawall.access.requests import Parameters, RequestInfo
from seawall.console.desk import Desk, desk_of
from seawall.console.visitor import Allowed, AnyVisitor, Visitor, own_form
from seawall.console.wording import HARM_CLASSES, Link, Notice, counted
from seawall.errors import BadInput, Conflict, Forbidden, NotFound
from seawall.request_records import RequestKind, RequestState
from seawall.second import asking
from seawall.second.floors import floor_of
from seawall.second.kinds import KINDS

router = APIRouter(prefix="/second", dependencies=[Depends(Allowed(Act.SECOND_LOOK))])
ADesk = Annotated[Desk, Depends(desk_of)]
APerson = Annotated[PersonSession, Depends(Allowed(Act.SECOND_LOOK))]
ANSWERED_SHOWN = 20
LONGEST_WORDS = 2000
RESULTS = {
    RequestState.CARRIED_OUT: ("Request {id} is approved.", "It has been carried out.", "good"),
    RequestState.REFUSED: ("Request {id} is refused.", "Nothing was done.", "good"),
    RequestState.WITHDRAWN: ("Request {id} is taken back.", "Nothing was done.", "good"),
    RequestState.LAPSED: ("Request {id} has lapsed.", "Nobody answered it in time. Nothing was done.", "trouble"),
    RequestState.VOID: (
        "Request {id} is void.",
        "What it was about is not as it was when it was asked for. Nothing was done.",
        "trouble",
    ),
}
STATES = {
    RequestState.CARRIED_OUT: "Approved",
    RequestState.REFUSED: "Refused",
    RequestState.WITHDRAWN: "Taken back",
    RequestState.LAPSED: "Lapsed",
    RequestState.VOID: "Void",
}


@dataclass(frozen=True, slots=True)
class RequestPart:
    """One request, as the page shows it. `against` is why this person may not answer it; empty when they may."""

    info: RequestInfo
    title: str
    about: str
    link: Link | None
    asked_by: str
    against: str
    own: bool
    state: str
    second: str


@router.get("")
def second_page(desk: ADesk, visitor: AnyVisitor, person: APerson, done: int = 0) -> Response:
    """What waits, and what was answered last; `done` is the request that was just answered."""
    return _page(desk, visitor, person, message=_result(desk, done, person))


@router.post("/{request_id}/answer", dependencies=[Depends(own_form)])
def answer(
    request_id: int,
    desk: ADesk,
    visitor: AnyVisitor,
    person: APerson,
    to: Annotated[str, Form(pattern="^(approve|refuse)$")],
    words: Annotated[str, Form(max_length=LONGEST_WORDS)] = "",
) -> Response:
    """Approves or refuses one request, with words."""
    if to == "approve":
        _demand_proof(desk, person, request_id)
    try:
        done = flow.answer_request(desk.rooms, person, request_id, approved=to == "approve", words=words)
    except (BadInput, Conflict, Forbidden) as error:
        notice = Notice(error.message, error.hint, "trouble")
        return _page(desk, visitor, person, message=notice, status=error.http_status)
    return RedirectResponse(f"/console/second?done={done.id}#notice", status_code=303)


@router.post("/{request_id}/withdraw", dependencies=[Depends(own_form)])
def withdraw(request_id: int, desk: ADesk, visitor: AnyVisitor, person: APerson) -> Response:
    """Takes one's own request back."""
    try:
        with desk.database.transaction() as session:
            done = asking.withdraw(session, person, request_id)
    except (Conflict, Forbidden) as error:
        notice = Notice(error.message, error.hint, "trouble")
        return _page(desk, visitor, person, message=notice, status=error.http_status)
    return RedirectResponse(f"/console/second?done={done.id}#notice", status_code=303)


def _demand_proof(desk: Desk, person: PersonSession, request_id: int) -> None:
    """What takes a proof to do takes one to agree to."""
    with desk.database.transaction() as session:
        kind = requests.get(session, request_id).kind
    if DEMANDS_PROOF.intersection((KINDS[kind].needs, *KINDS[kind].agrees)):
        require_proof(person, desk.settings)


def _page(
    desk: Desk, visitor: Visitor, person: PersonSession, *, message: Notice | None = None, status: int = 200
) -> Response:
    kinds = _kinds_for(person)
    with desk.database.transaction() as session:
        waiting = requests.waiting(session, kinds)
        answered = requests.answered(session, kinds, ANSWERED_SHOWN)
        off = requests.switched_off(session)
    return desk.pages.answer(
        "second.html",
        visitor,
        here="/console/second",
        status=status,
        message=message,
        waiting=[_part(person, each) for each in waiting],
        answered=[_part(person, each) for each in answered],
        switched_off=[(KINDS[kind].title, each) for kind, each in off.items() if kind in kinds],
        longest=LONGEST_WORDS,
    )


def _kinds_for(person: PersonSession) -> list[RequestKind]:
    """The acts that concern this person: others may be about cases that they may not see."""
    return [kind for kind, each in KINDS.items() if may(person, each.needs) or asking.may_answer(person, kind)]


def _result(desk: Desk, request_id: int, person: PersonSession) -> Notice | None:
    try:
        with desk.database.transaction() as session:
            found = requests.get(session, request_id)
    except NotFound:
        return None
    if found.state not in RESULTS or found.kind not in _kinds_for(person):
        return None
    text, hint, tone = RESULTS[found.state]
    return Notice(text.format(id=found.id), hint, tone)


def _part(person: PersonSession, request: RequestInfo) -> RequestPart:
    about, link = _about(request.kind, request.parameters)
    return RequestPart(
        info=request,
        title=KINDS[request.kind].title,
        about=about,
        link=link,
        asked_by=request.asked_by.partition(":")[2],
        against=asking.reason_against(person, request) or "",
        own=request.asked_by == str(person.actor),
        state=STATES.get(request.state, "Waits"),
        second=request.on_record.removeprefix("user:"),
    )


def _about(kind: RequestKind, parameters: Parameters) -> tuple[str, Link | None]:
    """What it is about in words, and where to look at it."""
    if kind is RequestKind.NOT_A_MATCH:
        case, item = parameters["case"], parameters["item"]
        return f"Case #{case}, item {item}", Link(f"/console/cases/{case}#item-{item}", f"Look at case #{case}")
    if kind is RequestKind.OVERTURN:
        case, item = parameters["case"], parameters["item"]
        about = f"Appeal {parameters['appeal']}, case #{case}, item {item}"
        return about, Link(f"/console/cases/{case}#item-{item}", f"Look at case #{case}")
    if kind is RequestKind.EXPORT:
        case, items, keys = parameters["case"], parameters["items"], parameters["recipients"]
        assert isinstance(items, list)
        assert isinstance(keys, list)
        files = counted(len(items), "file", "files")
        about = f"Case #{case}, {files}, for {parameters['for']}, opened by {', '.join(map(str, keys))}"
        return about, Link(f"/console/cases/{case}", f"Look at case #{case}")
    if kind is RequestKind.LOWER_FLOOR:
        wanted = floor_of(parameters)
        about = f"{HARM_CLASSES[str(parameters['harm_class'])]}: from {wanted.first} to {wanted.clearest}"
        return about, Link("/console/wellbeing/team", "Look at the floors")
    name = str(parameters["list"])
    if kind is RequestKind.REMOVE_ENTRIES:
        entries = parameters["entries"]
        assert isinstance(entries, list)
        return f"{counted(len(entries), 'entry', 'entries')} of the list {name}", None
    return f"The list {name}, with all its entries", None
