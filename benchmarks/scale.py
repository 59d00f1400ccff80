"""What a comparison of very many rows costs, what an entry costs, and what a row of the ledger costs.

    make bench-scale
    make bench-scale ARGS="--entries 1000000,17000000 --rows 40000,200000"

Segment files of several sizes: bytes, seconds to build, microseconds of a look-up, and what a row of a manifest
(Parquet, with PDQ and MD5) costs that is compared with them in this process, as a worker does. The engines, against
the smallest of those files, with a smaller and a larger manifest: what the larger one takes more is the cost of rows,
and the rest is the start of the workers. The ledger, on a PostgreSQL of its own: rows a second by COPY, by
`seawall ledger import` and one by one, and bytes a row. Seconds of processors are counted as well as those of the
clock, since others may be at work on the machine. Prints tables and writes benchmarks/results/scale.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import index as index_bench  # noqa: E402 - found only from here on
from benchmarks import retroscan  # noqa: E402
from seawall import flow  # noqa: E402
from seawall.cli.ledger_import import import_file  # noqa: E402
from seawall.engines.extras import require_scale  # noqa: E402
from seawall.engines.scanning.embedded import EmbeddedEngine  # noqa: E402
from seawall.engines.scanning.on_daft import DaftEngine, DaftReader  # noqa: E402
from seawall.engines.scanning.planning import plan  # noqa: E402
from seawall.engines.scanning.results import Results  # noqa: E402
from seawall.engines.scanning.scans import ScanEngine, Worker  # noqa: E402
from seawall.engines.scanning.shards import StoreReader  # noqa: E402
from seawall.hashlists import store  # noqa: E402
from seawall.hashlists.store import ListDefinition  # noqa: E402
from seawall.matching.entries import Changes, empty_batch  # noqa: E402
from seawall.matching.index import HashIndex  # noqa: E402
from seawall.matching.manifest_results import Tally, begin  # noqa: E402
from seawall.matching.manifest_scan import ManifestTask  # noqa: E402
from seawall.matching.manifests import INVENTORY, MANIFEST  # noqa: E402
from seawall.matching.partitions import partitions  # noqa: E402
from seawall.matching.segment_files import open_file  # noqa: E402
from seawall.matching.segments import ColumnSegment  # noqa: E402
from seawall.records import (  # noqa: E402
    FARTHEST_DISTANCE,
    SYSTEM,
    Digests,
    EntryDraft,
    Fingerprint,
    Frame,
    HarmClass,
    HashArrival,
    ListInfo,
    Orientation,
    Trust,
)
from seawall.runtime import Runtime  # noqa: E402
from seawall.settings import Settings  # noqa: E402
from tests.acceptance.conftest import stop_postgres  # noqa: E402

SEGMENT = "SEAWALL_BENCH_SEGMENT"
TEST_LIST = ListInfo(
    1, "Benchmark list", "", Trust.STANDARD, HarmClass.OTHER, FARTHEST_DISTANCE, enabled=True, is_test=True
)
ENGINES: tuple[tuple[str, int], ...] = (("embedded", 1), ("embedded", 2), ("daft", 2))
SHARDS = 8
LOOKUPS = 500
# One row in so many meets an entry.
EVERY = 1000
LOOK_EVERY_S = 0.1
ONE_BY_ONE = 300


# -------------------------------------------------------------------------------------------------- index files


class OpenedSegment:
    """A segment file as the whole index; each process maps the same one."""

    def __init__(self, path: Path) -> None:
        opened = open_file(path)
        self.index = HashIndex()
        self.index.reopen(ColumnSegment(opened.columns, opened.meta), Changes(1, (TEST_LIST,), empty_batch()))

    def close(self) -> None:
        """Nothing but the mapping is held."""


def open_segment() -> OpenedSegment:
    """What worker processes open, by the name of a file in their environment."""
    return OpenedSegment(Path(os.environ[SEGMENT]))


def measure_index(path: Path, entries: int) -> dict[str, Any]:
    """Builds a segment file, and looks up as uploads do: one picture at a time, in all orientations."""
    build_s = index_bench.build(path, "uniform", entries)
    index = OpenedSegment(path).index
    random = np.random.default_rng(1)
    index.warm()
    taken = []
    for _ in range(LOOKUPS):
        turned = tuple(random.bytes(32) for _ in Orientation)
        fingerprint = Fingerprint(Digests(md5=random.bytes(16)), frames=(Frame(0, turned, 100),))
        started = time.perf_counter()
        index.find(fingerprint, 50)
        taken.append((time.perf_counter() - started) * 1e6)
    return {
        "entries": entries,
        "bytes": path.stat().st_size,
        "bytes_an_entry": round(path.stat().st_size / entries, 1),
        "build_s": round(build_s, 2),
        "build_us_an_entry": round(build_s / entries * 1e6, 3),
        "picture_p50_us": round(float(np.percentile(taken, 50))),
        "picture_p99_us": round(float(np.percentile(taken, 99))),
    }


# ----------------------------------------------------------------------------------------------------- manifests


def write_manifest(folder: Path, rows: int, path: Path) -> float:
    """Random rows of which some are near an entry of the segment file; returns bytes a row."""
    random = np.random.default_rng(rows)
    words = open_file(path).columns["pdq"].view(np.uint8).reshape(-1, 32)
    folder.mkdir()
    per_file = rows // SHARDS
    for number in range(SHARDS):
        pdq = random.integers(0, 256, (per_file, 32), dtype=np.uint8)
        places = np.arange(0, per_file, EVERY)
        pdq[places] = words[random.integers(0, len(words), len(places))]
        pdq[places, 0] ^= 0b111
        table = pa.table(
            {
                "content_id": [f"content-{number * per_file + row:012}" for row in range(per_file)],
                "pdq": pa.array([row.tobytes() for row in pdq], pa.binary(32)),
                "pdq_quality": np.full(per_file, 90, dtype=np.int8),
                "md5": pa.array([random.bytes(16) for _ in range(per_file)], pa.binary(16)),
                "account_id": [f"account-{row % 1000:06}" for row in range(per_file)],
            }
        )
        pq.write_table(table, folder / f"{number}.parquet", compression="zstd")
    return sum(file.stat().st_size for file in folder.iterdir()) / rows


def measure_rows(folder: Path, path: Path, rows: int) -> dict[str, Any]:
    """Seconds of a processor for a million rows, in this process, by how they are read."""
    os.environ[SEGMENT] = str(path)
    row_bytes = write_manifest(folder / "rows", rows, path)
    shards = plan(str(folder / "rows"), MANIFEST, INVENTORY, 1).shards
    measured: dict[str, Any] = {"parquet_bytes_a_row": round(row_bytes, 1)}
    for name, reader in (("embedded", StoreReader()), ("daft", DaftReader())):
        worker = Worker(ManifestTask(open_segment, (), 50, 1), reader, Results(str(folder / name), "0" * 64))
        worker.do(shards[0])  # opens the file, and brings it into memory
        started = time.process_time()
        done = [worker.do(shard) for shard in shards[1:]]
        cpu_s = time.process_time() - started
        measured[f"{name}_cpu_s_per_million_rows"] = round(cpu_s / sum(one.counts["rows"] for one in done) * 1e6, 1)
        worker.close()
        shutil.rmtree(folder / name)
    shutil.rmtree(folder / "rows")
    return measured


@dataclass
class Watch:
    """What a stretch of work took, with all processes that it started.

    Args:
        private, shared: bytes of the largest of those processes: its own, and mapped from files.
    """

    seconds: float = 0.0
    cpu_s: float = 0.0
    private: int = 0
    shared: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Goes on looking at the processes until told to stop. Linux only; elsewhere it sees nothing."""
        while not self.stop.wait(LOOK_EVERY_S):
            for process in children(os.getpid()):
                anonymous, all_of_it = memory_of(process)
                if all_of_it - anonymous > self.shared:
                    self.shared = all_of_it - anonymous
                self.private = max(self.private, anonymous)


def children(of: int) -> Iterator[int]:
    """Processes below one, those below them included."""
    for tasks in Path(f"/proc/{of}/task").glob("*/children"):
        try:
            below = [int(number) for number in tasks.read_text().split()]
        except OSError:
            continue
        for process in below:
            yield process
            yield from children(process)


def memory_of(process: int) -> tuple[int, int]:
    """Bytes of a process that are its own, and all that are in memory; nothing when it is gone."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0, 0
    said = {line.split(":")[0]: int(line.split()[1]) << 10 for line in lines}
    return said.get("Anonymous", 0), said.get("Rss", 0)


@contextmanager
def watched() -> Iterator[Watch]:
    """Counts from here to the end of the `with`."""
    watch = Watch()
    thread = threading.Thread(target=watch.look)
    thread.start()
    started, cpu = time.perf_counter(), cpu_seconds()
    try:
        yield watch
    finally:
        watch.seconds, watch.cpu_s = time.perf_counter() - started, cpu_seconds() - cpu
        watch.stop.set()
        thread.join()


def cpu_seconds() -> float:
    """Of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def engine_of(name: str, workers: int) -> ScanEngine:
    """The engine of that name."""
    return DaftEngine(workers) if name == "daft" else EmbeddedEngine(workers)


def scanned(name: str, workers: int, manifest: Path, results: Path) -> tuple[Watch, Tally]:
    """One comparison, from the plan to the last shard."""
    # By the name of the module, and not as part of what was started, so that other processes find it.
    from benchmarks.scale import open_segment as found_by_name

    task = ManifestTask(found_by_name, (), 50, 1)
    tally = Tally()
    with watched() as watch:
        planned = plan(str(manifest), MANIFEST, INVENTORY, 1)
        kept = begin(planned, task, str(results))
        for outcome in engine_of(name, workers).run(task, planned.shards, kept):
            tally.add(outcome)
    if tally.failed:
        raise SystemExit(f"{tally.failed[0].failure}: {tally.failed[0].reason}")
    return watch, tally


def measure_scans(folder: Path, path: Path, entries: int, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Each engine with the smaller and the larger manifest. All must find the same."""
    os.environ[SEGMENT] = str(path)
    manifests = [folder / f"manifest-{count}" for count in rows]
    for manifest, count in zip(manifests, rows, strict=True):
        write_manifest(manifest, count, path)
    measured, found = [], set()
    for name, workers in ENGINES:
        small, large = (
            scanned(name, workers, manifest, folder / f"results-{name}-{workers}-{count}")
            for manifest, count in zip(manifests, rows, strict=True)
        )
        found.add(json.dumps(sorted(large[1].counts.items())))
        more_rows = large[1].counts["rows"] - small[1].counts["rows"]
        cpu = (large[0].cpu_s - small[0].cpu_s) / more_rows
        seconds = (large[0].seconds - small[0].seconds) / more_rows
        measured.append(
            {
                "entries": entries,
                "engine": name,
                "workers": workers,
                "rows": large[1].counts["rows"],
                "matched": large[1].counts["matched"],
                "rows_per_s": round(1 / seconds),
                "cpu_s_per_million_rows": round(cpu * 1e6, 1),
                "start_cpu_s_a_worker": round((small[0].cpu_s - cpu * small[1].counts["rows"]) / workers, 2),
                "private_bytes_a_worker": large[0].private,
                "shared_bytes_a_worker": large[0].shared,
            }
        )
    if len(found) > 1:
        raise SystemExit("The engines found different things.")
    return measured


# ------------------------------------------------------------------------------------------- ledger and lists


def measure_list(runtime: Runtime, entries: int) -> dict[str, Any]:
    """A list of random PDQ hashes that is imported into the database."""
    random = np.random.default_rng(6)
    drafts = (EntryDraft(line, pdq=random.bytes(32), pdq_quality=100) for line in range(entries))
    definition = ListDefinition(harm_class=HarmClass.OTHER, is_test=True)
    started = time.perf_counter()
    with runtime.database.transaction() as session:
        store.import_entries(session, TEST_LIST.name, drafts, actor=SYSTEM, definition=definition)
    seconds = time.perf_counter() - started
    with runtime.database.transaction() as session:
        size = session.scalar(text("SELECT pg_total_relation_size('entries')"))
    return {"entry_bytes": round((size or 0) / entries), "entries_imported_per_s": round(entries / seconds)}


def measure_ledger(home: Path, rows: int) -> dict[str, Any]:
    """A ledger that is filled in three ways, and a list beside it."""
    with Runtime(Settings(home=home, decoder_processes=1)) as runtime:
        started = time.perf_counter()
        retroscan.fill(runtime, rows)
        copied = time.perf_counter() - started
        with runtime.database.transaction() as session:
            size = sum(part.size for part in partitions(session))
        random = np.random.default_rng(5)
        file = home / "published.jsonl"
        count = max(1000, rows // 10)
        with file.open("w") as lines:
            for number in range(count):
                known = {"content_id": f"i{number}", "sha256": random.bytes(32).hex(), "pdq": random.bytes(32).hex()}
                lines.write(json.dumps({**known, "pdq_quality": 90, "account_id": f"account-{number}"}) + "\n")
        started = time.perf_counter()
        imported = import_file(runtime.rooms, file, "upload")
        import_s = time.perf_counter() - started
        if imported.entered != count:
            raise SystemExit(f"{imported}")
        started, cpu = time.perf_counter(), cpu_seconds()
        for number in range(ONE_BY_ONE):
            arrival = HashArrival(f"u{number}", sha256=random.bytes(32), pdq=random.bytes(32), pdq_quality=90)
            flow.judge_hashes(runtime.rooms, arrival)
        one_by_one, one_by_one_cpu = time.perf_counter() - started, cpu_seconds() - cpu
        listed = measure_list(runtime, count)
    return {
        "rows": rows,
        "bytes_a_row": round(size / rows),
        "copy_rows_per_s": round(rows / copied),
        "import_rows_per_s": round(count / import_s),
        "judged_rows_per_s": round(ONE_BY_ONE / one_by_one),
        "judged_cpu_ms": round(one_by_one_cpu / ONE_BY_ONE * 1000, 2),
        **listed,
    }


# --------------------------------------------------------------------------------------------------------- print


def numbers(given: str) -> tuple[int, ...]:
    """Numbers with commas between."""
    return tuple(int(part) for part in given.split(","))


def show(console: Console, title: str, rows: Sequence[dict[str, Any]]) -> None:
    """A table of what was measured."""
    table = Table(*(name.replace("_", " ") for name in rows[0]), title=title)
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int | float) else str(value) for value in row.values()))
    console.print(table)


def main() -> None:
    """Measures and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=numbers, default=(100_000, 1_000_000))
    parser.add_argument(
        "--rows", type=numbers, default=(16_000, 48_000), help="Of the smaller and the larger manifest."
    )
    parser.add_argument("--ledger-rows", type=int, default=100_000)
    asked = parser.parse_args()
    require_scale("pyarrow", "daft")
    os.environ["PYTHONPATH"] = str(ROOT)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    load_before = os.getloadavg()[0]
    folder = Path(tempfile.mkdtemp(prefix="seawall-bench-"))
    indexes: list[dict[str, Any]] = []
    scans: list[dict[str, Any]] = []
    console = Console(width=160)
    try:
        index_bench.build(folder / "small.segment", "uniform", 20_000)  # compiles
        for entries in asked.entries:
            path = folder / "entries.segment"
            indexes.append(measure_index(path, entries) | measure_rows(folder, path, asked.rows[1]))
            show(console, "Entries in a file, and rows that are compared with them", indexes[-1:])
            if entries == min(asked.entries):
                scans = measure_scans(folder, path, entries, asked.rows)
                show(console, "The engines, from their start", scans)
            path.unlink()
        ledger = measure_ledger(folder / "home", asked.ledger_rows)
    finally:
        stop_postgres(folder / "home")
        shutil.rmtree(folder, ignore_errors=True)
    console.print(f"{machine}; load {load_before:.1f} before and {os.getloadavg()[0]:.1f} after")
    show(console, "The ledger, and a list in the database", [ledger])
    written = ROOT / "benchmarks" / "results" / "scale.json"
    written.parent.mkdir(exist_ok=True)
    document = {"index": indexes, "scans": scans, "ledger": ledger, "machine": machine, "load_before": load_before}
    written.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
