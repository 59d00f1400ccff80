"""The bytes of the audit chain's events: what is hashed, and what an export holds.

docs/why/audit-chain.md states them exactly; the fixed vectors in tests/unit/evidence/test_audit.py hold them.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from seawall.errors import BadInput

GENESIS = bytes(32)
FIELDS = ("act", "actor", "at", "details", "hash", "number", "previous", "subject")
# The longest line of an export that is read. Details are small; a longer line is no export.
LONGEST_LINE = 1024 * 1024

CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class AuditLink:
    """One event of the chain as it was read from the table or from an export."""

    number: int
    at: datetime
    actor: str
    act: str
    subject: str
    details: Mapping[str, object]
    previous: bytes
    hash: bytes


def link_body(link: AuditLink) -> bytes:
    """What of an event is hashed."""
    return CANONICAL.encode(_document(link)).encode()


def link_hash(link: AuditLink) -> bytes:
    """The SHA-256 that this event must carry (32 bytes)."""
    return hashlib.sha256(link_body(link)).digest()


def export_line(link: AuditLink) -> bytes:
    """One event as one line of an export: its canonical JSON with `hash` in it, and a line feed."""
    return CANONICAL.encode({**_document(link), "hash": link.hash.hex()}).encode() + b"\n"


def links_of_export(stream: BinaryIO) -> Iterator[AuditLink]:
    """Reads the events of an export, line by line, up to its signed end if it has one.

    Raises:
        BadInput: a line is no event in canonical form; the message gives its number.
    """
    for number in itertools.count(1):
        line = stream.readline(LONGEST_LINE + 1)
        if not line or line.startswith(b'{"end":'):
            return
        try:
            link = _parsed(line)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            link = None
        if link is None or export_line(link) != line:
            raise BadInput(
                f"Line {number} of the export is no audit event in canonical form.",
                hint="Every line must be exactly as `seawall audit export` wrote it.",
            )
        yield link


def instant(at: datetime) -> str:
    """UTC with exactly six digits of a second: ``2026-01-31T09:05:00.000001Z``."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _document(link: AuditLink) -> dict[str, object]:
    return {
        "act": link.act,
        "actor": link.actor,
        "at": instant(link.at),
        "details": link.details,
        "number": link.number,
        "previous": link.previous.hex(),
        "subject": link.subject,
    }


def _parsed(line: bytes) -> AuditLink:
    document = json.loads(line)
    if tuple(sorted(document)) != FIELDS:
        raise ValueError("not the fields of an event")
    if type(document["number"]) is not int or not isinstance(document["details"], dict):
        raise ValueError("not the types of an event")
    at = datetime.strptime(document["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return AuditLink(
        document["number"],
        at,
        document["actor"],
        document["act"],
        document["subject"],
        document["details"],
        bytes.fromhex(document["previous"]),
        bytes.fromhex(document["hash"]),
    )
