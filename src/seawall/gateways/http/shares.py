"""POST /v1/shares: what is passed on, forwarded or embedded, by its content id, its address or its hashes."""

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
from seawall.gateways.http.answers import VerdictAnswer, VerdictsAnswer, of_answer
from seawall.gateways.http.fields import hexadecimal, quality, refuse_unknown, surface, text, url
from seawall.gateways.http.hall import Hall, hall_of
from seawall.gateways.http.media import described_fields
from seawall.matching import ledger
from seawall.records import Answer, HashArrival, HashKind, Scope, ShareArrival

router = APIRouter(prefix="/v1", tags=["judge"])

SURFACE = "share"
ABOUT = ("content_id", "url", "account_id", "surface")
KNOWN = (*ABOUT, *(kind.value for kind in HashKind), "pdq_quality")

_FIELDS = described_fields()
_ITEM: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "content_id": {
            **_FIELDS["content_id"],
            "description": "What is passed on, by the platform's own id; beside hashes, the id to keep it under.",
        },
        "url": {**_FIELDS["url"], "description": "What is passed on, by the address under which it is served."},
        "account_id": {**_FIELDS["account_id"], "description": "The platform's own id of who passes it on."},
        "surface": {**_FIELDS["surface"], "default": SURFACE},
        **{
            kind.value: {
                "type": "string",
                "description": f"What is passed on, by its {kind.label}: {kind.length * 2} hexadecimal digits.",
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


@router.post(
    "/shares",
    summary="Judge what is passed on",
    description=(
        "Ask before something that is on the platform, or elsewhere, is passed on, forwarded or embedded. Name it by "
        "`content_id`, or by `url`: then the ledger answers, by the strictest of what it knows there, and what it "
        "does not know is owed a scan and held, unless the policy says otherwise of that surface. Or name it by its "
        "hashes: they are looked up in the hash lists like those of an upload, and refused too where the same bytes "
        "are held, blocked or removed. What a list refuses becomes a case of the account that passes it on; the rest "
        "leaves nothing behind, but for hashes with a `content_id`, which are kept under that. Send one object, or "
        "up to 1,000 as `items`; each counts as one request. Pass on `allow` and `warn` alone."
    ),
    response_model=VerdictAnswer | VerdictsAnswer,
    dependencies=[Depends(no_parameters)],
    responses=examples.answers(
        {"one share": examples.SHARE_REFUSED, "a batch": {"items": [examples.SHARE_REFUSED, examples.ALLOWED]}},
        *("body_empty", "body_malformed", "body_too_large", "bad_input", "hash_invalid"),
        *(*examples.DOOR, *examples.NOT_JUDGED, "overloaded"),
        when="The verdict, or the verdicts in the order of the items.",
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": examples.bodies(
                "application/json",
                {"oneOf": [_ITEM, batches.described(_ITEM)]},
                {"one share": examples.SHARE, "a batch": examples.SHARES},
            ),
        }
    },
)
async def judge_shares(
    request: Request,
    key: Annotated[KeyInfo, Depends(Admission(Scope.JUDGE, counted=False))],
    hall: Annotated[Hall, Depends(hall_of)],
) -> JSONResponse:
    """Reads what is passed on, judges each in turn in one thread, answers."""
    asked = await batches.asked(request, hall, key, lambda document: batches.one_or_many(document, share))

    def judge() -> list[Answer]:
        return [judging.judge_share(hall, key, each) for each in asked.items]

    found = [of_answer(answer) for answer in await hall.work(judge)]
    return JSONResponse({"items": found} if asked.many else found[0])


def share(given: object, where: str = "") -> ShareArrival:
    """One share.

    Raises:
        BadInput: names the field that cannot be used.
    """
    if not isinstance(given, dict):
        raise BadInput(f"{where.rstrip('.') or 'The body'} must be an object.")
    refuse_unknown(given, KNOWN, where)
    content_id, url_hash = text(given, "content_id", where), url(given, where)
    account_id, on = text(given, "account_id", where), surface(given, where, SURFACE)
    hashes = {kind: hexadecimal(given, kind, where) for kind in HashKind}
    pdq_quality = quality(given, where)
    if pdq_quality is not None and hashes[HashKind.PDQ] is None:
        raise BadInput(f"{where}pdq_quality comes without pdq.")
    by_hashes = any(hashes.values())
    if url_hash is not None and (by_hashes or content_id is not None):
        raise BadInput(f"{where}url comes with a content_id or a hash.", hint="Name what is passed on in one way.")
    if not by_hashes:
        if content_id is None and url_hash is None:
            raise BadInput(
                f"{where or 'The share '}names nothing.", hint="Send content_id, url, or at least one hash."
            )
        return ShareArrival(content_id, url_hash, surface=on)
    arrival = HashArrival(
        content_id=content_id or "",
        md5=hashes[HashKind.MD5],
        sha1=hashes[HashKind.SHA1],
        sha256=hashes[HashKind.SHA256],
        pdq=hashes[HashKind.PDQ],
        pdq_quality=pdq_quality,
        account_id=account_id,
        surface=on,
    )
    if content_id is None:
        made = ledger.id_of_share(ledger.identity_of_hashes(arrival), account_id)
        arrival = replace(arrival, content_id=made)
    return ShareArrival(content_id, hashes=arrival, surface=on)
