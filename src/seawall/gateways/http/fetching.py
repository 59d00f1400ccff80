"""POST /v1/media:fetch: an upload by its address, and the verdict on what lies there."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from seawall.access.keys import KeyInfo
from seawall.errors import BadInput
from seawall.gateways import judging
from seawall.gateways.http import batches, examples
from seawall.gateways.http.admission import Admission, no_parameters
from seawall.gateways.http.answers import VerdictAnswer, of_answer
from seawall.gateways.http.bodies import ROOM_FOR_FIELDS, read_body
from seawall.gateways.http.fields import ABOUT, about, refuse_unknown
from seawall.gateways.http.hall import Hall, hall_of
from seawall.gateways.http.media import arrival_of, described_fields
from seawall.records import Scope

router = APIRouter(prefix="/v1", tags=["judge"])

_FIELDS = described_fields()
_WANTED: dict[str, Any] = {
    "type": "object",
    "required": ["url", "content_id"],
    "additionalProperties": False,
    "properties": {
        **_FIELDS,
        "url": {
            **_FIELDS["url"],
            "description": "The address to fetch from. It is not kept: tomorrow something else may lie there.",
        },
    },
}


@router.post(
    "/media:fetch",
    summary="Judge what lies at an address",
    description=(
        "Seawall fetches the bytes itself and judges them as if they had been uploaded. It does so only where the "
        "operator has named the hosts (`SEAWALL_FETCH_FROM`), and only from public addresses unless told otherwise. "
        "What cannot be fetched is not judged, and not clean: publish on `allow` and `warn` alone. Judged is what "
        "the address gave to Seawall; a server can give others something else."
    ),
    response_model=VerdictAnswer,
    dependencies=[Depends(no_parameters)],
    responses=examples.answers(
        {"allow": examples.ALLOWED, "hold": examples.HELD},
        *("body_empty", "body_malformed", "body_too_large", "not_media", "bad_input"),
        *("fetching_off", "fetch_not_permitted", "not_fetched", "fetched_status", "fetched_encoded"),
        *(*examples.DOOR, *examples.NOT_JUDGED, "overloaded", "decoder_unavailable", "object_store_unavailable"),
        when="The verdict.",
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": examples.bodies("application/json", _WANTED, {"one address": examples.FETCH}),
        }
    },
)
async def judge_fetched(
    request: Request,
    key: Annotated[KeyInfo, Depends(Admission(Scope.JUDGE))],
    hall: Annotated[Hall, Depends(hall_of)],
) -> JSONResponse:
    """Fetches, judges in a thread, answers."""
    hall.fetcher.check_on()
    with hall.ballast.load() as take:
        given = batches.parse(await read_body(request, ROOM_FOR_FIELDS, take))
        refuse_unknown(given, ABOUT)
        # A share of this address must not pass by what once lay there; the platform vouches only for its own.
        said, url = replace(about(given), url_hash=None), given.get("url")
        if not isinstance(url, str):
            raise BadInput("url is missing.", hint="It is the address to fetch from.")
        arrival = arrival_of(await hall.fetcher.fetch(url, take), said)

        return JSONResponse(of_answer(await hall.work(lambda: judging.judge_media(hall, key, arrival))))
