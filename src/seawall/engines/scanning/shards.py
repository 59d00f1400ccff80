"""Shards: the pieces of a manifest that are worked on one by one, and how their rows are read."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from seawall.engines.scanning.places import Places
from seawall.errors import Conflict

# Rows that are in memory at once, beside what the Parquet reader holds of their row group.
BATCH_ROWS = 1 << 13
# Of a CSV file; a line is in memory as a whole. S3's keys have 1,024 bytes at most.
LONGEST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Shard:
    """One piece of a manifest.

    Args:
        url: the file, as a path or an address of an object store.
        form: ``parquet`` or ``csv`` (packed with gzip, without a line of names).
        columns: those to read; of CSV all there are, in order.
        row_groups: of a Parquet file those to read.
        first_row: how many rows of the file come before, and rows: how many there are; 0 where nobody knows.
        size, version: of the file, by which it is noticed when another has taken its place.
    """

    url: str
    form: str
    columns: tuple[str, ...]
    row_groups: tuple[int, ...] = ()
    first_row: int = 0
    rows: int = 0
    size: int = 0
    version: str = ""

    @property
    def digest(self) -> str:
        """Names the shard and all that it is; SHA-256 in hex."""
        return hashlib.sha256(self.document().encode()).hexdigest()

    def document(self) -> str:
        """All that it is, as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_document(cls, document: str) -> Shard:
        """The same again."""
        told = json.loads(document)
        return cls(**{**told, "columns": tuple(told["columns"]), "row_groups": tuple(told["row_groups"])})


class Reader(Protocol):
    """How rows of a shard are read."""

    def batches(self, shard: Shard) -> Iterator[pa.RecordBatch]:
        """The rows in order.

        Raises:
            Conflict: the file is no longer the one that was planned for.
            ObjectStoreUnavailable: it cannot be reached.
            ArrowException, ValueError, EOFError, OSError: it is not what it should be.
        """
        ...


class StoreReader:
    """Reads through obstore, of Parquet only the columns and row groups that are wanted."""

    def __init__(self, places: Places | None = None) -> None:
        self._places = places or Places()

    def batches(self, shard: Shard) -> Iterator[pa.RecordBatch]:
        """The rows in order."""
        yield from unchanged(self._places, shard, self._rows(shard))

    def _rows(self, shard: Shard) -> Iterator[pa.RecordBatch]:
        if shard.form == "csv":
            yield from _csv_batches(self._places, shard)
            return
        with self._places.opened(shard.url) as source, pq.ParquetFile(source, pre_buffer=True) as file:
            yield from file.iter_batches(
                BATCH_ROWS, row_groups=list(shard.row_groups), columns=list(shard.columns), use_threads=False
            )


def unchanged(places: Places, shard: Shard, rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows, from a file that is looked at before and after: one that takes its place while it is read is
    noticed before anything comes of the shard.

    Raises:
        Conflict: it is another one than was planned for.
    """
    _same(places, shard)
    yield from rows
    _same(places, shard)


def _same(places: Places, shard: Shard) -> None:
    found = places.file(shard.url)
    if (found.size, found.version) != (shard.size, shard.version):
        raise Conflict(
            f"{shard.url} has changed since the scan began.",
            hint="Scan the manifest again into another folder for results.",
        )


def _csv_batches(places: Places, shard: Shard) -> Iterator[pa.RecordBatch]:
    """The rows of a packed CSV file as text. A row with too few or too many fields has nothing but nulls."""
    width = len(shard.columns)
    schema = pa.schema([(name, pa.string()) for name in shard.columns])
    with (
        places.opened(shard.url) as source,
        gzip.open(source) as unpacked,
        io.TextIOWrapper(unpacked, "utf-8", "backslashreplace", newline="") as text,
    ):
        waiting: list[Sequence[str | None]] = []
        for row in csv.reader(_lines(text), strict=True):
            waiting.append(row if len(row) == width else (None,) * width)
            if len(waiting) == BATCH_ROWS:
                yield _batch(waiting, schema)
                waiting = []
        if waiting:
            yield _batch(waiting, schema)


def _lines(text: TextIO) -> Iterator[str]:
    """Its lines.

    Raises:
        ValueError: one has no end in sight.
    """
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise ValueError(f"A line has {LONGEST_LINE} characters or more.")
        yield line


def _batch(rows: list[Sequence[str | None]], schema: pa.Schema) -> pa.RecordBatch:
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    return pa.record_batch(columns, schema=schema)


def one_line(error: BaseException) -> str:
    """What a library's error says, short enough for a table."""
    return " ".join(str(error).split())[:300] or type(error).__name__
