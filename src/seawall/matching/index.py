"""The hash index: every enabled list in memory, exact digests and PDQ, answered without waiting for writers.

A lookup reads one immutable snapshot. A change builds the next snapshot beside it, from the same segments plus a
small new one, and puts it in place with one assignment. Segments of similar size are folded, so that there are few.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from seawall.errors import HashInvalid
from seawall.matching.bitmaps import as_bools, count_of, no_rows, with_rows
from seawall.matching.columns import Source, read_only
from seawall.matching.entries import ENTRY, HAS, REMOVED, Changes, EntryBatch, joined
from seawall.matching.found import Found, chosen
from seawall.matching.meters import LookedUp, Sizes, nobody
from seawall.matching.segments import ColumnSegment, Hits, ScanSegment, segment_of
from seawall.records import Fingerprint, HashKind, ListInfo, Match, MatchKind, Orientation

MOST_MATCHES = 64
# A segment is folded into the one after it unless it is larger than this and this many times larger than that.
SMALL_SEGMENT = 4096
FOLD_RATIO = 4
# Strongest first: where one entry is met by several digests, this names the match.
DIGEST_KINDS = (HashKind.SHA256, HashKind.SHA1, HashKind.MD5)
NOTHING_FOUND = Found((), False)


def reach_of(info: ListInfo | None) -> int:
    """The farthest distance at which entries of a list bind; -1 when they do not, exact digests included.

    This is the one place that says what being enabled means.
    """
    return info.max_distance if info is not None and info.enabled else -1


@dataclass(frozen=True, slots=True)
class Held:
    """A segment as one snapshot sees it.

    Args:
        dead: which rows are no more, as in `bitmaps`; dead_rows: how many.
        list_rows: (lists,) how many rows, dead or not, are of each of its lists.
        reach: (lists,) int16, how far each of its lists reaches.
    """

    segment: ColumnSegment
    dead: NDArray[np.uint64]
    dead_rows: int
    list_rows: NDArray[np.int64]
    reach: NDArray[np.int16]

    @classmethod
    def fresh(cls, segment: ColumnSegment, lists: Mapping[int, ListInfo]) -> Held:
        """A new segment, of which everything lives."""
        list_rows = np.array(segment.meta["list_rows"], dtype=np.int64)
        dead = read_only(no_rows(len(segment.entry_ids)))
        return cls(segment, dead, 0, list_rows, _reach(segment, lists))

    @property
    def rows(self) -> int:
        """How many rows the segment has, dead or not."""
        return len(self.segment.entry_ids)

    def after(self, batch: EntryBatch, lists: Mapping[int, ListInfo]) -> Held:
        """The same once the batch is newer: its entries are dead here, and the lists are as they are now."""
        reach = _reach(self.segment, lists)
        ids, changed = self.segment.entry_ids, batch.rows["entry_id"]
        places = np.minimum(np.searchsorted(ids, changed), len(ids) - 1)
        places = places[ids[places] == changed]
        if not len(places):
            return replace(self, reach=reach)
        dead = read_only(with_rows(self.dead, places))
        return replace(self, dead=dead, dead_rows=count_of(dead), reach=reach)

    def present(self, lists: Mapping[int, ListInfo]) -> NDArray[np.bool_]:
        """(lists,) which of its lists there still are."""
        return np.array([int(list_id) in lists for list_id in self.segment.list_ids], dtype=bool)

    def alive(self, lists: Mapping[int, ListInfo]) -> NDArray[np.bool_]:
        """(rows,) which entries are still there."""
        alive, present = ~as_bools(self.dead, self.rows), self.present(lists)
        # Looking at the list of every row takes long among millions, and nothing else runs meanwhile.
        return alive if present.all() else alive & present[self.segment.slots]

    def gone(self, lists: Mapping[int, ListInfo]) -> int:
        """How many rows at least are dead, or of lists that are no more."""
        return max(self.dead_rows, int(self.list_rows[~self.present(lists)].sum()))

    def mostly_gone(self, lists: Mapping[int, ListInfo]) -> bool:
        """Whether more than half of the rows are."""
        return 2 * self.gone(lists) > self.rows


def _reach(segment: ColumnSegment, lists: Mapping[int, ListInfo]) -> NDArray[np.int16]:
    reach = [reach_of(lists.get(int(list_id))) for list_id in segment.list_ids]
    return read_only(np.array(reach, dtype=np.int16))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole index at one generation. `base` is the segment that lies in a file; all others that are held lie in
    memory alone."""

    generation: int = 0
    lists: Mapping[int, ListInfo] = field(default_factory=dict)
    held: tuple[Held, ...] = ()
    base: ColumnSegment | None = None


@dataclass(slots=True)
class Queries:
    """The distinct PDQ hashes to look up, and whose they are."""

    hashes: list[bytes] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    orientations: list[Orientation] = field(default_factory=list)
    qualities: list[int | None] = field(default_factory=list)
    in_parts: list[bool] = field(default_factory=list)
    low_information: list[bool] = field(default_factory=list)

    def words(self) -> NDArray[np.uint64]:
        """(q, 4) uint64."""
        return np.frombuffer(b"".join(self.hashes), dtype=np.uint64).reshape(-1, 4)


class HashIndex:
    """All entries, by digest and by PDQ. Lookups run in any number of threads while another applies changes.

    Args:
        looked_up: told of each look-up; it must be quick.
    """

    def __init__(self, looked_up: LookedUp = nobody) -> None:
        self._looked_up = looked_up
        self._snapshot = Snapshot()
        self._writer = threading.Lock()

    @property
    def generation(self) -> int:
        """The number of the last change that binds."""
        return self._snapshot.generation

    @property
    def lists(self) -> tuple[ListInfo, ...]:
        """Every list, enabled or not."""
        return tuple(self._snapshot.lists.values())

    @property
    def sizes(self) -> Sizes:
        """How large it is."""
        snapshot = self._snapshot
        held = snapshot.held
        in_memory = sum(part.rows for part in held if part.segment is not snapshot.base)
        gone = sum(part.gone(snapshot.lists) for part in held)
        return Sizes(len(held), sum(part.rows for part in held), gone, in_memory)

    def __len__(self) -> int:
        """How many entries there are, those of disabled lists included."""
        snapshot = self._snapshot
        return sum(int(held.alive(snapshot.lists).sum()) for held in snapshot.held)

    # ------------------------------------------------------------------------------------------------- lookups

    def lookup(self, fingerprint: Fingerprint, minimum_quality: int) -> tuple[Match, ...]:
        """The entries that the fingerprint meets, nearest first, each once by its best hash.

        Args:
            minimum_quality: frames of lower PDQ quality are not looked up by PDQ; unknown quality is good enough.

        Raises:
            HashInvalid: a hash of the wrong length.
        """
        return self.find(fingerprint, minimum_quality).matches

    def find(self, fingerprint: Fingerprint, minimum_quality: int) -> Found:
        """Like `lookup`, and says whether there were more matches than are given."""
        return self.find_many((fingerprint,), minimum_quality)[0]

    def lookup_many(self, fingerprints: Sequence[Fingerprint], minimum_quality: int) -> tuple[tuple[Match, ...], ...]:
        """`lookup` of each, all against one snapshot and in one pass over the hashes."""
        return tuple(found.matches for found in self.find_many(fingerprints, minimum_quality))

    def find_many(self, fingerprints: Sequence[Fingerprint], minimum_quality: int) -> tuple[Found, ...]:
        """`find` of each, all against one snapshot and in one pass over the hashes."""
        started = time.perf_counter()
        snapshot = self._snapshot
        candidates: list[list[Match]] = [[] for _ in fingerprints]
        truncated = [False] * len(fingerprints)
        for owner, fingerprint in enumerate(fingerprints):
            truncated[owner] = _exact(snapshot, fingerprint, candidates[owner])
        queries = _queries(fingerprints, minimum_quality)
        compared = _near(snapshot, queries, candidates, truncated) if queries.hashes else 0
        result = tuple(
            chosen(found, MOST_MATCHES, over) if found else NOTHING_FOUND
            for found, over in zip(candidates, truncated, strict=True)
        )
        self._looked_up(len(fingerprints), time.perf_counter() - started, compared)
        return result

    def warm(self) -> None:
        """Compiles what lookups need, so that the first one does not wait for it."""
        rows = np.zeros(1, dtype=ENTRY)
        rows["flags"] = sum(HAS.values())
        segment = ScanSegment(EntryBatch(rows))
        words = np.zeros((1, 4), dtype=np.uint64)
        segment.near(words, np.zeros(1, np.int16), no_rows(1), MOST_MATCHES)
        for kind in DIGEST_KINDS:
            segment.same(kind, bytes(kind.length), np.zeros(1, np.int16), no_rows(1), MOST_MATCHES)

    # ------------------------------------------------------------------------------------------------- changes

    def apply(self, changes: Changes) -> None:
        """Makes the changes bind for every lookup that starts from now on."""
        with self._writer:
            before = Snapshot() if changes.everything else self._snapshot
            self._snapshot = _after(before, changes)

    def reopen(self, base: ColumnSegment, changes: Changes) -> None:
        """Puts `base`, which lies in a file, and all that has changed since it was built in the place of what there
        was, with one assignment."""
        with self._writer:
            lists = {info.list_id: info for info in changes.lists}
            before = Snapshot(held=(Held.fresh(base, lists),) if base.meta["rows"] else (), base=base)
            self._snapshot = _after(before, changes)

    def sources(self) -> tuple[int, list[Source]]:
        """The generation, and all entries there are at it, to build one file of."""
        snapshot = self._snapshot
        return snapshot.generation, [
            Source(held.segment.columns, held.segment.meta, held.alive(snapshot.lists)) for held in snapshot.held
        ]


def _after(before: Snapshot, changes: Changes) -> Snapshot:
    lists = {info.list_id: info for info in changes.lists}
    batch = changes.batch.settled()
    parts = [held.after(batch, lists) for held in before.held]
    remaining = (batch.rows["flags"] & REMOVED) == 0
    if remaining.any():
        parts.append(Held.fresh(segment_of(batch.where(remaining)), lists))
    return Snapshot(changes.generation, lists, tuple(_folded(parts, lists, before.base)), before.base)


def _folded(parts: Iterable[Held], lists: Mapping[int, ListInfo], base: ColumnSegment | None) -> list[Held]:
    """The same entries in fewer segments: small ones are joined with the next, those mostly gone are built anew. What
    lies in a file stays there; the keeper has another built when so much has changed that it is worth it."""
    result: list[Held] = []
    for held in parts:
        result.append(held)
        while len(result) > 1 and result[-2].segment is not base and _worth_joining(*result[-2:]):
            result[-2:] = _rebuilt(result[-2:], lists)
    return [
        kept
        for held in result
        for kept in (_rebuilt([held], lists) if held.segment is not base and held.mostly_gone(lists) else [held])
    ]


def _worth_joining(larger: Held, smaller: Held) -> bool:
    return larger.rows <= max(SMALL_SEGMENT, FOLD_RATIO * smaller.rows)


def _rebuilt(parts: list[Held], lists: Mapping[int, ListInfo]) -> list[Held]:
    """One segment of what is alive in several; none if nothing is."""
    batch = joined(held.segment.batch(held.alive(lists)) for held in parts).settled()
    return [Held.fresh(segment_of(batch), lists)] if len(batch.rows) else []


# ------------------------------------------------------------------------------------------------ what is looked up


def _exact(snapshot: Snapshot, fingerprint: Fingerprint, found: list[Match]) -> bool:
    """Adds what the digests meet; says whether there was more."""
    truncated = False
    seen: set[int] = set()
    for kind in DIGEST_KINDS:
        digest: bytes | None = getattr(fingerprint.digests, kind.value)
        if digest is None:
            continue
        if len(digest) != kind.length:
            raise HashInvalid(f"A {kind.value} has {kind.length} bytes, not {len(digest)}.")
        for held in snapshot.held:
            hits = held.segment.same(kind, digest, held.reach, held.dead, MOST_MATCHES)
            truncated |= len(hits.truncated) > 0
            for row in hits.rows.tolist():
                entry_id = int(held.segment.entry_ids[row])
                if entry_id not in seen:
                    seen.add(entry_id)
                    found.append(_match(held.segment, row, snapshot.lists, MatchKind.EXACT, kind, 0))
    return truncated


def _match(
    segment: ColumnSegment,
    row: int,
    lists: Mapping[int, ListInfo],
    kind: MatchKind,
    hash_kind: HashKind,
    distance: int,
) -> Match:
    found = lists[int(segment.list_ids[segment.slots[row]])]
    return Match(
        entry_id=int(segment.entry_ids[row]),
        list=found,
        kind=kind,
        hash_kind=hash_kind,
        distance=distance,
        classification=segment.classification(row),
        disputed=found.quarantined or segment.is_disputed(row),
        of_video=segment.is_of_video(row),
    )


def _queries(fingerprints: Sequence[Fingerprint], minimum_quality: int) -> Queries:
    """Every orientation of every frame that is good enough; equal hashes of one fingerprint only once."""
    queries = Queries()
    for owner, fingerprint in enumerate(fingerprints):
        seen: set[bytes] = set()
        # A hash that tells enough in one frame and too little in another is looked up as the former.
        for frame in sorted(fingerprint.frames, key=lambda each: each.low_information):
            if not frame.is_good(minimum_quality):
                continue
            for orientation, value in zip(Orientation, frame.orientations, strict=False):
                if len(value) != HashKind.PDQ.length:
                    raise HashInvalid(f"A PDQ hash has {HashKind.PDQ.length} bytes, not {len(value)}.")
                if value in seen:
                    continue
                seen.add(value)
                queries.hashes.append(value)
                queries.owners.append(owner)
                queries.frames.append(frame.number)
                queries.orientations.append(orientation)
                queries.qualities.append(frame.quality)
                queries.in_parts.append(frame.is_part)
                queries.low_information.append(frame.low_information)
    return queries


def _near(snapshot: Snapshot, queries: Queries, found: list[list[Match]], truncated: list[bool]) -> int:
    """Adds what the PDQ hashes meet, each entry by its best query; entries that a digest met stay as they are.

    Returns how many hashes were compared.
    """
    compared = 0
    words, owners = queries.words(), np.array(queries.owners, dtype=np.int64)
    little = np.array(queries.low_information, dtype=bool)
    exact = [{match.entry_id for match in matches} for matches in found]
    for held in snapshot.held:
        hits = held.segment.near(words, held.reach, held.dead, MOST_MATCHES)
        compared += hits.candidates
        for query in hits.truncated.tolist():
            truncated[queries.owners[query]] = True
        for place in _best(hits, owners, held.segment.slots, little).tolist():
            query, row, distance = int(hits.queries[place]), int(hits.rows[place]), int(hits.distances[place])
            owner = queries.owners[query]
            match = _match(held.segment, row, snapshot.lists, MatchKind.PERCEPTUAL, HashKind.PDQ, distance)
            if match.entry_id not in exact[owner]:
                found[owner].append(
                    replace(
                        match,
                        orientation=queries.orientations[query],
                        frame=queries.frames[query],
                        quality=queries.qualities[query],
                        in_part=queries.in_parts[query],
                        low_information=queries.low_information[query],
                    )
                )
    return compared


def _best(
    hits: Hits, owners: NDArray[np.int64], slots: NDArray[np.int32], little: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """The places of the hits worth keeping: of each owner and row the nearest (at one distance the first query), and
    of each owner the `MOST_MATCHES` nearest rows and the nearest of each list. Hits by queries that tell too little
    (`little`) come after all others: such a one never hides one that counts."""
    if not len(hits.rows):
        return hits.rows
    of = owners[hits.queries]
    beside = little[hits.queries]
    places = np.lexsort((hits.queries, hits.distances, beside, hits.rows, of))
    places = places[_first_of_runs(of[places], hits.rows[places])]
    places = places[np.lexsort((hits.rows[places], hits.distances[places], beside[places], of[places]))]
    of, lists = of[places], slots[hits.rows[places]]
    starts = np.flatnonzero(_first_of_runs(of))
    rank = np.arange(len(places)) - np.repeat(starts, np.diff(np.append(starts, len(places))))
    keep = rank < MOST_MATCHES
    by_list = np.lexsort((rank, lists, of))
    keep[by_list[_first_of_runs(of[by_list], lists[by_list])]] = True
    nearest: NDArray[np.int64] = places[keep]
    return nearest


def _first_of_runs(*keys: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Where a run of equal keys begins."""
    first = np.zeros(len(keys[0]), dtype=bool)
    first[:1] = True
    for key in keys:
        first[1:] |= key[1:] != key[:-1]
    return first
