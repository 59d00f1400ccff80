"""Segments: immutable sets of entries that can be searched.

The index holds a few of them and knows which of their rows are dead. `Segment` is all that it asks of one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seawall.errors import IndexUnavailable
from seawall.matching.columns import (
    DIGEST_KINDS,
    Columns,
    Meta,
    Source,
    classifications_of,
    columns_of,
    merged_columns,
    plain_columns,
    read_only,
)
from seawall.matching.entries import DISPUTED, ENTRY, OF_VIDEO, EntryBatch
from seawall.matching.schemes import Plan, Scheme
from seawall.records import Classification, HashKind

MOST_QUERIES_AT_ONCE = 256
# A query that would compare more than this share of all hashes, here and there, is quicker comparing all in order.
WORTH_PROBING = 1 / 16


@dataclass(frozen=True, slots=True)
class Hits:
    """Hits of one search in one segment; three arrays of one length.

    Args:
        queries: (k,) int64, which query.
        rows: (k,) int64, which row of the segment.
        distances: (k,) int64, Hamming bits.
        truncated: the queries that had more hits than were kept.
        candidates: how many hashes or digests were compared, for all queries together.
    """

    queries: NDArray[np.int64]
    rows: NDArray[np.int64]
    distances: NDArray[np.int64]
    truncated: NDArray[np.int64]
    candidates: int = 0


class Segment(Protocol):
    """An immutable set of entries. Rows are numbered from 0 in ascending order of entry ids.

    `dead` is the set of rows that do not count, a bitmap as in `bitmaps`. `reach` is a (lists,) int16 array with the
    farthest distance that binds on each of the segment's lists, -1 where nothing does. Every search keeps the `limit`
    nearest live hits of each query and, beyond those, the nearest on each list; it misses none that is nearer.
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
        self, queries: NDArray[np.uint64], reach: NDArray[np.int16], dead: NDArray[np.uint64], limit: int
    ) -> Hits:
        """PDQ hashes within reach of the queries ((q, 4) uint64)."""
        ...

    def same(
        self, kind: HashKind, digest: bytes, reach: NDArray[np.int16], dead: NDArray[np.uint64], limit: int
    ) -> Hits:
        """Entries with exactly this digest; all are of query 0."""
        ...

    def is_disputed(self, row: int) -> bool:
        """Whether the entry is disputed."""
        ...

    def is_of_video(self, row: int) -> bool:
        """Whether the entry is a frame of a listed video."""
        ...

    def classification(self, row: int) -> Classification | None:
        """What the list says the entry shows."""
        ...

    def batch(self, keep: NDArray[np.bool_]) -> EntryBatch:
        """The entries of some rows, to build another segment from."""
        ...


class ColumnSegment:
    """A segment over columns, wherever they lie: in memory, or in a file that is mapped into it.

    Finds near hashes by the scheme of its description; without one it compares all.
    """

    def __init__(self, columns: Columns, meta: Meta) -> None:
        """Takes what `columns.columns_of` or `columns.merged_columns` gave; looks at none of it."""
        self.columns = {name: read_only(array) for name, array in columns.items()}
        self.meta = meta
        self._list_ids = np.array(meta["list_ids"], dtype=np.int64)
        self._classifications = classifications_of(meta)
        self._scheme = Scheme(tuple(meta["widths"]), tuple(meta["radii"])) if meta["widths"] else None
        self._plans: dict[int, Plan] = {}
        self._compiled: tuple[Callable[..., Any], Callable[..., Any]] | None = None
        self._digests: dict[HashKind, tuple[NDArray[Any], ...]] = {
            kind: tuple(self.columns[kind.value + part] for part in ("", "_tops", "_rows")) for kind in DIGEST_KINDS
        }

    @property
    def entry_ids(self) -> NDArray[np.int64]:
        """(rows,) ascending."""
        return self.columns["entry_ids"]

    @property
    def list_ids(self) -> NDArray[np.int64]:
        """(lists,) the list ids that occur."""
        return self._list_ids

    @property
    def slots(self) -> NDArray[np.int32]:
        """(rows,) the slot of each row's list."""
        return self.columns["slots"]

    def near(
        self, queries: NDArray[np.uint64], reach: NDArray[np.int16], dead: NDArray[np.uint64], limit: int
    ) -> Hits:
        """PDQ hashes within reach of the queries.

        Raises:
            IndexUnavailable: the columns contradict each other.
        """
        farthest = max(reach.tolist(), default=-1)
        if farthest < 0 or not len(queries) or not self.meta["hashes"]:
            return NO_HITS
        parts = [
            self._near(read_only(queries[start : start + MOST_QUERIES_AT_ONCE]), reach, dead, limit, farthest, start)
            for start in range(0, len(queries), MOST_QUERIES_AT_ONCE)
        ]
        return parts[0] if len(parts) == 1 else merged(parts)

    def _near(
        self,
        queries: NDArray[np.uint64],
        reach: NDArray[np.int16],
        dead: NDArray[np.uint64],
        limit: int,
        farthest: int,
        offset: int,
    ) -> Hits:
        from seawall.matching import kernels

        columns, plan = self.columns, self._plan(farthest)
        candidates, hits, truncated = kernels.search(
            columns["pdq"],
            columns["pdq_rows"],
            columns["slots"],
            read_only(dead),
            read_only(reach),
            columns.get("buckets", NO_BUCKETS),
            columns.get("positions", NO_POSITIONS),
            plan.chunks,
            plan.masks,
            plan.order,
            plan.chunk_of,
            int(self.meta["hashes"] * WORTH_PROBING),
            queries,
            limit,
        )
        if candidates < 0:
            raise contradiction()
        if offset:
            hits[0] += offset
            truncated += offset
        return Hits(hits[0], hits[1], hits[2], truncated, candidates)

    def _plan(self, farthest: int) -> Plan:
        if (plan := self._plans.get(farthest)) is None:
            plan = self._plans[farthest] = NO_PLAN if self._scheme is None else self._scheme.plan(farthest)
        return plan

    def same(
        self, kind: HashKind, digest: bytes, reach: NDArray[np.int16], dead: NDArray[np.uint64], limit: int
    ) -> Hits:
        """Entries with exactly this digest.

        Raises:
            IndexUnavailable: the columns contradict each other.
        """
        if self._compiled is None:  # importing them for every look-up would cost a tenth of one
            from seawall.matching.digest_kernels import binding, find

            self._compiled = find, binding
        find, binding = self._compiled
        digests, tops, rows_of = self._digests[kind]
        begin, end = find(digests, tops, np.frombuffer(digest, np.uint8))
        if begin == end:
            return NO_HITS
        slots, reach, dead = self.columns["slots"], read_only(reach), read_only(dead)
        rows, more = binding(begin, end, rows_of, slots, dead, reach, limit)
        if more < 0:
            raise contradiction()
        if not len(rows):
            return no_hits(end - begin)
        zeros = ONE_ZERO if len(rows) == 1 else np.zeros(len(rows), dtype=np.int64)
        return Hits(zeros, rows, zeros, ONE_ZERO if more else NOTHING, end - begin)

    def is_disputed(self, row: int) -> bool:
        """Whether the entry is disputed."""
        return bool(self.columns["flags"][row] & DISPUTED)

    def is_of_video(self, row: int) -> bool:
        """Whether the entry is a frame of a listed video."""
        return bool(self.columns["flags"][row] & OF_VIDEO)

    def classification(self, row: int) -> Classification | None:
        """What the list says the entry shows."""
        number = int(self.columns["classes"][row])
        return None if number < 0 else self._classifications[number]

    def batch(self, keep: NDArray[np.bool_]) -> EntryBatch:
        """The entries of some rows, put together again. Takes much memory; `merged_columns` builds without it."""
        columns = self.columns
        rows = np.zeros(len(self.entry_ids), dtype=ENTRY)
        rows["entry_id"] = self.entry_ids
        rows["list_id"] = self._list_ids[self.slots]
        rows["classification"] = columns["classes"]
        rows["flags"] = columns["flags"]
        for kind in DIGEST_KINDS:
            rows[kind.value][columns[f"{kind.value}_rows"]] = columns[kind.value]
        rows["pdq"][columns["pdq_rows"]] = columns["pdq"].view(np.uint8).reshape(-1, HashKind.PDQ.length)
        return EntryBatch(rows[keep], self._classifications)


class ScanSegment(ColumnSegment):
    """A segment in memory whose PDQ hashes are all compared, one by one."""

    def __init__(self, batch: EntryBatch) -> None:
        """Builds from a settled batch (sorted, one row an entry)."""
        super().__init__(*merged_columns([Source(*plain_columns(batch))], scheme=lambda _: None))


def segment_of(batch: EntryBatch) -> ColumnSegment:
    """A segment in memory with the entries of a settled batch, searched in the way that suits their number."""
    return ColumnSegment(*columns_of(batch))


def no_hits(candidates: int) -> Hits:
    """No hits, after comparing that many."""
    return replace(NO_HITS, candidates=candidates)


def merged(parts: list[Hits]) -> Hits:
    """Hits of several groups of queries as one."""
    return Hits(
        np.concatenate([part.queries for part in parts]),
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.distances for part in parts]),
        np.concatenate([part.truncated for part in parts]),
        sum(part.candidates for part in parts),
    )


def contradiction() -> IndexUnavailable:
    """What is raised when columns do not fit each other."""
    return IndexUnavailable("A segment of the index contradicts itself.", hint="Its file is damaged.")


NO_ORDER = np.zeros(0, dtype=np.uint8)
NO_PLAN = Plan(np.zeros((0, 5), dtype=np.int64), np.zeros(0, dtype=np.uint32), NO_ORDER, NO_ORDER)
NO_BUCKETS, NO_POSITIONS = read_only(np.zeros(0, dtype=np.uint32)), read_only(np.zeros((0, 0), dtype=np.uint32))
NOTHING, ONE_ZERO = read_only(np.zeros(0, dtype=np.int64)), read_only(np.zeros(1, dtype=np.int64))
NO_HITS = Hits(NOTHING, NOTHING, NOTHING, NOTHING)
