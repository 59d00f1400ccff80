"""Answers `GET /v1/content/{content_id}` and the gate from memory, before the framework: they come with views.

Only what needs no waiting is answered here: a key and a standing that are both remembered, within the key's rate.
Everything else, every mistake included, goes the ordinary way. What is answered is made by the same code there and
here (`content.py`, `gate.py`, `envelope.py`); tests hold both to be the same, header by header.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import structlog
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from seawall.errors import BadInput, RateLimited
from seawall.gateways.http import content, gate
from seawall.gateways.http.admission import count
from seawall.gateways.http.envelope import GATE, HEADERS, RAW_HEADERS, VIEWS, request_id_of
from seawall.gateways.http.hall import Hall
from seawall.records import Scope, Standing

log = structlog.get_logger(__name__)

BEARER = b"bearer "
# Answers that are kept written out, some 5 MB. Then all are written anew: the ones asked for are soon there again.
MOST_WRITTEN = 10_000

Headers = list[tuple[bytes, bytes]]
Given = dict[bytes, bytes]
# The route, the status, the headers, the body.
Told = tuple[str, int, Headers, bytes]


class Showing:
    """Stands beside the envelope, around everything else.

    Args:
        answered: told of each answer that is given here: the method, the route, the status.
    """

    def __init__(self, app: ASGIApp, answered: Callable[[str, str, int], None] = lambda *_: None) -> None:
        self._app = app
        self._answered = answered
        always = {**HEADERS, **content.CACHING}
        # Tag and body by content id, as long as the very same standing is remembered.
        self._written: dict[str, tuple[Standing, str, bytes]] = {}
        self._always: Headers = [(name.lower().encode(), value.encode()) for name, value in always.items()]

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """One request."""
        given: dict[bytes, bytes] = {}
        answer = None
        if scope["type"] == "http" and scope["method"] == "GET":
            given = dict(scope["headers"])
            if scope["path"].startswith(content.BEFORE_THE_ID) and not scope["query_string"]:
                answer = self._view(scope, given)
            elif scope["path"].startswith(gate.BEFORE_THE_ID) and scope["query_string"] in gate.INDIFFERENT:
                answer = self._gate(scope, given)
        if answer is None:
            await self._app(scope, receive, send)
            return
        route, status, headers, body = answer
        headers.append((b"x-request-id", request_id_of(given.get(b"x-request-id", b"").decode("latin-1")).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self._answered("GET", route, status)
        # Asked first, since making a line that nobody writes costs as much as the answer.
        if logging.getLogger(__name__).isEnabledFor(logging.DEBUG):
            log.debug("http.answered", method="GET", route=route, status=status)

    def _view(self, scope: Connection, given: Given) -> Told | None:
        standing = remembered(scope, content.BEFORE_THE_ID, given)
        return None if standing is None else (VIEWS, *self._answer(standing, given.get(b"if-none-match")))

    def _gate(self, scope: Connection, given: Given) -> Told | None:
        """Only what may be shown: a refusal says why, and may take its time."""
        standing = remembered(scope, gate.BEFORE_THE_ID, given, gate.may_be_shown)
        return None if standing is None else (GATE, 204, [*RAW_HEADERS], b"")

    def _answer(self, standing: Standing, known_tags: bytes | None) -> tuple[int, Headers, bytes]:
        written = self._written.get(standing.content_id)
        if written is None or written[0] is not standing:
            if len(self._written) >= MOST_WRITTEN:
                self._written.clear()
            written = standing, content.tag_of(standing), content.body_of(standing)
            self._written[standing.content_id] = written
        _, tag, body = written
        headers = [*self._always, (b"etag", tag.encode())]
        if known_tags is not None and content.is_among(tag, known_tags.decode("latin-1")):
            return 304, headers, b""
        headers += ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)))
        return 200, headers, body


def remembered(
    scope: Connection, before: str, given: Given, wanted: Callable[[Standing], bool] = lambda _: True
) -> Standing | None:
    """Where the content of the request stands, where memory is enough to let the key in and to say that. Takes what
    it costs from the key's rate then, and only then.

    Args:
        before: the address up to the content's id.
        given: the headers.
        wanted: what is answered here; the rest goes the ordinary way.
    """
    authorization = given.get(b"authorization", b"")
    if authorization[: len(BEARER)].lower() != BEARER:
        return None
    hall: Hall = scope["app"].state.hall
    key = hall.keys.remembered(authorization[len(BEARER) :].decode("latin-1"))
    if key is None or Scope.JUDGE not in key.scopes:
        return None
    try:
        # Not looked at any closer: an id that cannot be is not remembered.
        standing = hall.standings.remembered(content.id_in(scope, before))
        if standing is None or not wanted(standing):
            return None
        count(hall, key)
    except (BadInput, RateLimited):
        return None
    return standing
