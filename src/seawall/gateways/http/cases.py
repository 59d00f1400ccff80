"""GET /v1/cases and /v1/cases/{id}: how far cases are, and how pressing. What was found stays in the console."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from seawall.cases import claims, store
from seawall.cases.clocks import Clocks
from seawall.cases.conditions import QueueFilter
from seawall.cases.queue import UNDECIDED
from seawall.database.tables import now
from seawall.errors import BadInput
from seawall.gateways.http import examples
from seawall.gateways.http.admission import Admission, no_parameters
from seawall.gateways.http.answers import CaseAnswer, CasesAnswer, of_case, of_row
from seawall.gateways.http.hall import Hall, hall_of
from seawall.records import CaseState, HarmClass, Scope

router = APIRouter(prefix="/v1", tags=["cases"])
PARAMETERS = {"state", "harm_class", "urgent", "overdue", "limit", "after"}


def known_parameters(request: Request) -> None:
    """Refuses query parameters that mean nothing here, or come twice.

    Raises:
        BadInput: names the first.
    """
    given = [name for name, _value in request.query_params.multi_items()]
    for name in given:
        if name not in PARAMETERS or given.count(name) > 1:
            raise BadInput(
                f"The query parameter {name[:40]!r} is not known here, or was given twice.",
                hint=f"Known are {', '.join(sorted(PARAMETERS))}.",
            )


@router.get(
    "/cases",
    summary="Show the queue",
    description="Cases in the order in which they are pressing, each with the terms of its priority and its clock; "
    "with `overdue` those that ought to have been decided, the longest overdue first. Contents are told by case.",
    dependencies=[Depends(Admission(Scope.ADMIN)), Depends(known_parameters)],
    responses=examples.answers(
        {"a queue of one": examples.CASES},
        *("bad_input", *examples.DOOR, *examples.FAILURES),
        when="The cases.",
    ),
)
async def show_cases(
    hall: Annotated[Hall, Depends(hall_of)],
    state: Annotated[
        CaseState | None, Query(description="Only these. Unset: those that wait for a decision.", examples=["open"])
    ] = None,
    harm_class: Annotated[
        HarmClass | None, Query(description="Only those of which this is the gravest.", examples=["csam"])
    ] = None,
    urgent: Annotated[bool | None, Query(description="Only urgent ones, or only others.", examples=["true"])] = None,
    overdue: Annotated[
        bool, Query(description="Only undecided ones whose clock has run out.", examples=["true"])
    ] = False,
    limit: Annotated[int, Query(ge=1, le=500, description="At most so many.", examples=[50])] = 50,
    after: Annotated[
        str | None,
        Query(
            max_length=300,
            description="What an answer gave as `next`, asked for in the same way.",
            examples=["W2ZhbHNlXQ"],
        ),
    ] = None,
) -> CasesAnswer:
    """Read from the database, so in a thread."""
    if overdue and state is CaseState.DECIDED:
        raise BadInput("What is decided is not overdue.", hint="Leave out the state, or overdue.")
    clocks = Clocks(hall.settings.hours_to_decide)

    def read() -> CasesAnswer:
        with hall.database.transaction() as session:
            rows = store.queue(
                session,
                UNDECIDED if state is None else (state,),
                limit=min(limit + 1, 500),
                after=after,
                filters=QueueFilter(urgent=urgent, harm_class=harm_class),
                overdue=clocks if overdue else None,
            )
        at, more = now(), len(rows) > limit or len(rows) == 500
        page = rows[:limit]
        return CasesAnswer(cases=[of_row(row, clocks, at) for row in page], next=page[-1].cursor if more else None)

    return await hall.work(read)


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

    def read() -> CaseAnswer:
        with hall.database.transaction() as session:
            case = store.get_case(session, case_id)
            claimed = claims.of_case(session, case_id) is not None
        return of_case(case, Clocks(hall.settings.hours_to_decide), now(), claimed=claimed)

    return await hall.work(read)
