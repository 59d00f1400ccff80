"""The columns of a segment: named arrays and a small description, the same in memory and in a file.

Building needs little memory beside the columns, and whoever asks for it says where they lie: `allocate` may hand out
arrays that are mapped from a file. Large sets are built from parts: `plain_columns` of each, then `merged_columns`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from seawall.matching.entries import HAS, NO_CLASSIFICATION, EntryBatch
from seawall.matching.schemes import Scheme, scheme_for
from seawall.records import Classification, HashKind

DIGEST_KINDS = tuple(kind for kind in HAS if kind is not HashKind.PDQ)
# Beside its columns, building takes about so many bytes for each row of its sources.
BYTES_A_ROW = 14
# Buckets are filled in two rounds, the first by so many bits: then neither jumps about in more than a cache holds.
ROUGH_BITS = 10

Columns = Mapping[str, NDArray[Any]]
# From name, dtype and shape to an array of zeros.
Allocate = Callable[[str, "np.dtype[Any]", tuple[int, ...]], NDArray[Any]]


class Meta(TypedDict):
    """What the columns alone do not say. Can be written as JSON.

    Args:
        rows: how many entries; hashes: how many of them have a PDQ hash; digests: and how many each kind of digest.
        list_ids: ascending, a row's slot is a place in it; list_rows: how many rows each of them has.
        classifications: (scheme, code), what the column `classes` counts into.
        widths, radii: of the scheme; empty where all hashes are compared.
    """

    rows: int
    hashes: int
    digests: dict[str, int]
    list_ids: list[int]
    list_rows: list[int]
    classifications: list[list[str]]
    widths: list[int]
    radii: list[int]


@dataclass(frozen=True, slots=True)
class Source:
    """Columns to take entries from, those of a segment or plain ones.

    Args:
        keep: (rows,) bool, which entries; None for all.
    """

    columns: Columns
    meta: Meta
    keep: NDArray[np.bool_] | None = None


def in_memory(name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:  # noqa: ARG001
    """Allocates where nothing else is asked for."""
    return np.zeros(shape, dtype=dtype)


def columns_of(batch: EntryBatch, allocate: Allocate = in_memory) -> tuple[dict[str, NDArray[Any]], Meta]:
    """The columns of a segment with the entries of a settled batch (sorted, one row an entry)."""
    return merged_columns([Source(*plain_columns(batch))], allocate)


def plain_columns(batch: EntryBatch, allocate: Allocate = in_memory) -> tuple[dict[str, NDArray[Any]], Meta]:
    """The entries of a settled batch in columns that nothing can be looked up in: a source for `merged_columns`."""
    rows = batch.rows
    list_ids, slots, list_rows = np.unique(rows["list_id"], return_inverse=True, return_counts=True)
    having = {kind: np.flatnonzero(rows["flags"] & flag).astype(np.int32) for kind, flag in HAS.items()}
    values: dict[str, NDArray[Any]] = {
        "entry_ids": rows["entry_id"],
        "slots": slots.astype(np.int32),
        "flags": rows["flags"],
        "classes": rows["classification"],
    }
    for kind, places in having.items():
        values[f"{kind.value}_rows"] = places
        values[kind.value] = rows[kind.value][places]
    values["pdq"] = values["pdq"].reshape(-1).view(np.uint64).reshape(-1, 4)
    columns = {}
    for name, array in values.items():
        columns[name] = allocate(name, array.dtype, array.shape)
        columns[name][...] = array
    return columns, Meta(
        rows=len(rows),
        hashes=len(having[HashKind.PDQ]),
        digests={kind.value: len(having[kind]) for kind in DIGEST_KINDS},
        list_ids=list_ids.tolist(),
        list_rows=list_rows.tolist(),
        classifications=[[known.scheme, known.code] for known in batch.classifications],
        widths=[],
        radii=[],
    )


def merged_columns(
    sources: Sequence[Source], allocate: Allocate = in_memory, scheme: Callable[[int], Scheme | None] = scheme_for
) -> tuple[dict[str, NDArray[Any]], Meta]:
    """The columns of one segment with all the entries that are to be kept of several sources.

    Args:
        allocate: called once for every column, in the order in which they are written.
        scheme: says how so many PDQ hashes are to be found.

    Raises:
        ValueError: an entry is to be kept of two sources.
    """
    return _Merge(list(sources), allocate).build(scheme)


@dataclass(slots=True)
class _Merge:
    """One run of `merged_columns`. `ranks` says for every row of every source where it goes, -1 for nowhere."""

    sources: list[Source]
    allocate: Allocate
    ranks: list[NDArray[np.int32]] = field(default_factory=list)
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    rows: int = 0

    def build(self, scheme: Callable[[int], Scheme | None]) -> tuple[dict[str, NDArray[Any]], Meta]:
        self._rank()
        self._place("entry_ids", np.int64)
        list_ids, list_rows = self._lists()
        self._place("flags", np.uint16)
        classifications = self._classes()
        hashes = self._hashes()
        digests = {kind.value: self._digests(kind) for kind in DIGEST_KINDS}
        self.ranks.clear()
        chosen = scheme(hashes)
        if chosen is not None:
            self._buckets(chosen)
        return self.columns, Meta(
            rows=self.rows,
            hashes=hashes,
            digests=digests,
            list_ids=list_ids,
            list_rows=list_rows,
            classifications=classifications,
            widths=list(chosen.widths) if chosen else [],
            radii=list(chosen.radii) if chosen else [],
        )

    def _new(self, name: str, dtype: type[np.generic], *shape: int) -> NDArray[Any]:
        self.columns[name] = self.allocate(name, np.dtype(dtype), shape)
        return self.columns[name]

    def _rank(self) -> None:
        from seawall.matching import building_kernels as kernels

        keeps = [
            np.ones(source.meta["rows"], dtype=bool) if source.keep is None else source.keep
            for source in self.sources
        ]
        for source, keep in zip(self.sources, keeps, strict=True):
            ranks = np.empty(source.meta["rows"], dtype=np.int32)
            self.rows += kernels.rank_kept(read_only(keep), ranks)
            self.ranks.append(ranks)
        for place, source in enumerate(self.sources):
            entry_ids = read_only(source.columns["entry_ids"])
            for other, keep in enumerate(keeps):
                other_ids = read_only(self.sources[other].columns["entry_ids"])
                if other != place and not kernels.rank_among(
                    entry_ids, self.ranks[place], other_ids, read_only(keep)
                ):
                    raise ValueError("An entry is to be kept of two sources.")

    def _place(self, name: str, dtype: type[np.generic]) -> None:
        from seawall.matching import building_kernels as kernels

        out = self._new(name, dtype, self.rows)
        for source, ranks in zip(self.sources, self.ranks, strict=True):
            kernels.place_values(read_only(source.columns[name]), ranks, out)

    def _place_numbers(self, name: str, numbers: Sequence[Sequence[int]]) -> None:
        from seawall.matching import building_kernels as kernels

        out = self._new(name, np.int32, self.rows)
        for source, ranks, anew in zip(self.sources, self.ranks, numbers, strict=True):
            table = np.array([*anew, NO_CLASSIFICATION], dtype=np.int32)
            kernels.place_numbers(read_only(source.columns[name]), table, ranks, out)

    def _lists(self) -> tuple[list[int], list[int]]:
        """Writes the slots; returns the lists of which there are rows, and how many."""
        from seawall.matching import building_kernels as kernels

        counts: dict[int, int] = {}
        for source, ranks in zip(self.sources, self.ranks, strict=True):
            kept = np.zeros(len(source.meta["list_ids"]), dtype=np.int64)
            kernels.count_slots(read_only(source.columns["slots"]), ranks, kept)
            for list_id, count in zip(source.meta["list_ids"], kept.tolist(), strict=True):
                counts[list_id] = counts.get(list_id, 0) + count
        list_ids = sorted(list_id for list_id, count in counts.items() if count)
        slots = {list_id: slot for slot, list_id in enumerate(list_ids)}
        self._place_numbers(
            "slots", [[slots.get(list_id, -1) for list_id in source.meta["list_ids"]] for source in self.sources]
        )
        return list_ids, [counts[list_id] for list_id in list_ids]

    def _classes(self) -> list[list[str]]:
        """Writes the classes; returns what they count into."""
        numbers: dict[tuple[str, ...], int] = {}
        self._place_numbers(
            "classes",
            [
                [numbers.setdefault(tuple(known), len(numbers)) for known in source.meta["classifications"]]
                for source in self.sources
            ],
        )
        return [list(known) for known in numbers]

    def _hashes(self) -> int:
        from seawall.matching import building_kernels as kernels

        places = np.empty(self.rows, dtype=np.int32)
        hashes: int = kernels.rank_flagged(self.columns["flags"], HAS[HashKind.PDQ], places)
        out, out_rows = self._new("pdq", np.uint64, hashes, 4), self._new("pdq_rows", np.int32, hashes)
        for source, ranks in zip(self.sources, self.ranks, strict=True):
            values, rows = read_only(source.columns["pdq"]), read_only(source.columns["pdq_rows"])
            kernels.place_hashes(values, rows, ranks, places, out, out_rows)
        return hashes

    def _digests(self, kind: HashKind) -> int:
        from seawall.matching import building_kernels as kernels

        flagged = [source.columns[f"{kind.value}_rows"] for source in self.sources]
        count = sum(int((ranks[rows] >= 0).sum()) for rows, ranks in zip(flagged, self.ranks, strict=True))
        bits = max(0, count.bit_length() - 3)
        tops = self._new(f"{kind.value}_tops", np.uint32, (1 << bits) + 1)
        out = self._new(kind.value, np.uint8, count, kind.length)
        out_rows = self._new(f"{kind.value}_rows", np.int32, count)
        parts = [
            (read_only(source.columns[kind.value]), read_only(rows), ranks)
            for source, rows, ranks in zip(self.sources, flagged, self.ranks, strict=True)
        ]
        for values, rows, ranks in parts:
            kernels.count_digests(values, rows, ranks, bits, tops)
        kernels.add_up(tops)
        for values, rows, ranks in parts:
            kernels.place_digests(values, rows, ranks, bits, tops, out, out_rows)
        kernels.sort_digests(out, out_rows, tops)
        return count

    def _buckets(self, scheme: Scheme) -> None:
        hashes = self.columns["pdq"]
        buckets = self._new("buckets", np.uint32, scheme.bucket_starts[-1])
        fill_buckets(hashes, scheme, buckets, self._new("positions", np.uint32, len(scheme.widths), len(hashes)))


def fill_buckets(
    hashes: NDArray[np.uint64], scheme: Scheme, buckets: NDArray[np.uint32], positions: NDArray[np.uint32]
) -> None:
    """Sorts the hashes into the buckets of each chunk.

    Args:
        hashes: (m, 4). buckets: (b,) zeros and positions: (chunks, m), both written, as `kernels.probe` reads them.
    """
    from seawall.matching import building_kernels as kernels

    hashes = read_only(hashes)
    values, places = np.empty((2, len(hashes)), dtype=np.uint32)
    order = scheme.order
    for chunk, (start, width) in enumerate(zip(scheme.starts, scheme.widths, strict=True)):
        bounds = buckets[scheme.bucket_starts[chunk] : scheme.bucket_starts[chunk + 1]]
        # The values wait where the positions go in the end, which saves a third array.
        kernels.values_of(hashes, order[start : start + width], positions[chunk])
        kernels.sort_roughly(positions[chunk], max(0, width - ROUGH_BITS), values, places)
        kernels.fill_buckets(values, places, bounds, positions[chunk])


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """The array as compiled code gets it: plain, and never writable, so that each loop is compiled only once."""
    if type(array) is np.ndarray and not array.flags.writeable:
        return array
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def classifications_of(meta: Meta) -> tuple[Classification, ...]:
    """What the column `classes` counts into."""
    return tuple(Classification(scheme, code) for scheme, code in meta["classifications"])
