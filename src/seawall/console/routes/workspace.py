"""The workspace: items that are decided at once, with a look at what would happen and time to take it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse
from pydantic import Field
from starlette.responses import Response

from seawall import bulk
from seawall.access.people import PersonSession
from seawall.access.permissions import Act
from seawall.bulk import Preview
from seawall.cases import bulks, workspace
from seawall.cases.bulks import BulkState, BulkView
from seawall.cases.decisions import LONGEST_REASON
from seawall.cases.workspace import MOST
from seawall.console import views, wording
from seawall.console.desk import Desk, desk_of
from seawall.console.visitor import Allowed, AnyVisitor, Visitor, own_form
from seawall.console.wording import Notice, counted
from seawall.errors import BadInput, Conflict, NotFound, SeawallError
from seawall.records import Outcome

router = APIRouter(prefix="/workspace")
ADesk = Annotated[Desk, Depends(desk_of)]
AReviewer = Annotated[PersonSession, Depends(Allowed(Act.DECIDE))]
ADDRESS = "/console/workspace"
LARGEST_ID = 2**62
Numbers = Annotated[list[Annotated[int, Field(ge=1, le=LARGEST_ID)]], Form(max_length=MOST)]
BULKS = {
    BulkState.WAITING: "held back",
    BulkState.RUNNING: "being carried out",
    BulkState.DONE: "carried out",
    BulkState.UNDONE: "taken back, nothing was decided",
}


@router.get("")
def page(desk: ADesk, visitor: AnyVisitor, person: AReviewer, put: int | None = None) -> Response:
    """What is in the workspace. `put` is how many items have just come into it."""
    message = None
    if put is not None:
        message = Notice(f"{counted(max(put, 0), 'item')} put in your workspace.", tone="good")
    return _page(desk, visitor, person, message=message)


@router.get("/waiting")
def waiting(desk: ADesk, visitor: AnyVisitor, person: AReviewer) -> Response:
    """What is held back or was just carried out, for as long as something is."""
    return desk.pages.answer("parts/bulks.html", visitor, bulks=_bulks(desk, person), bulk_states=BULKS)


@router.post("/put", dependencies=[Depends(own_form)])
def put(desk: ADesk, person: AReviewer, case_id: Numbers = [], item_id: Numbers = []) -> Response:  # noqa: B006 - read only
    """Puts what waits of cases, or single items, into the workspace."""
    with desk.database.transaction() as session:
        added = workspace.put_cases(session, person.user_id, case_id) if case_id else 0
        added += sum(workspace.put_item(session, person.user_id, each) for each in item_id)
    return RedirectResponse(f"{ADDRESS}?put={added}", status_code=303)


@router.post("/take-out", dependencies=[Depends(own_form)])
def take_out(desk: ADesk, person: AReviewer, item_id: Numbers = []) -> Response:  # noqa: B006 - read only
    """Takes items out of it."""
    with desk.database.transaction() as session:
        workspace.take_out(session, person.user_id, item_id)
    return RedirectResponse(ADDRESS, status_code=303)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One decision on all items that are marked."""

    outcome: Outcome
    reason: str
    item_ids: list[int]


def wanted(
    outcome: Annotated[Outcome, Form()],
    reason: Annotated[str, Form(max_length=LONGEST_REASON)] = "",
    item_id: Numbers = [],  # noqa: B006 - read only
) -> Wanted:
    """What the form says."""
    return Wanted(outcome, reason, item_id)


AWanted = Annotated[Wanted, Depends(wanted)]


@router.post("/preview", dependencies=[Depends(own_form)])
def preview(desk: ADesk, visitor: AnyVisitor, person: AReviewer, wanted: AWanted) -> Response:
    """What the decision would do to the items that are marked, and to which not."""
    try:
        found = bulk.preview(desk.rooms, person, wanted.outcome, wanted.reason, wanted.item_ids)
    except BadInput as error:
        return _page(desk, visitor, person, message=_trouble(error), wanted=wanted, status=422)
    return _page(desk, visitor, person, found=found, wanted=wanted)


@router.post("/ask", dependencies=[Depends(own_form)])
def ask(desk: ADesk, visitor: AnyVisitor, person: AReviewer, wanted: AWanted) -> Response:
    """Asks for what the preview showed. It is held back first."""
    try:
        bulk.ask(desk.rooms, person, wanted.outcome, wanted.reason, wanted.item_ids)
    except BadInput as error:
        return _page(desk, visitor, person, message=_trouble(error), wanted=wanted, status=422)
    return RedirectResponse(f"{ADDRESS}#bulks", status_code=303)


@router.post("/undo", dependencies=[Depends(own_form)])
def undo(
    desk: ADesk,
    visitor: AnyVisitor,
    person: AReviewer,
    bulk_id: Annotated[int, Form(ge=1, le=LARGEST_ID)],
) -> Response:
    """Takes a bulk decision back that is held back still."""
    try:
        back = bulk.undo(desk.rooms, person, bulk_id)
    except (Conflict, NotFound) as error:
        return _page(desk, visitor, person, message=_trouble(error), status=error.http_status)
    message = Notice(
        "Taken back.", f"Nothing was decided; {counted(back, 'item')} are in your workspace again.", "good"
    )
    return _page(desk, visitor, person, message=message)


def _bulks(desk: Desk, person: PersonSession) -> tuple[BulkView, ...]:
    with desk.database.transaction() as session:
        return bulks.recent(session, person.user_id)


def _trouble(error: SeawallError) -> Notice:
    return Notice(error.message, error.hint, "trouble")


def _page(
    desk: Desk,
    visitor: Visitor,
    person: PersonSession,
    *,
    message: Notice | None = None,
    found: Preview | None = None,
    wanted: Wanted | None = None,
    status: int = 200,
) -> Response:
    with desk.database.transaction() as session:
        lines = workspace.lines(session, person.user_id)
    return desk.pages.answer(
        "workspace.html",
        visitor,
        here=ADDRESS,
        status=status,
        message=message,
        lines=[views.workspace_row(line) for line in lines],
        names={line.item_id: line.content_id for line in lines},
        bulks=_bulks(desk, person),
        bulk_states=BULKS,
        choices=wording.CHOICES,
        found=found,
        outcome=None if wanted is None else wanted.outcome,
        reason="" if wanted is None else wanted.reason,
        marked={line.item_id for line in lines} if wanted is None else set(wanted.item_ids),
        undo_s=desk.settings.bulk_undo_seconds,
    )
