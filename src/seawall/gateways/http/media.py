"""POST /v1/media: the bytes of one upload, and the verdict on them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from seawall.access.keys import KeyInfo
from seawall.gateways import judging
from seawall.gateways.http import examples
from seawall.gateways.http.admission import Admission
from seawall.gateways.http.answers import VerdictAnswer, of_answer
from seawall.gateways.http.bodies import FILE, Upload, once_each, query_pairs, read_upload
from seawall.gateways.http.fields import ABOUT, LONGEST_TEXT, About, about, refuse_unknown
from seawall.gateways.http.hall import Hall, hall_of
from seawall.links.canonical import LONGEST as LONGEST_URL
from seawall.records import MediaArrival, Scope

router = APIRouter(prefix="/v1", tags=["judge"])

_SHARED: dict[str, tuple[str, dict[str, Any]]] = {
    "content_id": ("The platform's own id of the content.", {"type": "string", "maxLength": LONGEST_TEXT}),
    "account_id": (
        "The platform's own id of who uploaded it. Cases are kept by account; without one, by content.",
        {"type": "string", "maxLength": LONGEST_TEXT},
    ),
    "surface": (
        "Where on the platform it happened. A policy can tell surfaces apart.",
        {"type": "string", "default": "upload", "maxLength": 64},
    ),
    "filename": ("Its name, kept for reports.", {"type": "string", "maxLength": LONGEST_TEXT}),
    "uploader_ip": ("From where it was uploaded, kept for reports.", {"type": "string", "format": "ip"}),
    "uploaded_at": (
        "When it was uploaded, with a time zone, kept for reports.",
        {"type": "string", "format": "date-time"},
    ),
    "url": (
        "The address under which the platform serves it, with http or https. What is kept is the SHA-256 of its "
        "canonical form, so that a share of that address is known again.",
        {"type": "string", "format": "uri", "maxLength": LONGEST_URL},
    ),
}
EXAMPLES_OF_FIELDS = {
    "content_id": "photo-1",
    "account_id": "account-1",
    "surface": "upload",
    "filename": "harbour.jpg",
    "uploader_ip": "192.0.2.7",
    "uploaded_at": "2026-03-01T12:30:00Z",
    "url": "https://example.org/photos/1.jpg",
}
_PICTURE = {"type": "string", "format": "binary", "description": "The bytes as they were uploaded."}
_FORM = {
    "type": "object",
    "required": [FILE, "content_id"],
    "properties": {
        FILE: _PICTURE,
        **{name: {**schema, "description": words} for name, (words, schema) in _SHARED.items()},
    },
}


def described_fields() -> dict[str, dict[str, Any]]:
    """The fields that media and hashes share, as JSON schemas by name."""
    return {name: {**schema, "description": words} for name, (words, schema) in _SHARED.items()}


_OPENAPI: dict[str, Any] = {
    "parameters": [
        {
            "name": name,
            "in": "query",
            "required": name == "content_id",
            "description": words,
            "schema": schema,
            "example": EXAMPLES_OF_FIELDS[name],
        }
        for name, (words, schema) in _SHARED.items()
    ],
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": _PICTURE},
            "application/octet-stream": {"schema": _PICTURE},
            "multipart/form-data": {
                "schema": _FORM,
                "example": {FILE: "(the bytes)", "content_id": "photo-1", "account_id": "account-1"},
            },
        },
    },
}


@router.post(
    "/media",
    summary="Judge one upload",
    description=(
        "Send the bytes as the body, with the fields as query parameters; or as `multipart/form-data` with the bytes "
        "in the part `file` and the fields beside it. Publish on `allow` and `warn` alone: not on `hold` or `block`, "
        "and not when there is no answer. The same content_id and bytes again give the same answer and no second "
        "case. Pictures that cannot be read are held."
    ),
    response_model=VerdictAnswer,
    responses=examples.answers(
        {"allow": examples.ALLOWED, "hold": examples.HELD},
        *("body_empty", "body_malformed", "body_too_large", "not_media", "bad_input"),
        *(*examples.DOOR, *examples.NOT_JUDGED, "overloaded", "decoder_unavailable", "object_store_unavailable"),
        when="The verdict.",
    ),
    openapi_extra=_OPENAPI,
)
async def judge_media(
    request: Request,
    key: Annotated[KeyInfo, Depends(Admission(Scope.JUDGE))],
    hall: Annotated[Hall, Depends(hall_of)],
) -> JSONResponse:
    """Reads the upload, judges it in a thread, answers."""
    pairs = query_pairs(request)
    with hall.ballast.load() as take:
        upload = await read_upload(request, hall.settings.max_upload_bytes, take)
        given = once_each([*pairs, *upload.pairs])
        refuse_unknown(given, ABOUT)
        arrival = arrival_of(upload, about(given))

        return JSONResponse(of_answer(await hall.work(lambda: judging.judge_media(hall, key, arrival))))


def arrival_of(upload: Upload, said: About) -> MediaArrival:
    """An upload together with what the platform says of it."""
    return MediaArrival(
        content_id=said.content_id,
        body=upload.body,
        account_id=said.account_id,
        surface=said.surface,
        filename=said.filename,
        uploader_ip=said.uploader_ip,
        uploaded_at=said.uploaded_at,
        url_hash=said.url_hash,
        declared_media_type=upload.media_type,
    )
