"""One process that holds API, console and worker, and the socket that it listens on."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI
from sqlalchemy.orm import Session

from seawall import __version__
from seawall.access import people
from seawall.console.app import mount
from seawall.errors import ConfigurationError
from seawall.evidence import audit
from seawall.gateways.http.app import create_app
from seawall.records import SYSTEM
from seawall.runtime import Runtime
from seawall.worker.run import run_worker

log = structlog.get_logger(__name__)
FIRST_LINK = timedelta(hours=24)
GRACE_S = 20


def build(runtime: Runtime, *, with_worker: bool = True) -> FastAPI:
    """The whole application: `/v1` and `/docs`, `/console`, and the worker beside them."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        worker = asyncio.create_task(_keep_working(runtime)) if with_worker else None
        yield
        if worker is not None:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker

    app = create_app(runtime, lifespan=lifespan)
    mount(app, runtime)
    return app


def serve(runtime: Runtime, *, with_worker: bool = True, say: Callable[[str], None] = print) -> None:
    """Listens until it is told to stop (SIGINT or SIGTERM), then finishes what has begun."""
    settings = runtime.settings
    config = uvicorn.Config(
        build(runtime, with_worker=with_worker),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    try:
        listener = config.bind_socket()
    except SystemExit:
        raise ConfigurationError(
            f"Cannot listen on {settings.host}:{settings.port}.",
            hint="Another program has the port, or it is not yours to take; choose one with --port.",
        ) from None
    # From here on connections wait instead of being refused, so that "ready" is true when it is said.
    listener.listen(config.backlog)
    port = listener.getsockname()[1]
    address = settings.public_url or f"http://{settings.host}:{port}"
    with runtime.database.transaction() as session:
        link = _first_link(session, address)
        note_start(session, runtime)
    if link:
        say(f"First start. Choose the administrator's password here, within a day, once:\n  {link}")
    say(f"Seawall is ready.\n  API docs  {address}/docs\n  Console   {address}/console")
    _run_until_told_to_stop(uvicorn.Server(config), listener)


def _run_until_told_to_stop(server: uvicorn.Server, listener: socket.socket) -> None:
    """Uvicorn sends itself the signal that ended it once more when it is done. That one must end nothing, since rooms
    are still to be closed and the embedded PostgreSQL is still to be stopped."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def note_start(session: Session, runtime: Runtime) -> None:
    """Puts on record what judges from now on: the policy, and the settings that can let more pass. Whoever weakens
    one and starts anew is seen by that."""
    settings = runtime.settings
    details = {
        "version": __version__,
        "policy": runtime.rooms.policy.version,
        "master_key": runtime.master_key.key_id,
        "minimum_pdq_quality": settings.minimum_pdq_quality,
        "max_upload_bytes": settings.max_upload_bytes,
        "key_rate_per_minute": settings.key_rate_per_minute,
        "login_attempts_per_minute": settings.login_attempts_per_minute,
        "webhook_allow_http": settings.webhook_allow_http,
        "demo": settings.demo,
    }
    audit.append(session, SYSTEM, "service.start", "service:seawall", details)


def _first_link(session: Session, address: str) -> str | None:
    token = people.first_admin_link(session, FIRST_LINK)
    return None if token is None else f"{address.rstrip('/')}/console/welcome/{token}"


async def _keep_working(runtime: Runtime) -> None:
    """Runs the worker beside the API. It waits for a lost database by itself; what it did not foresee is logged, and
    it is started anew, since otherwise the API would go on and no webhook would ever leave."""
    pause = 1.0
    while True:
        try:
            await run_worker(runtime, runtime.settings.worker_concurrency)
            return
        except Exception:
            log.exception("worker.stopped", pause_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 30.0)
