"""Segments: immutable sets of entries that can be searched.

The index holds a few of them and knows which of their rows are dead. `Segment` is all that it asks of one, so that
segments which lie in files or search by other means can take the place of `ScanSegment`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seawall.matching.entries import DISPUTED, ENTRY, HAS, EntryBatch
from seawall.records import Classification, HashKind

MOST_QUERIES_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Hits:
    """Hits of one search in one segment; three arrays of one length.

    Args:
        queries: (k,) int64, which query.
        rows: (k,) int64, which row of the segment.
        distances: (k,) int64, Hamming bits.
        truncated: the queries that had more hits than were kept.
    """

    queries: NDArray[np.int64]
    rows: NDArray[np.int64]
    distances: NDArray[np.int64]
    truncated: NDArray[np.int64]


class Segment(Protocol):
    """An immutable set of entries. Rows are numbered from 0 in ascending order of entry ids.

    `dead` is a (rows,) bool array of rows that do not count. `reach` is a (lists,) int16 array with the farthest
    distance that binds on each of the segment's lists, -1 where nothing does. Every search keeps the `limit` nearest
    live hits of each query and, beyond those, the nearest on each list; it misses none that is nearer.
    """

    @property
    def entry_ids(self) -> NDArray[np.int64]:
        """(rows,) ascending."""
        ...

    @property
    def list_ids(self) -> NDArray[np.int64]:
        """(lists,) the list ids that occur; a row's place in it is its slot."""
        ...

    @property
    def slots(self) -> NDArray[np.int32]:
        """(rows,) the slot of each row's list."""
        ...

    def near(
        self, queries: NDArray[np.uint64], reach: NDArray[np.int16], dead: NDArray[np.bool_], limit: int
    ) -> Hits:
        """PDQ hashes within reach of the queries ((q, 4) uint64)."""
        ...

    def same(
        self, kind: HashKind, digest: bytes, reach: NDArray[np.int16], dead: NDArray[np.bool_], limit: int
    ) -> Hits:
        """Entries with exactly this digest; all are of query 0."""
        ...

    def is_disputed(self, row: int) -> bool:
        """Whether the entry is disputed."""
        ...

    def classification(self, row: int) -> Classification | None:
        """What the list says the entry shows."""
        ...

    def batch(self, keep: NDArray[np.bool_]) -> EntryBatch:
        """The entries of some rows, to build another segment from."""
        ...


@dataclass(frozen=True, slots=True)
class DigestTable:
    """The digests of one kind, sorted by their first eight bytes.

    Args:
        prefixes: (k,) uint64 ascending; digests: (k, length) uint8; rows: (k,) int32.
    """

    prefixes: NDArray[np.uint64]
    digests: NDArray[np.uint8]
    rows: NDArray[np.int32]

    @classmethod
    def of(cls, digests: NDArray[np.uint8], rows: NDArray[np.int32]) -> DigestTable:
        """Sorts; entries with one prefix stay in the order of their rows."""
        prefixes = np.ascontiguousarray(digests[:, :8]).view(">u8").reshape(-1).astype(np.uint64)
        order = np.argsort(prefixes, kind="stable")
        return cls(prefixes[order], np.ascontiguousarray(digests[order]), rows[order])

    def rows_of(self, digest: bytes) -> NDArray[np.int32]:
        """The rows that have this digest, ascending."""
        prefix = np.uint64(int.from_bytes(digest[:8], "big"))
        start = int(np.searchsorted(self.prefixes, prefix, "left"))
        if start == len(self.prefixes) or self.prefixes[start] != prefix:
            return self.rows[:0]
        end = int(np.searchsorted(self.prefixes, prefix, "right"))
        same = (self.digests[start:end] == np.frombuffer(digest, dtype=np.uint8)).all(axis=1)
        rows: NDArray[np.int32] = self.rows[start:end][same]
        return rows


class ScanSegment:
    """A segment in memory whose PDQ hashes are all compared, one by one."""

    def __init__(self, batch: EntryBatch) -> None:
        """Builds from a settled batch (sorted, one row an entry)."""
        rows = batch.rows
        self._entry_ids = np.ascontiguousarray(rows["entry_id"])
        self._list_ids, slots = np.unique(rows["list_id"], return_inverse=True)
        self._slots = np.ascontiguousarray(slots, dtype=np.int32)
        self._flags = np.ascontiguousarray(rows["flags"])
        self._classes = np.ascontiguousarray(rows["classification"])
        self._classifications = batch.classifications
        kinds = (kind for kind in HAS if kind is not HashKind.PDQ)
        self._digests: dict[HashKind, DigestTable] = {kind: self._table(rows, kind) for kind in kinds}
        with_pdq = self._with(HashKind.PDQ)
        self._pdq_rows = np.flatnonzero(with_pdq).astype(np.int32)
        self._pdq = np.ascontiguousarray(rows["pdq"][with_pdq]).view(np.uint64).reshape(-1, 4)

    def _with(self, kind: HashKind) -> NDArray[np.bool_]:
        having: NDArray[np.bool_] = (self._flags & HAS[kind]) != 0
        return having

    def _table(self, rows: NDArray[np.void], kind: HashKind) -> DigestTable:
        having = self._with(kind)
        return DigestTable.of(rows[kind.value][having], np.flatnonzero(having).astype(np.int32))

    @property
    def entry_ids(self) -> NDArray[np.int64]:
        """(rows,) ascending."""
        return self._entry_ids

    @property
    def list_ids(self) -> NDArray[np.int64]:
        """(lists,) the list ids that occur."""
        return self._list_ids

    @property
    def slots(self) -> NDArray[np.int32]:
        """(rows,) the slot of each row's list."""
        return self._slots

    def near(
        self, queries: NDArray[np.uint64], reach: NDArray[np.int16], dead: NDArray[np.bool_], limit: int
    ) -> Hits:
        """PDQ hashes within reach of the queries."""
        if not len(self._pdq) or not len(queries) or (reach < 0).all():
            return NO_HITS
        parts = [
            self._scan(queries[start : start + MOST_QUERIES_AT_ONCE], reach, dead, limit, start)
            for start in range(0, len(queries), MOST_QUERIES_AT_ONCE)
        ]
        return parts[0] if len(parts) == 1 else merged(parts)

    def _scan(
        self,
        queries: NDArray[np.uint64],
        reach: NDArray[np.int16],
        dead: NDArray[np.bool_],
        limit: int,
        offset: int,
    ) -> Hits:
        from seawall.matching import kernels

        count, lists = len(queries), len(reach)
        kept_distances = np.empty((count, limit), dtype=np.int32)
        kept_rows = np.empty((count, limit), dtype=np.int32)
        kept = np.zeros(count, dtype=np.int64)
        found = np.zeros(count, dtype=np.int64)
        best_distances = np.full((count, lists), kernels.FAR + 1, dtype=np.int32)
        best_rows = np.empty((count, lists), dtype=np.int32)
        kernels.scan(
            self._pdq,
            self._pdq_rows,
            self._slots,
            dead,
            reach,
            queries,
            kept_distances,
            kept_rows,
            kept,
            found,
            best_distances,
            best_rows,
        )
        if not found.any():
            return NO_HITS
        in_heap = np.arange(limit) < kept[:, None]
        # What is nearest on a list is in the heap already, unless the heap ran over.
        truncated = found > limit
        on_list = (best_distances <= kernels.FAR) & truncated[:, None]
        places = np.concatenate([np.nonzero(in_heap)[0], np.nonzero(on_list)[0]]) + offset
        rows = np.concatenate([kept_rows[in_heap], best_rows[on_list]]).astype(np.int64)
        distances = np.concatenate([kept_distances[in_heap], best_distances[on_list]]).astype(np.int64)
        return Hits(places.astype(np.int64), rows, distances, np.flatnonzero(truncated) + offset)

    def same(
        self, kind: HashKind, digest: bytes, reach: NDArray[np.int16], dead: NDArray[np.bool_], limit: int
    ) -> Hits:
        """Entries with exactly this digest."""
        rows = self._digests[kind].rows_of(digest)
        if not len(rows):
            return NO_HITS
        rows = rows[~dead[rows] & (reach[self._slots[rows]] >= 0)]
        if len(rows) > limit:
            first_of_each_list = np.unique(self._slots[rows], return_index=True)[1]
            chosen = np.union1d(np.arange(limit), first_of_each_list)
            return _exact_hits(rows[chosen], 1 if len(chosen) < len(rows) else 0)
        return _exact_hits(rows, 0)

    def is_disputed(self, row: int) -> bool:
        """Whether the entry is disputed."""
        return bool(self._flags[row] & DISPUTED)

    def classification(self, row: int) -> Classification | None:
        """What the list says the entry shows."""
        number = int(self._classes[row])
        return None if number < 0 else self._classifications[number]

    def batch(self, keep: NDArray[np.bool_]) -> EntryBatch:
        """The entries of some rows, put together again from the tables."""
        rows = np.zeros(len(self._entry_ids), dtype=ENTRY)
        rows["entry_id"] = self._entry_ids
        rows["list_id"] = self._list_ids[self._slots]
        rows["classification"] = self._classes
        rows["flags"] = self._flags
        for kind, table in self._digests.items():
            rows[kind.value][table.rows] = table.digests
        rows["pdq"][self._pdq_rows] = self._pdq.view(np.uint8).reshape(-1, 32)
        return EntryBatch(rows[keep], self._classifications)


def _exact_hits(rows: NDArray[np.int32], truncated: int) -> Hits:
    zeros = np.zeros(len(rows), dtype=np.int64)
    return Hits(zeros, rows.astype(np.int64), zeros, np.zeros(truncated, dtype=np.int64))


def merged(parts: list[Hits]) -> Hits:
    """Hits of several groups of queries as one."""
    return Hits(
        np.concatenate([part.queries for part in parts]),
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.distances for part in parts]),
        np.concatenate([part.truncated for part in parts]),
    )


NO_HITS = Hits(*(np.zeros(0, dtype=np.int64) for _ in range(4)))
