"""How `seawall ledger import` reads what was published before, and carries it through the rooms."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TextIO

from seawall import flow
from seawall.cli.scan import files_of
from seawall.errors import BadInput, NotMedia
from seawall.fingerprints import exact
from seawall.gateways.http.fields import needed_text
from seawall.gateways.http.hashes import KNOWN, arrival
from seawall.matching import backfill, ledger
from seawall.policy.decide import decide
from seawall.records import HashArrival, MediaArrival, Verdict
from seawall.rooms import Rooms

BAD_KEPT = 1000
ALIASES = {"published_at": "uploaded_at"}


@dataclass(slots=True)
class Tally:
    """What an import came to. `matched` counts what the policy would not publish; `bad` holds the first bad lines."""

    read: int = 0
    entered: int = 0
    known: int = 0
    matched: int = 0
    bad_count: int = 0
    bad: list[tuple[str, str]] = field(default_factory=list)

    def note_bad(self, where: str, why: str) -> None:
        """Counts one that could not be taken."""
        self.bad_count += 1
        if len(self.bad) < BAD_KEPT:
            self.bad.append((where, why))


def import_file(rooms: Rooms, file: Path, surface: str) -> Tally:
    """Hashes from CSV with column names, or from JSON lines. What is there already is left as it is.

    Raises:
        BadInput: the file cannot be read.
    """
    tally = Tally()
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            arrivals = _arrivals(stream, surface, tally)
            while batch := list(islice(arrivals, backfill.BATCH)):
                _enter(rooms, batch, tally)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(
            f"{file} cannot be read on ({error}).", hint="What was read before is in; import it again when mended."
        ) from error
    return tally


def _enter(rooms: Rooms, batch: Sequence[HashArrival], tally: Tally) -> None:
    """The first line of each content in one go, the other lines of the same after it."""
    tally.read += len(batch)
    firsts = {backfill.version_of(each): each for each in reversed(batch)}
    _enter_firsts(rooms, list(firsts.values()), tally)
    for each in batch:
        if each is not firsts[backfill.version_of(each)]:
            _add(rooms, each, tally)


def _add(rooms: Rooms, told: HashArrival, tally: Tally) -> None:
    """A line on what is in the ledger by now."""
    with rooms.database.transaction() as session:
        told_before = backfill.known(session, [told]).get(backfill.version_of(told), False)
    _add_known(rooms, told, told_before, tally)


def _add_known(rooms: Rooms, told: HashArrival, told_before: bool, tally: Tally) -> None:
    """A line on what is in the ledger already: judged when it tells more of it."""
    tally.known += 1
    if not told_before:
        tally.matched += flow.judge_hashes(rooms, told).verdict.refuses


def _enter_firsts(rooms: Rooms, batch: Sequence[HashArrival], tally: Tally) -> None:
    with rooms.database.transaction() as session:
        known = backfill.known(session, batch)
    clean = []
    for each in batch:
        told_before = known.get(backfill.version_of(each))
        if told_before is not None:
            _add_known(rooms, each, told_before, tally)
            continue
        generation = rooms.index.generation
        findings = rooms.index.lookup(ledger.fingerprint_of_hashes(each), rooms.settings.minimum_pdq_quality)
        judgement = decide(rooms.policy, findings, surface=each.surface)
        if findings or judgement.verdict is not Verdict.ALLOW:
            answer = flow.judge_hashes(rooms, each)
            tally.matched += answer.verdict.refuses
            tally.entered += 1
        else:
            clean.append(backfill.Published(each, judgement.policy_version, generation))
    with rooms.database.transaction() as session:
        entered = backfill.enter(session, clean)
    tally.entered += len(entered)
    for row in clean:  # somebody else entered it meanwhile
        if backfill.version_of(row.arrival) not in entered:
            _add(rooms, row.arrival, tally)


def _arrivals(stream: TextIO, surface: str, tally: Tally) -> Iterator[HashArrival]:
    for line, document in _documents(stream):
        try:
            if document is None:
                raise BadInput("It is no JSON object.")
            told = {ALIASES.get(name, name): value for name, value in document.items() if value not in (None, "")}
            told.setdefault("surface", surface)
            yield arrival({name: value for name, value in told.items() if name in KNOWN})
        except BadInput as error:
            tally.read += 1
            tally.note_bad(f"line {line}", error.message)


def _documents(stream: TextIO) -> Iterator[tuple[int, dict[str, object] | None]]:
    """Each record with the number of its line; None for what is no record."""
    first = stream.readline()
    stream.seek(0)
    if first.lstrip().startswith("{"):
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield number, _object(line)
        return
    reader = csv.DictReader(stream)
    for row in reader:
        told: dict[str, object] = {name.strip().lower(): value for name, value in row.items() if name}
        quality = told.get("pdq_quality")
        if isinstance(quality, str) and quality.isdecimal():
            told["pdq_quality"] = int(quality)
        yield reader.line_num, told


def _object(line: str) -> dict[str, object] | None:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def import_folder(rooms: Rooms, folder: Path, surface: str) -> Tally:
    """Scans every file below the folder; its path from there is its content id. What is there already is not scanned
    again."""
    tally = Tally()
    width = rooms.settings.decoder_processes * 2
    files = files_of(folder)
    with ThreadPoolExecutor(width) as threads:
        # No more at once than are worked on soon: each holds a file in memory.
        while batch := list(islice(files, width * 2)):
            tasks = [(file, threads.submit(_scan, rooms, file, folder, surface)) for file in batch]
            _collect(tasks, folder, tally)
    return tally


def _collect(tasks: Iterable[tuple[Path, Future[Verdict | None]]], folder: Path, tally: Tally) -> None:
    for file, task in tasks:
        tally.read += 1
        try:
            verdict = task.result()
        except (OSError, NotMedia, BadInput) as error:
            name = os.fsencode(file.relative_to(folder)).decode(errors="backslashreplace")
            tally.note_bad(name, getattr(error, "message", str(error)))
            continue
        tally.known += verdict is None
        tally.entered += verdict is not None
        tally.matched += verdict is not None and verdict.refuses


def _scan(rooms: Rooms, file: Path, folder: Path, surface: str) -> Verdict | None:
    """The verdict; None when the ledger has this very file."""
    if file.stat().st_size > rooms.settings.max_upload_bytes:
        raise BadInput("It is larger than SEAWALL_MAX_UPLOAD_BYTES.")
    body = file.read_bytes()
    content_id = needed_text({"content_id": str(file.relative_to(folder))}, "content_id")
    with rooms.database.transaction() as session:
        row = ledger.recall(session, content_id, exact.identity(exact.digest(body)))
        if row is not None and row.size is not None:
            return None
    return flow.judge_media(rooms, MediaArrival(content_id=content_id, body=body, surface=surface)).verdict
