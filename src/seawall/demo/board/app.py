"""The board as a web application: routes, the headers that every answer carries, and the thread that asks again."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seawall.demo.board.config import BoardConfig
from seawall.demo.board.gate import Gate
from seawall.demo.board.pages import Pages
from seawall.demo.board.receiver import Receiver
from seawall.demo.board.service import Board
from seawall.demo.board.store import Store

HERE = Path(__file__).parent
HEADERS = {
    "content-security-policy": "default-src 'none'; img-src 'self' blob:; style-src 'self'; script-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class SafeHeaders:
    """Adds the headers that no answer may lack; what a route has set itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and completes the answer's headers."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, complete)


def create_app(config: BoardConfig, *, transport: httpx.BaseTransport | None = None) -> Starlette:
    """The application.

    Args:
        transport: replaces the network to Seawall in tests.
    """
    store = Store(config.folder)
    gate = Gate(config.seawall_url, config.seawall_key, timeout_s=config.timeout_s, transport=transport)
    board = Board(store, gate, retry_s=config.retry_s, timeout_s=config.timeout_s)
    pages = Pages(board, config, HERE / "templates")
    receiver = Receiver(store, config.webhook_secret)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        stop = threading.Event()
        again = threading.Thread(target=board.ask_again_until, args=(stop,), name="ask-again", daemon=True)
        again.start()
        yield
        stop.set()
        again.join(timeout=2)
        gate.close()

    hosts = list({config.host, "127.0.0.1", "localhost", "[::1]"})
    return Starlette(
        routes=[
            *pages.routes(),
            Route("/seawall/events", receiver.receive, methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[Middleware(SafeHeaders), Middleware(TrustedHostMiddleware, allowed_hosts=hosts)],
        exception_handlers=pages.exception_handlers(),
        lifespan=lifespan,
    )
