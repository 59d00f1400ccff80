"""Where what comes of each shard is put, under the shard's own name: once, whoever does it and however often."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from seawall.engines.objects import Objects
from seawall.engines.scanning.places import join, open_results
from seawall.engines.scanning.shards import Shard
from seawall.errors import Conflict, NotFound

FOLDER = "shards"
# Where the Parquet file of a shard says which shard it is of and what was counted.
SHARD_KEY, COUNTS_KEY = b"seawall.shard", b"seawall.counts"
# Rows that are gathered before they are packed, of which many take little room.
ROWS_GATHERED = 1 << 16

DELETE_HINT = "Delete it and give the same command again, or give another folder for results."

Counts = Mapping[str, int]


class Results:
    """A folder or bucket prefix for one scan. A copy for another process is made from the address alone.

    Args:
        url: where.
        scan: names the scan; what was done for another is not mistaken for it.
    """

    def __init__(self, url: str, scan: str) -> None:
        self.url = url
        self.scan = scan
        self._opened: Objects | None = None

    def __reduce__(self) -> tuple[type[Results], tuple[str, str]]:
        return Results, (self.url, self.scan)

    def name_of(self, shard: Shard) -> str:
        """Where the result of a shard lies below `url`."""
        return f"{FOLDER}/{self.scan[:16]}-{shard.digest[:32]}.parquet"

    def counts_of(self, shard: Shard) -> Counts | None:
        """What was counted when the shard was done; None if it was not.

        Raises:
            ObjectStoreUnavailable: nobody can say.
            Conflict: something else lies there.
        """
        try:
            data = self._objects().get(self.name_of(shard))
        except NotFound:
            return None
        try:
            said = pq.read_metadata(io.BytesIO(data)).metadata or {}
            counts = _counts(said[COUNTS_KEY])
            right = said[SHARD_KEY].decode() == shard.digest
        except (pa.ArrowException, OSError, KeyError, ValueError) as error:
            raise self._foreign(self.name_of(shard)) from error
        if not right:
            raise Conflict(f"{self.name_of(shard)} is the result of another shard.", hint=DELETE_HINT)
        return counts

    def put(self, shard: Shard, data: bytes, counts: Counts) -> Counts:
        """Keeps the result of a shard; whoever was first stands, and what they counted is given back."""
        try:
            self._objects().put_new(self.name_of(shard), data)
        except Conflict:
            kept = self.counts_of(shard)
            if kept is None:
                raise
            return kept
        return counts

    def table_of(self, shard: Shard) -> pa.Table:
        """The rows of a result.

        Raises:
            NotFound: there is none. Conflict: they cannot be read.
        """
        data = self._objects().get(self.name_of(shard))
        try:
            return pq.read_table(io.BytesIO(data))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self._foreign(self.name_of(shard)) from error

    def note(self, name: str, document: Mapping[str, object]) -> Mapping[str, object]:
        """Keeps a JSON document beside the results. If there is one of that name, gives back that one.

        Raises:
            Conflict: what lies there is none.
        """
        try:
            self._objects().put_new(name, json.dumps(document, indent=1, sort_keys=True).encode() + b"\n")
        except Conflict:
            try:
                kept = json.loads(self._objects().get(name))
            except ValueError as error:
                raise self._foreign(name) from error
            if not isinstance(kept, dict):
                raise self._foreign(name) from None
            return kept
        return document

    def put_lines(self, name: str, lines: Iterable[str]) -> str:
        """Keeps a file of lines beside the results, unless it is there; returns its address.

        Raises:
            Conflict: other lines are there.
        """
        data = "".join(f"{line}\n" for line in lines).encode()
        try:
            self._objects().put_new(name, data)
        except Conflict:
            if self._objects().get(name) != data:
                raise self._foreign(name) from None
        return join(self.url, name)

    def _foreign(self, name: str) -> Conflict:
        return Conflict(f"{join(self.url, name)} is not what this scan wrote there.", hint=DELETE_HINT)

    def _objects(self) -> Objects:
        if self._opened is None:
            self._opened = open_results(self.url)
        return self._opened


def _counts(data: bytes) -> Counts:
    """What a result says that was counted.

    Raises:
        ValueError: it says nothing of the kind.
    """
    counts = json.loads(data)
    if not isinstance(counts, dict) or not all(type(count) is int for count in counts.values()):
        raise ValueError("no counts")
    return counts


class ResultWriter:
    """The Parquet file of one shard, packed as it grows."""

    def __init__(self, shard: Shard, schema: pa.Schema) -> None:
        self._shard = shard
        self._buffer = io.BytesIO()
        self._writer = pq.ParquetWriter(self._buffer, schema, compression="zstd")
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def add(self, table: pa.Table) -> None:
        """Takes more rows."""
        self._waiting.append(table)
        self._rows += table.num_rows
        if self._rows >= ROWS_GATHERED:
            self._pack()

    def finish(self, counts: Counts) -> bytes:
        """The whole file, which says what was counted."""
        self._pack()
        said = {SHARD_KEY: self._shard.digest.encode(), COUNTS_KEY: json.dumps(counts, sort_keys=True).encode()}
        self._writer.add_key_value_metadata(said)
        self._writer.close()
        return self._buffer.getvalue()

    def _pack(self) -> None:
        if self._rows:
            self._writer.write_table(pa.concat_tables(self._waiting))
        self._waiting, self._rows = [], 0
