"""The steps of docs/scale.md, as they are written there; and a scan that is killed and goes on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import obstore
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from obstore.store import LocalStore

from seawall.errors import ExitStatus
from tests.acceptance.server import environment, seawall
from tests.integration.engines.s3_server import BUCKET, S3Server
from tests.integration.engines.test_scan import bucket

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
NEAR = "0f1e2d3c4b5a697f" + "0f1e2d3c4b5a6978" * 3
FILES, ROWS = 6, 1500
LIMIT_S = 240


def block(language: str, containing: str) -> str:
    """The one fenced block of the page in this language that contains these words."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    (found,) = [text for text in blocks if containing in text]
    return str(found)


@pytest.fixture
def listed(home: Path) -> Path:
    """A home with a test list that has something near the first content of the page's manifest."""
    file = home / "list.csv"
    file.write_text(f"pdq,pdq_quality\n{NEAR},100\n")
    seawall(home, "lists", "import", str(file), "--name", "Test list", "--trust", "trusted", "--test")
    return home


def run(script: str, home: Path, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """What a person types, in a shell where `seawall` is a command."""
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env=environment(home, PATH=path, **more),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


@pytest.mark.timeout(600)
def test_the_steps_of_the_page(listed: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", block("python", "manifest/part-1.parquet")], cwd=tmp_path, check=True)
    ran = run(block("sh", "--manifest manifest"), listed, tmp_path)
    assert ran.returncode == ExitStatus.MATCHED, ran.stderr
    assert "3 rows: 2 compared" in ran.stdout
    assert "1 matched, 1 scan owed" in ran.stdout
    assert "seawall ledger import" in ran.stdout
    summary = json.loads((tmp_path / "findings" / "summary.json").read_text())
    assert (summary["matched"], summary["scan_owed_by_reason"]) == (1, {"no_hash": 1})
    ran = run(block("sh", "ledger import"), listed, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("1 read: 1 entered, of which 1 are held or blocked")

    folder = tmp_path / "s3"
    folder.mkdir()
    with S3Server(folder) as server:
        data = (tmp_path / "manifest" / "part-1.parquet").read_bytes()
        obstore.put(bucket(server), "manifest/part-1.parquet", data)
        ran = run(block("sh", "--engine daft"), listed, tmp_path, **server.environment, BUCKET=BUCKET)
        assert ran.returncode == ExitStatus.MATCHED, ran.stderr
        in_bucket = json.loads(bytes(obstore.get(bucket(server), "findings/summary.json").bytes()))
        assert in_bucket == summary
        for secret in ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"):
            assert server.environment[secret] not in ran.stdout + ran.stderr
    # Those of Daft are told to end, and not waited for very long.
    _, alive = psutil.wait_procs(list(leftover(listed)), timeout=240)
    assert alive == []


def leftover(home: Path) -> Iterator[psutil.Process]:
    """Processes of this home that still run, PostgreSQL's aside."""
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("SEAWALL_HOME") == str(home)
        except psutil.Error:
            continue
        if mine and process.name() != "postgres":
            yield process


def write_manifest(folder: Path) -> None:
    """Files that take a moment each; in each of them one content is on the list."""
    random = np.random.default_rng(1)
    folder.mkdir()
    for number in range(FILES):
        pdq = [random.bytes(32) for _ in range(ROWS)]
        pdq[number] = bytes.fromhex(NEAR)
        names = [f"content-{number}-{row}" for row in range(ROWS)]
        pq.write_table(
            pa.table({"content_id": names, "pdq": pa.array(pdq, pa.binary(32))}), folder / f"{number}.parquet"
        )


@pytest.mark.timeout(600)
def test_a_scan_that_is_killed_goes_on_where_it_was(listed: Path, tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest")
    command = ["retroscan", "--manifest", str(tmp_path / "manifest"), "--workers", "2", "--results"]
    killed = subprocess.Popen(
        [sys.executable, "-m", "seawall.cli.main", *command, str(tmp_path / "killed")],
        env=environment(listed),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    shards = tmp_path / "killed" / "shards"
    limit = time.monotonic() + LIMIT_S
    while not (shards.is_dir() and list(shards.glob("*.parquet"))):
        assert killed.poll() is None, "it ended before it had anything to show"
        assert time.monotonic() < limit
        time.sleep(0.01)
    workers = psutil.Process(killed.pid).children(recursive=True)
    killed.kill()
    killed.wait(240)
    _, alive = psutil.wait_procs([each for each in workers if each.name() != "postgres"], timeout=240)
    assert alive == [], "workers end when nobody is there to hand them shards"
    before = {path.name: path.stat().st_mtime_ns for path in shards.glob("*.parquet")}
    assert not (tmp_path / "killed" / "summary.json").exists() or len(before) == FILES

    again = seawall(listed, *command, str(tmp_path / "killed"), check=False)
    assert again.returncode == ExitStatus.MATCHED, again.stderr
    after = {path.name: path.stat().st_mtime_ns for path in shards.glob("*.parquet")}
    assert len(after) == FILES
    assert {name: after[name] for name in before} == before, "what was done is not done again"
    whole = seawall(listed, *command, str(tmp_path / "whole"), check=False)
    assert whole.returncode == ExitStatus.MATCHED, whole.stderr
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    lines = (tmp_path / "killed" / "matched-1.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["content_id"] for line in lines) == [f"content-{n}-{n}" for n in range(FILES)]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder of results."""
    store = LocalStore(folder)
    names = [found["path"] for page in obstore.list(store) for found in page if found["path"] != "scan.json"]
    return {name: bytes(obstore.get(store, name).bytes()) for name in names}
