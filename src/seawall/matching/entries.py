"""Entries as the index takes them: columns instead of objects, so that millions fit and load fast."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seawall.records import Classification, HashKind, ListInfo

KINDS = (HashKind.MD5, HashKind.SHA1, HashKind.SHA256, HashKind.PDQ)
# Bit of each kind in `flags`: whether the entry has that hash.
HAS = {kind: 1 << place for place, kind in enumerate(KINDS)}
DISPUTED = 1 << 4
REMOVED = 1 << 5
# A frame of a listed video.
OF_VIDEO = 1 << 6
NO_CLASSIFICATION = -1

COLUMNS = [
    ("entry_id", "i8"),
    ("list_id", "i8"),
    ("classification", "i4"),
    ("flags", "u2"),
    *((kind.value, "u1", (kind.length,)) for kind in KINDS),
]
ENTRY = np.dtype(COLUMNS)


@dataclass(frozen=True, slots=True)
class EntryBatch:
    """Entries in columns.

    Args:
        rows: (n,) of `ENTRY`. A hash that an entry does not have is zero there and its flag is not set.
        classifications: what the column ``classification`` counts into; -1 says none.
    """

    rows: NDArray[np.void]
    classifications: tuple[Classification, ...] = ()

    def settled(self) -> EntryBatch:
        """Sorted by entry id, with only the last of several rows of one entry."""
        rows = self.rows[np.argsort(self.rows["entry_id"], kind="stable")]
        ids = rows["entry_id"]
        last = np.ones(len(ids), dtype=bool)
        last[:-1] = ids[1:] != ids[:-1]
        return EntryBatch(rows[last], self.classifications)

    def where(self, keep: NDArray[np.bool_]) -> EntryBatch:
        """Only some of the rows."""
        return EntryBatch(self.rows[keep], self.classifications)


@dataclass(frozen=True, slots=True)
class Changes:
    """All that changed up to `generation`.

    Args:
        lists: every list there is now, whether it changed or not. Entries of any other list are gone.
        batch: entries that were added, changed or (flag `REMOVED`) removed.
        everything: whether this is all there is, rather than what is new since the last generation.
    """

    generation: int
    lists: tuple[ListInfo, ...]
    batch: EntryBatch
    everything: bool = False


def empty_batch() -> EntryBatch:
    """No entries."""
    return EntryBatch(np.zeros(0, dtype=ENTRY))


def joined(batches: Iterable[EntryBatch]) -> EntryBatch:
    """Several batches as one, with one numbering of classifications."""
    numbers: dict[Classification, int] = {}
    parts = []
    for batch in batches:
        renumbered = [numbers.setdefault(classification, len(numbers)) for classification in batch.classifications]
        # The last place is what index -1 finds.
        table = np.array([*renumbered, NO_CLASSIFICATION], dtype=np.int32)
        rows = batch.rows.copy()
        rows["classification"] = table[rows["classification"]]
        parts.append(rows)
    if not parts:
        return empty_batch()
    return EntryBatch(np.concatenate(parts), tuple(numbers))
