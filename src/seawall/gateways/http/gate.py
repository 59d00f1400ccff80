"""GET /v1/gate: whether a content may be shown, said by the status alone, for servers that ask before they serve."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from seawall.errors import BadInput, ContentRefused
from seawall.gateways.http import bodies, examples
from seawall.gateways.http.admission import Admission
from seawall.gateways.http.content import id_in
from seawall.gateways.http.fields import needed_text
from seawall.gateways.http.hall import Hall, hall_of
from seawall.records import Scope, Standing

router = APIRouter(prefix="/v1", tags=["judge"])

BEFORE_THE_ID = "/v1/gate/"
# How proxies say what they were asked for: Traefik's ForwardAuth, Caddy's forward_auth.
ASKED_FOR = "X-Forwarded-Uri"
# What has one spelling only, so that one file has one content id. Not a name of dots alone: that is a folder.
PLAIN_ID = re.compile(r"(?!\.+$)[A-Za-z0-9._~-]+")


class Unknown(StrEnum):
    """What becomes of a content that the ledger does not know."""

    REFUSE = "refuse"
    PASS = "pass"  # noqa: S105 - no password


# Queries that say nothing of a content that is known.
INDIFFERENT = {b"", *(f"unknown={each}".encode() for each in Unknown)}


def _only(*names: str) -> Callable[[Request], None]:
    """What refuses other parameters than these, and one that is there twice."""
    noun = "parameter" if len(names) == 1 else "parameters"
    message = f"This address takes the query {noun} {' and '.join(names)}, and no other."

    def check(request: Request) -> None:
        if set(bodies.once_each(bodies.query_pairs(request))) - set(names):
            raise BadInput(message)

    return check


@router.get(
    f"{BEFORE_THE_ID.removeprefix('/v1')}{{content_id:path}}",
    summary="Let a content be shown, or not",
    description=(
        "For web servers that ask before they serve, such as nginx with `auth_request`: 204 lets it be shown, 403 "
        "does not, and whatever else is answered must not either. A content that Seawall has never judged is "
        "refused, unless `unknown=pass` is asked for: then only what is known to be held, blocked or removed is. "
        "Each question counts as one request of the key."
    ),
    status_code=204,
    response_description="It may be shown.",
    response_class=Response,
    dependencies=[Depends(Admission(Scope.JUDGE)), Depends(_only("unknown"))],
    responses=examples.failures("content_refused", "bad_input", *examples.DOOR, *examples.FAILURES),
)
async def ask_gate(
    request: Request,
    content_id: Annotated[  # noqa: ARG001 - described here, and read strictly below
        str, Path(description="The platform's own id, as for `GET /v1/content/{content_id}`.", examples=["photo-1"])
    ],
    hall: Annotated[Hall, Depends(hall_of)],
    unknown: Annotated[
        Unknown, Query(description="What becomes of a content that is not known.", examples=["pass"])
    ] = Unknown.REFUSE,
) -> Response:
    """What is remembered and may be shown was answered before it came here (see `showing.py`)."""
    return await _let_pass(
        hall, needed_text({"content_id": id_in(request.scope, BEFORE_THE_ID)}, "content_id"), unknown
    )


@router.get(
    "/gate",
    summary="Let an address be served, or not",
    description=(
        "The same for proxies that send the address they were asked for in the header X-Forwarded-Uri, such as "
        "Traefik (ForwardAuth) and Caddy (forward_auth). The content id is what follows the prefix: letters, digits "
        "and `._~-` alone. Every other address is refused, however it is written: send only those that serve media."
    ),
    status_code=204,
    response_description="It may be served.",
    response_class=Response,
    dependencies=[Depends(Admission(Scope.JUDGE)), Depends(_only("prefix", "unknown"))],
    responses=examples.failures("content_refused", "bad_input", *examples.DOOR, *examples.FAILURES),
)
async def ask_gate_by_address(
    request: Request,
    hall: Annotated[Hall, Depends(hall_of)],
    prefix: Annotated[str, Query(description="What stands before the content id.", examples=["/media/"])],
    unknown: Annotated[
        Unknown, Query(description="What becomes of a content that is not known.", examples=["pass"])
    ] = Unknown.REFUSE,
) -> Response:
    """The proxy says what it was asked for; the key says that it is a proxy of the platform's."""
    return await _let_pass(hall, _id_after(prefix, request.headers.getlist(ASKED_FOR)), unknown)


def _id_after(prefix: str, asked_for: list[str]) -> str:
    """The content id in the one address that was asked for.

    Raises:
        BadInput: it is not said, or said twice; or the prefix is none.
        ContentRefused: it is another address, or holds more than an id.
    """
    if not (prefix.startswith("/") and prefix.endswith("/")):
        raise BadInput("The prefix begins and ends with a slash, as in /media/.")
    if len(asked_for) != 1:
        raise BadInput(f"The header {ASKED_FOR} is there {len(asked_for)} times, and not once.")
    path = asked_for[0].partition("?")[0]
    content_id = path.removeprefix(prefix)
    if not path.startswith(prefix) or not PLAIN_ID.fullmatch(content_id):
        raise ContentRefused("This is no address of a content.", hint="Ask only about addresses below the prefix.")
    return content_id


async def _let_pass(hall: Hall, wanted: str, unknown: Unknown) -> Response:
    found = await hall.work(lambda: hall.standings.of(wanted))
    if found is None and unknown is Unknown.REFUSE:
        raise ContentRefused("The ledger does not know this content.", hint="Judge it first: unknown is not clean.")
    if found is not None and not may_be_shown(found):
        raise ContentRefused(f"This content is {found.state}.")
    return Response(status_code=204)


def may_be_shown(standing: Standing) -> bool:
    """Whether nothing stands against it."""
    return not standing.verdict.refuses
