"""What was found earlier, held against what the lists say of the same entries now.

A finding stands as long as its entry does, on whatever list, enabled or not: only an entry that was taken back lets
go. It is not looked up anew for that. The ledger keeps upright hashes only, so that a look-up from it might miss what
the picture itself had met when it was turned; and a list that is disabled for a while has not said that it was wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from seawall.database.tables import Entry, HashList
from seawall.matching.found import counting
from seawall.matching.orientations import with_orientations
from seawall.records import (
    FARTHEST_DISTANCE,
    Classification,
    Finding,
    Fingerprint,
    HashKind,
    ListInfo,
    Match,
    Orientation,
)

# Bits by which an orientation that was derived from the upright hash may be off: docs/why/late-matches.md measures up
# to 28. Two hashes that have nothing to do with each other differ by some 128.
DERIVED_IS_OFF_BY = 32


@dataclass(frozen=True, slots=True)
class EntryNow:
    """An entry that is on its list, as it is now."""

    list: ListInfo
    hashes: Mapping[HashKind, bytes]
    classification: Classification | None
    disputed: bool


@dataclass(frozen=True, slots=True)
class Sifted:
    """`kept` stands, with what its list says now; `fallen` met entries that were taken back."""

    kept: tuple[Finding, ...]
    fallen: tuple[Match, ...]


def entries_now(session: Session, entry_ids: Iterable[int]) -> dict[int, EntryNow]:
    """Those of the entries that are on their lists still, by number."""
    wanted = (
        select(Entry, HashList)
        .join(HashList, HashList.id == Entry.list_id)
        .where(Entry.id.in_(set(entry_ids)), Entry.removed_at.is_(None))
        .execution_options(populate_existing=True)
    )
    return {entry.id: _entry_now(entry, hash_list) for entry, hash_list in session.execute(wanted)}


def sift(findings: Sequence[Finding], known: Mapping[int, EntryNow], fingerprint: Fingerprint) -> Sifted:
    """What of the findings stands. A scan that is owed stays owed: no list can say what nobody could read.

    Args:
        known: every entry that is met and on its list.
        fingerprint: that of the content, as the ledger keeps it.
    """
    turned = with_orientations(fingerprint)
    kept: list[Finding] = []
    fallen: list[Match] = []
    for finding in findings:
        if not isinstance(finding, Match):
            kept.append(finding)
        elif (entry := known.get(finding.entry_id)) is not None and _still_meets(finding, entry, turned):
            now = replace(finding, list=entry.list, classification=entry.classification, disputed=entry.disputed)
            kept.append(now)
        else:
            fallen.append(finding)
    return Sifted(tuple(kept), tuple(fallen))


def with_news(kept: Sequence[Finding], found: Sequence[Match]) -> tuple[Finding, ...]:
    """What stands together with what a look-up finds now: each entry once, by the better of its two matches. Of
    equals what is found now counts, which knows how much of a listed video is there now. What tells too little counts
    only beside something else."""
    best: dict[int, Match] = {}
    for match in (*(finding for finding in kept if isinstance(finding, Match)), *found):
        other = best.get(match.entry_id)
        if other is None or match.nearness <= other.nearness:
            best[match.entry_id] = match
    return (*counting(tuple(best.values())), *(finding for finding in kept if not isinstance(finding, Match)))


def _still_meets(match: Match, entry: EntryNow, fingerprint: Fingerprint) -> bool:
    if match.hash_kind is None:
        return True  # by keypoints: they go with their entry
    value = entry.hashes.get(match.hash_kind)
    if value is None:
        return False
    if match.hash_kind is not HashKind.PDQ:
        digest: bytes | None = getattr(fingerprint.digests, match.hash_kind.value)
        return value == digest
    place = list(Orientation).index(match.orientation)
    reach = FARTHEST_DISTANCE if match.orientation is Orientation.UPRIGHT else match.nearness[1] + DERIVED_IS_OFF_BY
    return any(_distance(frame.orientations[place], value) <= reach for frame in fingerprint.frames)


def _distance(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def _entry_now(entry: Entry, hash_list: HashList) -> EntryNow:
    hashes = {kind: value for kind in HashKind if (value := getattr(entry, kind.value)) is not None}
    scheme, code = entry.classification_scheme, entry.classification_code
    classification = None if scheme is None or code is None else Classification(scheme, code)
    return EntryNow(hash_list.info(), hashes, classification, hash_list.quarantined or entry.disputed)
