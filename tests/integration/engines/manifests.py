"""A list and a store to scan for it, made of random numbers: nothing in it is a picture of anything."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seawall.database.sessions import Database
from seawall.engines.scanning.planning import Plan, plan
from seawall.engines.scanning.scans import ScanEngine
from seawall.hashlists import store
from seawall.hashlists.store import ListDefinition
from seawall.matching.manifest_results import Tally, begin, finish
from seawall.matching.manifest_scan import ManifestTask
from seawall.matching.manifests import INVENTORY, MANIFEST
from seawall.matching.standing_index import open_from_environment
from seawall.records import SYSTEM, EntryDraft, HarmClass, Trust
from tests.unit.matching.model import flipped

ROWS, GROUP_ROWS, FILES = 400, 100, 3
TEST_LIST = "Test list"


@dataclass(frozen=True)
class World:
    """What a list knows, and where each of it is met: by name of the content, the distance or None for exact."""

    drafts: list[EntryDraft]
    rows: list[dict[str, object]]
    expected: dict[str, int | None]


def world(seed: int = 1) -> World:
    """40 entries, and a manifest in which every tenth row meets one."""
    chance = random.Random(seed)
    drafts = [EntryDraft(n, pdq=chance.randbytes(32), pdq_quality=100, md5=chance.randbytes(16)) for n in range(40)]
    rows: list[dict[str, object]] = []
    expected: dict[str, int | None] = {}
    for number in range(ROWS * FILES):
        name = f"content-{number:05}"
        row: dict[str, object] = {
            "content_id": name,
            "pdq": chance.randbytes(32).hex(),
            "pdq_quality": 100,
            "md5": chance.randbytes(16).hex(),
            "account_id": f"account-{number % 7}",
        }
        entry = chance.choice(drafts)
        assert entry.pdq is not None
        assert entry.md5 is not None
        if number % 20 == 0:
            away = chance.randrange(32)
            row["pdq"] = flipped(entry.pdq, chance.sample(range(256), away)).hex()
            expected[name] = away
        elif number % 20 == 10:
            row["md5"] = entry.md5.hex()
            expected[name] = None
        elif number % 50 == 7:
            row["pdq"] = row["md5"] = None
        elif number % 50 == 9:
            row["pdq"] = "not a hash"
        rows.append(row)
    return World(drafts, rows, expected)


def put_list(database: Database, drafts: Iterable[EntryDraft], name: str = TEST_LIST) -> None:
    definition = ListDefinition(source=name, trust=Trust.STANDARD, harm_class=HarmClass.OTHER, is_test=True)
    with database.transaction() as session:
        store.import_entries(session, name, drafts, actor=SYSTEM, definition=definition)


def manifest_files(rows: Sequence[dict[str, object]]) -> dict[str, bytes]:
    """The rows as Parquet files of several row groups."""
    files = {}
    for number in range(FILES):
        some = list(rows[number * ROWS : (number + 1) * ROWS])
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(some), sink, row_group_size=GROUP_ROWS)
        files[f"part-{number}.parquet"] = sink.getvalue().to_pybytes()
    return files


def write_manifest(folder: Path, rows: Sequence[dict[str, object]]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in manifest_files(rows).items():
        (folder / name).write_bytes(data)
    return str(folder)


@dataclass(frozen=True)
class Scan:
    """What a scan came to."""

    planned: Plan
    table: pa.Table
    tally: Tally
    written: list[str]


def task_of(database: Database, *, is_inventory: bool = False) -> ManifestTask:
    generation = open_generation(database)
    return ManifestTask(open_from_environment, (), 50, generation, is_inventory)


def open_generation(database: Database) -> int:
    from seawall.matching.loading import newest_change

    with database.transaction() as session:
        return newest_change(session)


def scan(engine: ScanEngine, task: ManifestTask, manifest: str, url: str) -> Scan:
    """Compares a manifest in shards of one row group."""
    planned = plan(manifest, MANIFEST, INVENTORY, GROUP_ROWS)
    results = begin(planned, task, url)
    tally = Tally()
    for outcome in engine.run(task, planned.shards, results):
        tally.add(outcome)
    written = [] if tally.failed else finish(results, planned.shards, tally, ())
    done = [shard for shard in planned.shards if results.counts_of(shard) is not None]
    return Scan(planned, sorted_table(pa.concat_tables([results.table_of(shard) for shard in done])), tally, written)


def sorted_table(table: pa.Table) -> pa.Table:
    keys = [(name, "ascending") for name in ("file", "row", "finding", "reason", "entry_id")]
    return table.take(pc.sort_indices(table, sort_keys=keys))


def met(table: pa.Table) -> dict[str, int | None]:
    """As `World.expected`: what met an entry, and how near."""
    matches = table.filter(pc.field("finding") == "match").to_pylist()
    return {row["content_id"]: None if row["kind"] == "exact" else row["distance"] for row in matches}
