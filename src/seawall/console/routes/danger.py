"""A child may be in danger now: whom to call, and what was said. Everything else can wait."""

from __future__ import annotations

from typing import Annotated

import structlog
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
from seawall.errors import BadInput, ConfigurationError, Conflict
from seawall.reporting import jurisdictions
from seawall.reporting.jurisdictions import Profile
from seawall.settings import Settings

router = APIRouter(prefix="/cases/{case_id}/danger", dependencies=[Depends(Allowed(Act.SEE_CASES))])
ADesk = Annotated[Desk, Depends(desk_of)]
ADecider = Annotated[PersonSession, Depends(Allowed(Act.DECIDE))]
LONGEST_WHOM = 200
LONGEST_WORDS = 1500

log = structlog.get_logger(__name__)


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


def whom_to_call(settings: Settings) -> tuple[tuple[Profile, ...], bool]:
    """The jurisdictions whose numbers are shown, and whether they are those that the operator chose. Where the
    operator's file or choice cannot be used, they are all that are shipped: somebody has to call now."""
    try:
        return jurisdictions.chosen(settings.jurisdictions, settings.jurisdictions_file), True
    except ConfigurationError as error:
        log.error("jurisdictions.unusable", reason=error.message)
        return jurisdictions.chosen("", None), False


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
    profiles, as_chosen = whom_to_call(desk.settings)
    return desk.pages.answer(
        "danger.html",
        visitor,
        here="/console/",
        exactly=False,
        status=status,
        case=case,
        profiles=profiles,
        as_chosen=as_chosen,
        named=bool(desk.settings.jurisdictions.strip()),
        may_decide=visitor.person is not None and may(visitor.person, Act.DECIDE),
        longest_whom=LONGEST_WHOM,
        longest=LONGEST_WORDS,
        message=message,
        whom=whom,
        words=words,
    )
