"""Asks an application without a server and without an opened runtime."""

from __future__ import annotations

import asyncio

import httpx
from starlette.types import ASGIApp


def ask(app: ASGIApp, path: str, method: str = "GET", **more: object) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://seawall.test") as client:
            return await client.request(method, path, **more)  # type: ignore[arg-type]

    return asyncio.run(once())
