"""The ledger's fingerprints as the columns of a segment file, to be searched by new entries.

What is found in them is a candidate and is judged from its database row, so that a row which is there twice, or as it
once was, does no harm. One that is missing would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from seawall.matching.columns import Allocate, fill_buckets, in_memory
from seawall.matching.ledger_stream import DIGESTS, LedgerBlock
from seawall.matching.schemes import Scheme, scheme_for

# Building takes about so many bytes beside its files: for each row that is kept in memory, or that lies in a file.
BYTES_A_NEW_ROW = 128
BYTES_A_FILED_ROW = 56


class LedgerMeta(TypedDict):
    """What the columns alone do not say.

    Args:
        ledger_rows: how many contents; hashes: how many PDQ hashes, one for each frame.
        widths, radii: how they are found, see `schemes`; empty where all are compared.
    """

    ledger_rows: int
    hashes: int
    widths: list[int]
    radii: list[int]


@dataclass(frozen=True, slots=True)
class LedgerPart:
    """Some of the ledger, read from the database or lying in a segment file.

    Args:
        ids: (n,) int64 ascending, `content.id`.
        pdq: (m, 4) uint64, and pdq_rows: (m,) int32, of which of the ids.
        digests: of each kind the first eight bytes, (k,) uint64, and (k,) int32, of which of the ids.
    """

    ids: NDArray[np.int64]
    pdq: NDArray[np.uint64]
    pdq_rows: NDArray[np.int32]
    digests: dict[str, tuple[NDArray[np.uint64], NDArray[np.int32]]]

    @classmethod
    def of_block(cls, block: LedgerBlock) -> LedgerPart:
        """What was read from the database."""
        ids, places = np.unique(block.rows["row_id"].astype(np.int64), return_inverse=True)
        rows = places.astype(np.int32)
        digests = {}
        for kind in DIGESTS:
            having, prefixes = block.prefixes(kind)
            digests[kind.value] = (prefixes, rows[having])
        having, words = block.words()
        return cls(ids, words, rows[having], digests)

    @classmethod
    def of_columns(cls, columns: dict[str, NDArray[Any]]) -> LedgerPart:
        """What lies in a segment file.

        Raises:
            KeyError: it is none of the ledger.
        """
        digests = {kind.value: (columns[kind.value], columns[f"{kind.value}_rows"]) for kind in DIGESTS}
        return cls(columns["ids"], columns["pdq"], columns["pdq_rows"], digests)

    def kept(self, forgotten: Forgotten) -> NDArray[np.bool_]:
        """(n,) which of the ids the ledger has not forgotten."""
        return (self.ids >= forgotten.before) | np.isin(self.ids, forgotten.but)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What of the ledger is no more: all ids below `before`, except for `but` ((k,) int64)."""

    before: int
    but: NDArray[np.int64]


NOTHING_FORGOTTEN = Forgotten(-(2**63), np.zeros(0, dtype=np.int64))


def ledger_columns(
    parts: Sequence[LedgerPart],
    allocate: Allocate = in_memory,
    *,
    forgotten: Forgotten = NOTHING_FORGOTTEN,
    scheme: Callable[[int], Scheme | None] = scheme_for,
) -> tuple[dict[str, NDArray[Any]], LedgerMeta]:
    """The columns of one segment with all that several parts hold and the ledger has not forgotten. What two of them
    say in the same words is there once.

    Args:
        allocate: called once for every column, in the order in which they are written.
    """
    columns: dict[str, NDArray[Any]] = {}

    def new(name: str, dtype: type[np.generic], *shape: int) -> NDArray[Any]:
        columns[name] = allocate(name, np.dtype(dtype), shape)
        return columns[name]

    keeps = [part.kept(forgotten) for part in parts]
    ids = _all_of([part.ids[keep] for part, keep in _zip(parts, keeps)], np.int64)
    ids.sort(kind="stable")  # what is sorted part by part already; `unique` would make a table of all
    ids = ids[_first_of_each(ids)]
    new("ids", np.int64, len(ids))[:] = ids
    ranks = [np.where(keep, np.searchsorted(ids, part.ids), -1).astype(np.int32) for part, keep in _zip(parts, keeps)]
    for kind in DIGESTS:
        digests = [part.digests[kind.value] for part in parts]
        rows = [rank[of] for rank, (_, of) in _zip(ranks, digests)]
        kept = [row >= 0 for row in rows]
        prefixes = _all_of([values[keep] for (values, _), keep in _zip(digests, kept)], np.uint64)
        owners = _all_of([row[keep] for row, keep in _zip(rows, kept)], np.int32)
        order = np.lexsort((owners, prefixes))
        prefixes, owners = prefixes[order], owners[order]
        once = _first_of_each(prefixes, owners)
        new(kind.value, np.uint64, int(once.sum()))[:] = prefixes[once]
        new(f"{kind.value}_rows", np.int32, int(once.sum()))[:] = owners[once]
    hashes = _hashes(parts, [rank[part.pdq_rows] for rank, part in _zip(ranks, parts)], new)
    chosen = scheme(hashes)
    if chosen is not None:
        buckets = new("buckets", np.uint32, chosen.bucket_starts[-1])
        fill_buckets(columns["pdq"], chosen, buckets, new("positions", np.uint32, len(chosen.widths), hashes))
    widths, radii = (list(chosen.widths), list(chosen.radii)) if chosen else ([], [])
    return columns, LedgerMeta(ledger_rows=len(ids), hashes=hashes, widths=widths, radii=radii)


def _hashes(parts: Sequence[LedgerPart], rows: list[NDArray[np.int32]], new: Callable[..., NDArray[Any]]) -> int:
    """Writes the PDQ hashes by row, each once; returns how many. They are copied part by part, since all of them at
    once would be most of the memory that building takes."""
    owners = _all_of(rows, np.int32)
    order = np.argsort(owners, kind="stable")
    order = order[np.searchsorted(owners, 0, sorter=order) :]
    order = order[_not_again(parts, owners, order)]
    places = np.full(len(owners), -1, dtype=np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    new_hashes, new_rows = new("pdq", np.uint64, len(order), 4), new("pdq_rows", np.int32, len(order))
    new_rows[:] = owners[order]
    start = 0
    for part in parts:
        of_part = places[start : start + len(part.pdq)]
        start += len(part.pdq)
        if (of_part >= 0).all():
            new_hashes[of_part] = part.pdq
        else:
            new_hashes[of_part[of_part >= 0]] = part.pdq[of_part >= 0]
    return len(order)


def _not_again(parts: Sequence[LedgerPart], owners: NDArray[np.int32], order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(len(order),) all but those whose row has the same hash already. `order` sorts hashes by row."""
    keep = np.ones(len(order), dtype=bool)
    sorted_owners = owners[order]
    same = sorted_owners[1:] == sorted_owners[:-1]
    several = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False)) if len(order) else order
    if len(several):
        which = order[several]
        starts = np.cumsum([0, *(len(part.pdq) for part in parts)])
        words = np.empty((len(which), 4), dtype=np.uint64)
        for part, start in zip(parts, starts[:-1], strict=True):
            inside = (which >= start) & (which < start + len(part.pdq))
            words[inside] = part.pdq[which[inside] - start]
        again = np.lexsort((*words.T, sorted_owners[several]))
        first = _first_of_each(sorted_owners[several][again], *words[again].T)
        keep[several[again]] = first
    return keep


def _first_of_each(*sorted_values: NDArray[Any]) -> NDArray[np.bool_]:
    """(n,) of sorted values, which differ from the one before in at least one."""
    first = np.zeros(len(sorted_values[0]), dtype=bool)
    first[:1] = True
    for values in sorted_values:
        first[1:] |= values[1:] != values[:-1]
    return first


def _all_of(arrays: Sequence[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype=dtype)


def _zip(one: Sequence[Any], other: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(one, other, strict=True)
