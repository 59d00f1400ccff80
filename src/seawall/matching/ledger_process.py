"""The parent's handle on the child that searches and builds ledger files."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

import numpy as np
from numpy.typing import NDArray

from seawall.errors import IndexFileInvalid, IndexUnavailable
from seawall.evidence.master_key import MasterKey
from seawall.matching.ledger_columns import Forgotten
from seawall.matching.ledger_stream import LedgerBlock
from seawall.matching.ledger_wire import Arrays, Header, WireBroken, receive, send
from seawall.matching.ledger_work import Work
from seawall.matching.walking import Wanted


class FileGone(Exception):
    """A file that was named is no more: another took its place meanwhile."""


class LedgerProcess:
    """One child, started when it is first asked. Use it as a context manager, in one thread; `end` may come from any.

    Where files lie sealed, all is done in this process: the key goes to no other.

    Args:
        cache_folder: where compiled code is kept.
        key: what the files are sealed with; None when they lie plain.

    Every call raises:
        IndexUnavailable: the child cannot be started, or died.
        IndexFileInvalid: a file that it was to read is not what was written.
        FileGone: it is no more.
        OSError: a file cannot be written.
    """

    def __init__(self, cache_folder: Path, key: MasterKey | None = None) -> None:
        self._cache_folder = cache_folder
        self._here = Work(key) if key is not None else None
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False
        self._starting = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()
        if self._process is not None:
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()

    def start(self) -> None:
        """Starts the child without waiting until it can be asked."""
        if self._here is None:
            self._started()

    def end(self) -> None:
        """Ends the child at once; who waits for its answer is told that it died."""
        with self._starting:
            self._ended = True
            if self._process is not None:
                self._process.kill()

    def want(self, wanted: Wanted) -> None:
        """Says what `compare` and `search` look for."""
        prefixes = {kind.value: prefixes for kind, prefixes in wanted.prefixes.items()}
        self._ask({"operation": "want"}, {"words": wanted.near.words, "reach": wanted.near.reach, **prefixes})

    def compare(self, block: LedgerBlock) -> NDArray[np.int64]:
        """The ids of the rows of a block that are met."""
        return self._ids({"operation": "compare"}, {"rows": block.rows.view(np.uint8)})

    def search(self, file: Path) -> NDArray[np.int64]:
        """The ids of the rows of a file that are met."""
        return self._ids({"operation": "search", "file": str(file)}, {})

    def below(self, file: Path, before: int) -> NDArray[np.int64]:
        """The ids of the rows of a file that are below that."""
        return self._ids({"operation": "below", "file": str(file), "before": before}, {})

    def add(self, block: LedgerBlock) -> None:
        """Hands over a block for `build`."""
        self._ask({"operation": "add"}, {"rows": block.rows.view(np.uint8)})

    def build(self, file: Path) -> int:
        """Writes a file of what was added; returns how many rows of the ledger it holds."""
        return self._rows({"operation": "build", "file": str(file)}, {})

    def merge(self, sources: list[Path], file: Path, forgotten: Forgotten) -> int:
        """Writes a file of what others hold; returns how many rows of the ledger it holds."""
        names = [str(source) for source in sources]
        header = {"operation": "merge", "sources": names, "file": str(file), "before": forgotten.before}
        return self._rows(header, {"but": forgotten.but})

    def _ids(self, header: Header, arrays: Arrays) -> NDArray[np.int64]:
        _, found = self._ask(header, arrays)
        return np.asarray(found["ids"], dtype=np.int64)

    def _rows(self, header: Header, arrays: Arrays) -> int:
        reply, _ = self._ask(header, arrays)
        return int(reply["ledger_rows"])

    def _ask(self, header: Header, arrays: Arrays) -> tuple[Header, Arrays]:
        reply, found = self._sent(header, arrays) if self._here is None else self._here.reply(header, arrays)
        match reply.get("error"):
            case None:
                return reply, found
            case "invalid":
                raise IndexFileInvalid(str(reply["message"]))
            case "missing":
                raise FileGone
            case _:
                raise OSError(str(reply["message"]))

    def _sent(self, header: Header, arrays: Arrays) -> tuple[Header, Arrays]:
        process = self._started()
        try:
            send(cast("BinaryIO", process.stdin), header, arrays)
            answer = receive(cast("BinaryIO", process.stdout))
        except (OSError, ValueError, WireBroken):
            answer = None
        if answer is None:
            process.kill()
            raise IndexUnavailable(
                f"The process that searches the ledger ended ({process.wait()}).",
                hint="It is tried again by itself; if this lasts, look for what it printed, and at the memory.",
            )
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        with self._starting:
            if self._ended:
                raise IndexUnavailable("The search of the ledger was ended.")
            if self._process is None:
                try:
                    self._process = subprocess.Popen(
                        [sys.executable, "-I", "-m", "seawall.matching.ledger_child"],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        cwd="/",
                        env=_environment(self._cache_folder),
                    )
                except OSError as problem:
                    raise IndexUnavailable(f"No process can be started: {problem}.") from problem
            return self._process


def _environment(cache_folder: Path) -> dict[str, str]:
    """All that a child is told: no secret, no address, and one thread for each library that would take more."""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(cache_folder)),
        "NUMBA_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
    }
