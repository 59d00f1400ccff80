"""The comparison of a manifest with the lists, shard by shard: what worker processes of a scan do."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seawall.engines.scanning.results import Counts
from seawall.engines.scanning.shards import Shard
from seawall.errors import Conflict, IndexUnavailable, NotFound
from seawall.matching.entries import Changes, empty_batch
from seawall.matching.found import Found
from seawall.matching.index import HashIndex, reach_of
from seawall.matching.manifests import TEXTS, Block, Rows, inventory_block, manifest_block
from seawall.matching.orientations import orientations_of
from seawall.records import Digests, Fingerprint, Frame, HashKind, ListInfo, Orientation

# Part of the name of every result: to be raised when the same rows and lists give something else than before.
FORMAT = 1
MATCH, OWED, BAD = "match", "owed", "bad"
HASH_COLUMNS = tuple(kind.value for kind in HashKind)

SCHEMA = pa.schema(
    [
        ("finding", pa.string()),
        ("reason", pa.string()),
        ("file", pa.string()),
        ("row", pa.int64()),
        *((name, pa.large_string()) for name in TEXTS),
        *((name, pa.string()) for name in HASH_COLUMNS),
        ("pdq_quality", pa.int16()),
        ("entry_id", pa.int64()),
        ("list_id", pa.int64()),
        ("list", pa.string()),
        ("kind", pa.string()),
        ("hash_kind", pa.string()),
        ("distance", pa.int16()),
        ("orientation", pa.string()),
        ("truncated", pa.bool_()),
    ]
)


class OpenIndex(Protocol):
    """An index that is open in this process."""

    @property
    def index(self) -> HashIndex:
        """All entries.

        Raises:
            IndexUnavailable: they cannot be relied on.
        """
        ...

    def close(self) -> None:
        """Lets go of it."""
        ...


@dataclass(frozen=True, slots=True)
class ManifestTask:
    """What is done to each shard.

    Args:
        open_index: a function of a module, so that another process finds it by name.
        lists: names of those to compare with; none for all that are enabled.
        minimum_pdq_quality: a PDQ hash of less is not compared.
        generation: the index is at least as new.
        is_inventory: whether the rows are those of an S3 inventory.
    """

    open_index: Callable[[], OpenIndex]
    lists: tuple[str, ...]
    minimum_pdq_quality: int
    generation: int
    is_inventory: bool = False

    def named(self, shards: Iterable[Shard]) -> str:
        """A name for this comparison of these shards: the same for whoever asks for the same."""
        said = [FORMAT, sorted(self.lists), self.minimum_pdq_quality, self.is_inventory]
        digest = hashlib.sha256(json.dumps(said).encode())
        for shard in shards:
            digest.update(shard.digest.encode())
        return digest.hexdigest()

    def open(self) -> ShardComparison:
        """Opens the index in this process.

        Raises:
            IndexUnavailable: it is older than when the scan began.
            NotFound, Conflict: a list is not there, or does not bind.
        """
        opened = self.open_index()
        try:
            if opened.index.generation < self.generation:
                raise IndexUnavailable("The hash lists are older here than where the scan began.")
            narrow(opened.index, self.lists)
        except BaseException:
            opened.close()
            raise
        return ShardComparison(self, opened)


def narrow(index: HashIndex, names: Sequence[str]) -> tuple[ListInfo, ...]:
    """Lets only some lists of an index match; returns those that do.

    Raises:
        NotFound: there is no list of that name. Conflict: it, or every list, is disabled.
    """
    known = {info.name: info for info in index.lists}
    for name in names:
        if name not in known:
            raise NotFound(f"There is no list named {name}.", hint="`seawall lists show` names them.")
        if reach_of(known[name]) < 0:
            raise Conflict(f"The list {name} is disabled.", hint=f"Let it match with: seawall lists enable {name}")
    kept = tuple(info for info in index.lists if reach_of(info) >= 0 and (not names or info.name in names))
    if not kept:
        raise Conflict("No list is enabled, so that nothing could be found.", hint="Import one: seawall lists import")
    if names:
        index.apply(Changes(index.generation, kept, empty_batch()))
    return kept


class ShardComparison:
    """The task in one process, with the index open."""

    def __init__(self, task: ManifestTask, opened: OpenIndex) -> None:
        self._task = task
        self._opened = opened

    @property
    def schema(self) -> pa.Schema:
        """The columns of findings: one row for each entry that a row of the manifest meets, each reason why a row is
        owed a scan, and each reason why it is bad."""
        return SCHEMA

    def run(self, shard: Shard, batches: Iterable[pa.RecordBatch], write: Callable[[pa.Table], None]) -> Counts:
        """Compares the rows of one shard."""
        counts: Counter[str] = Counter()
        row = shard.first_row
        for batch in batches:
            block = self._block(batch, shard)
            self._compare(block, shard, row, write, counts)
            row += len(block)
        if shard.rows and row != shard.first_row + shard.rows:
            raise ValueError(f"{shard.url} gave {row - shard.first_row} rows instead of {shard.rows}.")
        counts["generation"] = self._opened.index.generation
        return dict(sorted(counts.items()))

    def close(self) -> None:
        """Lets go of the index."""
        self._opened.close()

    def _block(self, batch: pa.RecordBatch, shard: Shard) -> Block:
        if self._task.is_inventory:
            return inventory_block(batch, escaped=shard.form == "csv")
        return manifest_block(batch)

    def _compare(
        self, block: Block, shard: Shard, first_row: int, write: Callable[[pa.Table], None], counts: Counter[str]
    ) -> None:
        by_pdq = block.hashes[HashKind.PDQ].has & _good_enough(block, self._task.minimum_pdq_quality)
        by_digest = np.logical_or.reduce([block.hashes[kind].has for kind in HashKind if kind is not HashKind.PDQ])
        poor = block.hashed() & ~by_pdq & ~by_digest
        owed = {**block.owed, "pdq_quality_low": poor}
        compared = by_pdq | by_digest
        counts["rows"] += len(block)
        counts["no_content"] += int(block.no_content.sum())
        counts["compared"] += int(compared.sum())
        counts["by_pdq"] += int(by_pdq.sum())
        places = np.flatnonzero(compared)
        found = self._opened.index.find_many(_fingerprints(block, places, by_pdq), self._task.minimum_pdq_quality)
        shown = _Shown(block, shard.url, first_row)
        if any(answer.matches for answer in found):
            write(shown.matches(places, found, counts))
        for finding, reasons in ((OWED, owed), (BAD, block.bad)):
            concerned = np.zeros(len(block), dtype=bool)
            for reason, rows in reasons.items():
                if rows.any():
                    counts[f"{finding}.{reason}"] += int(rows.sum())
                    concerned |= rows
                    write(shown.named(finding, reason, rows))
            counts[finding] += int(concerned.sum())


def _good_enough(block: Block, minimum: int) -> Rows:
    enough: Rows = (block.quality < 0) | (block.quality >= minimum)
    return enough


def _fingerprints(block: Block, places: NDArray[np.int64], by_pdq: Rows) -> list[Fingerprint]:
    """What the rows are looked up by; of the PDQ hash in all orientations, derived from the upright one."""
    pdq_places = places[by_pdq[places]]
    words = np.ascontiguousarray(block.hashes[HashKind.PDQ].values[pdq_places]).view(np.uint64).reshape(-1, 4)
    length, turned = HashKind.PDQ.length, orientations_of(words).tobytes()
    one = length * len(Orientation)
    frames = {
        place: (Frame(0, tuple(turned[at : at + length] for at in range(start, start + one, length)), None),)
        for place, start in zip(pdq_places.tolist(), range(0, len(turned), one), strict=True)
    }
    md5, sha1, sha256 = (_values(block, kind, places) for kind in (HashKind.MD5, HashKind.SHA1, HashKind.SHA256))
    return [
        Fingerprint(Digests(*digests), frames=frames.get(place, ()))
        for place, digests in zip(places.tolist(), zip(md5, sha1, sha256, strict=True), strict=True)
    ]


def _values(block: Block, kind: HashKind, places: NDArray[np.int64]) -> list[bytes | None]:
    column = block.hashes[kind]
    if not column.has.any():
        return [None] * len(places)
    data = column.values[places].tobytes()
    return [
        data[at * kind.length : (at + 1) * kind.length] if has else None
        for at, has in enumerate(column.has[places].tolist())
    ]


class _Shown:
    """Findings of one block as rows of a table."""

    def __init__(self, block: Block, file: str, first_row: int) -> None:
        self._block = block
        self._file = file
        self._first_row = first_row

    def matches(self, places: NDArray[np.int64], found: Sequence[Found], counts: Counter[str]) -> pa.Table:
        """One row for each entry that was met; counts rows, entries and lists."""
        rows: list[int] = []
        columns: dict[str, list[object]] = {name: [] for name in SCHEMA.names[SCHEMA.names.index("entry_id") :]}
        for place, answer in zip(places.tolist(), found, strict=True):
            if not answer.matches:
                continue
            counts["matched"] += 1
            counts["truncated"] += answer.truncated
            for list_id in {match.list.list_id for match in answer.matches}:
                counts[f"list.{list_id}"] += 1
            for match in answer.matches:
                rows.append(place)
                values = (
                    match.entry_id,
                    match.list.list_id,
                    match.list.name,
                    match.kind.value,
                    match.hash_kind,
                    match.distance,
                    match.orientation.value,
                    answer.truncated,
                )
                for column, value in zip(columns.values(), values, strict=True):
                    column.append(value)
        counts["matches"] += len(rows)
        met = np.array(rows, dtype=np.int64)
        return self._table(met, {"finding": [MATCH] * len(met), **self._hashes(met), **columns})

    def named(self, finding: str, reason: str, rows: Rows) -> pa.Table:
        """One row for each that is owed a scan, or bad, for one reason."""
        met = np.flatnonzero(rows)
        return self._table(met, {"finding": [finding] * len(met), "reason": [reason] * len(met)})

    def _hashes(self, met: NDArray[np.int64]) -> dict[str, object]:
        """What the row said, so that it can be handed on."""
        said: dict[str, object] = {}
        for kind in HashKind:
            values = _values(self._block, kind, met)
            said[kind.value] = [None if value is None else value.hex() for value in values]
        quality = self._block.quality[met]
        said["pdq_quality"] = pa.array(quality, mask=quality < 0)
        return said

    def _table(self, met: NDArray[np.int64], columns: dict[str, object]) -> pa.Table:
        taken = pa.array(met)
        known: dict[str, object] = {name: self._block.texts[name].take(taken) for name in TEXTS}
        known |= {"file": [self._file] * len(met), "row": met + self._first_row + 1, **columns}
        arrays = [
            pa.array(known[field.name], field.type) if field.name in known else pa.nulls(len(met), field.type)
            for field in SCHEMA
        ]
        return pa.table(arrays, schema=SCHEMA)
