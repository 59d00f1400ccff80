"""One segment in one file: written once, under a name of its own, then only ever mapped.

The columns lie one after the other, each from a page on; what they are stands at the end, with a checksum. So a file
that was not written to its end is not taken for one. With a key, all of that lies in memory alone, and on the disk
only what `sealed_files` makes of it. `SegmentWriter` and `open_file` are the one way in and out.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from seawall.errors import IndexFileInvalid
from seawall.evidence.master_key import MasterKey
from seawall.matching import checked_files, memory_files, sealed_files
from seawall.matching.columns import Columns, Meta
from seawall.matching.memory_files import MemoryFile

MAGIC = b"seawall segment\n"
# 2: the bits of a chunk lie apart.
VERSION = 3
PAGE = 4096
# Magic, and the lengths of what stands before it: eight bytes for the description, four for its checksum.
TAIL = 8 + 4 + len(MAGIC)
CHECKED_AT_ONCE = 1 << 26


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A segment file, mapped and read-only.

    Args:
        checksums: of its columns.
        memory: where a sealed one was opened into; None for one that lies plain.
    """

    path: Path
    columns: Columns
    meta: Meta
    checksums: dict[str, int]
    memory: MemoryFile | None = None

    @property
    def size(self) -> int:
        """Bytes of all columns."""
        return sum(array.nbytes for array in self.columns.values())

    def check(self) -> None:
        """Reads every byte once.

        Raises:
            IndexFileInvalid: a column is not what was written.
        """
        for name, array in self.columns.items():
            if checksum_of(array) != self.checksums[name]:
                raise IndexFileInvalid(f"The column {name} of {self.path.name} has changed since it was written.")


class SegmentWriter:
    """A file in which columns are built: hand `allocate` to the builder, then `finish`.

    Args:
        key: what to seal it with, from `sealed_files.sealing_key`; None for one that lies plain.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """

    def __init__(self, path: Path, key: MasterKey | None = None) -> None:
        self._path = path
        self._key = key
        self._temporary = path.with_name(f"{path.name}.part")
        self._file = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._memory = None if key is None else memory_files.make(path.name)
        self._end = 0
        self._columns: dict[str, tuple[int, NDArray[Any]]] = {}
        self._mapped: list[mmap.mmap] = []

    def allocate(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """A column of zeros in the file. The room is taken on the disk now, so that a full one is noticed here."""
        size = int(np.prod(shape)) * dtype.itemsize
        if size == 0:
            array: NDArray[Any] = np.zeros(shape, dtype=dtype)
        else:
            os.posix_fallocate(self._built_in, self._end, size)
            mapped = mmap.mmap(self._built_in, size, offset=self._end)
            _hint(mapped)
            self._mapped.append(mapped)
            array = np.frombuffer(mapped, dtype=dtype).reshape(shape)
        self._columns[name] = (self._end, array)
        self._end += -(-size // PAGE) * PAGE
        return array

    def finish(self, meta: Meta) -> None:
        """Writes what the columns are, brings all of it to the disk, and gives the file its name."""
        table = {
            name: {
                "offset": offset,
                "dtype": array.dtype.str,
                "shape": list(array.shape),
                "checksum": checksum_of(array),
            }
            for name, (offset, array) in self._columns.items()
        }
        os.fsync(self._built_in)  # other threads run meanwhile; while `flush` writes, none would
        for mapped in self._mapped:
            mapped.flush()
        description = json.dumps({"version": VERSION, "columns": table, "meta": meta}).encode()
        tail = len(description).to_bytes(8, "little") + zlib.crc32(description).to_bytes(4, "little") + MAGIC
        os.pwrite(self._built_in, description + tail, self._end)
        os.ftruncate(self._built_in, self._end + len(description) + len(tail))
        if self._memory is not None and self._key is not None:
            with os.fdopen(self._file, "wb", closefd=False) as out:
                sealed_files.write_sealed(self._memory, self._path.name, self._key, out)
        os.fsync(self._file)
        self._temporary.rename(self._path)
        sync_folder(self._path.parent)
        status = os.fstat(self._file)
        self.close()
        if self._key is None:
            checked_files.note_checked(self._path, status)

    def abandon(self) -> None:
        """Takes away what was begun."""
        self.close()
        self._temporary.unlink(missing_ok=True)

    def close(self) -> None:
        """Gives the file back; what is mapped stays mapped."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if self._memory is not None:
            self._memory.close()

    @property
    def _built_in(self) -> int:
        """The file that the columns lie in: the one on the disk, or memory until it is sealed."""
        return self._file if self._memory is None else self._memory.descriptor


def open_file(path: Path, key: MasterKey | None = None) -> OpenedFile:
    """Maps a segment file that is known to be what was written.

    One that lies plain is mapped in about a millisecond, whatever its size, if this machine has written it, or
    compared its checksums, since the machine was started; otherwise they are compared first. One that is sealed is
    opened into memory, unless another process of this machine has it there already.

    Args:
        key: what it is sealed with, from `sealed_files.sealing_key`; None for one that lies plain.

    Raises:
        IndexFileInvalid: it is no whole segment file of this version, is not what was written, or lies sealed where
            it should be plain or the other way round.
        OSError: it cannot be read.
    """
    if sealed_files.is_sealed(path) is (key is None):
        raise IndexFileInvalid(f"{path.name} lies {'plain' if key else 'sealed'}, and should not.")
    if key is not None:
        memory = sealed_files.open_sealed(path, key)
        return _mapped(path, memory.descriptor, memory)
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        opened = _mapped(path, file.fileno(), None)
    if not checked_files.is_checked(path, status):
        opened.check()
        checked_files.note_checked(path, status)
    return opened


def open_alone(path: Path, key: MasterKey | None = None) -> OpenedFile:
    """Opens a file for nobody but the caller, who has yet to `check` it: no note is believed, no memory shared.

    Raises:
        IndexFileInvalid, OSError: as `open_file`.
    """
    if key is not None:
        memory = sealed_files.open_sealed(path, key, share=False)
        return _mapped(path, memory.descriptor, memory)
    with path.open("rb") as file:
        return _mapped(path, file.fileno(), None)


def drop_others(folder: Path, key: MasterKey | None) -> None:
    """Takes away the segment files of a folder, unfinished ones too, that lie plain and should be sealed, or the
    other way round. Whoever has one mapped keeps it as long as it is mapped."""
    for path in [*folder.glob("*.segment"), *folder.glob("*.segment.part")]:
        with contextlib.suppress(FileNotFoundError):
            # What is empty was begun a moment ago.
            if path.stat().st_size and sealed_files.is_sealed(path) is (key is None):
                path.unlink()


def _mapped(path: Path, file: int, memory: MemoryFile | None) -> OpenedFile:
    document = _description(path, file, os.fstat(file).st_size)
    mapped = mmap.mmap(file, 0, access=mmap.ACCESS_READ)
    _hint(mapped)
    try:
        columns = {name: _column(mapped, spec) for name, spec in document["columns"].items()}
        checksums = {name: int(spec["checksum"]) for name, spec in document["columns"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise IndexFileInvalid(f"{path.name} says of its columns what cannot be.") from error
    return OpenedFile(path, columns, cast("Meta", document["meta"]), checksums, memory)


def sync_folder(folder: Path) -> None:
    """Makes sure that names in the folder outlast a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def checksum_of(array: NDArray[Any]) -> int:
    """CRC-32 of the bytes: against what breaks by itself, not against who could change the file at will."""
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    value = 0
    for start in range(0, len(flat), CHECKED_AT_ONCE):
        value = zlib.crc32(flat[start : start + CHECKED_AT_ONCE].data, value)
    return value


def _description(path: Path, file: int, size: int) -> dict[str, Any]:
    tail = os.pread(file, TAIL, max(0, size - TAIL))
    if len(tail) != TAIL or not tail.endswith(MAGIC):
        raise IndexFileInvalid(f"{path.name} is no segment file, or was not written to its end.")
    length = int.from_bytes(tail[:8], "little")
    if length > size - TAIL:
        raise IndexFileInvalid(f"{path.name} was cut off.")
    description = os.pread(file, length, size - TAIL - length)
    if zlib.crc32(description).to_bytes(4, "little") != tail[8:12]:
        raise IndexFileInvalid(f"{path.name} has changed since it was written.")
    document: dict[str, Any] = json.loads(description)
    if document.get("version") != VERSION:
        raise IndexFileInvalid(f"{path.name} is of another version.")
    return document


def _column(mapped: mmap.mmap, spec: dict[str, Any]) -> NDArray[Any]:
    dtype, shape = np.dtype(spec["dtype"]), tuple(spec["shape"])
    count = int(np.prod(shape))
    if count == 0:
        return np.zeros(shape, dtype=dtype)
    return np.frombuffer(mapped, dtype=dtype, count=count, offset=spec["offset"]).reshape(shape)


def _hint(mapped: mmap.mmap) -> None:
    """Large pages, where the system has them: looking things up is mostly waiting for memory."""
    if hasattr(mmap, "MADV_HUGEPAGE"):
        try:
            mapped.madvise(mmap.MADV_HUGEPAGE)
        except OSError:
            return  # it is faster with them, and right without
