"""Index files as they lie on the disk when `SEAWALL_INDEX_SEALED` is set.

A sealed file is

    "seawall sealed\\n"  version 01  length (2 bytes, big-endian) of the wrapped key  wrapped key  sealed object

Every file has a random key of its own, wrapped by the master key. The object is sealed as evidence is
(`evidence.sealing`), bound to the file's name: nothing in it can be changed, left out, put in another order, cut off
or given as another file.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from seawall.errors import EvidenceTampered, IndexFileInvalid
from seawall.evidence.key_files import KEY_BYTES
from seawall.evidence.master_key import MasterKey, load_master_key
from seawall.evidence.sealing import SEGMENT_BYTES, TAG_BYTES, open_stream, seal_stream
from seawall.matching import memory_files
from seawall.matching.memory_files import MemoryFile
from seawall.settings import Settings

MAGIC: Final = b"seawall sealed\n"
VERSION: Final = b"\x01"
PURPOSE: Final = b"index-file"
# No wrapped key is longer; what says so is no sealed file.
LONGEST_WRAPPED: Final = 256


def sealing_key(settings: Settings) -> MasterKey | None:
    """What index files are sealed with: the master key, or None when they lie plain.

    Raises:
        MasterKeyMissing: there is no master key. ConfigurationError: it cannot be used, or this system cannot do it.
    """
    if not settings.index_sealed:
        return None
    memory_files.make("none").close()
    return load_master_key(settings, may_create=False)


def is_sealed(path: Path) -> bool:
    """Whether a file begins as a sealed one does.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def write_sealed(plain: MemoryFile, name: str, key: MasterKey, out: BinaryIO) -> None:
    """Writes the sealed form of a file.

    Args:
        name: of the file that it becomes.

    Raises:
        OSError: it cannot be written.
    """
    file_key = secrets.token_bytes(KEY_BYTES)
    wrapped = key.seal(file_key, PURPOSE)
    out.write(MAGIC + VERSION + len(wrapped).to_bytes(2) + wrapped)
    for piece in seal_stream(file_key, _binding(name), _pieces(plain)):
        out.write(piece)


def open_sealed(path: Path, key: MasterKey, *, share: bool = True) -> MemoryFile:
    """A sealed file, opened into memory. Every byte of it was verified, by this process or the one it shares it with.

    Args:
        share: take what another process of this machine has opened, and let others take this.

    Raises:
        IndexFileInvalid: it is no sealed file, not what was sealed, or was sealed with another master key.
        OSError: it cannot be read, or there is no memory for it.
    """
    with path.open("rb") as file:
        file_key = _file_key(file, path.name, key)

        def fill(memory: MemoryFile) -> None:
            _decrypt(file, path.name, file_key, memory)

        if share:
            return memory_files.shared(path.parent, path.name, fill)
        memory = memory_files.make(path.name)
        fill(memory)
        return memory_files.finished(memory)


def _file_key(file: BinaryIO, name: str, key: MasterKey) -> bytes:
    head = file.read(len(MAGIC) + 3)
    length = int.from_bytes(head[-2:])
    if head[: len(MAGIC)] != MAGIC or head[len(MAGIC) : -2] != VERSION or length > LONGEST_WRAPPED:
        raise IndexFileInvalid(f"{name} is no sealed file of this version.")
    try:
        return key.open(file.read(length), PURPOSE)
    except EvidenceTampered:
        raise IndexFileInvalid(
            f"{name} does not open with master key {key.key_id}: it was sealed with another, or has changed."
        ) from None


def _decrypt(file: BinaryIO, name: str, file_key: bytes, memory: MemoryFile) -> None:
    pieces = iter(lambda: file.read(SEGMENT_BYTES + TAG_BYTES), b"")
    try:
        for segment in open_stream(file_key, _binding(name), pieces):
            view = memoryview(segment)
            while view:
                view = view[os.write(memory.descriptor, view) :]
    except EvidenceTampered as error:
        raise IndexFileInvalid(f"{name} has changed since it was sealed: {error.message}") from None


def _pieces(plain: MemoryFile) -> Iterator[bytes]:
    at, size = 0, plain.size
    while at < size:
        piece = os.pread(plain.descriptor, SEGMENT_BYTES, at)
        at += len(piece)
        yield piece


def _binding(name: str) -> bytes:
    return b"index-file:" + name.encode()
