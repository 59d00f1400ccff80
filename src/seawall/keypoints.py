"""Keypoints are kept of what a reviewer has confirmed, where its bytes are sealed here, and go with its entry.

The worker does it, soon after the decision: the sealed bytes are opened, and a decoder child makes the signatures.
That Seawall itself has opened them is put in the audit chain; nobody has looked at them.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from seawall.database.tables import CaseItem, Entry, Evidence, HashList, KeptKeypoints, now
from seawall.decoding.asking import Keypoints
from seawall.errors import DecodingFailed, EvidenceError, MasterKeyMissing, NotFound, NotMedia
from seawall.evidence import audit
from seawall.fingerprints.keypoints import KeypointSignature
from seawall.hashlists.changes import announce, try_next_change
from seawall.matching.keypoint_index import words_in
from seawall.matching.keypoint_keeper import purpose_of
from seawall.records import OWN_SOURCE, SYSTEM, ItemState
from seawall.rooms import Rooms

AT_ONCE = 4

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Due:
    """An entry of which keypoints are to be made, and the evidence that they are made from."""

    entry_id: int
    evidence_id: int


def settle(rooms: Rooms) -> int:
    """Makes the keypoints of some of what was confirmed since the last time, and removes those whose entries are
    gone; returns of how many entries. Cheap enough for every second.

    Raises:
        DatabaseUnavailable, ObjectStoreUnavailable, DecoderUnavailable: what was done stays, the rest is left for
            the next time.
    """
    _sweep(rooms)
    if not rooms.settings.keypoints_on(None):
        return 0
    with rooms.database.transaction() as session:
        due = _due(session)
    return sum(_keep(rooms, each) for each in due)


def _sweep(rooms: Rooms) -> None:
    """Those of entries that somebody has taken off their list by hand."""
    with rooms.database.transaction() as session:
        gone = select(Entry.id).where(Entry.id == KeptKeypoints.entry_id, Entry.removed_at.is_not(None))
        session.execute(delete(KeptKeypoints).where(gone.exists()))


def _due(session: Session) -> list[_Due]:
    """The entries that bind, were taken from bytes that are sealed, and have not been looked at; oldest first."""
    wanted = (
        select(Entry.id, func.max(Evidence.id))
        .join(HashList, HashList.id == Entry.list_id)
        .join(CaseItem, CaseItem.content_row == Entry.content_row)
        .join(Evidence, Evidence.item_id == CaseItem.id)
        .where(
            HashList.source == OWN_SOURCE,
            Entry.removed_at.is_(None),
            # The one with the digests: further frames are entries too.
            Entry.identity == func.concat("content:", Entry.content_row),
            CaseItem.state == ItemState.CONFIRMED.value,
            ~exists().where(KeptKeypoints.entry_id == Entry.id),
        )
        .group_by(Entry.id)
        .order_by(Entry.id)
        .limit(AT_ONCE)
    )
    return [_Due(entry_id, evidence_id) for entry_id, evidence_id in session.execute(wanted)]


def _keep(rooms: Rooms, due: _Due) -> bool:
    signatures = _made(rooms, due)
    with rooms.database.transaction() as session:
        change = try_next_change(session)
        if change is None:
            return False
        entry = session.get(Entry, due.entry_id, populate_existing=True, with_for_update=True)
        known = session.scalar(select(exists().where(KeptKeypoints.entry_id == due.entry_id)))
        if entry is None or entry.removed_at is not None or known:
            return False
        for signature in signatures:
            sealed = rooms.vault.seal_small(signature.packed(), purpose_of(entry.id))
            session.add(KeptKeypoints(entry_id=entry.id, words=words_in(signature), sealed=sealed))
        if not signatures:
            session.add(KeptKeypoints(entry_id=entry.id))
        row = session.get_one(HashList, entry.list_id, populate_existing=True)
        row.change, row.updated_at = change, now()
        session.flush()
        announce(session, change)
        details: dict[str, audit.Json] = {
            "evidence": due.evidence_id,
            "content_row": entry.content_row,
            "signatures": len(signatures),
        }
        audit.append(session, SYSTEM, "list.keypoints", f"list:{row.name}", details)
    log.info("keypoints.kept", signatures=len(signatures))
    return True


def _made(rooms: Rooms, due: _Due) -> tuple[KeypointSignature, ...]:
    """None of what cannot be read, or was destroyed: that will not be otherwise the next time."""
    try:
        with rooms.database.transaction() as session:
            body = rooms.vault.open(session, due.evidence_id)
        return rooms.decoders.fingerprint_with(Keypoints.TO_KEEP, body, 0)[1]
    except (NotMedia, DecodingFailed, EvidenceError, MasterKeyMissing, NotFound) as error:
        log.warning("keypoints.none", evidence=due.evidence_id, code=error.code)
        return ()
