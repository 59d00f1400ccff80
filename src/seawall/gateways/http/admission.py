"""The door: which key it is, what it may do, and how often."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param

from seawall.access.keys import KeyInfo
from seawall.access.permissions import require_scope
from seawall.errors import BadInput, Unauthenticated
from seawall.gateways.http.hall import Hall, hall_of
from seawall.records import Scope

BEARER = HTTPBearer(
    auto_error=False, bearerFormat="swk_...", description="An API key, made by `seawall keys create`."
)


class Admission:
    """A dependency that lets keys in which have one of the scopes, and hands the key on.

    Args:
        scopes: any one of them is enough.
        counted: whether each request costs one of what the key may ask in a minute. Where it does not, the route
            counts by itself.
    """

    def __init__(self, *scopes: Scope, counted: bool = True) -> None:
        self.scopes = scopes
        self._counted = counted

    async def __call__(
        self,
        hall: Annotated[Hall, Depends(hall_of)],
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
    ) -> KeyInfo:
        """The key of this request, as `admit` finds it."""
        return await self.admit(hall, None if credentials is None else credentials.credentials)

    async def admit(self, hall: Hall, secret: str | None) -> KeyInfo:
        """The key that has this secret.

        Raises:
            Unauthenticated: there is none, or none that holds.
            Forbidden: it lacks the scope.
            RateLimited: it asks too often.
        """
        if secret is None:
            raise Unauthenticated("No API key was sent.")
        key = hall.keys.remembered(secret)
        if key is None:
            key = await hall.work(lambda: hall.keys.authenticate(secret))
        require_scope(key, *self.scopes)
        if self._counted:
            count(hall, key)
        return key


def secret_of(request: Request) -> str | None:
    """The secret that a request carries, read as `BEARER` reads it."""
    scheme, secret = get_authorization_scheme_param(request.headers.get("Authorization"))
    return secret if secret and scheme.lower() == "bearer" else None


def count(hall: Hall, key: KeyInfo, cost: int = 1) -> None:
    """Takes what a request costs from what the key may ask.

    Raises:
        RateLimited: there is not enough left in this minute.
    """
    hall.limiter.take(key.id, key.rate_per_minute or hall.settings.key_rate_per_minute, cost)


def no_parameters(request: Request) -> None:
    """Refuses query parameters where none mean anything.

    Raises:
        BadInput: there are some.
    """
    if request.scope.get("query_string"):
        raise BadInput("This address takes no query parameters.")
