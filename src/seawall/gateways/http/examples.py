"""Examples for every address, shown at `/docs`. Hashes, accounts and lists in them are made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seawall.errors import (
    BadInput,
    BodyEmpty,
    BodyMalformed,
    BodyTooLarge,
    Conflict,
    ContentRefused,
    DatabaseUnavailable,
    DecoderUnavailable,
    FetchedEncoded,
    FetchedStatus,
    FetchingOff,
    FetchNotPermitted,
    Forbidden,
    HashInvalid,
    IndexUnavailable,
    InternalError,
    NotFetched,
    NotFound,
    NotMedia,
    ObjectStoreUnavailable,
    Overloaded,
    RateLimited,
    SeawallError,
    Unauthenticated,
)
from seawall.gateways.http.answers import ErrorAnswer, of_error

Responses = dict[int | str, dict[str, Any]]

FINGERPRINTS = {
    "md5": "9f1c3e6dba6f2f3a5f0f6f6a1f6d7c21",
    "sha1": "3d9a0c1e8f4b7a2d5c6e9f80b1a2c3d4e5f60718",
    "sha256": "6b1f0c9e2d3a4857b6c5d4e3f2a1908f7e6d5c4b3a29180706f5e4d3c2b1a09f",
    "pdq": "e64cc9d9b3b3196cb3634c6699b3e64c9819e7266ccc93339b31cce6643319cd",
    "quality": 100,
}
ALLOWED: dict[str, object] = {
    "verdict": "allow",
    "reasons": [],
    "fingerprints": FINGERPRINTS,
    "media_type": "image/jpeg",
    "case_id": None,
    "policy_version": "c1d7a2f09b3e",
    "elapsed_ms": 21.4,
}
HELD: dict[str, object] = {
    **ALLOWED,
    "verdict": "hold",
    "reasons": [
        {
            "code": "perceptual_match",
            "rule": "looks-like-a-listed-picture",
            "list": "Test list",
            "kind": "perceptual",
            "distance": 6,
            "orientation": "mirrored",
            "explanation": 'PDQ distance 6 to an entry of the list "Test list", mirrored. A human decides.',
        }
    ],
    "case_id": 17,
}
FETCH = {"url": "https://media.example.org/photos/1.jpg", "content_id": "photo-1", "account_id": "account-1"}
HASHES = {
    "content_id": "photo-1",
    "account_id": "account-1",
    "surface": "upload",
    "sha256": FINGERPRINTS["sha256"],
    "pdq": FINGERPRINTS["pdq"],
    "pdq_quality": 100,
}
BATCH = {"items": [HASHES, {"content_id": "photo-2", "md5": FINGERPRINTS["md5"]}]}
SHARE = {"content_id": "photo-1", "account_id": "account-2", "surface": "share"}
SHARES = {
    "items": [
        SHARE,
        {"url": "https://example.org/photos/1.jpg"},
        {"sha256": FINGERPRINTS["sha256"], "pdq": FINGERPRINTS["pdq"], "pdq_quality": 100, "surface": "message"},
    ]
}
SHARE_REFUSED: dict[str, object] = {
    **ALLOWED,
    "verdict": "block",
    "reasons": [
        {
            "code": "removed",
            "rule": "decision",
            "list": None,
            "kind": None,
            "distance": None,
            "orientation": None,
            "explanation": "A reviewer confirmed the match.",
        }
    ],
    "case_id": 17,
    "elapsed_ms": 0.9,
}
APPEALED = {
    "appeal_id": "appeal-1",
    "content_id": "photo-1",
    "account_id": "account-1",
    "text": "This is a photo of my own garden.",
}
APPEAL: dict[str, object] = {
    "appeal_id": "appeal-1",
    "content_id": "photo-1",
    "case_id": 17,
    "state": "open",
    "content_state": "removed",
    "received_at": "2026-03-01T12:30:00Z",
    "decided_at": None,
}
APPEAL_OVERTURNED: dict[str, object] = {
    **APPEAL,
    "state": "overturned",
    "content_state": "released",
    "decided_at": "2026-03-02T09:00:00Z",
}
LISTS = {
    "lists": [
        {
            "name": "Test list",
            "source": "Test source",
            "trust": "trusted",
            "harm_class": "csam",
            "max_distance": 31,
            "enabled": True,
            "test": True,
            "entries": 1204,
            "hashes": {"md5": 1204, "sha1": 0, "sha256": 1204, "pdq": 1187},
            "disputed": 0,
            "created_at": "2026-02-01T08:00:00Z",
            "updated_at": "2026-03-01T08:00:00Z",
        }
    ]
}
_PRESSING = {
    "id": 17,
    "state": "open",
    "urgent": False,
    "test": True,
    "harm_class": "csam",
    "priority": 179,
    "terms": [
        {"name": "trusted list", "points": 100},
        {"name": "harm class csam", "points": 50},
        {"name": "distance 4", "points": 27},
        {"name": "waiting 2 h", "points": 2},
    ],
    "claimed": False,
    "opened_at": "2026-03-01T12:30:04Z",
    "due_at": "2026-03-02T12:30:04Z",
    "overdue": False,
}
CASE = {**_PRESSING, "items": [{"content_id": "photo-1", "state": "pending", "content_state": "held"}]}
CASES = {"cases": [{**_PRESSING, "items": 1, "pending": 1}], "next": None}
ACCOUNT = {
    "account_id": "account-1",
    "age_band": "adult",
    "age_source": "estimated",
    "opened_at": "2026-02-26T09:00:00Z",
    "region": "GB",
}
CONTACT = {
    "act": "request",
    "account_id": "account-1",
    "other_id": "account-2",
    "at": "2026-03-01T12:30:00Z",
    "mutuals": 0,
}
CONTACT_RISK = {
    "about": "account-1",
    "points": 4.3,
    "look": True,
    "friction": False,
    "signs": [
        {"code": "fan_out", "points": 2.2, "says": "Contacted 17 unconnected children within 7 days"},
        {"code": "adult_to_child", "points": 1.6, "says": "An adult and a child without a common connection"},
        {"code": "new_account", "points": 0.5, "says": "The account is younger than 14 days"},
    ],
}
CONTACT_CHECK = {
    "reach": "message",
    "account_id": "account-1",
    "other_id": "account-2",
    "jurisdiction": "GB",
    "connected": False,
    "first": True,
}
_NO_MESSAGE = {
    "code": "messages_from_connections_alone",
    "forbids": "message",
    "unless_connected": True,
    "says": "A child gets no direct message from somebody whom they are not connected with",
    "measure": "ICU F1",
}
FORBIDDEN_CONTACT = {"allowed": False, "forbidden_by": [_NO_MESSAGE], "information": []}
CHILD_DEFAULTS = {
    "jurisdiction": "GB",
    "name": "United Kingdom",
    "source": "Ofcom, Illegal content Codes of Practice for user-to-user services, measures ICU F1 and ICU F2",
    "as_of": "2025-03-17",
    "child_below": 18,
    "defaults": [_NO_MESSAGE],
    "information": [
        {
            "when": "first_message",
            "says": "That this is the first message of this person, and how to block or report them",
            "measure": "ICU F2",
        }
    ],
}
STANDING = {
    "content_id": "photo-1",
    "verdict": "block",
    "state": "removed",
    "updated_at": "2026-03-01T12:30:04Z",
}
CONTENT_IDS = {"content_ids": ["photo-1", "photo-2", "photo-3"]}
STANDINGS = {
    "items": [
        {**STANDING, "known": True},
        {
            "content_id": "photo-2",
            "known": True,
            "verdict": "allow",
            "state": "published",
            "updated_at": "2026-03-01T12:30:04Z",
        },
        {"content_id": "photo-3", "known": False, "verdict": None, "state": None, "updated_at": None},
    ]
}
METRICS = """\
# HELP seawall_lookups_total Fingerprints looked up in the hash index.
# TYPE seawall_lookups_total counter
seawall_lookups_total 81532.0
# HELP seawall_judgements_total Verdicts that were answered, earlier answers given again included.
# TYPE seawall_judgements_total counter
seawall_judgements_total{surface="upload",verdict="allow"} 81498.0
seawall_judgements_total{surface="upload",verdict="hold"} 34.0
# HELP seawall_index_generation The last change of the lists that binds in every process.
# TYPE seawall_index_generation gauge
seawall_index_generation 1731.0
"""
ALIVE = {"status": "ok"}
READY = {"status": "ready", "parts": {"database": "ok", "index": "ok", "decoders": "ok"}}

WRONG: dict[str, SeawallError] = {
    error.code: error
    for error in (
        BodyEmpty("The upload has no byte."),
        BodyMalformed("The multipart body ends before its closing boundary."),
        Unauthenticated("This API key is unknown or revoked."),
        Forbidden("This key lacks the scope judge."),
        ContentRefused("This content is removed."),
        NotFound("There is no case 17."),
        Conflict("There is an appeal against this decision already.", hint="Only its first appeal is looked at."),
        FetchingOff("This Seawall fetches nothing by itself."),
        BodyTooLarge("The upload has more than 67108864 bytes."),
        NotMedia("The bytes are no picture or video."),
        BadInput("content_id is missing.", hint="It is the platform's own id of what was uploaded."),
        FetchNotPermitted("Seawall does not fetch from this host and port."),
        NotFetched("It could not be fetched from this address."),
        FetchedStatus("The server answered with the status 404."),
        FetchedEncoded("The server sent it compressed, though it was asked not to."),
        HashInvalid("pdq must be 64 hexadecimal digits."),
        RateLimited("This key may ask 6000 times a minute.", retry_after_s=2),
        InternalError("Something failed that nobody foresaw; it is in the log as 5d1f0c2b7a9e4833."),
        DatabaseUnavailable("PostgreSQL cannot be reached."),
        IndexUnavailable("The hash lists are not loaded yet."),
        Overloaded("Too many uploads are being judged at once."),
        DecoderUnavailable("No decoder became free within 10 s."),
        ObjectStoreUnavailable("The evidence could not be written."),
    )
}
DOOR = (Unauthenticated.code, Forbidden.code, RateLimited.code)
FAILURES = (InternalError.code, DatabaseUnavailable.code)
NOT_JUDGED = (*FAILURES, IndexUnavailable.code)


def answers(
    examples: Mapping[str, object], *errors: str, when: str, media_type: str = "application/json"
) -> Responses:
    """What an address may answer: 200 with its examples, and errors by their codes."""
    schema = {} if media_type == "application/json" else {"schema": {"type": "string"}}
    found: Responses = {200: {"description": when, "content": {media_type: {**schema, "examples": _named(examples)}}}}
    return found | failures(*errors)


def failures(*errors: str) -> Responses:
    """The errors that an address may answer, by their codes."""
    found: Responses = {}
    by_status: dict[int, dict[str, SeawallError]] = {}
    for code in errors:
        by_status.setdefault(WRONG[code].http_status, {})[code] = WRONG[code]
    for status, meant in sorted(by_status.items()):
        words = " ".join((type(error).__doc__ or "").split("\n\n", maxsplit=1)[0] for error in meant.values())
        shown = {code: {"value": of_error(error)} for code, error in meant.items()}
        found[status] = {"model": ErrorAnswer, "description": words, **_json(shown)}
    return found


def bodies(media_type: str, schema: dict[str, Any], examples: Mapping[str, object]) -> dict[str, Any]:
    """One kind of request body in an OpenAPI document."""
    return {media_type: {"schema": schema, "examples": _named(examples)}}


def _named(examples: Mapping[str, object]) -> dict[str, Any]:
    return {name: {"value": value} for name, value in examples.items()}


def _json(examples: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"examples": examples}}}
