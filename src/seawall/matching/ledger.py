"""The content ledger: what the platform published, by its own id, with fingerprints and what was answered.

It keeps no bytes. It makes a repeated request harmless (same content and bytes, same answer, no second case) and is
what a new entry walks back through.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seawall.database.documents import reason_to_json
from seawall.database.tables import Content, PolicyText, now
from seawall.records import (
    ContentState,
    Digests,
    Fingerprint,
    Frame,
    HashArrival,
    Judged,
    MediaArrival,
    Verdict,
)

STATE_OF = {
    Verdict.ALLOW: ContentState.PUBLISHED,
    Verdict.WARN: ContentState.PUBLISHED,
    Verdict.HOLD: ContentState.HELD,
    Verdict.BLOCK: ContentState.BLOCKED,
}
OPEN_TO_NEWS = {ContentState.PUBLISHED, ContentState.RELEASED}


def identity_of_hashes(arrival: HashArrival) -> bytes:
    """What makes two arrivals of hashes the same content version: the SHA-256 of the bytes where it was sent, else
    a SHA-256 over the hashes that were."""
    if arrival.sha256 is not None:
        return arrival.sha256
    digest = hashlib.sha256(b"seawall hashes 1")
    for name in ("md5", "sha1", "pdq"):
        value: bytes = getattr(arrival, name) or b""
        digest.update(len(value).to_bytes(1, "big") + value)
    return digest.digest()


def fingerprint_of_hashes(arrival: HashArrival) -> Fingerprint:
    """The fingerprint that a platform computed by itself; it has the upright PDQ only."""
    frames = () if arrival.pdq is None else (Frame(0, (arrival.pdq,), arrival.pdq_quality),)
    return Fingerprint(Digests(arrival.md5, arrival.sha1, arrival.sha256), frames=frames)


def recall(session: Session, content_id: str, identity: bytes) -> Content | None:
    """The ledger's row of one content version, if it has one."""
    return session.scalar(select(Content).where(Content.content_id == content_id, Content.identity == identity))


def is_settled(row: Content, *, with_bytes: bool) -> bool:
    """Whether the earlier answer stands whatever the lists say. A clean or released one does not: the lists may know
    more by now, so that it is judged again, and answered as before unless something new is found. Nor does an answer
    to hashes alone once the bytes come: hashes are the sender's word, and nobody has seen what a decision on them
    would let pass."""
    state = ContentState(row.state)
    if with_bytes and row.size is None:
        return state is ContentState.REMOVED
    return state not in OPEN_TO_NEWS


def enter(session: Session, before: Content | None, judged: Judged) -> Content:
    """Writes what was found and answered into the ledger, over an earlier row of the same version."""
    arrival, fingerprint, judgement = judged.arrival, judged.fingerprint, judged.judgement
    row = before or Content(content_id=arrival.content_id, identity=judged.identity, account_id=arrival.account_id)
    row.surface = arrival.surface
    row.filename = arrival.filename
    row.uploader_ip = arrival.uploader_ip
    row.uploaded_at = arrival.uploaded_at
    # What was found in the bytes is not given up for hashes that somebody sends later.
    if isinstance(arrival, MediaArrival) or row.size is None:
        row.size = len(arrival.body) if isinstance(arrival, MediaArrival) else None
        _put_fingerprint(row, fingerprint)
    row.verdict = judgement.verdict
    row.reasons = [reason_to_json(reason) for reason in judgement.reasons]
    row.policy_version = judgement.policy_version
    row.state = STATE_OF[judgement.verdict]
    row.updated_at = now()
    if before is None:
        row.judged_at = row.updated_at
        session.add(row)
    session.flush()
    return row


def _put_fingerprint(row: Content, fingerprint: Fingerprint) -> None:
    row.md5, row.sha1, row.sha256 = fingerprint.digests.md5, fingerprint.digests.sha1, fingerprint.digests.sha256
    row.frames = [_frame_document(frame) for frame in fingerprint.frames]
    row.pdq = fingerprint.frames[0].pdq if fingerprint.frames else None
    row.pdq_quality = fingerprint.frames[0].quality if fingerprint.frames else None
    row.media_type, row.width, row.height = fingerprint.media_type, fingerprint.width, fingerprint.height


def fingerprint_of_row(row: Content) -> Fingerprint:
    """The fingerprint as the ledger keeps it (upright hashes only)."""
    return Fingerprint(
        Digests(row.md5, row.sha1, row.sha256),
        row.media_type,
        row.width,
        row.height,
        tuple(
            Frame(document["number"], (bytes.fromhex(document["pdq"]),), document["quality"])
            for document in row.frames
        ),
    )


def remember_policy(session: Session, version: str, text: str) -> None:
    """Keeps the text of a policy under its version, for explaining its verdicts later."""
    session.execute(insert(PolicyText).values(version=version, text=text).on_conflict_do_nothing())


def _frame_document(frame: Frame) -> dict[str, Any]:
    return {"number": frame.number, "pdq": frame.pdq.hex(), "quality": frame.quality}
