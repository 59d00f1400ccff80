"""What surrounds every request: an id, headers that protect, one line in the log, and the last catch of all.

Pure ASGI, so that it holds for the API, the console and everything else that the application serves.
"""

from __future__ import annotations

import re
import secrets
import time
import traceback
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seawall.errors import InternalError
from seawall.gateways.http.troubles import answer_error

log = structlog.get_logger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
QUIET = ("/healthz", "/readyz")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Envelope:
    """Stands outermost. Routes that set one of the headers themselves keep theirs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        status: int | None = None

        async def enveloped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
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
            _log_access(scope, status, started)


def route_of(scope: Scope) -> str:
    """The address as it is written in the code. What stands in its place in a request may be an id or a token, which
    do not belong into a log."""
    path: str | None = getattr(scope.get("route"), "path", None)
    if path is None:
        return "(none)"
    mounted = scope.get("root_path", "").removeprefix(scope.get("app_root_path", ""))
    return f"{mounted}{path}"


def _request_id(scope: Scope) -> str:
    """The client's own id where it is harmless, so that logs can be laid side by side."""
    given = Headers(scope=scope).get("x-request-id", "")
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
    log.info(
        "http.answered",
        method=scope["method"],
        route=route_of(scope),
        status=status,
        elapsed_ms=round((time.perf_counter() - started) * 1000, 1),
    )
