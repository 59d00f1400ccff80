"""GET /healthz and /readyz: whether the process lives, and whether it can judge. They need no key."""

from __future__ import annotations

from typing import Annotated

import anyio
from fastapi import APIRouter, Depends
from sqlalchemy import text

from seawall.errors import DecoderUnavailable, Unavailable
from seawall.gateways.http import examples
from seawall.gateways.http.answers import AliveAnswer, ReadyAnswer
from seawall.gateways.http.hall import Hall, hall_of
from seawall.records import Digests, Fingerprint

router = APIRouter(tags=["health"])


@router.get(
    "/healthz",
    summary="Whether the process lives",
    description="Answers as long as the process can answer at all. Restart it when this fails.",
    responses=examples.answers({"alive": examples.ALIVE}, when="It does."),
)
async def alive() -> AliveAnswer:
    """Asks nobody."""
    return AliveAnswer(status="ok")


@router.get(
    "/readyz",
    summary="Whether it can judge",
    description="Asks database, index and decoders. Send no uploads here while this fails.",
    responses=examples.answers(
        {"ready": examples.READY}, *examples.NOT_JUDGED, "decoder_unavailable", when="It can."
    ),
)
async def ready(hall: Annotated[Hall, Depends(hall_of)]) -> ReadyAnswer:
    """Asks each part in turn; the first that is missing is the answer."""
    # Not among the threads that judge: while all of them are busy, this is still answered.
    await anyio.to_thread.run_sync(_examine, hall)
    return ReadyAnswer(status="ready", parts={"database": "ok", "index": "ok", "decoders": "ok"})


def _examine(hall: Hall) -> None:
    """Asks each part.

    Raises:
        Unavailable: one is missing; the code says which.
    """
    with hall.database.transaction() as session:
        if session.scalar(text("SELECT 1")) != 1:
            raise Unavailable("The database does not answer as it should.")
    hall.rooms.index.lookup(Fingerprint(Digests()), hall.settings.minimum_pdq_quality)
    if hall.rooms.decoders.ready == 0:
        raise DecoderUnavailable("No decoder process is running.")
