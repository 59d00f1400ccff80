"""The queue: what is to be decided, urgent first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall.access.permissions import Act, may, require
from seawall.cases.queue import UNDECIDED
from seawall.cases.store import QueueFilter, counts, queue
from seawall.console.desk import Desk, desk_of
from seawall.console.pages import places_of
from seawall.console.views import row_view
from seawall.console.visitor import AnyVisitor, APerson
from seawall.console.wording import counted
from seawall.records import CaseState

router = APIRouter()
ADesk = Annotated[Desk, Depends(desk_of)]
ADDRESS = "/console/"
PAGE = 50
STATES = {
    "undecided": ("To decide", UNDECIDED),
    "open": ("Open", (CaseState.OPEN,)),
    "escalated": ("Escalated", (CaseState.ESCALATED,)),
    "decided": ("Decided", (CaseState.DECIDED,)),
    "all": ("All", tuple(CaseState)),
}
CASE_NUMBER = re.compile(r"#(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for. `account` is a whole account id."""

    account: str
    state: str
    urgent: bool

    @property
    def active(self) -> bool:
        """Whether anything is left out that the plain queue shows."""
        return bool(self.account) or self.urgent or self.state != "undecided"

    def address(self, after: str | None = None) -> str:
        """The page that shows this, from a row on."""
        given = {"account": self.account, "urgent": "yes" if self.urgent else "", "after": after or ""}
        if self.state != "undecided":
            given["state"] = self.state
        query = urlencode({name: value for name, value in given.items() if value})
        return f"{ADDRESS}?{query}" if query else ADDRESS


@router.get("/")
def queue_page(
    desk: ADesk,
    visitor: AnyVisitor,
    person: APerson,
    account: Annotated[str, Query(max_length=200)] = "",
    state: str = "undecided",
    urgent: str = "",
    after: Annotated[str | None, Query(max_length=300)] = None,
) -> Response:
    """The first page. Who may not see cases starts at the first page that they may see."""
    if not may(person, Act.SEE_CASES) and places_of(visitor):
        return RedirectResponse(places_of(visitor)[0].address, status_code=303)
    require(person, Act.SEE_CASES)
    filters = Filters(account.replace("\x00", "").strip(), state if state in STATES else "undecided", bool(urgent))
    if numbered := CASE_NUMBER.fullmatch(filters.account):
        return RedirectResponse(f"{ADDRESS}cases/{numbered[1]}", status_code=303)
    with desk.database.transaction() as session:
        rows = queue(
            session,
            STATES[filters.state][1],
            limit=PAGE + 1,
            after=after,
            filters=QueueFilter(urgent=True if filters.urgent else None, account_id=filters.account or None),
        )
        found = counts(session)
    page, more = rows[:PAGE], len(rows) > PAGE
    return desk.pages.answer(
        "queue.html",
        visitor,
        here=ADDRESS,
        rows=[row_view(row) for row in page],
        may_decide=may(person, Act.DECIDE),
        filters=filters,
        states=[(value, label) for value, (label, _states) in STATES.items()],
        summary=_summary(found),
        newer=filters.address() if after else None,
        newer_label="To the top",
        older=filters.address(page[-1].cursor) if more else None,
        older_label="More cases",
    )


def _summary(found: dict[CaseState, int]) -> str:
    open_cases, escalated = found[CaseState.OPEN], found[CaseState.ESCALATED]
    if not open_cases + escalated:
        return "Nothing to decide"
    said = f"{counted(open_cases + escalated, 'case')} to decide"
    return f"{said}, {escalated:,} of them escalated" if escalated else said
