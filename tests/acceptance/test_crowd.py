"""Several reviewers at one real server decide every case once, and none is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

from seawall.database.sessions import Database
from seawall.evidence import audit
from tests.acceptance import crowd
from tests.acceptance.server import ServerProcess

REVIEWERS, CASES = 8, 200


def test_eight_people_decide_two_hundred_cases_once_each(home: Path, database: Database) -> None:
    with database.transaction() as session:
        crowd.fill(session, 1, CASES)
    names = crowd.staff(database, REVIEWERS)
    with ServerProcess(home, SEAWALL_DATABASE_URL=database.url, SEAWALL_DECODER_PROCESSES="1") as server:
        worked = asyncio.run(crowd.work(server.url, names))
    with database.transaction() as session:
        found = crowd.outcome(session)
        assert audit.verify(session).ok
        acts = [link.act for link in audit.links(session)]
    assert found == crowd.Outcome(decided=CASES, double_decided=0, lost=0, claims=0)
    assert set(worked.decided.values()) == {1}
    assert len(worked.decided) == CASES
    assert sum(act in ("item.confirm", "item.not_a_match") for act in acts) == CASES
    assert acts.count("case.claim") >= CASES
