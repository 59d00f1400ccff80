"""Many reviewers at one desk, and the queue's page when very many cases wait.

    make bench-desk
    make bench-desk ARGS="--reviewers 8 --cases 200 --open 20000"

Starts a real `seawall serve` and has reviewers work over HTTP as their browsers would: each logs in, takes the next
case, reads its page, decides, and goes on with "Record, and next" until nothing is left. Afterwards the database says
whether each case was decided once. Then very many open cases are put there, and the pages of the queue (whole,
filtered, overdue, and far behind) are opened one after the other: the time is that between request and answer on the
loopback, so the server's and a little more. Last, pages of queue and cases with sealed pictures are opened with all
that belongs to them, and the bytes of pictures that came without a reveal are counted.

Prints a table and writes benchmarks/results/desk.json. All of it is test data.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seawall.access import keys  # noqa: E402
from seawall.cases import store  # noqa: E402
from seawall.cases.conditions import QueueFilter  # noqa: E402
from seawall.database.migrate import upgrade  # noqa: E402
from seawall.database.sessions import Database  # noqa: E402
from seawall.demo.pictures import LISTED  # noqa: E402
from seawall.engines import postgres  # noqa: E402
from seawall.hashlists import store as lists  # noqa: E402
from seawall.hashlists.store import ListDefinition  # noqa: E402
from seawall.records import SYSTEM, EntryDraft, Scope, Trust  # noqa: E402
from seawall.settings import Settings  # noqa: E402
from tests.acceptance import crowd  # noqa: E402
from tests.acceptance.server import ServerProcess  # noqa: E402

SEALED = 5


async def media_before_reveal(url: str, reviewer: str, cases: list[int]) -> tuple[int, int]:
    """Bytes of pictures that a browser gets of queue and cases before anybody asks to see one, and how many files it
    fetched beside the pages."""
    async with crowd.Reviewer(url, reviewer) as person:
        return await person.media_bytes(["/console/", *(f"/console/cases/{case}" for case in cases)])


def sealed_cases(database: Database, url: str) -> list[int]:
    """Uploads listed pictures by the API, so that there is evidence to be shown; the cases that came of it."""
    bodies = [picture.original() for picture in LISTED[:SEALED]]
    drafts = [EntryDraft(n, sha256=hashlib.sha256(body).digest()) for n, body in enumerate(bodies, 1)]
    with database.transaction() as session:
        definition = ListDefinition(trust=Trust.TRUSTED, is_test=True)
        lists.import_entries(session, "Test list", drafts, actor=SYSTEM, definition=definition)
        key = keys.create(session, "benchmark", [Scope.JUDGE], 1000, SYSTEM)
    cases = []
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=300) as client:
        for number, body in enumerate(bodies):
            answer = client.post("/v1/media", params={"content_id": f"test-picture-{number}"}, content=body)
            answer.raise_for_status()
            assert answer.json()["verdict"] == "block", "the list does not bind yet"
            cases.append(int(answer.json()["case_id"]))
    return cases


async def queue_times(url: str, reviewer: str, samples: int, far: str) -> list[float]:
    """Milliseconds of each page of the queue, one after the other."""
    pages = (
        "/console/",
        "/console/?state=open",
        "/console/?harm_class=ncii",
        "/console/?whose=free&harm_class=csam",
        "/console/?urgent=yes",
        "/console/?overdue=yes",
        f"/console/?after={far}",
    )
    async with crowd.Reviewer(url, reviewer) as person:
        for page in pages:
            await person.timed(page)
        return [await person.timed(pages[number % len(pages)]) * 1000 for number in range(samples)]


def measure(arguments: argparse.Namespace, database: Database, home: Path) -> dict[str, object]:
    """Everything, as the result holds it."""
    with database.transaction() as session:
        crowd.fill(session, 1, arguments.cases)
        session.execute(text("ANALYZE"))
    names = crowd.staff(database, arguments.reviewers)
    more = {"SEAWALL_DATABASE_URL": database.url, "SEAWALL_DECODER_PROCESSES": "1"}
    with ServerProcess(
        home, *(("--workers", str(arguments.workers)) if arguments.workers > 1 else ()), **more
    ) as server:
        began = time.monotonic()
        worked = asyncio.run(crowd.work(server.url, names))
        seconds = time.monotonic() - began
        with database.transaction() as session:
            after = crowd.outcome(session)
        sealed = sealed_cases(database, server.url)
        media, files = asyncio.run(media_before_reveal(server.url, names[0], sealed))
        with database.transaction() as session:
            crowd.fill(session, arguments.cases + 1, arguments.cases + arguments.open)
            session.execute(text("ANALYZE"))
            open_cases = session.execute(text("SELECT count(*) FROM cases WHERE state <> 'decided'")).scalar_one()
            far = None
            for _ in range(10):
                far = store.queue(session, limit=500, after=far, filters=QueueFilter())[-1].cursor
        times = asyncio.run(queue_times(server.url, names[0], arguments.samples, str(far)))
    return {
        "open_cases": open_cases,
        "queue_p50_ms": round(float(np.percentile(times, 50)), 1),
        "queue_p95_ms": round(float(np.percentile(times, 95)), 1),
        "reviewers": arguments.reviewers,
        "cases": arguments.cases,
        "decided": after.decided,
        "double_decided": after.double_decided,
        "lost": after.lost,
        "refused": worked.refused.total(),
        "decisions_per_s": round(worked.decided.total() / seconds, 1),
        "unblurred_bytes_before_reveal": media,
        "files_beside_pages": files,
    }


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description="Measure a desk of many reviewers.")
    parser.add_argument("--reviewers", type=int, default=50, help="people who work at once")
    parser.add_argument("--cases", type=int, default=10_000, help="cases that they decide")
    parser.add_argument("--open", type=int, default=100_000, help="open cases while the queue's page is timed")
    parser.add_argument("--samples", type=int, default=280, help="pages of the queue that are timed")
    parser.add_argument("--workers", type=int, default=1, help="processes of the server")
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="seawall-bench-"))
    settings = Settings(home=home / "pg")
    (home / "serve").mkdir()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        home.chmod(0o755)
        settings.home.mkdir()
        database = Database(postgres.embedded(settings))
        stack.callback(postgres.stop, settings)
        stack.callback(database.close)
        upgrade(database)
        result = measure(arguments, database, home / "serve")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table("what", "measured", title=f"A desk of {arguments.reviewers} reviewers ({machine})")
    for name, value in result.items():
        table.add_row(name.replace("_", " "), str(value))
    Console().print(table)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "desk.json").write_text(json.dumps({**result, "machine": machine}, indent=2) + "\n")


if __name__ == "__main__":
    main()
