"""The audit chain: who did what, newest first, and whether the chain holds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from seawall.access.permissions import Act
from seawall.console.desk import Desk, desk_of
from seawall.console.visitor import Allowed, AnyVisitor, own_form
from seawall.console.wording import Notice, counted
from seawall.evidence import audit, heads

router = APIRouter(prefix="/audit", dependencies=[Depends(Allowed(Act.READ_AUDIT))])
ADesk = Annotated[Desk, Depends(desk_of)]
PAGE = 50
ADDRESS = "/console/audit"
NO_SIGNATURE = "No signature was looked at: there is no audit key here, or no head was signed yet."


@router.get("")
def audit_page(
    desk: ADesk, visitor: AnyVisitor, before: Annotated[int | None, Query(ge=1, le=2**62)] = None
) -> Response:
    """One page of events; `before` is the number of the event after the page."""
    return _page(desk, visitor, before, None)


@router.post("/verify", dependencies=[Depends(own_form)])
def verify(desk: ADesk, visitor: AnyVisitor) -> Response:
    """Walks the whole chain and says whether it holds."""
    with desk.database.transaction() as session:
        report = heads.prove(session, desk.settings)
    if report.first_problem is None:
        events = counted(report.events, "event")
        holds = "chain holds" if report.signatures else "hashes of the chain hold"
        looked = "" if report.signatures else f"{NO_SIGNATURE} "
        found = Notice(
            f"The {holds}: {events}, each continuing the one before.",
            f"{looked}Its head is {report.head.hex()}. Written down elsewhere, it proves later that the end was not "
            "cut off.",
            "good",
        )
    else:
        found = Notice(
            f"The chain breaks at event {report.first_problem.number}.",
            f"{report.first_problem.explanation} Keep everything as it is and compare with a backup.",
            "trouble",
        )
    return _page(desk, visitor, None, found)


def _page(desk: Desk, visitor: AnyVisitor, before: int | None, message: Notice | None) -> Response:
    with desk.database.transaction() as session:
        events = audit.last_links(session, PAGE, before=before)[::-1]
    more = bool(events) and events[-1].number > 1
    return desk.pages.answer(
        "audit.html",
        visitor,
        here=ADDRESS,
        events=events,
        newer=ADDRESS if before is not None else None,
        newer_label="Newest",
        older=f"{ADDRESS}?before={events[-1].number}" if more else None,
        older_label="Older",
        message=message,
    )
