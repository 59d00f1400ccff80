"""GET /v1/lists: which hash lists there are, how large and how fresh. Never a hash."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from seawall.gateways.http import examples
from seawall.gateways.http.admission import Admission, no_parameters
from seawall.gateways.http.answers import ListsAnswer, of_list
from seawall.gateways.http.hall import Hall, hall_of
from seawall.hashlists import store
from seawall.hashlists.store import ListSummary
from seawall.records import Scope

router = APIRouter(prefix="/v1", tags=["lists"])


@router.get(
    "/lists",
    summary="Show the hash lists",
    description="Names, counts and freshness. Hashes are never told.",
    dependencies=[Depends(Admission(Scope.LISTS)), Depends(no_parameters)],
    responses=examples.answers(
        {"one list": examples.LISTS},
        *("bad_input", *examples.DOOR, *examples.FAILURES),
        when="All lists, by name.",
    ),
)
async def show_lists(hall: Annotated[Hall, Depends(hall_of)]) -> ListsAnswer:
    """Counts in the database, so in a thread."""

    def summaries() -> tuple[ListSummary, ...]:
        with hall.database.transaction() as session:
            return store.summaries(session)

    return ListsAnswer(lists=[of_list(summary) for summary in await hall.work(summaries)])
