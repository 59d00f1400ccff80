"""Places, plans, shards and results of scans, on folders of this machine."""

from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from seawall.engines.extras import require_scale
from seawall.engines.scanning import places, planning
from seawall.engines.scanning import shards as reading
from seawall.engines.scanning.on_daft import DaftReader
from seawall.engines.scanning.places import Places
from seawall.engines.scanning.planning import Columns, Plan, plan
from seawall.engines.scanning.results import Results, ResultWriter
from seawall.engines.scanning.scans import UNREADABLE_ERRORS
from seawall.engines.scanning.shards import Reader, Shard, StoreReader
from seawall.errors import BadInput, ConfigurationError, Conflict, NotFound, ObjectStoreUnavailable

MANIFEST = Columns({"id": "text", "hash": "hash", "size": "number"}, needed=("id",), one_of=("hash",))
INVENTORY = Columns({"key": "text", "e_tag": "text", "is_latest": "truth"}, needed=("key",), one_of=("e_tag",))


def written(folder: Path, name: str, rows: int, group: int = 10, **columns: pa.Array) -> Path:
    table = {"id": pa.array([f"{name}-{row}" for row in range(rows)]), "hash": pa.nulls(rows, pa.binary()), **columns}
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(table), path, row_group_size=group)
    return path


def read(shard: Shard) -> list[dict[str, object]]:
    return [row for batch in StoreReader().batches(shard) for row in batch.to_pylist()]


def planned(url: Path | str, shard_rows: int = 10) -> Plan:
    return plan(str(url), MANIFEST, INVENTORY, shard_rows)


# ----------------------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("s3://bucket/a b/#c?.parquet", ("s3://bucket", "a b/#c?.parquet")),
        ("s3://bucket", ("s3://bucket", "")),
        ("s3://bucket/folder/", ("s3://bucket", "folder")),
        ("/folder/x.parquet", (None, "/folder/x.parquet")),
        ("file:///folder/a%20b", (None, "/folder/a b")),
    ],
)
def test_addresses(url: str, parts: tuple[str | None, str]) -> None:
    assert places.split(url) == parts


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "s3:///x", "file://host/x", "nowhere://x"])
def test_addresses_of_nothing(url: str) -> None:
    with pytest.raises(ConfigurationError):
        places.split(url)


@pytest.mark.parametrize("url", ["s3://key:secret@bucket/a", "s3://secret@bucket", "gs://user:secret@bucket/x"])
def test_an_address_with_a_secret_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        places.split(url)
    assert "secret" not in f"{caught.value.message}{caught.value.hint}"
    assert places.split("abfss://container@account.dfs.core.windows.net/a")[1] == "a"


@pytest.mark.parametrize("reader", [StoreReader, DaftReader])
def test_a_store_that_is_gone_is_said_without_its_keys(
    reader: type[Reader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key-secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://someone:key-secret@127.0.0.1:9")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    # Daft asks only after the store has said that the file is the same.
    monkeypatch.setattr(Places, "file", lambda _, url: places.FoundFile(url, 10, "v"))
    shard = Shard("s3://bucket/m.parquet", "parquet", ("id",), (0,), 0, 3, 10, "v")
    with capture_logs() as logs, pytest.raises(ObjectStoreUnavailable) as caught:
        list(reader().batches(shard))
    assert logs
    assert "key-secret" not in f"{logs}{caught.value.message}{capfd.readouterr()}"


def test_what_lies_inside_what() -> None:
    assert places.inside("s3://bucket/a/b", "s3://bucket/a")
    assert places.inside("s3://bucket/a", "s3://bucket/a/")
    assert places.inside("s3://bucket/a", "s3://bucket")
    assert not places.inside("s3://bucket/ab", "s3://bucket/a")
    assert not places.inside("s3://other/a/b", "s3://bucket/a")
    assert not places.inside("/a/b", "s3://bucket/a")


def test_a_missing_library_is_named_with_how_to_get_it() -> None:
    require_scale("json")
    with pytest.raises(ConfigurationError, match="no_such_library is not installed") as caught:
        require_scale("json", "no_such_library")
    assert "seawall[scale]" in caught.value.hint


# --------------------------------------------------------------------------------------------------------- plans


@settings(deadline=None)
@given(rows=st.integers(0, 60), group=st.integers(1, 25), shard_rows=st.integers(1, 40))
def test_every_row_is_in_one_shard(
    tmp_path_factory: pytest.TempPathFactory, rows: int, group: int, shard_rows: int
) -> None:
    path = written(tmp_path_factory.mktemp("plan"), "m.parquet", rows, group)
    shards = planned(path, shard_rows).shards
    together = [row["id"] for shard in shards for row in read(shard)]
    assert together == [f"m.parquet-{row}" for row in range(rows)]
    assert [shard.first_row for shard in shards] == [
        sum(one.rows for one in shards[:at]) for at in range(len(shards))
    ]
    assert all(shard.rows <= max(shard_rows + group - 1, group) for shard in shards)
    assert len({shard.digest for shard in shards}) == len(shards)
    assert planned(path, shard_rows).shards == shards
    assert [Shard.from_document(shard.document()) for shard in shards] == list(shards)


def test_a_folder_is_all_that_lies_below_it(tmp_path: Path) -> None:
    written(tmp_path, "b/two.parquet", 3)
    written(tmp_path, "a.parquet", 15, more=pa.nulls(15))
    (tmp_path / "_SUCCESS").touch()
    found = planned(tmp_path)
    assert [(Path(shard.url).name, shard.rows) for shard in found.shards] == [
        ("a.parquet", 10),
        ("a.parquet", 5),
        ("two.parquet", 3),
    ]
    assert found.unused == ("more",)
    assert found.rows == 18


def test_a_manifest_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        planned(tmp_path)
    with pytest.raises(NotFound):
        planned(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("no Parquet")
    with pytest.raises(BadInput, match=r"text\.parquet is no Parquet file"):
        planned(tmp_path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"hash": ["a"]}, "no column id"),
        ({"id": ["a"]}, "none of the columns hash"),
        ({"id": ["a"], "hash": [1.5]}, "hash is double, and not hash"),
        ({"id": ["a"], "hash": ["b"], "size": ["c"]}, "size is string, and not number"),
    ],
)
def test_columns_must_be_there_and_of_their_type(
    tmp_path: Path, table: dict[str, list[object]], message: str
) -> None:
    pq.write_table(pa.table(table), tmp_path / "m.parquet")
    with pytest.raises(BadInput, match=message):
        planned(tmp_path)


@pytest.mark.parametrize("reader", [StoreReader, DaftReader])
def test_a_file_that_changes_is_not_read_as_what_it_was(reader: type[Reader], tmp_path: Path) -> None:
    path = written(tmp_path, "m.parquet", 5)
    (shard,) = planned(path).shards
    written(tmp_path, "m.parquet", 6)
    with pytest.raises(Conflict, match="has changed"):
        list(reader().batches(shard))


@pytest.mark.parametrize("reader", [StoreReader, DaftReader])
def test_a_file_that_changes_while_it_is_read_is_noticed_at_the_end(reader: type[Reader], tmp_path: Path) -> None:
    path = written(tmp_path, "m.parquet", 20)
    (shard,) = planned(path, 20).shards
    batches = reader().batches(shard)
    next(batches)
    written(tmp_path, "other.parquet", 20).replace(path)
    with pytest.raises(Conflict, match="has changed"):
        list(batches)


@pytest.mark.parametrize("reader", [StoreReader, DaftReader])
def test_names_are_taken_as_they_are(reader: type[Reader], tmp_path: Path) -> None:
    for name in ("a b", "a%20b", "a#b", "a?b", "a*b", "[1]", "{1,2}", "ü", "a+b"):
        written(tmp_path, f"{name}.parquet", 1)
    for shard in planned(tmp_path).shards:
        (row,) = [row for batch in reader().batches(shard) for row in batch.to_pylist()]
        assert row["id"] == f"{Path(shard.url).name}-0"


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_file_is_bad_input_or_an_outcome(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    """Wherever bytes are changed, the description at the end included."""
    path = written(tmp_path_factory.mktemp("damaged"), "m.parquet", 40)
    data = bytearray(path.read_bytes())
    for place, value in changes:
        data[-1 - place % len(data)] = value
    path.write_bytes(data)
    try:
        shards = planned(path).shards
    except BadInput:
        return
    for shard in shards:
        try:
            read(shard)
        except UNREADABLE_ERRORS:
            continue


def test_a_row_group_that_no_memory_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "m.parquet", 50, group=50)
    monkeypatch.setattr(planning, "LARGEST_ROW_GROUP", 100)
    with pytest.raises(BadInput, match="row group"):
        planned(path)


# --------------------------------------------------------------------------------------------------- inventories


def inventory(folder: Path, form: str, files: list[Path], schema: str = "Bucket, Key, IsLatest, ETag") -> Path:
    document = {
        "sourceBucket": "photos",
        "fileFormat": form,
        "fileSchema": schema,
        "files": [{"key": str(file.relative_to(folder)), "size": file.stat().st_size} for file in files],
    }
    path = folder / "photos" / "daily" / "2026-01-01" / "manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def packed(folder: Path, name: str, lines: list[str]) -> Path:
    path = folder / "photos" / "daily" / "data" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def test_an_inventory_as_csv(tmp_path: Path) -> None:
    first = packed(
        tmp_path, "1.csv.gz", ['"photos","a%20b","true","x"', '"photos","two\nlines","true",""', '"short"']
    )
    second = packed(tmp_path, "2.csv.gz", [])
    found = planned(inventory(tmp_path, "CSV", [first, second]))
    assert found.is_inventory
    assert [shard.columns for shard in found.shards] == [("bucket", "key", "is_latest", "e_tag")] * 2
    assert found.unused == ("bucket",)
    rows = read(found.shards[0])
    assert [row["key"] for row in rows] == ["a%20b", "two\nlines", None], "a row of the wrong width says nothing"
    assert rows[0]["e_tag"] == "x"
    assert read(found.shards[1]) == []


def test_an_inventory_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    whole = packed(tmp_path, "1.csv.gz", [f'"photos","key-{row}","true","x"' for row in range(5000)])
    whole.write_bytes(whole.read_bytes()[:-20])
    (shard,) = planned(inventory(tmp_path, "CSV", [whole])).shards
    with pytest.raises(EOFError):
        read(shard)


def test_an_inventory_with_a_column_twice(tmp_path: Path) -> None:
    file = packed(tmp_path, "1.csv.gz", ['"a","b","c"'])
    with pytest.raises(BadInput, match="a column more than once"):
        planned(inventory(tmp_path, "CSV", [file], schema="Key, ETag, Key"))


def test_an_inventory_as_parquet(tmp_path: Path) -> None:
    file = tmp_path / "photos" / "daily" / "data" / "1.parquet"
    file.parent.mkdir(parents=True)
    pq.write_table(pa.table({"bucket": ["photos"], "key": ["a"], "e_tag": ["x"], "is_latest": [True]}), file)
    found = planned(inventory(tmp_path, "Parquet", [file], schema="message s3.inventory { }"))
    assert found.is_inventory
    assert read(found.shards[0]) == [{"key": "a", "e_tag": "x", "is_latest": True}]


def test_an_inventory_without_an_end_of_line_is_not_read_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = packed(tmp_path, "1.csv.gz", ["x" * 5000])
    (shard,) = planned(inventory(tmp_path, "CSV", [endless])).shards
    monkeypatch.setattr(reading, "LONGEST_LINE", 1000)
    with pytest.raises(ValueError, match="A line has 1000 characters"):
        read(shard)


def test_an_inventory_names_files_of_the_size_that_they_have(tmp_path: Path) -> None:
    file = packed(tmp_path, "1.csv.gz", ['"photos","a","true","x"'])
    manifest = inventory(tmp_path, "CSV", [file])
    packed(tmp_path, "1.csv.gz", ['"photos","a","true","x"'] * 9)
    with pytest.raises(Conflict, match="the inventory says"):
        planned(manifest)


@pytest.mark.parametrize("key", ["../secret.csv.gz", "/etc/secret.csv.gz", "a/./b", "a//b", "a/../../b", "a\0b", ""])
def test_an_inventory_leads_nowhere_else(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret.csv.gz").write_bytes(gzip.compress(b'"photos","a","true","x"'))
    path = inventory(tmp_path / "copy", "CSV", [])
    path.write_text(json.dumps({"fileFormat": "CSV", "fileSchema": "Bucket, Key, ETag", "files": [{"key": key}]}))
    with pytest.raises(BadInput, match="by a way that S3 does not use"):
        planned(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no manifest.json"),
        ('{"files": [{"key": "a"}], "fileSchema": "Key, ETag"}', "is no manifest.json"),
        ('{"files": [{"key": "a"}], "fileSchema": "Key, ETag", "fileFormat": ["CSV"]}', "is no manifest.json"),
        ('{"files": "ab", "fileSchema": "Key, ETag", "fileFormat": "CSV"}', "is no manifest.json"),
        (
            '{"files": [{"key": "a"}, {"key": "a"}], "fileSchema": "Key, ETag", "fileFormat": "CSV"}',
            "names a file more than once",
        ),
        ("[]", "is no manifest.json"),
        ('{"files": [], "fileSchema": "Key", "fileFormat": "CSV"}', "is no manifest.json"),
        ('{"files": [{"key": 5}], "fileSchema": "Key", "fileFormat": "CSV"}', "is no manifest.json"),
        ('{"files": [{"key": "a"}], "fileSchema": "Key", "fileFormat": "ORC"}', "written as ORC"),
    ],
)
def test_an_inventory_must_be_one(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=message):
        planned(path)


# ------------------------------------------------------------------------------------------------------- results

SCHEMA = pa.schema([("found", pa.string())])
SHARD = Shard("/m.parquet", "parquet", ("id",), (0,), 0, 3, 10, "v")
OTHER = Shard("/m.parquet", "parquet", ("id",), (1,), 3, 3, 10, "v")


def product(shard: Shard, *found: str) -> bytes:
    writer = ResultWriter(shard, SCHEMA)
    writer.add(pa.table({"found": list(found)}, schema=SCHEMA))
    return writer.finish({"rows": len(found)})


def test_a_result_is_put_once_and_the_first_stands(tmp_path: Path) -> None:
    results = Results(str(tmp_path / "r"), "0" * 64)
    assert results.counts_of(SHARD) is None
    assert results.put(SHARD, product(SHARD, "a", "b"), {"rows": 2}) == {"rows": 2}
    assert results.put(SHARD, product(SHARD, "c"), {"rows": 1}) == {"rows": 2}
    assert results.counts_of(SHARD) == {"rows": 2}
    assert results.table_of(SHARD).column("found").to_pylist() == ["a", "b"]
    assert results.counts_of(OTHER) is None
    sent = pickle.loads(pickle.dumps(results))
    assert sent.counts_of(SHARD) == {"rows": 2}


def test_the_same_findings_are_the_same_bytes() -> None:
    assert product(SHARD, "a", "b") == product(SHARD, "a", "b")
    assert product(SHARD, "a", "b") != product(OTHER, "a", "b")


def test_results_of_another_scan_are_not_mistaken(tmp_path: Path) -> None:
    Results(str(tmp_path), "0" * 64).put(SHARD, product(SHARD, "a"), {"rows": 1})
    assert Results(str(tmp_path), "1" * 64).counts_of(SHARD) is None


@pytest.mark.parametrize("data", [b"", b"PAR1", product(OTHER, "a")], ids=["empty", "cut off", "of another shard"])
def test_what_is_no_result_is_not_taken_for_one(tmp_path: Path, data: bytes) -> None:
    results = Results(str(tmp_path), "0" * 64)
    path = tmp_path / results.name_of(SHARD)
    path.parent.mkdir()
    path.write_bytes(data)
    with pytest.raises(Conflict):
        results.counts_of(SHARD)
    with pytest.raises(Conflict):
        results.put(SHARD, product(SHARD, "a"), {"rows": 1})
    assert path.read_bytes() == data


@pytest.mark.parametrize("counts", ["[]", "3", '{"rows": "many"}', '{"rows": 1.5}', "{"])
def test_counts_are_numbers(tmp_path: Path, counts: str) -> None:
    results = Results(str(tmp_path), "0" * 64)
    said = {b"seawall.shard": SHARD.digest.encode(), b"seawall.counts": counts.encode()}
    (tmp_path / "shards").mkdir()
    pq.write_table(pa.table({"found": ["a"]}).replace_schema_metadata(said), tmp_path / results.name_of(SHARD))
    with pytest.raises(Conflict, match="is not what this scan wrote there"):
        results.counts_of(SHARD)


def test_a_result_whose_rows_are_damaged_is_said(tmp_path: Path) -> None:
    results = Results(str(tmp_path), "0" * 64)
    results.put(SHARD, product(SHARD, *"abcdef"), {"rows": 6})
    path = tmp_path / results.name_of(SHARD)
    data = bytearray(path.read_bytes())
    data[4:40] = bytes(36)
    path.write_bytes(data)
    assert results.counts_of(SHARD) == {"rows": 6}
    with pytest.raises(Conflict, match="is not what this scan wrote there"):
        results.table_of(SHARD)


def test_a_folder_for_results_is_private(tmp_path: Path) -> None:
    Results(str(tmp_path / "r"), "0" * 64).note("scan.json", {"a": 1})
    assert (tmp_path / "r").stat().st_mode & 0o777 == 0o700


def test_notes_stay_as_they_were_first(tmp_path: Path) -> None:
    results = Results(str(tmp_path), "0" * 64)
    assert results.note("scan.json", {"a": 1}) == {"a": 1}
    assert results.note("scan.json", {"a": 2}) == {"a": 1}


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff"])
def test_a_note_that_is_none_is_not_gone_by(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "scan.json").write_bytes(data)
    with pytest.raises(Conflict, match="is not what this scan wrote there"):
        Results(str(tmp_path), "0" * 64).note("scan.json", {"a": 1})


def test_other_lines_are_not_taken_for_these(tmp_path: Path) -> None:
    results = Results(str(tmp_path), "0" * 64)
    first = results.put_lines("matched-1.jsonl", ["a", "b"])
    assert results.put_lines("matched-1.jsonl", ["a", "b"]) == first
    with pytest.raises(Conflict, match="is not what this scan wrote there"):
        results.put_lines("matched-1.jsonl", ["a"])
    assert Path(first).read_text() == "a\nb\n"
