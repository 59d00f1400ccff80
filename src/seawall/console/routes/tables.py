"""Every table as CSV, whole and streamed, each at an address of its own."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse

from seawall.access.people import PersonSession
from seawall.console.desk import Desk, desk_of
from seawall.console.tables import TABLES, Table, text_of
from seawall.console.visitor import Allowed
from seawall.evidence import audit

router = APIRouter(prefix="/tables")


def _taking(table: Table) -> Callable[..., StreamingResponse]:
    """The route of one table, which demands the act that its page demands. Whoever takes it along is in the audit
    chain."""

    # No postponed annotations: these name what only this function knows.
    def take(desk: Desk = Depends(desk_of), person: PersonSession = Depends(Allowed(table.act))) -> StreamingResponse:  # noqa: B008
        with desk.database.transaction() as session:
            audit.append(session, person.actor, "table.export", f"table:{table.name}", {})
        return StreamingResponse(
            text_of(desk.database, table),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="seawall-{table.name}.csv"'},
        )

    return take


for each in TABLES.values():
    router.get(f"/{each.name}.csv", name=each.title)(_taking(each))
