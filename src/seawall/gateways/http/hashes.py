"""POST /v1/hashes: hashes alone, one content or a batch, for platforms whose pictures may not leave."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from seawall.access.keys import KeyInfo
from seawall.errors import BadInput
from seawall.gateways import judging
from seawall.gateways.http import batches, examples
from seawall.gateways.http.admission import Admission, no_parameters, secret_of
from seawall.gateways.http.answers import VerdictAnswer, VerdictsAnswer, of_answer
from seawall.gateways.http.fields import ABOUT, about, hexadecimal, quality, refuse_unknown
from seawall.gateways.http.hall import Hall, hall_of
from seawall.gateways.http.lean import LeanRoute
from seawall.gateways.http.media import described_fields
from seawall.records import Answer, HashArrival, HashKind, Scope

router = APIRouter(prefix="/v1", tags=["judge"])

DOOR = Admission(Scope.JUDGE, counted=False)
KINDS = tuple((kind.value, kind) for kind in HashKind)
KNOWN = (*ABOUT, *(kind.value for kind in HashKind), "pdq_quality")

_ITEM: dict[str, Any] = {
    "type": "object",
    "required": ["content_id"],
    "additionalProperties": False,
    "properties": {
        **described_fields(),
        **{
            kind.value: {
                "type": "string",
                "description": f"{kind.length * 2} hexadecimal digits. At least one hash is needed.",
            }
            for kind in HashKind
        },
        "pdq_quality": {
            "type": "integer",
            "minimum": 0,
            "maximum": 100,
            "description": "Quality of the PDQ hash.",
        },
    },
}
_OPENAPI = {
    "requestBody": {
        "required": True,
        "content": examples.bodies(
            "application/json",
            {"oneOf": [_ITEM, batches.described(_ITEM)]},
            {"one content": examples.HASHES, "a batch": examples.BATCH},
        ),
    }
}


@router.post(
    "/hashes",
    summary="Judge hashes alone",
    description=(
        "For platforms whose pictures may not leave. Send one object, or up to 1,000 as `items`; the answers come in "
        "the same order, and each item counts as one request. With PDQ send its quality. Turned and mirrored copies "
        "are found only where the bytes are sent. Nothing is sealed, since there are no bytes."
    ),
    response_model=VerdictAnswer | VerdictsAnswer,
    dependencies=[Depends(no_parameters)],
    responses=examples.answers(
        {"one content": examples.HELD, "a batch": {"items": [examples.HELD, examples.ALLOWED]}},
        *("body_empty", "body_malformed", "body_too_large", "bad_input", "hash_invalid"),
        *(*examples.DOOR, *examples.NOT_JUDGED, "overloaded"),
        when="The verdict, or the verdicts in the order of the items.",
    ),
    openapi_extra=_OPENAPI,
)
async def judge_hashes(
    request: Request,
    key: Annotated[KeyInfo, Depends(DOOR)],
    hall: Annotated[Hall, Depends(hall_of)],
) -> JSONResponse:
    """Reads the hashes, judges each in turn in one thread, answers."""
    asked = await batches.asked(request, hall, key, wanted)
    found = [of_answer(answer) for answer in await _judged(hall, key, asked.items)]
    return JSONResponse({"items": found} if asked.many else found[0])


async def _judged(hall: Hall, key: KeyInfo, arrivals: list[HashArrival]) -> list[Answer]:
    if len(arrivals) > 1:
        return await hall.work(lambda: judging.judge_hashes(hall, key, arrivals))
    answer = await hall.gathering.judge(arrivals[0])
    if answer is None:
        return [await hall.work(lambda: judging.judge_known_hashes(hall, key, arrivals[0]))]
    judging.note(hall, key, arrivals[0], answer)
    return [answer]


async def _answer(request: Request) -> JSONResponse:
    """What `judge_hashes` answers, without the framework's way to it."""
    no_parameters(request)
    hall = hall_of(request)
    return await judge_hashes(request, await DOOR.admit(hall, secret_of(request)), hall)


LEAN = LeanRoute("POST", "/v1/hashes", _answer)


def wanted(document: dict[str, object]) -> batches.Asked[HashArrival]:
    """The hashes of one content, or of each in a batch.

    Raises:
        BadInput: names the item and field that cannot be used; then none is judged.
    """
    return batches.one_or_many(document, arrival)


def arrival(given: object, where: str = "") -> HashArrival:
    """One content's hashes.

    Raises:
        BadInput: names the field that cannot be used.
    """
    if not isinstance(given, dict):
        raise BadInput(f"{where.rstrip('.') or 'The body'} must be an object.")
    refuse_unknown(given, KNOWN, where)
    said = about(given, where)
    hashes = {name: hexadecimal(given, kind, where) for name, kind in KINDS if name in given}
    if not any(hashes.values()):
        raise BadInput(f"{where}content_id comes without any hash.", hint="Send md5, sha1, sha256 or pdq.")
    pdq_quality = quality(given, where)
    if pdq_quality is not None and hashes.get("pdq") is None:
        raise BadInput(f"{where}pdq_quality comes without pdq.")
    return HashArrival(
        content_id=said.content_id,
        **hashes,
        pdq_quality=pdq_quality,
        account_id=said.account_id,
        surface=said.surface,
        filename=said.filename,
        uploader_ip=said.uploader_ip,
        uploaded_at=said.uploaded_at,
        url_hash=said.url_hash,
    )
