"""What surrounds every request: an id, headers that protect, one line in the log, and the last catch of all.

Pure ASGI, so that it holds for the API, the console and everything else that the application serves.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seawall.errors import InternalError
from seawall.gateways.http.troubles import answer_error

log = structlog.get_logger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
QUIET = ("/healthz", "/readyz")
# Asked for with every view, thousands of times a second: a line for each answer would cost more than the answer, and
# bury all others. They are counted in the metrics all the same.
VIEWS = "/v1/content/{content_id}"
# Likewise with every upload, whose hashes are judged; each leaves a row in the ledger.
HASHES = "/v1/hashes"
GATE = "/v1/gate/{content_id}"
FREQUENT = {(VIEWS, 200), (VIEWS, 304), (GATE, 204), (HASHES, 200)}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# As they go over the wire: names in small letters.
RAW_HEADERS = tuple((name.lower().encode(), value.encode()) for name, value in HEADERS.items())
REQUEST_ID_HEADER = b"x-request-id"


class Envelope:
    """Stands outermost. Routes that set one of the headers themselves keep theirs.

    Args:
        answered: told of each answer: the method, the route, the status.
    """

    def __init__(self, app: ASGIApp, answered: Callable[[str, str, int], None] = lambda *_: None) -> None:
        self._app = app
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(_given_id(scope))
        status: int | None = None

        async def enveloped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _protected(message.get("headers", ()), request_id)
            await send(message)

        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, enveloped)
            except ClientDisconnect:
                log.info("http.disconnected", method=scope["method"], route=route_of(scope))
                return
            except Exception as error:  # noqa: BLE001 - the one place where anything at all is caught
                log.error("http.unforeseen", route=route_of(scope), **_anatomy(error))
                if status is None:
                    unforeseen = InternalError(
                        f"Something failed that nobody foresaw; it is in the log as {request_id}."
                    )
                    await answer_error(scope["path"], unforeseen)(scope, receive, enveloped)
            if status is not None:
                self._answered(scope["method"], route_of(scope), status)
            _log_access(scope, status, started)


def _given_id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == REQUEST_ID_HEADER), b"")
    return bytes(given).decode("latin-1")


def _protected(given: Iterable[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    """The headers with ours, as far as the route has not set them itself."""
    headers = [pair for pair in given if pair[0] != REQUEST_ID_HEADER]
    there = {name for name, _value in headers}
    headers += [pair for pair in RAW_HEADERS if pair[0] not in there]
    headers.append((REQUEST_ID_HEADER, request_id.encode("latin-1")))
    return headers


def route_of(scope: Scope) -> str:
    """The address as it is written in the code. What stands in its place in a request may be an id or a token, which
    do not belong into a log."""
    path: str | None = getattr(scope.get("route"), "path_format", None)
    if path is None:
        return "(none)"
    mounted = scope.get("root_path", "").removeprefix(scope.get("app_root_path", ""))
    return f"{mounted}{path}"


def request_id_of(given: str) -> str:
    """The client's own id where it is harmless, so that logs can be laid side by side; else a new one."""
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _anatomy(error: BaseException) -> dict[str, Any]:
    """Kinds of error and places in the code, innermost cause last. Never their messages: those of a database or a
    decoder may quote hashes, ids or content."""
    kinds, places = list[str](), list[list[str]]()
    current: BaseException | None = error
    while current is not None and len(kinds) < 5:
        kinds.append(f"{type(current).__module__}.{type(current).__qualname__}")
        frames = traceback.extract_tb(current.__traceback__)[-8:]
        places.append([f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames])
        current = current.__cause__ or current.__context__
    return {"errors": kinds, "places": places}


def _log_access(scope: Scope, status: int | None, started: float) -> None:
    if scope["path"] in QUIET:
        return
    route = route_of(scope)
    frequent = (route, status) in FREQUENT
    # Asked first, since making a line that nobody writes costs much of what the answer does.
    if frequent and not logging.getLogger(__name__).isEnabledFor(logging.DEBUG):
        return
    write = log.debug if frequent else log.info
    write(
        "http.answered",
        method=scope["method"],
        route=route,
        status=status,
        elapsed_ms=round((time.perf_counter() - started) * 1000, 1),
    )
