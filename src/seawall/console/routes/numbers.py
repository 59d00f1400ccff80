"""How the desk does: plots over ninety days, lists after review, and every table to take along."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from seawall.access.permissions import Act, may
from seawall.cases import agreement, numbers
from seawall.console import figures, plots
from seawall.console.desk import Desk, desk_of
from seawall.console.tables import TABLES
from seawall.console.visitor import Allowed, AnyVisitor
from seawall.database.tables import now

router = APIRouter(prefix="/numbers", dependencies=[Depends(Allowed(Act.SEE_NUMBERS))])


@router.get("")
def numbers_page(desk: Annotated[Desk, Depends(desk_of)], visitor: AnyVisitor) -> Response:
    """The ninety days up to today."""
    today = now().date()
    with desk.database.transaction() as session:
        days = numbers.days(session, plots.first_day(today), today)
        waiting = numbers.waiting(session)
        lists = numbers.reviewed(session, plots.first_day(today))
        agreed = agreement.by_policy(session)
    return desk.pages.answer(
        "numbers.html",
        visitor,
        here="/console/numbers",
        figures=figures.figures(days, waiting),
        days=[day for day in reversed(days) if day.opened or day.closed or day.items or day.looks],
        lists=figures.list_rows(lists),
        agreement=figures.agreement_rows(agreed),
        tables=[table for table in TABLES.values() if visitor.person is not None and may(visitor.person, table.act)],
        span=figures.span,
    )
