"""Saved filters: keeping a part of the queue by a name, sharing it, removing it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall.access.people import PersonSession
from seawall.access.permissions import Act, may, require
from seawall.cases import saved
from seawall.console.desk import Desk, desk_of
from seawall.console.filters import LONGEST_QUERY, of_query
from seawall.console.visitor import Allowed, own_form
from seawall.evidence import audit

router = APIRouter(prefix="/filters", dependencies=[Depends(own_form)])
ADesk = Annotated[Desk, Depends(desk_of)]
ASeer = Annotated[PersonSession, Depends(Allowed(Act.SEE_CASES))]


@router.post("")
def save(
    desk: ADesk,
    person: ASeer,
    name: Annotated[str, Form(max_length=200)],
    within: Annotated[str, Form(max_length=LONGEST_QUERY)] = "",
    shared: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Keeps the filter that the queue is shown by. What everybody is shown is in the audit chain."""
    filters = of_query(within)
    if shared:
        require(person, Act.SHARE_FILTERS)
    with desk.database.transaction() as session:
        was_shared = saved.save(session, person.user_id, name, filters.query(), shared=bool(shared))
        if shared or was_shared:
            act = "filter.share" if shared else "filter.unshare"
            audit.append(session, person.actor, act, f"user:{person.name}", {"name": name, "filter": filters.query()})
    return RedirectResponse(filters.address(), status_code=303)


@router.post("/{filter_id}/remove")
def remove(filter_id: Annotated[int, Path(ge=1, le=2**62)], desk: ADesk, person: ASeer) -> Response:
    """Removes one."""
    with desk.database.transaction() as session:
        gone = saved.remove(session, filter_id, person.user_id, any_shared=may(person, Act.SHARE_FILTERS))
        if gone.shared:
            audit.append(session, person.actor, "filter.unshare", f"filter:{filter_id}", {"name": gone.name})
    return RedirectResponse("/console/", status_code=303)
