"""What arrives compared by keypoints with what was confirmed here: the second look, where no hash has met anything.

The words of all that is kept lie in memory; the signatures themselves are fetched and opened only for the few that
may be meant. What their entries and lists say now is asked at the same time, so that nothing binds that was taken
back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from seawall.database.sessions import Database
from seawall.database.tables import Entry, HashList, KeptKeypoints
from seawall.errors import EvidenceTampered
from seawall.evidence.master_key import MasterKey
from seawall.fingerprints.keypoints import KeypointSignature
from seawall.matching.index import reach_of
from seawall.matching.keypoint_geometry import Agreement, agreement
from seawall.matching.keypoint_index import KeypointIndex, are_words
from seawall.records import Classification, Finding, Match, MatchKind, Orientation, ScanOwed
from seawall.settings import Settings

# Two for each picture, the newest of them. Each takes some 20 KB of memory in every process.
MOST_KEPT = 10_000
_LOADED_AT_ONCE = 500

log = structlog.get_logger(__name__)


def purpose_of(entry_id: int) -> bytes:
    """What the signatures of an entry are sealed for: they open as those of no other."""
    return b"keypoints:" + entry_id.to_bytes(8)


Bound = tuple[KeptKeypoints, Entry, HashList]


@dataclass(frozen=True, slots=True)
class _Met:
    """An entry that shows the same, by which of its signatures and which of those that arrived."""

    bound: Bound
    kept: KeypointSignature
    arrived: KeypointSignature
    agreement: Agreement


class KeypointKeeper:
    """One process's words of what is kept, brought up to date when lists have changed. For many threads at once."""

    def __init__(self, database: Database, settings: Settings, master_key: MasterKey) -> None:
        self._database = database
        self._settings = settings
        self._master_key = master_key
        self._index = KeypointIndex()
        self._generation = -1
        self._changing = threading.Lock()

    def wanted_on(self, surface: str, generation: int) -> bool:
        """Whether keypoints of what arrives there are to be made: it is set so, and there is something to compare
        them with.

        Args:
            generation: that of the hash lists; what is kept changes with them.

        Raises:
            DatabaseUnavailable: what has changed cannot be had.
        """
        if not self._settings.keypoints_on(surface):
            return False
        self._catch_up(generation)
        return len(self._index) > 0

    def find(self, signatures: Sequence[KeypointSignature]) -> tuple[Finding, ...]:
        """What shows the same as what was confirmed, each entry once, by the most places. A signature that cannot be
        opened is owed.

        Raises:
            DatabaseUnavailable: the signatures cannot be had.
        """
        index, best, owed = self._index, dict[int, _Met](), dict[ScanOwed, None]()
        for arrived in signatures:
            numbers = index.candidates(arrived)
            if not numbers:
                continue
            with self._database.transaction() as session:
                rows = _rows(session, numbers)
            for bound in rows:
                row, entry, _of_list = bound
                try:
                    kept = self._opened(row)
                except EvidenceTampered as error:
                    log.error("keypoints.tampered", entry=entry.id, reason=error.message)
                    owed[ScanOwed(error.code, "The keypoints of a confirmed picture cannot be opened")] = None
                    continue
                found = agreement(arrived, kept)
                before = best.get(entry.id)
                if found is not None and (before is None or found.inliers > before.agreement.inliers):
                    best[entry.id] = _Met(bound, kept, arrived, found)
        ordered = sorted(best.values(), key=lambda met: (-met.agreement.inliers, met.bound[1].id))
        return (*map(_match, ordered), *owed)

    def _opened(self, row: KeptKeypoints) -> KeypointSignature:
        """Raises EvidenceTampered where it is not what was sealed."""
        try:
            return KeypointSignature.unpacked(self._master_key.open(row.sealed or b"", purpose_of(row.entry_id)))
        except ValueError as error:
            raise EvidenceTampered(f"The kept keypoints {row.id} are of another form.") from error

    def _catch_up(self, generation: int) -> None:
        if generation == self._generation:
            return
        with self._changing:
            if generation == self._generation:
                return
            with self._database.transaction() as session:
                present = _present(session, MOST_KEPT)
                before = self._index.ids
                new = _words(session, present - before)
            self._index = self._index.after(new, before - present)
            self._generation = generation


def _present(session: Session, most: int) -> set[int]:
    """The numbers of what is kept, the newest of it."""
    wanted = (
        select(KeptKeypoints.id)
        .join(Entry, Entry.id == KeptKeypoints.entry_id)
        .where(Entry.removed_at.is_(None), KeptKeypoints.words.is_not(None))
        .order_by(KeptKeypoints.id.desc())
        .limit(most)
    )
    return set(session.scalars(wanted))


def _words(session: Session, numbers: Iterable[int]) -> dict[int, bytes]:
    ordered, words = sorted(numbers), dict[int, bytes]()
    for start in range(0, len(ordered), _LOADED_AT_ONCE):
        some = ordered[start : start + _LOADED_AT_ONCE]
        wanted = select(KeptKeypoints.id, KeptKeypoints.words).where(KeptKeypoints.id.in_(some))
        words.update({number: said for number, said in session.execute(wanted) if said and are_words(said)})
    return words


def _rows(session: Session, numbers: Sequence[int]) -> list[Bound]:
    """Those that bind now, with their entries and lists, in that order."""
    wanted = (
        select(KeptKeypoints, Entry, HashList)
        .join(Entry, Entry.id == KeptKeypoints.entry_id)
        .join(HashList, HashList.id == Entry.list_id)
        .where(KeptKeypoints.id.in_(numbers), Entry.removed_at.is_(None))
    )
    rows = [(row, entry, found) for row, entry, found in session.execute(wanted) if reach_of(found.info()) >= 0]
    session.expunge_all()
    return sorted(rows, key=lambda bound: numbers.index(bound[0].id))


def _match(met: _Met) -> Match:
    _kept, entry, hash_list = met.bound
    scheme, code = entry.classification_scheme, entry.classification_code
    return Match(
        entry_id=entry.id,
        list=hash_list.info(),
        kind=MatchKind.KEYPOINTS,
        hash_kind=None,
        distance=None,
        orientation=Orientation.MIRRORED if met.kept.mirrored else Orientation.UPRIGHT,
        frame=met.arrived.number,
        classification=None if scheme is None or code is None else Classification(scheme, code),
        disputed=hash_list.quarantined or entry.disputed,
        in_part=met.arrived.is_part,
        inliers=met.agreement.inliers,
        share=met.agreement.share,
    )
