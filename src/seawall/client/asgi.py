"""For ASGI applications (Starlette, FastAPI, Quart, Litestar): every upload is asked about before it is handed on.

app = SeawallMiddleware(app, Client("https://seawall.example", key), paths=("/upload",))
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from seawall.client.asking import Client
from seawall.client.uploads import MALFORMED, METHODS, TOO_LARGE, Malformed, Refusal, parts_of, refusal_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
AccountOf = Callable[[Scope], str | None]


class SeawallMiddleware:
    """Reads the body of each request that may bring an upload, has all that is in it judged, and only then hands it
    on.

    Args:
        paths: what the paths of those requests begin with; all where it is not said.
        most_bytes: larger bodies are refused. Each is held in memory until it is judged.
        account_of: who uploads, by the platform's own id; called with the scope, after outer middlewares.
        surface: where on the platform it happens.
    """

    def __init__(
        self,
        app: App,
        client: Client,
        *,
        paths: tuple[str, ...] = ("/",),
        most_bytes: int = 100 << 20,
        account_of: AccountOf | None = None,
        surface: str = "upload",
    ) -> None:
        self._app = app
        self._client = client
        self._paths = paths
        self._most_bytes = most_bytes
        self._account_of = account_of
        self._surface = surface

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] not in METHODS or not scope["path"].startswith(self._paths):
            await self._app(scope, receive, send)
            return
        body = await self._body(receive)
        if body is None:
            await _refuse(TOO_LARGE, send)
        elif (refusal := await self._refusal(scope, body)) is not None:
            await _refuse(refusal, send)
        else:
            await self._app(scope, _again(body, receive), send)

    async def _body(self, receive: Receive) -> bytes | None:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None  # the client has gone, and hears nothing of what is said
            body += message.get("body", b"")
            if len(body) > self._most_bytes:
                return None
            if not message.get("more_body", False):
                return bytes(body)

    async def _refusal(self, scope: Scope, body: bytes) -> Refusal | None:
        headers = [(name.lower(), value) for name, value in scope["headers"]]
        types = [value.decode("latin-1") for name, value in headers if name == b"content-type"]
        if len(types) > 1 or any(name == b"content-encoding" for name, _value in headers):
            return MALFORMED
        try:
            uploads = parts_of(types[0] if types else "", body)
        except Malformed:
            return MALFORMED
        account_id = None if self._account_of is None else self._account_of(scope)
        address = scope["client"][0] if scope.get("client") else None
        return await asyncio.to_thread(
            refusal_of, self._client, uploads, account_id=account_id, uploader_ip=address, surface=self._surface
        )


def _again(body: bytes, receive: Receive) -> Receive:
    given = False

    async def once_more() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once_more


async def _refuse(refusal: Refusal, send: Send) -> None:
    body = refusal.body
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
