"""The whole service: API, console and worker in one process, or in several on one socket."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from types import FrameType, MappingProxyType
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI
from sqlalchemy.orm import Session

from seawall import __version__
from seawall.access import people
from seawall.console.app import mount
from seawall.database.sessions import Database
from seawall.errors import ConfigurationError, Forbidden, NotFound
from seawall.evidence import audit
from seawall.evidence.master_key import MasterKey
from seawall.gateways import listening
from seawall.gateways.clamd.door import ClamdDoor
from seawall.gateways.doors import Door, key_of_door
from seawall.gateways.http.app import create_app
from seawall.gateways.icap.door import IcapDoor
from seawall.policy.rules import Policy
from seawall.records import SYSTEM
from seawall.runtime import Runtime
from seawall.settings import Settings
from seawall.worker.run import run_worker

log = structlog.get_logger(__name__)
FIRST_LINK = timedelta(hours=24)
GRACE_S = 20
# Ways in beside HTTP, by the names that their settings begin with.
DOORS: Final[Mapping[str, type[Door]]] = MappingProxyType({"clamd": ClamdDoor, "icap": IcapDoor})
NO_DOORS: Final[Mapping[str, socket.socket]] = MappingProxyType({})


def build(
    runtime: Runtime,
    *,
    with_worker: bool = True,
    when_ready: Callable[[], None] = lambda: None,
    doors: Mapping[str, socket.socket] = NO_DOORS,
) -> FastAPI:
    """The whole application: `/v1` and `/docs`, `/console`, and the worker beside them.

    Args:
        when_ready: called when it is about to take requests.
        doors: sockets on which other protocols are answered too, see `listen_at_doors`.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        worker = asyncio.create_task(_keep_working(runtime)) if with_worker else None
        async with contextlib.AsyncExitStack() as opened:
            for name, listener in doors.items():
                _, key = _settings_of_door(runtime.settings, name)
                await opened.enter_async_context(DOORS[name](app.state.hall, key or "").open(listener))
            when_ready()
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
    doors = listen_at_doors(runtime.settings, runtime.database)
    config = _config(build(runtime, with_worker=with_worker, doors=doors), runtime.settings)
    # From here on connections wait instead of being refused, so that "ready" is true when it is said.
    listener = _listen(config)
    address = address_of(runtime.settings, listener)
    with runtime.database.transaction() as session:
        link = first_link(session, address)
        note_start(session, runtime.settings, runtime.rooms.policy, runtime.master_key)
    announce(address, link, say)
    _run_until_told_to_stop(uvicorn.Server(config), listener)


def serve_part(
    runtime: Runtime,
    listener: socket.socket,
    when_ready: Callable[[], None],
    doors: Mapping[str, socket.socket] = NO_DOORS,
) -> None:
    """One of several processes that listen on one socket; the jobs run elsewhere."""
    app = build(runtime, with_worker=False, when_ready=when_ready, doors=doors)
    config = _config(app, runtime.settings)
    _run_until_told_to_stop(uvicorn.Server(config), listener)


def listen(settings: Settings) -> socket.socket:
    """A socket that listens where the settings say, for others to serve.

    Raises:
        ConfigurationError: the address cannot be had.
    """
    return _listen(_config("", settings))


def listen_at_doors(settings: Settings, database: Database) -> dict[str, socket.socket]:
    """A listening socket for each door that the settings open, by the door's name.

    Raises:
        ConfigurationError: an address cannot be had, or the key that a door needs is not there.
    """
    opened = {}
    for name in DOORS:
        where, key = _settings_of_door(settings, name)
        if where is None:
            continue
        hint = "`seawall keys create NAME --scope judge` makes a key; what is asked at this door counts for it."
        setting = f"SEAWALL_{name.upper()}"
        if key is None:
            raise ConfigurationError(f"{setting}_LISTEN is set without {setting}_KEY.", hint=hint)
        try:
            key_of_door(database, key)
        except (NotFound, Forbidden) as error:
            raise ConfigurationError(f"{setting}_KEY: {error.message}", hint=hint) from None
        opened[name] = listening.listen(where, f"{setting}_LISTEN")
    return opened


def _settings_of_door(settings: Settings, name: str) -> tuple[str | None, str | None]:
    """Where it listens, and the name of its key."""
    return {
        "clamd": (settings.clamd_listen, settings.clamd_key),
        "icap": (settings.icap_listen, settings.icap_key),
    }[name]


def _config(app: FastAPI | str, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
    )


def _listen(config: uvicorn.Config) -> socket.socket:
    try:
        listener = config.bind_socket()
        listener.listen(config.backlog)
    except (SystemExit, OSError):
        raise ConfigurationError(
            f"Cannot listen on {config.host}:{config.port}.",
            hint="Another program has the port, or it is not yours to take; choose one with --port.",
        ) from None
    return listener


def address_of(settings: Settings, listener: socket.socket) -> str:
    """Where people reach the service."""
    return settings.public_url or f"http://{settings.host}:{listener.getsockname()[1]}"


def announce(address: str, link: str | None, say: Callable[[str], None]) -> None:
    """Says that the service is ready, and where; at the first start also how the first administrator gets in."""
    if link:
        say(f"First start. Choose the administrator's password here, within a day, once:\n  {link}")
    say(f"Seawall is ready.\n  API docs  {address}/docs\n  Console   {address}/console")


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


def note_start(session: Session, settings: Settings, policy: Policy, master_key: MasterKey) -> None:
    """Puts on record what judges from now on: the policy, and the settings that can let more pass. Whoever weakens
    one and starts anew is seen by that."""
    details = {
        "version": __version__,
        "policy": policy.version,
        "master_key": master_key.key_id,
        "workers": settings.workers,
        "minimum_pdq_quality": settings.minimum_pdq_quality,
        "max_upload_bytes": settings.max_upload_bytes,
        "key_rate_per_minute": settings.key_rate_per_minute,
        "login_attempts_per_minute": settings.login_attempts_per_minute,
        "webhook_allow_http": settings.webhook_allow_http,
        **{f"{name}_listen": _settings_of_door(settings, name)[0] for name in DOORS},
        "demo": settings.demo,
    }
    audit.append(session, SYSTEM, "service.start", "service:seawall", details)


def first_link(session: Session, address: str) -> str | None:
    """Where the first administrator chooses a password; None once somebody has one."""
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
