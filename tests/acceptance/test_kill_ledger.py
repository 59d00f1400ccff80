"""kill -9 while the ledger's files are built, and in a walk through them: they are made anew, every late match was
acted on, and each once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from seawall.database.sessions import Database
from seawall.database.tables import OutboxMessage, Walk
from seawall.engines import postgres
from seawall.evidence import audit
from seawall.settings import Settings
from tests.acceptance.server import ServerProcess, make_key, seawall
from tests.acceptance.test_kill import wait_until
from tests.acceptance.test_kill_walk import LONGEST_WAIT_S, states

KILLING = Path(__file__).with_name("killed_ledger.py")
KNOWN = {f"c{number}": hashlib.sha256(f"harmless text {number}".encode()).hexdigest() for number in range(20)}


def rows_in_files(home: Path) -> int:
    manifest = home / "index" / "ledger" / "manifest.json"
    return sum(file["rows"] for file in json.loads(manifest.read_text())["files"]) if manifest.exists() else 0


@pytest.mark.timeout(900)
def test_killed_in_a_build_and_in_a_walk(home: Path) -> None:
    key = make_key(home)
    seawall(home, "webhooks", "add", "http://127.0.0.1:9/hooks")
    server = ServerProcess(home, script=KILLING, FEWEST="20", KILL_AT="build").wait_ready()
    for content_id, sha256 in KNOWN.items():
        document = {"content_id": content_id, "account_id": f"account-{content_id}", "sha256": sha256}
        answer = httpx.post(
            f"{server.url}/v1/hashes", json=document, headers={"Authorization": f"Bearer {key}"}, timeout=120
        )
        assert answer.json()["verdict"] == "allow"
    assert server.process.wait(120) == -9, server.output
    assert rows_in_files(home) == 0

    with ServerProcess(home, script=KILLING, FEWEST="20", KILL_AT=""):
        wait_until(lambda: rows_in_files(home) == 20, "the files", LONGEST_WAIT_S)
    assert len(list((home / "index" / "ledger").glob("ledger-*"))) == 1
    listed = home / "list.csv"
    listed.write_text("sha256\n" + "".join(f"{sha256}\n" for sha256 in KNOWN.values()))
    seawall(home, "lists", "import", str(listed), "--name", "Test list", "--trust", "trusted", "--test")
    database = Database(postgres.embedded(Settings(home=home, decoder_processes=1)))
    server = ServerProcess(home, script=KILLING, FEWEST="20", KILL_AT="walk")
    assert server.process.wait(120) == -9, server.output
    assert states(database) == {"blocked": 7, "published": 13}

    with ServerProcess(home, script=KILLING, FEWEST="20", KILL_AT=""):
        wait_until(lambda: states(database) == {"blocked": 20}, "every late match", LONGEST_WAIT_S)
    with database.transaction() as session:
        told = [(row.event, row.payload["data"]["content_id"]) for row in session.scalars(select(OutboxMessage))]
        assert sorted(told) == sorted(("content.remove", content_id) for content_id in KNOWN)
        (done,) = session.scalars(select(Walk.done).where(Walk.reason == "list change", Walk.state != "replaced"))
        assert any("ledger-" in key for key in done)
        assert audit.verify(session).ok
    database.close()
    postgres.stop(Settings(home=home, decoder_processes=1))
