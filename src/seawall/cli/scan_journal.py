"""What a scan has already looked at, so that it goes on where it was interrupted.

One JSON line a file, appended and flushed as it is done. The first line says what the results depend on: when lists
or policy have changed since, they are worth nothing and the scan starts anew.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What was found of one file. `verdict` is None where the file is no media; one that could not be read is
    held."""

    path: str
    size: int
    modified_ns: int
    verdict: str | None
    explanation: str
    lists: tuple[str, ...] = ()
    distance: int | None = None
    owed: bool = False

    @property
    def matched(self) -> bool:
        """Whether a list knows the file."""
        return bool(self.lists)


class ScanJournal:
    """The journal of one scanned folder. Use it as a context manager."""

    def __init__(self, folder: Path, scanned: Path, depends_on: dict[str, Any]) -> None:
        name = hashlib.sha256(str(scanned).encode("utf-8", "surrogateescape")).hexdigest()[:24]
        self.path = folder / f"{name}.jsonl"
        self._head = {"scanned": str(scanned), **depends_on}
        self.done: dict[str, ScanResult] = {}
        self._file: IO[str] | None = None

    def __enter__(self) -> ScanJournal:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._read()
        self._file = self.path.open("w", encoding="utf-8", errors="surrogateescape")
        self._write(self._head)
        for result in self.done.values():
            self._write(asdict(result))
        self._file.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, result: ScanResult) -> None:
        """Notes one file as done."""
        self.done[result.path] = result
        self._write(asdict(result))
        if self._file is not None:
            self._file.flush()

    def result_of(self, path: Path) -> ScanResult | None:
        """The earlier result, if the file is still the same by size and time of change."""
        earlier = self.done.get(str(path))
        if earlier is None:
            return None
        try:
            now = path.stat()
        except OSError:
            return None
        return earlier if (earlier.size, earlier.modified_ns) == (now.st_size, now.st_mtime_ns) else None

    def finish(self) -> None:
        """The scan is complete; the next one starts from the beginning."""
        self.path.unlink(missing_ok=True)

    def _read(self) -> None:
        try:
            lines = self.path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except FileNotFoundError:
            return
        records = [record for line in lines if (record := _parsed(line)) is not None]
        if not records or records[0] != self._head:
            return
        for record in records[1:]:
            result = ScanResult(**{**record, "lists": tuple(record["lists"])})
            self.done[result.path] = result

    def _write(self, record: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(record) + "\n")


def _parsed(line: str) -> dict[str, Any] | None:
    """A line, or None where an interruption cut it off."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
