"""`seawall scan`: looks through a folder for what is on the lists."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.errors import ExitStatus

if TYPE_CHECKING:
    from seawall.cli.scan_journal import ScanJournal, ScanResult
    from seawall.records import Digests
    from seawall.rooms import Rooms

SHOWN_ROWS = 200
# Contents of which copies are known again; about half a kilobyte each.
REMEMBERED = 100_000


def scan(
    path: Annotated[Path, typer.Argument(help="A file, or a folder with all that is below it.", exists=True)],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")] = False,
    restart: Annotated[bool, typer.Option(help="Forget what an interrupted scan has done.")] = False,
) -> None:
    """Look through files for what is on the enabled lists. Nothing is stored and no case is opened.

    Copies of a file are decoded once. Goes on where it was interrupted. Exits with 3 when something matched.

    Example: seawall scan ./uploads --json > findings.jsonl
    """
    from seawall.cli.context import open_runtime, open_settings
    from seawall.cli.scan_journal import ScanJournal

    settings = open_settings()
    with open_runtime(settings) as runtime:
        rooms = runtime.rooms
        depends_on = {"lists": rooms.index.generation, "policy": rooms.policy.version}
        scanned = path.resolve()
        journal = ScanJournal(settings.home / "scans", scanned, depends_on)
        if restart:
            journal.finish()
        with journal:
            tally = _scan_with_progress(rooms, journal, scanned, as_json=as_json)
        journal.finish()
    if not as_json:
        _print(tally)
    if tally.matched:
        raise typer.Exit(ExitStatus.MATCHED)


@dataclass
class _Tally:
    """What a scan comes to, in bounded memory."""

    files: int = 0
    matched: int = 0
    owed: int = 0
    no_media: int = 0
    notable: int = 0
    shown: list[ScanResult] = field(default_factory=list)

    def add(self, result: ScanResult) -> None:
        self.files += 1
        self.matched += result.matched
        self.owed += result.owed
        self.no_media += result.verdict is None
        if result.verdict not in (None, "allow"):
            self.notable += 1
            if len(self.shown) < SHOWN_ROWS:
                self.shown.append(result)


def _scan_with_progress(rooms: Rooms, journal: ScanJournal, scanned: Path, *, as_json: bool) -> _Tally:
    """Scans on as many threads as keep the decoder processes busy; JSON lines go out as each file is done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    files = list(files_of(scanned))
    earlier = [result for file in files if (result := journal.result_of(file)) is not None]
    known = {result.path for result in earlier}
    owed = [file for file in files if str(file) not in known]
    columns = (TextColumn("Scanning"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    console = Console(stderr=True)
    if earlier:
        console.print(f"Going on after {len(earlier)} files that an interrupted scan has done.")
    tally = _Tally()
    for result in earlier:
        _note(tally, result, as_json)
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("scan", total=len(files), completed=len(earlier), rate="")
        for result in _scan_all(rooms, owed):
            journal.add(result)
            _note(tally, result, as_json)
            speed = progress.tasks[0].speed
            progress.update(task, advance=1, rate=f"{speed:.0f} files/s" if speed else "")
    return tally


def _note(tally: _Tally, result: ScanResult, as_json: bool) -> None:
    tally.add(result)
    if as_json:
        typer.echo(json.dumps(asdict(result)))


def _scan_all(rooms: Rooms, files: list[Path]) -> Iterator[ScanResult]:
    """Yields results as they come, with a bounded number of files in memory."""
    from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

    width, examination = rooms.settings.decoder_processes * 2, _Examination(rooms)
    with ThreadPoolExecutor(width) as threads:
        waiting: set[Future[ScanResult]] = set()
        try:
            for file in files:
                waiting.add(threads.submit(_scan_one, examination, file))
                if len(waiting) >= width * 2:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            threads.shutdown(wait=True, cancel_futures=True)


class _Examination:
    """Examines bytes; copies of what it has examined are not decoded again. Many threads use it at once: of copies
    that come together each may be decoded."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self._known: dict[bytes, ScanResult] = {}

    def of(self, body: bytes) -> ScanResult:
        """What is found of them; the result names no file."""
        from seawall.fingerprints import exact

        digests = exact.digest(body)
        identity = exact.identity(digests)
        result = self._known.get(identity)
        if result is None:
            result = self._examined(body, digests)
            if len(self._known) < REMEMBERED:
                self._known[identity] = result
        return result

    def _examined(self, body: bytes, digests: Digests) -> ScanResult:
        from seawall.cli.scan_journal import ScanResult
        from seawall.errors import NotMedia
        from seawall.flow import examine
        from seawall.records import Match, ScanOwed

        try:
            _fingerprint, findings, judgement = examine(self.rooms, body, digests, surface="scan")
        except NotMedia:
            return ScanResult("", -1, -1, None, "No media.")
        matches = [finding for finding in findings if isinstance(finding, Match)]
        return ScanResult(
            "",
            -1,
            -1,
            judgement.verdict.value,
            judgement.reasons[0].explanation if judgement.reasons else "On no enabled list.",
            tuple(sorted({match.list.name for match in matches})),
            min((match.distance for match in matches if match.distance is not None), default=None),
            owed=any(isinstance(finding, ScanOwed) for finding in findings),
        )


def _scan_one(examination: _Examination, file: Path) -> ScanResult:
    from seawall.cli.scan_journal import ScanResult

    try:
        stat = file.stat()
        if stat.st_size > examination.rooms.settings.max_upload_bytes:
            why = "Scan owed: larger than SEAWALL_MAX_UPLOAD_BYTES."
            return ScanResult(str(file), stat.st_size, stat.st_mtime_ns, "hold", why, owed=True)
        body = file.read_bytes()
    except OSError as error:
        return ScanResult(str(file), -1, -1, "hold", f"Scan owed: it cannot be read ({error.strerror}).", owed=True)
    found = examination.of(body)
    return replace(found, path=str(file), size=stat.st_size, modified_ns=stat.st_mtime_ns)


def files_of(scanned: Path) -> Iterator[Path]:
    """Ordinary files, in a stable order; links are not followed, so that nothing is scanned twice or forever."""
    if scanned.is_file():
        yield scanned
        return
    for folder, folders, names in os.walk(scanned):
        folders.sort()
        for name in sorted(names):
            file = Path(folder) / name
            if file.is_file() and not file.is_symlink():
                yield file


def _print(tally: _Tally) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from seawall.cli.tables import plain

    table = Table("File", "Verdict", "Lists", "Distance", "Why", title=f"{tally.notable} of {tally.files} files")
    for result in sorted(tally.shown, key=lambda shown: shown.path):
        distance = "" if result.distance is None else str(result.distance)
        cells = (plain(result.path), result.verdict or "", ", ".join(result.lists), distance, result.explanation)
        table.add_row(*(Text(cell) for cell in cells))
    console = Console()
    if tally.notable:
        console.print(table)
    if tally.notable > len(tally.shown):
        console.print(f"... and {tally.notable - len(tally.shown)} more; --json prints all.")
    counts = f"{tally.matched} matched, {tally.owed} scan owed, {tally.no_media} no media"
    console.print(f"{tally.files} files: {counts}.")
