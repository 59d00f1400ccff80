"""From the address of a manifest to its shards: Parquet files, or the inventory of an S3 bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seawall.engines.scanning.places import FoundFile, Places, join, split
from seawall.engines.scanning.shards import Shard, one_line
from seawall.errors import BadInput, Conflict, NotFound

INVENTORY = "manifest.json"
# A shard is this many rows, or one row group where those are larger.
SHARD_ROWS = 250_000
# Ends of files that are read at once.
FOOTERS_AT_ONCE = 16
LARGEST_INVENTORY = 64 << 20
# A row group is in a worker's memory as a whole, unpacked.
LARGEST_ROW_GROUP = 2 << 30


@dataclass(frozen=True, slots=True)
class Plan:
    """A manifest as shards.

    Args:
        is_inventory: whether it is what S3 says of a bucket; its columns have other names and another meaning.
        unused: columns that are there and mean nothing.
    """

    url: str
    is_inventory: bool
    shards: tuple[Shard, ...]
    unused: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows there are, as far as that is known before they are read."""
        return sum(shard.rows for shard in self.shards)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one kind of manifest: for each what types it may have, and which it must have.

    Args:
        known: by name, whether the column holds ``text``, ``hash`` (text or bytes), ``number`` or ``truth``.
        needed: names that must be there; of `one_of` at least one must.
    """

    known: Mapping[str, str]
    needed: tuple[str, ...]
    one_of: tuple[str, ...]


def plan(url: str, manifest: Columns, inventory: Columns, shard_rows: int = SHARD_ROWS) -> Plan:
    """Finds the files and divides them. Rows are not read yet.

    Raises:
        NotFound: nothing is there. BadInput: it is no manifest, or lacks a column.
        ObjectStoreUnavailable: it cannot be reached.
    """
    places = Places()
    if split(url)[1].rpartition("/")[2] == INVENTORY:
        return _plan_inventory(url, places, inventory, shard_rows)
    files = _files(url, places)
    shards, unused = _parquet_shards(files, places, manifest, shard_rows)
    return Plan(url, False, shards, unused)


def _files(url: str, places: Places) -> list[FoundFile]:
    if split(url)[1].endswith(".parquet"):
        return [places.file(url)]
    files = [file for file in places.below(url) if file.url.endswith(".parquet")]
    if not files:
        raise NotFound(
            f"There is no Parquet file below {url}.",
            hint=f"Name a file that ends with .parquet, a folder of such, or the {INVENTORY} of an S3 inventory.",
        )
    return files


def _parquet_shards(
    files: Sequence[FoundFile], places: Places, columns: Columns, shard_rows: int
) -> tuple[tuple[Shard, ...], tuple[str, ...]]:
    def planned(file: FoundFile) -> tuple[list[Shard], set[str]]:
        try:
            with places.opened(file.url) as source, pq.ParquetFile(source) as opened:
                wanted, unused = _checked(opened.schema_arrow, columns, file.url)
                whole = Shard(file.url, "parquet", wanted, size=file.size, version=file.version)
                return list(_divided(whole, opened.metadata, shard_rows)), unused
        except (pa.ArrowException, OSError, EOFError, ValueError) as error:
            raise BadInput(
                f"{file.url} is no Parquet file that can be read ({one_line(error)}).",
                hint="Write it again, or take it out of the folder.",
            ) from error

    with ThreadPoolExecutor(FOOTERS_AT_ONCE) as threads:
        parts = list(threads.map(planned, files))
    unused = set[str]().union(*(names for _, names in parts))
    return tuple(shard for shards, _ in parts for shard in shards), tuple(sorted(unused))


def _divided(whole: Shard, metadata: pq.FileMetaData, shard_rows: int) -> Iterator[Shard]:
    """One file in stretches of row groups.

    Raises:
        BadInput: one is too large.
    """
    groups: list[int] = []
    first_row = rows = 0
    for group in range(metadata.num_row_groups):
        described = metadata.row_group(group)
        if described.total_byte_size > LARGEST_ROW_GROUP:
            raise BadInput(
                f"{whole.url} has a row group of {described.total_byte_size} bytes; {LARGEST_ROW_GROUP} is the most.",
                hint="Write it again with smaller row groups, of some 100,000 rows.",
            )
        groups.append(group)
        rows += described.num_rows
        if rows >= shard_rows or group == metadata.num_row_groups - 1:
            if rows:
                yield replace(whole, row_groups=tuple(groups), first_row=first_row, rows=rows)
            first_row, rows, groups = first_row + rows, 0, []


def _checked(schema: pa.Schema, columns: Columns, url: str) -> tuple[tuple[str, ...], set[str]]:
    """The columns to read, and those that mean nothing.

    Raises:
        BadInput: a column is missing, twice there, or of a type that it cannot have.
    """
    names = list(schema.names)
    wanted = tuple(name for name in columns.known if name in names)
    _complete(wanted, columns, url)
    for name in wanted:
        if names.count(name) > 1:
            raise BadInput(f"{url} has the column {name} more than once.")
        kind = columns.known[name]
        if not _fits(schema.field(name).type, kind):
            raise BadInput(f"{url}: the column {name} is {schema.field(name).type}, and not {kind}.")
    return wanted, set(names) - set(columns.known)


def _complete(names: Sequence[str], columns: Columns, url: str) -> None:
    missing = [name for name in columns.needed if name not in names]
    if missing:
        raise BadInput(f"{url} has no column {missing[0]}.", hint="docs/scale.md says what a manifest holds.")
    if not set(columns.one_of) & set(names):
        raise BadInput(
            f"{url} has none of the columns {', '.join(columns.one_of)}.", hint="There is nothing to compare."
        )


def _fits(found: pa.DataType, kind: str) -> bool:
    if pa.types.is_dictionary(found):
        found = found.value_type
    text = pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_string_view(found)
    raw = (
        pa.types.is_binary(found)
        or pa.types.is_large_binary(found)
        or pa.types.is_fixed_size_binary(found)
        or pa.types.is_binary_view(found)
    )
    whole = pa.types.is_integer(found)
    fits = {"text": text or whole, "hash": text or raw, "number": whole, "truth": text or pa.types.is_boolean(found)}
    return bool(pa.types.is_null(found) or fits[kind])


# ------------------------------------------------------------------------------------------------- S3 inventories


def _plan_inventory(url: str, places: Places, columns: Columns, shard_rows: int) -> Plan:
    document = _inventory(url, places)
    listed: list[dict[str, Any]] = document["files"]
    root = _root(url, listed[0]["key"], places)
    with ThreadPoolExecutor(FOOTERS_AT_ONCE) as threads:
        files = list(threads.map(lambda file: _as_listed(places, join(root, file["key"]), file.get("size")), listed))
    if document["fileFormat"] == "Parquet":
        shards, unused = _parquet_shards(files, places, columns, shard_rows)
        return Plan(url, True, shards, unused)
    names = tuple(_snake(name) for name in document["fileSchema"].split(","))
    _complete(names, columns, url)
    if len(set(names)) < len(names):
        raise BadInput(f"{url} names a column more than once.", hint="Take the inventory as S3 wrote it.")
    shards = tuple(Shard(file.url, "csv", names, size=file.size, version=file.version) for file in files)
    return Plan(url, True, shards, tuple(sorted(set(names) - set(columns.known))))


def _as_listed(places: Places, url: str, size: object) -> FoundFile:
    """A file of an inventory.

    Raises:
        NotFound: it is not there. Conflict: it is not as large as the inventory says.
    """
    found = places.file(url)
    if isinstance(size, int) and size != found.size:
        raise Conflict(
            f"{url} has {found.size} bytes, and the inventory says {size}.",
            hint="Copy the inventory again, or wait for the next one.",
        )
    return found


def _inventory(url: str, places: Places) -> dict[str, Any]:
    """The document that names the files of an inventory.

    Raises:
        BadInput: it is none, of a format that is not read, or names what lies elsewhere.
    """
    if places.file(url).size > LARGEST_INVENTORY:
        raise BadInput(f"{url} is too large for the {INVENTORY} of an S3 inventory.")
    try:
        document: dict[str, Any] = json.loads(places.read(url))
        keys = [file["key"] for file in document["files"]]
        texts = [document["fileSchema"], document["fileFormat"], *keys]
        whole = bool(keys) and all(isinstance(text, str) for text in texts)
    except (ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise BadInput(
            f"{url} is no {INVENTORY} of an S3 inventory, or names no files.",
            hint="Name the one that lies beside the data of an inventory report.",
        )
    if document["fileFormat"] not in ("Parquet", "CSV"):
        raise BadInput(
            f"The inventory is written as {document['fileFormat'][:40]}.", hint="Have S3 write it as Parquet or CSV."
        )
    if len(set(keys)) < len(keys):
        raise BadInput(f"{url} names a file more than once.", hint="Take the inventory as S3 wrote it.")
    for key in keys:
        # What an inventory names lies in its own bucket, or in the copy of it; nothing leads out of there.
        if {"", ".", ".."} & set(key.split("/")) or "\0" in key:
            raise BadInput(f"{url} names a file by a way that S3 does not use.", hint="Take it as S3 wrote it.")
    return document


def _root(url: str, key: str, places: Places) -> str:
    """What the keys of an inventory begin from: the bucket, or the folder that a copy of it lies in."""
    root, path = split(url)
    if root is not None:
        return root
    parts = path.split("/")
    for depth in range(len(parts) - 1, 0, -1):
        folder = "/".join(parts[:depth]) or "/"
        try:
            places.file(join(folder, key))
        except NotFound:
            continue
        return folder
    raise NotFound(f"The files of {url} do not lie in a folder above it.", hint="Copy the whole bucket's folders.")


def _snake(name: str) -> str:
    """The name that S3 gives a column in Parquet, from that which it gives it in CSV: IsLatest is is_latest."""
    name = name.strip()
    return "".join(
        f"_{letter.lower()}" if letter.isupper() and at else letter.lower() for at, letter in enumerate(name)
    )
