"""Looks at the files of the index as `seawall doctor` does: how they lie, whether they are whole, what they cost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seawall.errors import IndexFileInvalid
from seawall.evidence.master_key import MasterKey
from seawall.matching.sealed_files import is_sealed
from seawall.matching.segment_files import open_alone
from seawall.matching.shelf import read_manifest

SWAPS = Path("/proc/swaps")


@dataclass(frozen=True, slots=True)
class FileSeen:
    """One segment file.

    Args:
        size: bytes on the disk; made_at: seconds since 1970; rows: entries, or what else it holds.
        opened_s: what opening it took; compared_s: what reading all of it and comparing its checksums took then.
        memory: bytes of memory that a sealed one is opened into; None for one that lies plain.
    """

    path: Path
    size: int
    made_at: float
    rows: int
    opened_s: float
    compared_s: float
    memory: int | None


@dataclass(frozen=True, slots=True)
class InUse:
    """The file that the lists are looked up in, and the last change that is in it."""

    file: FileSeen
    generation: int


def file_in_use(folder: Path, key: MasterKey) -> InUse | None:
    """The one that the manifest names; None where there is no manifest.

    Raises:
        IndexFileInvalid: the manifest or the file is not what was written, or does not open.
        OSError: it cannot be read.
    """
    try:
        manifest = read_manifest(folder)
    except FileNotFoundError:
        return None
    try:
        return InUse(look_at(folder / manifest.file, key), manifest.generation)
    except FileNotFoundError:
        raise IndexFileInvalid(f"The manifest of the index names {manifest.file}, which is gone.") from None


def others(folder: Path) -> Iterator[Path]:
    """The segment files in the folders within it, such as those of the ledger."""
    yield from sorted(folder.glob("*/**/*.segment"))


def look_at(path: Path, key: MasterKey) -> FileSeen:
    """Reads all of one file.

    Args:
        key: the master key, for files that are sealed.

    Raises:
        IndexFileInvalid: it is not what was written, or does not open.
        OSError: it cannot be read.
    """
    status = path.stat()
    started = time.perf_counter()
    opened = open_alone(path, key if is_sealed(path) else None)
    opened_s = time.perf_counter() - started
    opened.check()
    compared_s = time.perf_counter() - started - opened_s
    memory = opened.memory.size if opened.memory is not None else None
    rows = int(opened.meta["rows"])
    return FileSeen(path, status.st_size, status.st_mtime, rows, opened_s, compared_s, memory)


def swaps() -> bool:
    """Whether this machine moves memory to a disk, as far as it can be told."""
    try:
        return len(SWAPS.read_text().splitlines()) > 1
    except OSError:
        return False
