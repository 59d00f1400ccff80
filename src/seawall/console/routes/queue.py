"""The queue: what is to be decided, urgent first."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall.access.permissions import Act, may, require
from seawall.cases import saved
from seawall.cases.queue import count_overdue, undecided
from seawall.cases.store import queue
from seawall.console.desk import Desk, desk_of
from seawall.console.filters import ADDRESS, STATES, WHOSE, Filters, asked
from seawall.console.pages import places_of
from seawall.console.rows import row_view
from seawall.console.visitor import AnyVisitor, APerson
from seawall.console.wording import HARM_CLASSES, Link, Notice, counted
from seawall.database.tables import now
from seawall.records import CaseState

router = APIRouter()
ADesk = Annotated[Desk, Depends(desk_of)]
PAGE = 50
CASE_NUMBER = re.compile(r"#(\d{1,18})")


@router.get("/")
def queue_page(
    desk: ADesk,
    visitor: AnyVisitor,
    person: APerson,
    filters: Annotated[Filters, Depends(asked)],
    after: Annotated[str | None, Query(max_length=300)] = None,
    left: str = "",
    done: Annotated[int, Query(ge=0, le=2**62)] = 0,
) -> Response:
    """The first page. Who may not see cases starts at the first page that they may see.

    Args:
        left: "none" where somebody asked for the next case and there was none.
        done: the case that they had decided before.
    """
    if not may(person, Act.SEE_CASES) and places_of(visitor):
        return RedirectResponse(places_of(visitor)[0].address, status_code=303)
    require(person, Act.SEE_CASES)
    if numbered := CASE_NUMBER.fullmatch(filters.account):
        return RedirectResponse(f"{ADDRESS}cases/{numbered[1]}", status_code=303)
    with desk.database.transaction() as session:
        rows = queue(
            session,
            filters.states,
            limit=PAGE + 1,
            after=after,
            filters=filters.wanted(person.user_id),
            overdue=filters.clocks(desk.clocks),
        )
        found, late = undecided(session), count_overdue(session, desk.clocks)
        kept = saved.of_person(session, person.user_id)
    page, more = rows[:PAGE], len(rows) > PAGE
    at = now()
    return desk.pages.answer(
        "queue.html",
        visitor,
        here=ADDRESS,
        message=_nothing_left(filters, done) if left == "none" else None,
        rows=[row_view(row, desk.clocks, person.user_id, at) for row in page],
        filters=filters,
        states=[(value, label) for value, (label, _states) in STATES.items()],
        whose=WHOSE,
        classes=HARM_CLASSES,
        saved=kept,
        may_decide=may(person, Act.DECIDE),
        may_share=may(person, Act.SHARE_FILTERS),
        summary=_summary(found, late),
        newer=filters.address() if after else None,
        newer_label="To the top",
        older=filters.address(page[-1].cursor) if more else None,
        older_label="More cases",
    )


def _summary(found: dict[CaseState, int], late: int) -> str:
    open_cases, escalated = found[CaseState.OPEN], found[CaseState.ESCALATED]
    if not open_cases + escalated:
        return "Nothing to decide"
    said = [f"{counted(open_cases + escalated, 'case')} to decide"]
    said += [f"{escalated:,} of them escalated"] if escalated else []
    said += [f"{late:,}{' or more' if late >= 1000 else ''} overdue"] if late else []
    return ", ".join(said)


def _nothing_left(filters: Filters, done: int) -> Notice:
    """What is said when there is no next case."""
    first = f"Case #{done} is done. " if done else ""
    if filters.active:
        return Notice(f"{first}Nothing that is free fits this filter.", links=(Link(ADDRESS, "The whole queue"),))
    return Notice(f"{first}Nothing is left that is free. It is fine to step away.")
