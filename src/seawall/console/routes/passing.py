"""Passing a case on: no reason is asked for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall import flow
from seawall.access.people import PersonSession
from seawall.access.permissions import Act
from seawall.console.desk import Desk, desk_of
from seawall.console.visitor import Allowed, own_form

router = APIRouter(prefix="/cases/{case_id}/pass")


@router.post("", dependencies=[Depends(own_form), Depends(Allowed(Act.SEE_CASES))])
def pass_on(
    case_id: Annotated[int, Path(ge=1, le=2**62)],
    desk: Annotated[Desk, Depends(desk_of)],
    person: Annotated[PersonSession, Depends(Allowed(Act.DECIDE))],
) -> Response:
    """Leaves a case to others, and goes back to the queue."""
    flow.pass_on(desk.rooms, person, case_id)
    return RedirectResponse("/console/", status_code=303)
