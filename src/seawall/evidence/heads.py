"""Signed heads of the audit chain: made each hour in which something happened, kept in the chain and outside of it.

A signed head is an event (`audit.sign`) right after the last of those for which it vouches. Whoever rewrites the
chain without the audit key breaks the signatures; whoever leaves them out, or cuts off the end, is shown by the file
of heads outside the database, by an export, or by a head that somebody wrote down.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import BinaryIO

import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from seawall.database.locks import Lock, take
from seawall.database.sessions import Database
from seawall.database.tables import AuditEvent, now
from seawall.errors import AuditKeyMissing, EvidenceError
from seawall.evidence import audit
from seawall.evidence.events import CANONICAL, GENESIS, instant
from seawall.evidence.proving import AuditReport, verify
from seawall.evidence.raw_events import SIGN, raw_events
from seawall.evidence.signing import (
    Head,
    Purpose,
    SigningKey,
    Trust,
    export_end,
    head_of,
    load_signing_key,
)
from seawall.records import SYSTEM, Actor
from seawall.settings import Settings

log = structlog.get_logger(__name__)


def open_signing_key(settings: Settings, session: Session) -> SigningKey:
    """The audit key; made only where no head was ever signed.

    Raises:
        AuditKeyMissing: heads were signed, and the key is gone.
    """
    key = load_signing_key(settings, may_create=False)
    if key is None:
        if session.scalar(select(exists(select(AuditEvent).where(AuditEvent.act == SIGN)))):
            raise AuditKeyMissing(
                f"There is no audit key at {settings.resolved_audit_key_file}, but heads were signed with one."
            )
        key = load_signing_key(settings, may_create=True)
    if key is None:
        raise AuditKeyMissing("There is no audit key.")
    return key


def sign(database: Database, settings: Settings, actor: Actor = SYSTEM) -> Head | None:
    """Signs the chain's head and notes it outside; None where nothing happened since it was signed last.

    Raises:
        AuditKeyMissing: the key is gone.
        EvidenceError: the head is signed, and could not be noted outside the database.
    """
    with database.transaction() as session:
        key = open_signing_key(settings, session)
        take(session, Lock.AUDIT_CHAIN)
        last = session.execute(
            select(AuditEvent.number, AuditEvent.hash, AuditEvent.act).order_by(AuditEvent.number.desc()).limit(1)
        ).one_or_none()
        if last is None or last.act == SIGN:
            return None
        details = key.signed(instant(now()), last.number, bytes(last.hash).hex(), Purpose.HEAD)
        event = audit.append(session, actor, SIGN, "audit:chain", details)
    head, _ = head_of(details)
    # What is noted has the signing event in it too, so that it cannot be cut off either.
    _note(settings.audit_heads_file, key.signed(head.at, event.number, event.hash.hex(), Purpose.HEAD))
    # No secret: whoever keeps logs elsewhere keeps the head there too.
    log.info("audit.head_signed", events=head.events, head=head.head, key=head.key_id)
    return head


def noted(settings: Settings) -> tuple[Head, ...]:
    """The heads that were noted outside the database.

    Raises:
        EvidenceError: a line of the file is no head.
    """
    try:
        lines = settings.audit_heads_file.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return ()
    heads = []
    for number, line in enumerate(lines, start=1):
        if number == len(lines) and not line.endswith(b"\n"):
            break  # whoever wrote it died
        try:
            heads.append(head_of(json.loads(line))[0])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise EvidenceError(f"Line {number} of {settings.audit_heads_file} is no signed head.") from None
    return tuple(heads)


def own_trust(settings: Settings) -> Trust:
    """The key of this installation, if it has one already."""
    key = load_signing_key(settings, may_create=False)
    return Trust(() if key is None else (key.public,))


def prove(
    session: Session, settings: Settings, *, expected_head: bytes | None = None, trust: Trust | None = None
) -> AuditReport:
    """Walks the chain in the database, with all that this installation knows of it."""
    known = own_trust(settings) if trust is None else trust
    return verify(session, expected_head=expected_head, trust=known, noted=noted(settings))


def export(session: Session, key: SigningKey, stream: BinaryIO) -> int:
    """Writes all events and the signed end; returns how many events there were."""
    count, head = 0, GENESIS.hex()
    for event in raw_events(session):
        stream.write(event.line)
        count, head = event.number, event.hash.decode()
    stream.write(export_end(key.signed(instant(now()), count, head, Purpose.END)))
    stream.flush()
    return count


def _note(file: Path, details: dict[str, object]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as stream:
            # A line without an end is of somebody who died while writing it.
            stream.seek(stream.read().rfind(b"\n") + 1)
            stream.truncate()
            stream.write(CANONICAL.encode(details).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise EvidenceError(
            f"The signed head cannot be noted in {file} ({error.strerror}).", hint="Let Seawall write there."
        ) from None
