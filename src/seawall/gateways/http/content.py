"""GET and POST /v1/content: whether contents may be shown now, asked when they are shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

from fastapi import APIRouter, Depends, Path, Request, Response

from seawall.access.keys import KeyInfo
from seawall.errors import BadInput, NotFound
from seawall.gateways.http import batches, examples
from seawall.gateways.http.admission import Admission, no_parameters
from seawall.gateways.http.answers import AskedStandingAnswer, StandingAnswer, StandingsAnswer
from seawall.gateways.http.fields import LONGEST_TEXT, needed_text, refuse_unknown
from seawall.gateways.http.hall import Hall, hall_of
from seawall.records import Scope, Standing

router = APIRouter(prefix="/v1", tags=["judge"])

BEFORE_THE_ID = "/v1/content/"
# A cache may keep it, and has to ask each time: a removal binds on the next view.
CACHING = {"Cache-Control": "private, no-cache"}
_WANTED: dict[str, Any] = {
    "type": "object",
    "required": ["content_ids"],
    "additionalProperties": False,
    "properties": {
        "content_ids": {
            "type": "array",
            "minItems": 1,
            "maxItems": batches.LARGEST_BATCH,
            "items": {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT},
            "description": "The platform's own ids.",
        }
    },
}


@router.get(
    f"{BEFORE_THE_ID.removeprefix('/v1')}{{content_id:path}}",
    summary="Ask whether a content may be shown",
    description=(
        "For the paths on which content is served: what a reviewer has removed, and what a list has learnt of since "
        "it was published, is refused here from that moment on. A content that Seawall has never judged is not "
        "known, which does not mean that it is clean. The answer has an `ETag`; keep it for `If-None-Match` only "
        "(`no-cache`), and ask each time. Each question counts as one request of the key: give a key that asks for "
        "every view a rate that fits (`seawall keys create NAME --scope judge --rate 1000000`)."
    ),
    response_model=StandingAnswer,
    dependencies=[Depends(Admission(Scope.JUDGE)), Depends(no_parameters)],
    responses=examples.answers(
        {"a content that was removed": examples.STANDING},
        *("not_found", "bad_input", *examples.DOOR, *examples.FAILURES),
        when="Where it stands. With `If-None-Match` and nothing new: 304, without a body.",
    ),
)
async def show_content(
    request: Request,
    content_id: Annotated[  # noqa: ARG001 - described here, and read strictly below
        str,
        Path(
            description=(
                "The platform's own id, percent-encoded; all that follows belongs to it, slashes too. Ids that a "
                "client would shorten, such as `a/../b`, are asked for by `POST /v1/content`."
            ),
            examples=["photo-1"],
        ),
    ],
    hall: Annotated[Hall, Depends(hall_of)],
) -> Response:
    """What is remembered was answered before it came here (see `showing.py`); the rest is read in a thread."""
    wanted = needed_text({"content_id": id_in(request.scope)}, "content_id")
    found = await hall.work(lambda: hall.standings.of(wanted))
    if found is None:
        raise NotFound("The ledger does not know this content.", hint="Judge it first: unknown is not clean.")
    return answer(found, request.headers.get("if-none-match"))


@router.post(
    "/content",
    summary="Ask whether several contents may be shown",
    description=(
        "The same for up to 1,000 contents at once, answered in the order in which they are asked for. A content "
        "that Seawall has never judged is said to be not known, which does not mean that it is clean. Each counts as "
        "one request of the key."
    ),
    response_model=StandingsAnswer,
    dependencies=[Depends(no_parameters)],
    responses=examples.answers(
        {"one removed, one shown, one not known": examples.STANDINGS},
        *("body_empty", "body_malformed", "body_too_large", "bad_input"),
        *(*examples.DOOR, *examples.FAILURES, "overloaded"),
        when="Where each stands.",
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": examples.bodies("application/json", _WANTED, {"three contents": examples.CONTENT_IDS}),
        }
    },
)
async def show_contents(
    request: Request,
    key: Annotated[KeyInfo, Depends(Admission(Scope.JUDGE, counted=False))],
    hall: Annotated[Hall, Depends(hall_of)],
) -> Response:
    """What is not remembered is read together, in a thread."""
    wanted = (await batches.asked(request, hall, key, wanted_ids)).items
    found = await hall.work(lambda: hall.standings.of_many(wanted))
    items = [_asked(content_id, found.get(content_id)) for content_id in wanted]
    return Response(StandingsAnswer(items=items).model_dump_json(), media_type="application/json")


def wanted_ids(document: dict[str, object]) -> batches.Asked[str]:
    """The content ids of a batch, in its order.

    Raises:
        BadInput: names the one that cannot be used; then none is looked up.
    """
    refuse_unknown(document, ("content_ids",))
    given = document.get("content_ids")
    if not isinstance(given, list) or not 1 <= len(given) <= batches.LARGEST_BATCH:
        raise BadInput(f"content_ids must be a list of 1 to {batches.LARGEST_BATCH} texts.")
    named = ((f"content_ids[{number}]", each) for number, each in enumerate(given))
    return batches.Asked([needed_text({name: each}, name) for name, each in named], many=True)


def _asked(content_id: str, found: Standing | None) -> AskedStandingAnswer:
    return AskedStandingAnswer(
        content_id=content_id,
        known=found is not None,
        verdict=None if found is None else found.verdict,
        state=None if found is None else found.state,
        updated_at=None if found is None else found.updated_at.astimezone(UTC),
    )


def id_in(scope: Mapping[str, Any], before: str = BEFORE_THE_ID) -> str:
    """What stands in the place of the content id, decoded strictly: for no other id is ever answered.

    Args:
        before: the address up to it.

    Raises:
        BadInput: it is no UTF-8.
    """
    path: bytes = scope["raw_path"]
    try:
        return (unquote_to_bytes(path) if b"%" in path else path).decode("utf-8").removeprefix(before)
    except UnicodeDecodeError:
        raise BadInput("content_id is no UTF-8.", hint="Percent-encode its UTF-8 bytes.") from None


def answer(standing: Standing, known_tags: str | None) -> Response:
    """Where a content stands, or that nothing is new since the client last asked.

    Args:
        known_tags: what the client sent as If-None-Match.
    """
    tag = tag_of(standing)
    headers = {**CACHING, "ETag": tag}
    if known_tags is not None and is_among(tag, known_tags):
        return Response(status_code=304, headers=headers)
    return Response(body_of(standing), headers=headers, media_type="application/json")


def body_of(standing: Standing) -> bytes:
    """A standing in JSON, as :class:`StandingAnswer` describes it."""
    at = standing.updated_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return (
        f'{{"content_id":{json.dumps(standing.content_id)},"verdict":"{standing.verdict.value}",'
        f'"state":"{standing.state.value}","updated_at":"{at}"}}'
    ).encode()


def tag_of(standing: Standing) -> str:
    """A strong entity tag: it differs when anything in the answer does."""
    return f'"{standing.state.value}-{standing.verdict.value}-{standing.updated_at.timestamp():.6f}"'


def is_among(tag: str, known_tags: str) -> bool:
    """Whether If-None-Match names the tag; weak ones are as good there (RFC 9110, 13.1.2)."""
    return known_tags.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in known_tags.split(","))
