"""GET /metrics: what the service counted, in the text format of Prometheus, summed over all of its processes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends
from fastapi.responses import PlainTextResponse

from seawall.actions import outbox
from seawall.engines.meters import CONTENT_TYPE, IndexState
from seawall.errors import DatabaseUnavailable
from seawall.gateways.http import examples
from seawall.gateways.http.admission import Admission, no_parameters
from seawall.gateways.http.hall import Hall, hall_of
from seawall.matching.keeper import IndexKeeper
from seawall.records import Scope

router = APIRouter(tags=["health"])

EVERY_S = 1.0


@router.get(
    "/metrics",
    summary="Show metrics",
    description=(
        "For Prometheus, in its text format: lookups and how long they took, verdicts, requests, the state of the "
        "index, decoder failures, waiting webhooks. Of several processes of one service each answers for all."
    ),
    dependencies=[Depends(Admission(Scope.METRICS, Scope.ADMIN)), Depends(no_parameters)],
    responses=examples.answers(
        {"an excerpt": examples.METRICS},
        *("bad_input", *examples.DOOR, *examples.FAILURES),
        when="All of them.",
        media_type="text/plain",
    ),
)
async def metrics(hall: Annotated[Hall, Depends(hall_of)]) -> PlainTextResponse:
    """Sums up in a thread."""
    # Not among the threads that judge: while all of them are busy, this is still answered.
    return PlainTextResponse(await anyio.to_thread.run_sync(_text, hall), media_type=CONTENT_TYPE)


def _text(hall: Hall) -> bytes:
    hall.rooms.meters.index_is(state_of(hall.rooms.index))
    try:
        with hall.database.transaction() as session:
            pending: int | None = outbox.pending(session)
    except DatabaseUnavailable:
        pending = None  # unknown, and the rest is worth the more
    return hall.rooms.meters.text(webhooks_pending=pending)


@contextlib.asynccontextmanager
async def telling_of_the_index(hall: Hall) -> AsyncIterator[None]:
    """While this is open, the other processes of the service can tell how the index of this one stands."""
    task = asyncio.create_task(_keep_telling(hall), name="state of the index")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _keep_telling(hall: Hall) -> None:
    while True:
        hall.rooms.meters.index_is(state_of(hall.rooms.index))
        await asyncio.sleep(EVERY_S)


def state_of(keeper: IndexKeeper) -> IndexState:
    """How the index of this process stands."""
    sizes = keeper.sizes
    return IndexState(
        ready=keeper.ready,
        generation=keeper.generation,
        staleness_s=keeper.staleness_s,
        entries=sizes.rows - sizes.dead_rows,
        segments=sizes.segments,
        delta=sizes.delta_rows,
        dead=sizes.dead_rows,
    )
