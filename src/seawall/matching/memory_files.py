"""Files that lie in memory and on no disk, and how the processes of one machine come to share one.

They are Linux's memory-backed files (memfd). A finished one can be written by nobody any more, its maker included.
Who has one open says so in the file `opened` of the folder that its sealed form lies in, and another process of the
same user opens the same memory through /proc: so there is one copy, gone when the last that has it open is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from seawall.errors import ConfigurationError

OPENED: Final = "opened"
NAME: Final = "seawall-index:"


class MemoryFile:
    """An open descriptor of a memory-backed file; closed with it. What is mapped from it stays mapped."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @property
    def size(self) -> int:
        """Bytes."""
        return os.fstat(self.descriptor).st_size

    def close(self) -> None:
        """Gives the descriptor back."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __del__(self) -> None:
        self.close()


def possible() -> bool:
    """Whether this system has memory-backed files."""
    return hasattr(os, "memfd_create") and hasattr(fcntl, "F_ADD_SEALS") and Path("/proc/self/fd").is_dir()


def make(name: str) -> MemoryFile:
    """An empty one that can be written.

    Raises:
        ConfigurationError: this system has none.
    """
    if not possible():
        raise ConfigurationError(
            "Index files cannot be sealed here: this system has no memory-backed files to open them into.",
            hint="Unset SEAWALL_INDEX_SEALED, or run Seawall on Linux.",
        )
    return MemoryFile(os.memfd_create(NAME + name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING))


def finished(file: MemoryFile) -> MemoryFile:
    """The same file, for good as it is and open to be read only. The one that was given is closed."""
    fcntl.fcntl(file.descriptor, fcntl.F_ADD_SEALS, _finished_seals())
    # Only what was opened for reading can be shared and mapped, on every Linux.
    reading = os.open(f"/proc/self/fd/{file.descriptor}", os.O_RDONLY | os.O_CLOEXEC)
    file.close()
    return MemoryFile(reading)


def shared(folder: Path, name: str, fill: Callable[[MemoryFile], None]) -> MemoryFile:
    """The finished memory-backed file of that name: one that another process has, or a new one.

    Args:
        folder: where it is noted who has it. When that cannot be, every process has a copy of its own.
        fill: writes what is in it. While it does, others that want the same wait for it.
    """
    with _noted(folder) as notes:
        file = _of_another(notes, name)
        if file is None:
            fresh = make(name)
            fill(fresh)
            file = finished(fresh)
        if notes is not None:
            _note(notes, name, file)
    return file


@contextlib.contextmanager
def _noted(folder: Path) -> Iterator[int | None]:
    """The locked file with the notes; None where there can be none."""
    try:
        handle = os.open(folder / OPENED, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield None
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _lines(notes: int) -> list[tuple[str, int, int]]:
    """Name, process and descriptor of every note that makes sense."""
    found = []
    text = os.pread(notes, os.fstat(notes).st_size, 0)
    for line in text.decode("utf-8", "replace").splitlines():
        name, _, rest = line.partition("\t")
        process, _, descriptor = rest.partition("\t")
        if process.isdecimal() and descriptor.isdecimal():
            found.append((name, int(process), int(descriptor)))
    return found


def _of_another(notes: int | None, name: str) -> MemoryFile | None:
    for noted, process, descriptor in _lines(notes) if notes is not None else ():
        if noted == name and (file := _open(name, process, descriptor)) is not None:
            return file
    return None


def _note(notes: int, name: str, file: MemoryFile) -> None:
    """Adds this process, and leaves out what is no more."""
    kept = [line for line in _lines(notes) if _is(*line)]
    kept.append((name, os.getpid(), file.descriptor))
    text = "".join("\t".join(map(str, line)) + "\n" for line in dict.fromkeys(kept)).encode()
    with contextlib.suppress(OSError):  # a full disk: then another process finds less to share
        os.ftruncate(notes, 0)
        os.pwrite(notes, text, 0)


def _is(name: str, process: int, descriptor: int) -> bool:
    """Whether the process has that file open, as far as its name says. Numbers of processes come again."""
    try:
        return os.readlink(f"/proc/{process}/fd/{descriptor}") == f"/memfd:{NAME}{name} (deleted)"
    except OSError:
        return False


def _open(name: str, process: int, descriptor: int) -> MemoryFile | None:
    if not _is(name, process, descriptor):
        return None
    try:
        file = MemoryFile(os.open(f"/proc/{process}/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC))
        # What could still be written is another's unfinished work.
        if fcntl.fcntl(file.descriptor, fcntl.F_GET_SEALS) & _finished_seals() != _finished_seals():
            return None
        named = os.readlink(f"/proc/self/fd/{file.descriptor}")
    except OSError:
        return None
    return file if named == f"/memfd:{NAME}{name} (deleted)" else None


def _finished_seals() -> int:
    return fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
