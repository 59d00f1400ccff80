"""kill -9 while a removed list's holds are taken back: after the restart all of it was, and each once."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from seawall.database.sessions import Database
from seawall.database.tables import CaseItem, Content, OutboxMessage
from seawall.engines import postgres
from seawall.evidence import audit
from seawall.settings import Settings
from tests.acceptance.server import ServerProcess, make_key, seawall
from tests.acceptance.test_kill import wait_until

KILLING = Path(__file__).with_name("killed_retraction.py")
KNOWN = {f"c{number}": hashlib.sha256(f"harmless text {number}".encode()).hexdigest() for number in range(12)}


def states(database: Database) -> Counter[str]:
    with database.transaction() as session:
        return Counter(session.scalars(select(Content.state)))


@pytest.mark.timeout(900)
def test_killed_while_taking_back(home: Path) -> None:
    key = make_key(home)
    seawall(home, "webhooks", "add", "http://127.0.0.1:9/hooks")
    listed = home / "list.csv"
    listed.write_text("sha256\n" + "".join(f"{sha256}\n" for sha256 in KNOWN.values()))
    seawall(home, "lists", "import", str(listed), "--name", "Test list", "--trust", "trusted", "--test")
    with ServerProcess(home) as server:
        for content_id, sha256 in KNOWN.items():
            document = {"content_id": content_id, "account_id": "account-1", "sha256": sha256}
            answer = httpx.post(
                f"{server.url}/v1/hashes", json=document, headers={"Authorization": f"Bearer {key}"}, timeout=120
            )
            assert answer.json()["verdict"] == "block"
    seawall(home, "second-person", "off", "list.remove", "--reason", "A test of one.")
    seawall(home, "lists", "remove", "Test list", "--yes", "--reason", "A test.")
    database = Database(postgres.embedded(Settings(home=home, decoder_processes=1)))
    server = ServerProcess(home, script=KILLING, KILL_AFTER="5")
    assert server.process.wait(120) == -9, server.output
    assert states(database) == {"published": 5, "blocked": 7}

    with ServerProcess(home):
        wait_until(lambda: states(database) == {"published": 12}, "everything to be released", 60)
    with database.transaction() as session:
        assert Counter(session.scalars(select(CaseItem.state))) == {"retracted": 12}
        told = [(row.event, row.payload["data"]["content_id"]) for row in session.scalars(select(OutboxMessage))]
        expected = [(event, content_id) for content_id in KNOWN for event in ("content.block", "content.release")]
        assert sorted(told) == sorted(expected)
        assert audit.verify(session).ok
    database.close()
    postgres.stop(Settings(home=home, decoder_processes=1))
