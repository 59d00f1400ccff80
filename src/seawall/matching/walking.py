"""Which rows of the ledger some entry meets: candidates, to be judged by themselves afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seawall.matching.entries import HAS, EntryBatch
from seawall.matching.join import Queries, meeting
from seawall.matching.ledger_stream import DIGESTS, LedgerBlock
from seawall.matching.orientations import orientations_of
from seawall.records import HashKind


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for.

    Args:
        near: PDQ hashes, each with the reach of its list.
        prefixes: of each kind of digest the first eight bytes, sorted.
    """

    near: Queries
    prefixes: Mapping[HashKind, NDArray[np.uint64]]

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be met."""
        return not len(self.near.words) and not any(len(prefixes) for prefixes in self.prefixes.values())

    @classmethod
    def upright(cls, batch: EntryBatch, reach: Mapping[int, int]) -> Wanted:
        """Digests and hashes of entries, but for those of lists that do not bind.

        Args:
            reach: how far each list reaches.
        """
        rows, bound, near = _binding(batch, reach)
        return cls(Queries(near, bound), {kind: _prefixes(rows, kind) for kind in DIGESTS})

    @classmethod
    def turned(cls, batch: EntryBatch, reach: Mapping[int, int]) -> Wanted:
        """Their hashes in the other seven orientations."""
        _rows, bound, near = _binding(batch, reach)
        others = orientations_of(near)[:, 1:]
        return cls(Queries(others.reshape(-1, 4), np.repeat(bound, others.shape[1])), {})


def _binding(
    batch: EntryBatch, reach: Mapping[int, int]
) -> tuple[NDArray[np.void], NDArray[np.int16], NDArray[np.uint64]]:
    """The rows of lists that bind; and of those that have a PDQ hash the reach and the hash."""
    rows = batch.rows
    bound = np.array([reach.get(int(list_id), -1) for list_id in rows["list_id"]], dtype=np.int16)
    rows, bound = rows[bound >= 0], bound[bound >= 0]
    with_pdq = (rows["flags"] & HAS[HashKind.PDQ]) != 0
    return rows, bound[with_pdq], np.ascontiguousarray(rows["pdq"][with_pdq]).view(np.uint64).reshape(-1, 4)


def candidates(block: LedgerBlock, wanted: Wanted) -> NDArray[np.int64]:
    """The ids of the rows that some entry meets: by PDQ within its reach, or by the beginning of a digest."""
    row_ids = block.rows["row_id"].astype(np.int64)
    having, words = block.words()
    found = [row_ids[having][meeting(words, wanted.near)]]
    for kind, prefixes in wanted.prefixes.items():
        if not len(prefixes):
            continue
        having, of_rows = block.prefixes(kind)
        places = np.minimum(np.searchsorted(prefixes, of_rows), len(prefixes) - 1)
        found.append(row_ids[having][prefixes[places] == of_rows])
    return np.unique(np.concatenate(found))


def _prefixes(rows: NDArray[np.void], kind: HashKind) -> NDArray[np.uint64]:
    having = rows[kind.value][(rows["flags"] & HAS[kind]) != 0]
    return np.unique(np.ascontiguousarray(having[:, :8]).view(np.uint64).reshape(-1))
