"""Hash lists: whose they are, how many entries, how fresh. Never a hash."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall.access.people import PersonSession
from seawall.access.permissions import Act, may
from seawall.console import plots, trends
from seawall.console.desk import Desk, desk_of
from seawall.console.visitor import Allowed, AnyVisitor, own_form
from seawall.console.wording import Notice
from seawall.database.tables import now
from seawall.errors import BadInput, Conflict, NotFound
from seawall.hashlists import counts, quarantines, store

router = APIRouter(prefix="/lists")
ADesk = Annotated[Desk, Depends(desk_of)]
LONGEST_REASON = 500
MOST_QUARANTINES = 200


@router.get("", dependencies=[Depends(Allowed(Act.SEE_LISTS))])
def lists_page(desk: ADesk, visitor: AnyVisitor, changed: int | None = None, lifted: str | None = None) -> Response:
    """All lists by name; `changed` is the number of the one that was just switched, `lifted` says that a quarantine
    was lifted."""
    message = None if lifted is None else Notice("The quarantine is lifted.", "It acts as before.", "good")
    return _page(desk, visitor, message, changed=changed)


@router.post("/switch", dependencies=[Depends(own_form)])
def switch(
    desk: ADesk,
    visitor: AnyVisitor,
    person: Annotated[PersonSession, Depends(Allowed(Act.MANAGE_LISTS))],
    name: Annotated[str, Form(max_length=200)],
    to: Annotated[str, Form(pattern="^(enabled|disabled)$")],
    reason: Annotated[str, Form(max_length=LONGEST_REASON)] = "",
) -> Response:
    """Enables or disables one list, with the reason on the record."""
    if not reason.strip():
        refusal = Notice("Say why.", "The reason goes into the audit chain. Nothing was changed.", "trouble")
        return _page(desk, visitor, refusal, status=422)
    change = store.enable_list if to == "enabled" else store.disable_list
    with desk.database.transaction() as session:
        info = change(session, name, person.actor, reason=reason.strip())
    return RedirectResponse(f"/console/lists?changed={info.list_id}", status_code=303)


@router.post("/lift", dependencies=[Depends(own_form)])
def lift(
    desk: ADesk,
    visitor: AnyVisitor,
    person: Annotated[PersonSession, Depends(Allowed(Act.MANAGE_LISTS))],
    quarantine: Annotated[int, Form(ge=1, le=2**62)],
    reason: Annotated[str, Form(max_length=LONGEST_REASON)] = "",
) -> Response:
    """Lets an entry or a list that was quarantined by itself act as before."""
    try:
        with desk.database.transaction() as session:
            quarantines.lift(session, quarantine, reason, person.actor)
    except (BadInput, Conflict, NotFound) as error:
        return _page(desk, visitor, Notice(error.message, error.hint, "trouble"), status=error.http_status)
    return RedirectResponse("/console/lists?lifted=yes", status_code=303)


def _page(
    desk: Desk, visitor: AnyVisitor, message: Notice | None = None, *, changed: int | None = None, status: int = 200
) -> Response:
    with desk.database.transaction() as session:
        summaries = store.summaries(session)
        standing = quarantines.standing(session, MOST_QUARANTINES)
        today = now().date()
        days = counts.days(session, plots.first_day(today))
    for info in (summary.info for summary in summaries if summary.info.list_id == changed):
        message = Notice(f"The list {info.name} is {'enabled' if info.enabled else 'disabled'} now.", tone="good")
    return desk.pages.answer(
        "lists.html",
        visitor,
        here="/console/lists",
        status=status,
        lists=summaries,
        quarantines=standing,
        most_quarantines=MOST_QUARANTINES,
        trends={
            info.list_id: trends.trend(days.get(info.list_id, ()), today) for info in (one.info for one in summaries)
        },
        may_manage=visitor.person is not None and may(visitor.person, Act.MANAGE_LISTS),
        message=message,
    )
