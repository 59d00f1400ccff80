"""The audit chain: an append-only log in which every event carries the hash of the one before.

An event says who (`actor`) did what (`act`) to what (`subject`), with a few `details`. Its hash is the SHA-256 of the
canonical JSON of everything else in it, `previous` included, so that changing, removing or moving one event breaks
every hash after it. docs/why/audit-chain.md states the bytes exactly; the fixed vectors in
tests/unit/evidence/test_audit.py hold them.

What goes into the details: numbers, names, counts and states. Never a hash of a list entry, a secret, a message's
text or anything that shows what the material is.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from seawall.database.locks import Lock, take
from seawall.database.tables import AuditEvent, now
from seawall.errors import BadInput
from seawall.records import Actor

GENESIS = bytes(32)
FIELDS = ("act", "actor", "at", "details", "hash", "number", "previous", "subject")
BATCH = 5000
# The longest line of an export that is read. Details are small; a longer line is no export.
LONGEST_LINE = 1024 * 1024

Json = str | int | bool | None | list["Json"] | dict[str, "Json"]

_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


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


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """The first place where the chain does not hold.

    `code` is ``changed``, ``missing``, ``reordered``, ``unlinked``, ``truncated`` or ``malformed``; `number` is the
    number of the event at which it showed.
    """

    number: int
    code: str
    explanation: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What verifying found. `head` is the hash of the last event that holds: written down somewhere else, it proves
    later that the end was not cut off."""

    events: int
    head: bytes
    first_problem: AuditProblem | None = None

    @property
    def ok(self) -> bool:
        """Whether the whole chain holds."""
        return self.first_problem is None


def append(session: Session, actor: Actor, act: str, subject: str, details: Mapping[str, object]) -> AuditEvent:
    """Adds one event to the end of the chain, in the session's own transaction, and returns its flushed row.

    It takes the lock of the whole chain until the transaction ends: call it last, just before the commit.

    Args:
        act: what was done, as ``noun.verb`` (``case.open``, ``list.import``).
        subject: what it was done to, as ``kind:name`` (``case:12``).
        details: strings, whole numbers, booleans, None, and lists and mappings of them. No floats and no times: those
            do not have one spelling. A character that PostgreSQL cannot keep (NUL, a lone surrogate) becomes U+FFFD.

    Raises:
        TypeError: details hold something else.
    """
    cleaned = {_text(key): _json(value) for key, value in details.items()}
    take(session, Lock.AUDIT_CHAIN)
    last = session.execute(
        select(AuditEvent.number, AuditEvent.hash).order_by(AuditEvent.number.desc()).limit(1)
    ).one_or_none()
    number, previous = (last.number + 1, bytes(last.hash)) if last is not None else (1, GENESIS)
    event = AuditEvent(
        number=number,
        at=now(),
        actor=_text(str(actor)),
        act=_text(act),
        subject=_text(subject),
        details=cleaned,
        previous=previous,
    )
    event.hash = link_hash(_link(event, b""))
    session.add(event)
    session.flush()
    return event


def link_hash(link: AuditLink) -> bytes:
    """The SHA-256 that this event must carry (32 bytes)."""
    return hashlib.sha256(_CANONICAL.encode(_document(link)).encode()).digest()


def links(session: Session, *, after: int = 0) -> Iterator[AuditLink]:
    """Streams the events of the table in the order of their numbers, some thousand at a time."""
    table = AuditEvent.__table__
    while True:
        rows = session.execute(
            select(table).where(table.c.number > after).order_by(table.c.number).limit(BATCH)
        ).all()
        for row in rows:
            yield _link(row, bytes(row.hash))
        if len(rows) < BATCH:
            return
        after = rows[-1].number


def last_links(session: Session, count: int, *, before: int | None = None) -> list[AuditLink]:
    """The newest `count` events (of those whose number is below `before`), oldest of them first."""
    table = AuditEvent.__table__
    newest = select(table).order_by(table.c.number.desc()).limit(count)
    if before is not None:
        newest = newest.where(table.c.number < before)
    rows = session.execute(newest).all()
    return [_link(row, bytes(row.hash)) for row in reversed(rows)]


def verify(source: Session | Iterable[AuditLink], *, expected_head: bytes | None = None) -> AuditReport:
    """Walks the chain from its beginning to the first problem or to its end.

    Args:
        source: the database, or events in the order in which an export holds them.
        expected_head: a hash that was the chain's head at some time. When no event carries it, the chain was cut off
            before it or rewritten.
    """
    chain = links(source) if isinstance(source, Session) else source
    events, head, seen = 0, GENESIS, expected_head in (None, GENESIS)
    for link in chain:
        problem = _problem(link, events, head)
        if problem is not None:
            return AuditReport(events, head, problem)
        events, head = events + 1, link.hash
        seen = seen or head == expected_head
    if not seen:
        problem = AuditProblem(
            events + 1,
            "truncated",
            f"The chain ends after event {events} without the head that was expected: its end was cut off, or it was "
            "written anew.",
        )
        return AuditReport(events, head, problem)
    return AuditReport(events, head)


def export_line(link: AuditLink) -> bytes:
    """One event as one line of an export: its canonical JSON with `hash` in it, and a line feed."""
    return _CANONICAL.encode({**_document(link), "hash": link.hash.hex()}).encode() + b"\n"


def links_of_export(stream: BinaryIO) -> Iterator[AuditLink]:
    """Reads an export, line by line.

    Raises:
        BadInput: a line is no event in canonical form; the message gives its number.
    """
    for number in itertools.count(1):
        line = stream.readline(LONGEST_LINE + 1)
        if not line:
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


def _problem(link: AuditLink, events: int, head: bytes) -> AuditProblem | None:
    """What is wrong with the event that follows `events` good ones, the last of which has the hash `head`."""
    due = events + 1
    if link.number > due:
        missing = f"event {due} is" if link.number == due + 1 else f"events {due} to {link.number - 1} are"
        return AuditProblem(due, "missing", f"{missing.capitalize()} missing before event {link.number}.")
    if link.number < due:
        return AuditProblem(link.number, "reordered", f"Event {link.number} comes after event {events}.")
    if link_hash(link) != link.hash:
        return AuditProblem(due, "changed", f"Event {due} was changed: its hash is not that of what it says.")
    if link.previous != head:
        return AuditProblem(
            due, "unlinked", f"Event {due} does not continue event {events}: one of the two was replaced."
        )
    return None


def _document(link: AuditLink) -> dict[str, object]:
    return {
        "act": link.act,
        "actor": link.actor,
        "at": _instant(link.at),
        "details": link.details,
        "number": link.number,
        "previous": link.previous.hex(),
        "subject": link.subject,
    }


def _link(row: AuditEvent | Row[tuple[object, ...]], hash_: bytes) -> AuditLink:
    return AuditLink(row.number, row.at, row.actor, row.act, row.subject, row.details, bytes(row.previous), hash_)


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


def _instant(at: datetime) -> str:
    """UTC with exactly six digits of a second: ``2026-01-31T09:05:00.000001Z``."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _json(value: object) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return {_text(key): _json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_json(inner) for inner in value]
    raise TypeError(f"Audit details cannot hold a {type(value).__name__}; give text or a whole number.")


def _text(value: str) -> str:
    """What PostgreSQL can keep of a text, so that what is hashed is what is read back."""
    if not isinstance(value, str):
        raise TypeError(f"Audit details are keyed by text, not by {type(value).__name__}.")
    return str.encode(value.replace("\0", "\ufffd"), errors="surrogatepass").decode(errors="replace")
