"""Appeals: what people say against a decision, decided by somebody else than who decided first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall import flow
from seawall.access.people import PersonSession
from seawall.access.permissions import Act
from seawall.cases import appeals
from seawall.cases.appeals import AppealState, AppealView
from seawall.console.desk import Desk, desk_of
from seawall.console.visitor import Allowed, AnyVisitor, Visitor, own_form
from seawall.console.wording import STANDINGS, Notice
from seawall.errors import BadInput, Conflict, Forbidden
from seawall.records import ItemState

router = APIRouter(prefix="/appeals")
ADesk = Annotated[Desk, Depends(desk_of)]
APerson = Annotated[PersonSession, Depends(Allowed(Act.DECIDE))]
SHOWN = 50
DECIDED_SHOWN = 20
LONGEST_REASON = 2000
RESULTS = {
    AppealState.UPHELD: Notice("The decision stands.", "The platform is told.", "good"),
    AppealState.OVERTURNED: Notice(
        "The decision is overturned.", "The platform is told that it may publish it again.", "good"
    ),
    AppealState.OPEN: Notice(
        "The appeal waits for a second person.",
        "It is the very file that a trusted list has. The platform is told nothing until somebody else agrees.",
        "good",
    ),
}
OUTCOMES = {AppealState.UPHELD: "Upheld", AppealState.OVERTURNED: "Overturned"}


@dataclass(frozen=True, slots=True)
class AppealPart:
    """One appeal, as the page shows it. `against` is why this person may not decide it; empty when they may."""

    info: AppealView
    words: tuple[str, ...]
    standing: str
    against: str
    outcome: str


@router.get("")
def appeals_page(desk: ADesk, visitor: AnyVisitor, person: APerson, done: int = 0) -> Response:
    """What waits, and what was decided last; `done` is the appeal that was just decided."""
    message = None
    if done:
        with desk.database.transaction() as session:
            found = appeals.get(session, done)
        message = RESULTS[found.state] if found.waits is not None or found.decided_at is not None else None
    return _page(desk, visitor, person, message=message)


@router.post("/{number}/decide", dependencies=[Depends(own_form)])
def decide(
    number: int,
    desk: ADesk,
    visitor: AnyVisitor,
    person: APerson,
    to: Annotated[str, Form(pattern="^(uphold|overturn)$")],
    reason: Annotated[str, Form(max_length=LONGEST_REASON)] = "",
) -> Response:
    """Upholds or overturns, with the reason on record."""
    try:
        flow.decide_appeal(desk.rooms, person, number, overturned=to == "overturn", reason=reason)
    except (BadInput, Conflict, Forbidden) as error:
        notice = Notice(error.message, error.hint, "trouble")
        return _page(desk, visitor, person, message=notice, status=error.http_status)
    return RedirectResponse(f"/console/appeals?done={number}#notice", status_code=303)


def _page(
    desk: Desk, visitor: Visitor, person: PersonSession, *, message: Notice | None = None, status: int = 200
) -> Response:
    with desk.database.transaction() as session:
        waiting = appeals.undecided(session, SHOWN)
        decided = appeals.decided(session, DECIDED_SHOWN)
    return desk.pages.answer(
        "appeals.html",
        visitor,
        here="/console/appeals",
        status=status,
        message=message,
        waiting=[_part(desk, person, each) for each in waiting],
        decided=[_part(desk, person, each) for each in decided],
        longest=LONGEST_REASON,
    )


def _part(desk: Desk, person: PersonSession, appeal: AppealView) -> AppealPart:
    words = desk.rooms.vault.open_words(appeal.sealed, f"appeal:{appeal.appeal_id}") if appeal.sealed else ""
    return AppealPart(
        info=appeal,
        words=tuple(line for line in words.splitlines() if line.strip()),
        standing=STANDINGS[appeal.content_state],
        against=_against(person, appeal),
        outcome=OUTCOMES.get(appeal.state, ""),
    )


def _against(person: PersonSession, appeal: AppealView) -> str:
    if appeal.waits is not None:
        return "Waits for a second person, under Second look."
    if appeal.item_state is not ItemState.CONFIRMED:
        return "The item is not decided yet; decide it in its case first."
    if person.name in appeal.deciders:
        return "You decided this item; an appeal is decided by somebody else."
    return ""
