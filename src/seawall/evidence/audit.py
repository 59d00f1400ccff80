"""The audit chain: an append-only log in which every event carries the hash of the one before.

An event says who (`actor`) did what (`act`) to what (`subject`), with a few `details`. Its hash is the SHA-256 of the
canonical JSON of everything else in it, `previous` included, so that changing, removing or moving one event breaks
every hash after it. The bytes are in `events`, how the chain is walked in `proving`, and how its head is signed in
`heads`.

What goes into the details: numbers, names, counts and states. Never a hash of a list entry, a secret, a message's
text or anything that shows what the material is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from seawall.database.locks import Lock, take
from seawall.database.tables import AuditEvent, now
from seawall.evidence.events import (
    GENESIS,
    AuditLink,
    export_line,
    link_hash,
    links_of_export,
)
from seawall.evidence.proving import AuditProblem, AuditReport, verify
from seawall.records import Actor

__all__ = (
    "GENESIS",
    "AuditLink",
    "AuditProblem",
    "AuditReport",
    "append",
    "export_line",
    "last_links",
    "link_hash",
    "links",
    "links_of_export",
    "verify",
)

BATCH = 5000

Json = str | int | bool | None | list["Json"] | dict[str, "Json"]


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


def _link(row: AuditEvent | Row[tuple[object, ...]], hash_: bytes) -> AuditLink:
    return AuditLink(row.number, row.at, row.actor, row.act, row.subject, row.details, bytes(row.previous), hash_)


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
