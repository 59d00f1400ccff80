"""kill -9 in a walk through the ledger: after the restart every late match was acted on, and each once."""

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

KILLING = Path(__file__).with_name("killed_walk.py")
KNOWN = {f"c{number}": hashlib.sha256(f"harmless text {number}".encode()).hexdigest() for number in range(20)}
# A dead worker's job is started anew half a minute after it was last heard of, at the next full minute.
LONGEST_WAIT_S = 200


def states(database: Database) -> Counter[str]:
    with database.transaction() as session:
        return Counter(session.scalars(select(Content.state)))


@pytest.mark.timeout(900)
def test_killed_in_a_walk(home: Path) -> None:
    key = make_key(home)
    seawall(home, "webhooks", "add", "http://127.0.0.1:9/hooks")
    with ServerProcess(home) as server:
        for content_id, sha256 in KNOWN.items():
            document = {"content_id": content_id, "account_id": f"account-{content_id}", "sha256": sha256}
            answer = httpx.post(
                f"{server.url}/v1/hashes", json=document, headers={"Authorization": f"Bearer {key}"}, timeout=120
            )
            assert answer.json()["verdict"] == "allow"
    listed = home / "list.csv"
    listed.write_text("sha256\n" + "".join(f"{sha256}\n" for sha256 in KNOWN.values()))
    seawall(home, "lists", "import", str(listed), "--name", "Test list", "--trust", "trusted", "--test")
    database = Database(postgres.embedded(Settings(home=home, decoder_processes=1)))
    server = ServerProcess(home, script=KILLING, KILL_AFTER="7")
    assert server.process.wait(120) == -9, server.output
    assert states(database) == {"blocked": 7, "published": 13}

    with ServerProcess(home):
        wait_until(lambda: states(database) == {"blocked": 20}, "every late match", LONGEST_WAIT_S)
    with database.transaction() as session:
        items = session.execute(
            select(Content.content_id, CaseItem.late).join(CaseItem, CaseItem.content_row == Content.id)
        )
        assert sorted(items) == sorted((content_id, True) for content_id in KNOWN)
        told = [(row.event, row.payload["data"]["content_id"]) for row in session.scalars(select(OutboxMessage))]
        assert sorted(told) == sorted(("content.remove", content_id) for content_id in KNOWN)
        assert audit.verify(session).ok
    database.close()
    postgres.stop(Settings(home=home, decoder_processes=1))
