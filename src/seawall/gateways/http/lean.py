"""Routes that are asked so often that the framework's way to them would cost more than what they do.

They are described and registered like all others, and answer the same. Whatever is not exactly one of them goes on to
the framework.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from seawall.errors import SeawallError
from seawall.gateways.http.troubles import on_seawall_error


@dataclass(frozen=True, slots=True)
class LeanRoute:
    """One method at one address without parameters, and what answers it."""

    method: str
    path_format: str
    answer: Callable[[Request], Awaitable[Response]]


class Lean:
    """Stands before the framework's routes, and after all that surrounds every request."""

    def __init__(self, app: ASGIApp, routes: Iterable[LeanRoute]) -> None:
        self._app = app
        self._routes = {(route.method, route.path_format): route for route in routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        route = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        request = Request(scope, receive)
        try:
            response = await route.answer(request)
        except SeawallError as error:
            response = await on_seawall_error(request, error)
        await response(scope, receive, send)
