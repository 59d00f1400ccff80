"""How long new entries take to walk through the ledger, and what uploads notice of it.

    make bench-retroscan
    make bench-retroscan ARGS="--entries 10000 --rows 17000000"
    make bench-retroscan ARGS="--entries 10000 --rows 17000000 --home /large/disk"

With --home it is all kept there, so that it can be measured again without being filled again.

Fills table `content` of a PostgreSQL of its own with random fingerprints and has the ledger's files made, as a worker
does by itself. Then it imports a list of which some entries are there already, and measures from the import's commit
until every late match of an upright hash was acted on, and until the other seven orientations were compared too. (A
service begins within about a second of the commit; that is not counted.) The walk is in the process that judges
uploads, as in `seawall serve`, with its search in a child process; this process judges hashes one after the other
meanwhile, and as often before and after. What is compiled is compiled before. With fewer than 50,000 rows there are
no files. Prints a table and writes benchmarks/results/retroscan.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seawall import flow, late  # noqa: E402 - found only from here on
from seawall.database.tables import CaseItem  # noqa: E402
from seawall.hashlists import store  # noqa: E402
from seawall.hashlists.store import ListDefinition  # noqa: E402
from seawall.late import Progress  # noqa: E402
from seawall.records import SYSTEM, EntryDraft, HashArrival, Trust  # noqa: E402
from seawall.runtime import Runtime  # noqa: E402
from seawall.settings import Settings  # noqa: E402
from tests.acceptance.conftest import stop_postgres  # noqa: E402

INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'content' AND indexname <> 'pk_content'"
ROWS = """
    INSERT INTO content (content_id, identity, account_id, surface, sha256, pdq, pdq_quality, frames, verdict,
        reasons, policy_version, state)
    SELECT 'b' || n, sha256, 'account-' || n, 'upload', sha256, pdq, 90, jsonb_build_array(jsonb_build_object(
        'number', 0, 'pdq', encode(pdq, 'hex'), 'quality', 90)), 'allow', '[]', 'benchmark', 'published'
    FROM (SELECT n, sha256(int8send(n)) AS sha256, sha256('p' || int8send(n)) AS pdq
        FROM generate_series(CAST(:first AS bigint), :last) AS n) AS made
"""
ROWS_AT_ONCE = 500_000
LATE = select(func.count()).select_from(CaseItem).where(CaseItem.late)
UPLOADS_BEFORE = 300
# So many bits of a planted hash are turned over.
DISTANCE = 12


def fill(runtime: Runtime, rows: int) -> None:
    """Puts that many rows into the ledger. Its indexes are made afterwards, which takes much less long."""
    with runtime.database.transaction() as session:
        indexes = session.execute(text(INDEXES)).all()
        for name, _ in indexes:
            session.execute(text(f"DROP INDEX {name}"))
    for first in range(0, rows, ROWS_AT_ONCE):
        with runtime.database.transaction() as session:
            session.execute(text("SET LOCAL synchronous_commit = off"))
            session.execute(text(ROWS), {"first": first, "last": min(rows, first + ROWS_AT_ONCE) - 1})
    for _, definition in indexes:
        with runtime.database.transaction() as session:
            session.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
            session.execute(text(definition.replace(" ON ONLY ", " ON ")))
    with runtime.database.transaction() as session:
        session.execute(text("ANALYZE content"))


def near(row: int, random: np.random.Generator) -> bytes:
    """A hash at `DISTANCE` bits from that of a row, as `ROWS` makes it."""
    pdq = hashlib.sha256(b"p" + row.to_bytes(8)).digest()
    bits = np.unpackbits(np.frombuffer(pdq, dtype=np.uint8))
    bits[random.choice(256, DISTANCE, replace=False)] ^= 1
    return np.packbits(bits).tobytes()


def put_on_list(session: Session, name: str, hashes: list[bytes]) -> None:
    """Puts PDQ hashes on a list."""
    drafts = [EntryDraft(line, pdq=pdq, pdq_quality=90) for line, pdq in enumerate(hashes, 1)]
    definition = ListDefinition(trust=Trust.TRUSTED, is_test=True)
    store.import_entries(session, name, drafts, actor=SYSTEM, definition=definition)


class Uploads:
    """Arrivals of hashes, one after the other, and how long each took, committed, in milliseconds."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._random = np.random.default_rng()
        self._number, self._run = 0, time.time_ns()

    def one(self) -> float:
        """Judges one."""
        self._number += 1
        arrival = HashArrival(
            f"u{self._run}-{self._number}", sha256=self._random.bytes(32), pdq=self._random.bytes(32)
        )
        started = time.perf_counter()
        flow.judge_hashes(self._runtime.rooms, arrival)
        return (time.perf_counter() - started) * 1000

    def many(self, count: int) -> list[float]:
        """Judges some."""
        return [self.one() for _ in range(count)]


class TimedWalk(threading.Thread):
    """A walk beside the uploads. `seconds` says when the upright hashes were through, and when all was."""

    def __init__(self, runtime: Runtime, since: float) -> None:
        super().__init__(name="walk")
        self._runtime, self._since = runtime, since
        self.seconds: list[float] = []
        self.progress = Progress(0)

    def run(self) -> None:
        self.progress = late.walk(self._runtime.rooms, say=self._say)
        self.seconds.append(time.perf_counter() - self._since)

    def _say(self, progress: Progress) -> None:
        if progress.parts_done * 2 == progress.parts:
            self.seconds.append(time.perf_counter() - self._since)


def prepare(runtime: Runtime, rows: int) -> tuple[float | None, float | None]:
    """Fills the ledger and has its files made, unless that was done before; returns the seconds that each took."""
    with runtime.database.transaction() as session:
        is_empty = session.scalar(text("SELECT NOT EXISTS (SELECT FROM content)"))
    started = time.perf_counter()
    if is_empty:
        fill(runtime, rows)
    filled = time.perf_counter()
    while runtime.rooms.ledger.tend():
        pass
    built = time.perf_counter()
    return (round(filled - started, 1), round(built - filled, 1)) if is_empty else (None, None)


def measure(settings: Settings, entries: int, rows: int, wanted: int) -> dict[str, float | int | None]:
    """Fills, builds, imports, walks; the figures."""
    random = np.random.default_rng()
    with Runtime(settings) as runtime:
        fill_seconds, build_seconds = prepare(runtime, rows)
        files = runtime.rooms.ledger.shelf.open()
        with runtime.database.transaction() as session:
            put_on_list(session, f"Warm-up {time.time()}", [random.bytes(32) for _ in range(30)])
        late.walk(runtime.rooms)
        with runtime.database.transaction() as session:
            acted_before = session.scalar(LATE) or 0
        uploads = Uploads(runtime)
        uploads.many(UPLOADS_BEFORE)
        before = uploads.many(UPLOADS_BEFORE)
        planted = [near(int(row), random) for row in random.choice(rows, wanted, replace=False)]
        with runtime.database.transaction() as session:
            put_on_list(
                session, f"Benchmark {time.time()}", [*planted, *(random.bytes(32) for _ in range(entries - wanted))]
            )
        walk = TimedWalk(runtime, time.perf_counter())
        walk.start()
        during = []
        while walk.is_alive():
            during.append(uploads.one())
        after = uploads.many(len(during))
        with runtime.database.transaction() as session:
            acted = (session.scalar(LATE) or 0) - acted_before
    found = walk.progress
    assert acted == found.matches == wanted, (acted, found, wanted)
    seconds, all_seconds = walk.seconds
    medians = {
        name: statistics.median(each) for name, each in (("before", before), ("during", during), ("after", after))
    }
    return {
        "entries": entries,
        "ledger_rows": rows,
        "seconds": round(seconds, 2),
        "seconds_all_orientations": round(all_seconds, 2),
        "upload_slowdown": round(medians["during"] / statistics.median([*before, *after]) - 1, 3),
        "upload_drift_without_walk": round(medians["after"] / medians["before"] - 1, 3),
        **{f"upload_{name}_ms": round(median, 2) for name, median in medians.items()},
        "upload_before_p95_ms": round(statistics.quantiles(before, n=20)[-1], 2),
        "upload_during_p95_ms": round(statistics.quantiles(during, n=20)[-1], 2),
        "upload_after_p95_ms": round(statistics.quantiles(after, n=20)[-1], 2),
        "uploads_during": len(during),
        "candidates": found.candidates,
        "late_matches": found.matches,
        "fill_seconds": fill_seconds,
        "build_seconds": build_seconds,
        "files": len(files.files) if files else 0,
        "file_bytes": sum(file.path.stat().st_size for file in files.files) if files else 0,
    }


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--matches", type=int, default=100)
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    home = asked.home or Path(tempfile.mkdtemp(prefix="seawall-bench-"))
    try:
        settings = Settings(home=home, decoder_processes=1)
        measured = measure(settings, asked.entries, asked.rows, min(asked.matches, asked.entries, asked.rows))
    finally:
        stop_postgres(home)
        if asked.home is None:
            shutil.rmtree(home, ignore_errors=True)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table("What", "Figure", title=f"New entries through the ledger ({machine})")
    for name, value in measured.items():
        table.add_row(name, str(value))
    Console().print(table)
    results = ROOT / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    note = "seconds: from the import's commit until every late match of an upright hash was acted on"
    document = {**measured, "note": note, "machine": machine, "load": os.getloadavg()[0]}
    (results / "retroscan.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
