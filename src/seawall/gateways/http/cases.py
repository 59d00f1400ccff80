"""GET /v1/cases/{id}: how far a case is, for the platform that caused it. What was found stays in the console."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from seawall.cases import store
from seawall.cases.store import CaseView
from seawall.gateways.http import examples
from seawall.gateways.http.admission import Admission, no_parameters
from seawall.gateways.http.answers import CaseAnswer, of_case
from seawall.gateways.http.hall import Hall, hall_of
from seawall.records import Scope

router = APIRouter(prefix="/v1", tags=["cases"])


@router.get(
    "/cases/{case_id}",
    summary="Show how far a case is",
    description="Its state, and that of each content in it.",
    dependencies=[Depends(Admission(Scope.JUDGE, Scope.ADMIN)), Depends(no_parameters)],
    responses=examples.answers(
        {"an open case": examples.CASE},
        *("not_found", "bad_input", *examples.DOOR, *examples.FAILURES),
        when="The case.",
    ),
)
async def show_case(
    case_id: Annotated[
        int, Path(ge=1, le=2**63 - 1, description="The case's number, as a verdict gave it.", examples=[17])
    ],
    hall: Annotated[Hall, Depends(hall_of)],
) -> CaseAnswer:
    """Read from the database, so in a thread."""

    def read() -> CaseView:
        with hall.database.transaction() as session:
            return store.get_case(session, case_id)

    return of_case(await hall.work(read))
