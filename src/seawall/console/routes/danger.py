"""A child may be in danger now: whom to call, and what was said. Everything else can wait."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall import claiming
from seawall.access.people import PersonSession
from seawall.access.permissions import Act, may
from seawall.cases import store
from seawall.console.desk import Desk, desk_of
from seawall.console.routes.claims import ACase
from seawall.console.visitor import Allowed, AnyVisitor, Visitor, own_form
from seawall.console.wording import Notice
from seawall.errors import BadInput, Conflict
from seawall.reporting import jurisdictions

router = APIRouter(prefix="/cases/{case_id}/danger", dependencies=[Depends(Allowed(Act.SEE_CASES))])
ADesk = Annotated[Desk, Depends(desk_of)]
ADecider = Annotated[PersonSession, Depends(Allowed(Act.DECIDE))]
LONGEST_WHOM = 200
LONGEST_WORDS = 1500


@router.get("")
def danger_page(case_id: ACase, desk: ADesk, visitor: AnyVisitor) -> Response:
    """Whom to call."""
    return _page(desk, visitor, case_id)


@router.post("", dependencies=[Depends(own_form)])
def called(
    case_id: ACase,
    desk: ADesk,
    visitor: AnyVisitor,
    person: ADecider,
    whom: Annotated[str, Form(max_length=LONGEST_WHOM)] = "",
    # Browsers send a line's end as two characters and count it as one.
    words: Annotated[str, Form(max_length=2 * LONGEST_WORDS)] = "",
) -> Response:
    """Puts on record who was called, and goes back to the case."""
    try:
        claiming.called(desk.rooms, person, case_id, whom, words)
    except (BadInput, Conflict) as error:
        notice = Notice(error.message, error.hint, "trouble")
        return _page(desk, visitor, case_id, message=notice, whom=whom, words=words, status=error.http_status)
    return RedirectResponse(f"/console/cases/{case_id}#notes", status_code=303)


def _page(
    desk: Desk,
    visitor: Visitor,
    case_id: int,
    *,
    message: Notice | None = None,
    whom: str = "",
    words: str = "",
    status: int = 200,
) -> Response:
    with desk.database.transaction() as session:
        case = store.get_case(session, case_id)
    settings = desk.settings
    return desk.pages.answer(
        "danger.html",
        visitor,
        here="/console/",
        exactly=False,
        status=status,
        case=case,
        profiles=jurisdictions.chosen(settings.jurisdictions, settings.jurisdictions_file),
        named=bool(settings.jurisdictions.strip()),
        may_decide=visitor.person is not None and may(visitor.person, Act.DECIDE),
        longest_whom=LONGEST_WHOM,
        longest=LONGEST_WORDS,
        message=message,
        whom=whom,
        words=words,
    )
