"""Signed heads of the audit chain: made each hour in which something happened, kept in the chain and outside of it.

A signed head is an event (`audit.sign`) right after the last of those for which it vouches. Whoever rewrites the
chain without the audit key breaks the signatures; whoever leaves them out, or cuts off the end, is shown by the file
of heads outside the database, by an export, or by a head that somebody wrote down.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from seawall.database.locks import Lock, take
from seawall.database.sessions import Database
from seawall.database.tables import AuditEvent, now
from seawall.errors import AuditChainBroken, AuditKeyMissing, EvidenceError
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
    """The audit key, with which the newest head was signed; made only where no head was ever signed.

    Raises:
        AuditKeyMissing: heads were signed, and the key is gone, or another lies here.
    """
    key = load_signing_key(settings, may_create=False)
    newest = session.scalar(
        select(AuditEvent.details).where(AuditEvent.act == SIGN).order_by(AuditEvent.number.desc()).limit(1)
    )
    if key is None:
        if newest is not None:
            raise AuditKeyMissing(
                f"There is no audit key at {settings.resolved_audit_key_file}, but heads were signed with one."
            )
        key = load_signing_key(settings, may_create=True)
    if key is None:
        raise AuditKeyMissing("There is no audit key.")
    if newest is not None and key.key_id != _signer_of(newest):
        raise AuditKeyMissing(
            f"The newest head was signed with another audit key than the one here ({key.key_id}).",
            hint="Every process that shares a database needs the same audit key: copy the key file of the one that "
            "signs, or set the same SEAWALL_AUDIT_KEY.",
        )
    return key


def refuse_rewritten(session: Session, settings: Settings) -> None:
    """Looks whether the newest head that was noted outside is still in the chain, so that nobody signs another one.

    Raises:
        AuditChainBroken: it is not.
        EvidenceError: a line of the file is no head.
    """
    heads = noted(settings)
    newest = max((head.events for head in heads), default=0)
    if newest == 0:
        return
    there = session.scalar(select(AuditEvent.hash).where(AuditEvent.number == newest))
    if there is None or any(head.head != bytes(there).hex() for head in heads if head.events == newest):
        raise AuditChainBroken(
            f"Event {newest} is not the one whose hash was noted in {settings.audit_heads_file}: the chain was cut "
            "off, or written anew. Nothing was signed.",
            hint="Keep everything as it is and compare with a backup. If an older backup was restored on purpose, "
            f"move {settings.audit_heads_file} away, and keep it.",
        )


def sign(database: Database, settings: Settings, actor: Actor = SYSTEM) -> Head | None:
    """Signs the chain's head and notes it outside; None where nothing happened since it was signed last.

    Raises:
        AuditChainBroken: the chain is not the one whose head was noted.
        AuditKeyMissing: the key is gone, or is not the one that signed last.
        EvidenceError: the head is signed, and could not be noted outside the database.
    """
    with database.transaction() as session:
        # Nobody signs, or appends, in between.
        take(session, Lock.AUDIT_CHAIN)
        refuse_rewritten(session, settings)
        key = open_signing_key(settings, session)
        last = session.execute(
            select(AuditEvent.number, AuditEvent.hash, AuditEvent.act, AuditEvent.details)
            .order_by(AuditEvent.number.desc())
            .limit(1)
        ).one_or_none()
        if last is None:
            return None
        if last.act == SIGN:
            _note_late(settings, key, last.number, bytes(last.hash).hex(), last.details)
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


def _signer_of(details: object) -> object:
    """The id of the key in the details of a signing event, which somebody may have changed."""
    return details.get("key") if isinstance(details, Mapping) else None


def _note_late(settings: Settings, key: SigningKey, number: int, hash_: str, details: Mapping[str, object]) -> None:
    """Notes a head whose signer died before it was noted. The chain's lock is held.

    Raises:
        AuditChainBroken: its signature is not of the key.
    """
    if any(head.events >= number for head in noted(settings)):
        return
    try:
        head, signature = head_of(details)
        ours = head.events == number - 1 and Trust((key.public,)).vouches(head, signature)
    except (ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise AuditChainBroken(f"The signature at event {number} is not of the audit key. It was not noted.")
    _note(settings.audit_heads_file, key.signed(instant(now()), number, hash_, Purpose.HEAD))


def _note(file: Path, details: dict[str, object]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)  # until it is closed: one line at a time
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
