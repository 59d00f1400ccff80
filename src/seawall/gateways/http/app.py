"""The HTTP API as one application: `/v1`, `/docs`, `/openapi.json`, `/healthz`, `/readyz`."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
from fastapi import FastAPI
from fastapi.routing import APIRoute

from seawall import __version__
from seawall.engines.silence import no_telemetry
from seawall.gateways.http import (
    appeals,
    cases,
    contacts,
    content,
    fetching,
    gate,
    hashes,
    health,
    lists,
    media,
    messages,
    metrics,
    reading,
    shares,
    troubles,
)
from seawall.gateways.http.admission import Admission
from seawall.gateways.http.envelope import Envelope
from seawall.gateways.http.hall import open_hall
from seawall.gateways.http.lean import Lean
from seawall.gateways.http.showing import Showing
from seawall.runtime import Runtime

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

ROUTERS = (
    media.router,
    fetching.router,
    hashes.router,
    shares.router,
    content.router,
    gate.router,
    contacts.router,
    messages.router,
    lists.router,
    cases.router,
    appeals.router,
    health.router,
    metrics.router,
    reading.router,
)
ABOUT = (
    "Send an upload before you publish it, and publish it only on the verdict `allow` or `warn`. Every request "
    "carries a key, every error has one shape, and what was not screened is not clean."
)


def create_app(runtime: Runtime, lifespan: Lifespan | None = None) -> FastAPI:
    """The API over an opened runtime, which stays the caller's to close.

    Args:
        lifespan: what else lives as long as the application does.
    """
    hall = open_hall(runtime)

    @contextlib.asynccontextmanager
    async def lives(app: FastAPI) -> AsyncIterator[None]:
        hall.trail.start()
        hall.tally.start()
        hall.standings.start()
        try:
            async with (
                metrics.telling_of_the_index(hall),
                lifespan(app) if lifespan is not None else contextlib.nullcontext(),
            ):
                yield
        finally:
            await anyio.to_thread.run_sync(hall.standings.close)
            await hall.gathering.close()
            hall.fetcher.close()
            await anyio.to_thread.run_sync(hall.trail.close)
            await anyio.to_thread.run_sync(hall.tally.close)

    app = _application(lives, hall.rooms.meters.answered)
    app.state.hall = hall
    return app


def openapi_document() -> dict[str, Any]:
    """The API's description, without anything being opened."""
    document: dict[str, Any] = description_only().openapi()
    return document


def description_only() -> FastAPI:
    """The application without a runtime: it can be described and read, and nothing else."""
    return _application(None, lambda *_: None)


def _application(lifespan: Lifespan | None, answered: Callable[[str, str, int], None]) -> FastAPI:
    app = FastAPI(
        title="Seawall",
        version=__version__,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry=no_telemetry(),
    )
    for routes in ROUTERS:
        app.include_router(routes)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    troubles.install(app)
    app.add_middleware(Lean, routes=(hashes.LEAN,))
    app.add_middleware(Envelope, answered=answered)
    app.add_middleware(Showing, answered=answered)
    # It writes a line for each broken body, with bytes of it.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The framework's description of the routes, with our examples whole: it leaves out what is null in them."""
    document = FastAPI.openapi(app)
    for route in (each for router in ROUTERS for each in router.routes):
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            operation["description"] = f"{route.description}{_scopes(route)}"
            for status, answer in route.responses.items():
                described = operation["responses"][str(status)]["content"]
                operation["responses"][str(status)]["content"] = {
                    media_type: described.get(media_type, {}) | content
                    for media_type, content in answer["content"].items()
                }
    return document


def _scopes(route: APIRoute) -> str:
    """What the key of this route needs, in words."""
    doors = [part.call for part in route.dependant.dependencies if isinstance(part.call, Admission)]
    return "".join(
        f" The key needs the scope {' or '.join(f'`{scope}`' for scope in door.scopes)}." for door in doors
    )
