"""What every route of the API works with: the opened rooms, the door, and a bounded number of threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

import anyio
from fastapi import Request

from seawall.access.keys import KeyRing
from seawall.access.limits import RateLimiter, SharedBuckets
from seawall.access.trail import LookupTrail
from seawall.database.sessions import Database
from seawall.gateways.fetching.fetcher import Fetcher
from seawall.gateways.http.ballast import Ballast
from seawall.gateways.http.bodies import ROOM_FOR_FIELDS
from seawall.gateways.http.gathering import Gathering
from seawall.hashlists.tally import MatchTally
from seawall.matching.standings_keeper import StandingsKeeper
from seawall.rooms import Rooms
from seawall.runtime import Runtime
from seawall.settings import Settings

Result = TypeVar("Result")
# Left free in the pool of connections for the console, the worker and whoever asks whether the service lives.
KEPT_FREE = 4


@dataclass(frozen=True)
class Hall:
    """One API over one runtime."""

    settings: Settings
    database: Database
    rooms: Rooms
    keys: KeyRing
    limiter: RateLimiter
    trail: LookupTrail
    tally: MatchTally
    ballast: Ballast
    standings: StandingsKeeper
    gathering: Gathering
    fetcher: Fetcher
    threads: anyio.CapacityLimiter = field(repr=False)

    async def work(self, step: Callable[[], Result]) -> Result:
        """Runs something that waits or computes in a thread. It is finished even if the client goes away meanwhile: a
        judgement is never left half-way."""
        return await anyio.to_thread.run_sync(step, limiter=self.threads)


def open_hall(runtime: Runtime) -> Hall:
    """The hall over an opened runtime.

    Raises:
        ConfigurationError: the settings name hosts or networks to fetch from that are none.
    """
    settings, place = runtime.settings, runtime.place
    return Hall(
        settings=settings,
        database=runtime.database,
        rooms=runtime.rooms,
        keys=KeyRing(runtime.database),
        limiter=RateLimiter(buckets=None if place is None else SharedBuckets(place.limits)),
        trail=LookupTrail(runtime.database),
        tally=MatchTally(runtime.database),
        # One upload fits, whatever is set: with the room that its fields may take, which is counted too.
        ballast=Ballast(max(settings.max_bodies_bytes, settings.max_upload_bytes + ROOM_FOR_FIELDS)),
        standings=StandingsKeeper(runtime.database),
        gathering=Gathering(runtime.rooms),
        fetcher=Fetcher(settings),
        threads=anyio.CapacityLimiter(max(2, settings.database_pool_size - KEPT_FREE)),
    )


def hall_of(request: Request) -> Hall:
    """The hall that this request came to."""
    return cast("Hall", request.app.state.hall)
