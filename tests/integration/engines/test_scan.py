"""Scans of a store in shards: both engines find the same, and what dies on the way costs nothing but time."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from obstore.store import S3Store

from seawall.database.sessions import Database
from seawall.engines.scanning.embedded import EmbeddedEngine
from seawall.engines.scanning.on_daft import DaftEngine, DaftReader
from seawall.engines.scanning.planning import plan
from seawall.engines.scanning.results import Results
from seawall.engines.scanning.scans import TRIES, WORKER_DIED, Outcome, ScanEngine
from seawall.engines.scanning.shards import Shard, StoreReader
from seawall.errors import Conflict
from seawall.matching.manifests import INVENTORY, MANIFEST
from seawall.records import EntryDraft
from seawall.settings import Settings
from tests.integration.engines import manifests
from tests.integration.engines.manifests import World, met, put_list, scan, task_of
from tests.integration.engines.s3_server import BUCKET, KEY_ID, SECRET, S3Server
from tests.integration.engines.trouble import Copying, Here

WORKERS = 2
ENGINES = pytest.mark.parametrize("engine", [EmbeddedEngine(WORKERS), DaftEngine(WORKERS)], ids=["embedded", "daft"])
# How each engine reads, in this process: starting others takes seconds, and what they do is the same.
READERS = pytest.mark.parametrize("engine", [Here(StoreReader()), Here(DaftReader())], ids=["embedded", "daft"])
HERE = Here(StoreReader())


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    """One S3 server for this file."""
    folder = Path(tempfile.mkdtemp(prefix="seawall-s3-"))
    try:
        with S3Server(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def known(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> World:
    """A list in the database, which worker processes find by their environment, and a store to scan."""
    monkeypatch.setenv("SEAWALL_HOME", str(settings.home))
    monkeypatch.setenv("SEAWALL_DATABASE_URL", database.url)
    world = manifests.world()
    put_list(database, world.drafts)
    return world


@pytest.fixture
def folder(tmp_path: Path, known: World) -> str:
    """The manifest in a folder of this machine."""
    return manifests.write_manifest(tmp_path / "manifest", known.rows)


def bucket(server: S3Server) -> S3Store:
    return S3Store(
        BUCKET,
        endpoint=server.url,
        access_key_id=KEY_ID,
        secret_access_key=SECRET,
        client_options={"allow_http": True},
    )


# ------------------------------------------------------------------------------------------------ the same findings


def test_on_s3_both_engines_find_the_same(
    server: S3Server, database: Database, known: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    store = bucket(server)
    for name, data in manifests.manifest_files(known.rows).items():
        obstore.put(store, f"platform/a manifest/{name}", data)
    task, url = task_of(database), f"s3://{BUCKET}/platform/a manifest"
    embedded = scan(EmbeddedEngine(WORKERS), task, url, f"s3://{BUCKET}/results/embedded")
    daft = scan(DaftEngine(WORKERS), task, url, f"s3://{BUCKET}/results/daft")
    assert len(embedded.planned.shards) == 12
    assert met(embedded.table) == known.expected
    assert embedded.table.equals(daft.table)
    assert embedded.tally == daft.tally
    assert embedded.tally.counts["rows"] == len(known.rows)
    names = [
        [one["path"] for page in obstore.list(store, f"results/{one}/shards") for one in page]
        for one in ("embedded", "daft")
    ]
    assert len(names[0]) == 12
    for ours, theirs in zip(*map(sorted, names), strict=True):
        assert bytes(obstore.get(store, ours).bytes()) == bytes(obstore.get(store, theirs).bytes())


@READERS
def test_rows_that_cannot_be_compared_are_named(
    engine: ScanEngine, database: Database, known: World, folder: str, tmp_path: Path
) -> None:
    done = scan(engine, task_of(database), folder, str(tmp_path / "r"))
    other = [row for row in done.table.to_pylist() if row["finding"] != "match"]
    expected = {}
    for number, row in enumerate(known.rows):
        place = (f"part-{number // manifests.ROWS}.parquet", number % manifests.ROWS + 1)
        if row["pdq"] == "not a hash":
            expected[place] = ("bad", "pdq_wrong_length", row["content_id"])
        elif row["pdq"] is None and row["md5"] is None:
            expected[place] = ("owed", "no_hash", row["content_id"])
    assert len(expected) > 20
    said = {(Path(row["file"]).name, row["row"]): (row["finding"], row["reason"], row["content_id"]) for row in other}
    assert said == expected


def test_what_matched_can_be_handed_to_the_ledger(
    database: Database, known: World, folder: str, tmp_path: Path
) -> None:
    done = scan(HERE, task_of(database), folder, str(tmp_path / "r"))
    (file,) = done.written
    lines = [json.loads(line) for line in Path(file).read_text().splitlines()]
    by_name = {row["content_id"]: row for row in known.rows}
    assert [line["content_id"] for line in lines] == sorted(known.expected)
    for line in lines:
        assert line == {name: value for name, value in by_name[line["content_id"]].items() if value is not None}
    summary = json.loads((tmp_path / "r" / "summary.json").read_text())
    assert (summary["rows"], summary["matched"]) == (len(known.rows), len(known.expected))


# ------------------------------------------------------------------------------------------- what dies on the way


@dataclass(frozen=True)
class Bench:
    """Shards of rows that only need to be copied, in a folder where nothing else is."""

    folder: Path
    shards: tuple[Shard, ...]

    def run(self, engine: ScanEngine, task: Copying) -> dict[Shard, Outcome]:
        outcomes = list(engine.run(task, self.shards, self.results))
        assert len(outcomes) == len(self.shards), "one outcome for each shard"
        return {outcome.shard: outcome for outcome in outcomes}

    @property
    def results(self) -> Results:
        return Results(str(self.folder / "r"), "0" * 64)

    def copied(self) -> list[str]:
        """All names that were copied, in the order of the shards."""
        tables = [self.results.table_of(shard) for shard in self.shards if self.results.counts_of(shard) is not None]
        return [name for table in tables for name in table.column("content_id").to_pylist()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Four shards of one file."""
    names = [f"content-{number}" for number in range(40)]
    pq.write_table(pa.table({"content_id": names, "md5": pa.nulls(40)}), tmp_path / "m.parquet", row_group_size=10)
    (tmp_path / "marks").mkdir()
    return Bench(tmp_path, plan(str(tmp_path / "m.parquet"), MANIFEST, INVENTORY, 10).shards)


@ENGINES
def test_killed_workers_cost_their_shards_a_second_try(engine: ScanEngine, bench: Bench) -> None:
    task = Copying(bench.folder / "marks", (bench.shards[1].digest,))
    outcomes = bench.run(engine, task)
    assert task.deaths(bench.shards[1]) == 1
    assert {outcome.failure for outcome in outcomes.values()} == {None}
    assert [outcome.counts for outcome in outcomes.values()] == [{"rows": 10}] * 4
    assert bench.copied() == [f"content-{number}" for number in range(40)], "each row once, in its place"


@ENGINES
def test_a_shard_that_kills_every_worker_is_said_and_the_others_are_done(engine: ScanEngine, bench: Bench) -> None:
    poison = bench.shards[2]
    task = Copying(bench.folder / "marks", (poison.digest,), always=True)
    outcomes = bench.run(engine, task)
    assert {shard: outcome.failure for shard, outcome in outcomes.items()} == {
        shard: WORKER_DIED if shard == poison else None for shard in bench.shards
    }
    assert task.deaths(poison) >= TRIES
    assert bench.copied() == [f"content-{number}" for number in range(40) if number // 10 != 2]
    # The same again, with what killed them out of the way: only what is missing is done.
    before = {path: path.stat().st_mtime_ns for path in (bench.folder / "r" / "shards").iterdir()}
    again = bench.run(HERE, Copying(bench.folder / "marks"))
    assert len(before) == 3
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert {outcome.failure for outcome in again.values()} == {None}
    assert bench.copied() == [f"content-{number}" for number in range(40)]


@READERS
def test_a_file_that_is_damaged_costs_its_shards_alone(
    engine: ScanEngine, database: Database, known: World, folder: str, tmp_path: Path
) -> None:
    path = Path(folder) / "part-1.parquet"
    data = bytearray(path.read_bytes())
    data[20:2000] = bytes(1980)  # in the first row group; the description at the end stays
    path.write_bytes(data)
    done = scan(engine, task_of(database), folder, str(tmp_path / "r"))
    assert {(Path(bad.shard.url).name, bad.shard.first_row) for bad in done.tally.failed} == {("part-1.parquet", 0)}
    assert done.tally.shards == 12
    inside = set(known.expected) & {str(row["content_id"]) for row in known.rows[400:500]}
    assert set(met(done.table)) == set(known.expected) - inside


def test_results_of_another_scan_are_left_alone(
    database: Database, known: World, folder: str, tmp_path: Path
) -> None:
    task, url = task_of(database), str(tmp_path / "r")
    scan(HERE, task, folder, url)
    path = Path(folder) / "part-1.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(Conflict, match="another scan"):
        scan(HERE, task, folder, url)


def test_a_scan_goes_on_though_the_lists_have_changed_and_says_so(
    database: Database, known: World, folder: str, tmp_path: Path
) -> None:
    task, url = task_of(database), str(tmp_path / "r")
    first = scan(HERE, task, folder, url)
    put_list(database, manifests.world(2).drafts, "Another test list")
    for path in list((tmp_path / "r" / "shards").iterdir())[:3]:
        path.unlink()
    again = scan(HERE, task_of(database), folder, url)
    assert again.tally.generation == first.tally.generation == task.generation
    assert met(again.table) == known.expected


def test_what_was_handed_on_before_is_not_taken_for_what_is_found_now(
    database: Database, known: World, folder: str, tmp_path: Path
) -> None:
    task, url = task_of(database), str(tmp_path / "r")
    scan(HERE, task, folder, url)
    new = next(row for row in known.rows if row["content_id"] not in known.expected and row["md5"])
    put_list(database, [EntryDraft(1, md5=bytes.fromhex(str(new["md5"])))], "Another test list")
    for path in (tmp_path / "r" / "shards").iterdir():
        path.unlink()
    with pytest.raises(Conflict, match=r"matched-1\.jsonl is not what this scan wrote there"):
        scan(HERE, task_of(database), folder, url)


# ------------------------------------------------------------------------------------------------- S3 inventories


@READERS
@pytest.mark.parametrize("form", ["Parquet", "CSV"])
def test_the_inventory_of_a_bucket(
    engine: ScanEngine, form: str, database: Database, known: World, tmp_path: Path
) -> None:
    listed = [draft.md5.hex() for draft in known.drafts[:2] if draft.md5]
    table = pa.table(
        {
            "bucket": ["photos"] * 5,
            "key": ["a b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg"],
            "e_tag": [listed[0], f"{listed[1]}-2", listed[1], "ab" * 16, "cd" * 16],
            "encryption_status": ["NOT-SSE", "NOT-SSE", "SSE-KMS", "SSE-S3", ""],
        }
    )
    manifest = inventory(tmp_path / "copy", table, form)
    done = scan(engine, task_of(database, is_inventory=True), manifest, str(tmp_path / "r"))
    said = [(row["finding"], row["reason"], row["content_id"]) for row in done.table.to_pylist()]
    assert sorted(said, key=str) == [
        ("match", None, "a b.jpg"),
        ("match", None, "d.jpg"),
        ("owed", "etag_of_encrypted", "d.jpg"),
        ("owed", "etag_of_parts", "c.jpg"),
        ("owed", "etag_of_unknown", "f.jpg"),
    ]
    assert done.tally.counts["rows"] == 5


def inventory(folder: Path, table: pa.Table, form: str) -> str:
    """An inventory report as a person would have copied it from the bucket."""
    import gzip
    from urllib.parse import quote_plus

    data = folder / "photos" / "daily" / "data"
    data.mkdir(parents=True)
    if form == "Parquet":
        pq.write_table(table, data / "1.parquet")
        name, schema = "1.parquet", "message s3.inventory { required binary bucket (UTF8); }"
    else:
        rows = [{**row, "key": quote_plus(row["key"])} for row in table.to_pylist()]
        lines = "".join(",".join(f'"{value}"' for value in row.values()) + "\n" for row in rows)
        (data / "1.csv.gz").write_bytes(gzip.compress(lines.encode()))
        name, schema = "1.csv.gz", "Bucket, Key, ETag, EncryptionStatus"
    document = {"fileFormat": form, "fileSchema": schema, "files": [{"key": f"photos/daily/data/{name}"}]}
    path = folder / "photos" / "daily" / "2026-01-01T00-00Z" / "manifest.json"
    path.parent.mkdir()
    path.write_text(json.dumps(document))
    return str(path)
