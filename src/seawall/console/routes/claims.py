"""Who works on a case: taking it, putting it back, handing it on, taking the next; and a page that is still open."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall import claiming
from seawall.access.people import PersonSession
from seawall.access.permissions import Act, may
from seawall.console import working
from seawall.console.desk import Desk, desk_of
from seawall.console.filters import LONGEST_QUERY, of_query
from seawall.console.visitor import Allowed, AnyVisitor, own_form
from seawall.errors import NotFound

router = APIRouter(dependencies=[Depends(Allowed(Act.SEE_CASES))])
ADesk = Annotated[Desk, Depends(desk_of)]
ADecider = Annotated[PersonSession, Depends(Allowed(Act.DECIDE))]
LARGEST_ID = 2**62


def known(case_id: int) -> int:
    """A number that a case may have.

    Raises:
        NotFound: there cannot be one.
    """
    if not 0 < case_id < LARGEST_ID:
        raise NotFound(f"There is no case {case_id}.")
    return case_id


ACase = Annotated[int, Depends(known)]


@router.post("/next", dependencies=[Depends(own_form)])
def take_next(desk: ADesk, person: ADecider, within: Annotated[str, Form(max_length=LONGEST_QUERY)] = "") -> Response:
    """Takes the next case of a part of the queue."""
    return RedirectResponse(working.next_address(desk, person, of_query(within)), status_code=303)


@router.post("/cases/{case_id}/claim", dependencies=[Depends(own_form)])
def claim(case_id: ACase, desk: ADesk, person: ADecider) -> Response:
    """Takes a case that was only looked at."""
    claiming.claim_case(desk.rooms, person, case_id)
    return RedirectResponse(f"/console/cases/{case_id}", status_code=303)


@router.post("/cases/{case_id}/release", dependencies=[Depends(own_form)])
def release(case_id: ACase, desk: ADesk, person: ADecider) -> Response:
    """Puts a case back, and goes to the part of the queue that it was taken from."""
    within = working.within(desk, person, case_id)
    claiming.release_case(desk.rooms, person, case_id)
    return RedirectResponse(within.address(), status_code=303)


@router.post("/cases/{case_id}/reassign", dependencies=[Depends(own_form)])
def reassign(
    case_id: ACase,
    desk: ADesk,
    person: Annotated[PersonSession, Depends(Allowed(Act.REASSIGN))],
    to: Annotated[str, Form(max_length=64)],
) -> Response:
    """Hands a case to another person."""
    claiming.reassign_case(desk.rooms, person, case_id, to)
    return RedirectResponse(f"/console/cases/{case_id}?look=yes", status_code=303)


@router.post("/cases/{case_id}/at-risk", dependencies=[Depends(own_form)])
def at_risk(case_id: ACase, desk: ADesk, person: ADecider) -> Response:
    """Puts on record that a child may be in danger now, and shows whom to call."""
    claiming.child_at_risk(desk.rooms, person, case_id)
    return RedirectResponse(f"/console/cases/{case_id}/danger", status_code=303)


@router.put("/cases/{case_id}/here", dependencies=[Depends(own_form)])
def still_here(
    case_id: ACase,
    desk: ADesk,
    visitor: AnyVisitor,
    person: Annotated[PersonSession, Depends(Allowed(Act.SEE_CASES))],
) -> Response:
    """The page is still open: a claim goes on. Says who works on the case and who looks."""
    if may(person, Act.DECIDE):
        claiming.still_here(desk.rooms, person, case_id)
    return desk.pages.answer("parts/claim_state.html", visitor, work=working.on(desk, person, case_id))
