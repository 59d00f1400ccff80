"""How long after its commit a change of a list binds on every process that answers.

    make bench-freshness
    make bench-freshness ARGS="--samples 40 --entries 100000"

Starts three real `seawall serve` on one database, each with a home of its own, and then one `seawall serve
--workers 3`. Meanwhile they are asked at a steady rate. A sample adds one entry to a list, or removes one, through
the store that the commands use; it ends when every process has answered by it over HTTP, and its time begins before
the commit. The first changes are not counted: processes that have just started answer slowly once. Prints a table and
writes benchmarks/results/freshness.json, whose first figures are those of the three servers.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seawall.access import keys  # noqa: E402
from seawall.database.migrate import upgrade  # noqa: E402
from seawall.database.sessions import Database  # noqa: E402
from seawall.database.tables import Entry  # noqa: E402
from seawall.engines import postgres  # noqa: E402
from seawall.hashlists import store  # noqa: E402
from seawall.hashlists.store import ListDefinition  # noqa: E402
from seawall.records import SYSTEM, EntryDraft, HarmClass, Scope, Trust  # noqa: E402
from seawall.settings import Settings  # noqa: E402
from tests.acceptance.service import Service, port_of, replicas  # noqa: E402

PROCESSES = 3
LIST = "Test list"
DEFINITION = ListDefinition(trust=Trust.TRUSTED, harm_class=HarmClass.CSAM, is_test=True)
WARM_UP = 6
PAUSE_S = 0.003
PATIENCE_S = 60.0
# Nobody changes two entries at the same moment of every look.
BETWEEN_S = (0.0, 0.15)


def ask(client: httpx.Client, md5: str) -> str:
    """The verdict on a new content with that hash."""
    item = {"content_id": f"content-{random.getrandbits(62)}", "md5": md5}
    answer = client.post("/v1/hashes", json=item)
    answer.raise_for_status()
    return str(answer.json()["verdict"])


class Watch:
    """One process, asked again and again until it answers by a change."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._port = port_of(client.get("/healthz"))

    def until(self, md5: str, verdict: str) -> float:
        """When it answered so, in seconds of the steady clock; the end of the answer counts."""
        limit = time.monotonic() + PATIENCE_S
        while ask(self._client, md5) != verdict:
            assert time.monotonic() < limit, "the change does not bind"
            time.sleep(PAUSE_S)
        return time.perf_counter()

    def check_same_process(self) -> None:
        """The connection is still the one that was opened to this process."""
        assert port_of(self._client.get("/healthz")) == self._port, "the connection was closed meanwhile"


def load(urls: Sequence[str], key: str, rate: float, stop: Event, counted: Any) -> None:
    """Asks the servers in turn at a steady rate, each time for a hash of its own, in a process of its own."""
    generator = random.Random(1)
    headers = {"Authorization": f"Bearer {key}"}
    clients = [httpx.Client(base_url=url, headers=headers, timeout=60) for url in urls]
    due = time.monotonic()
    while not stop.is_set():
        client = clients[generator.randrange(len(clients))]
        picture = {"pdq": generator.randbytes(32).hex(), "pdq_quality": 100}
        client.post("/v1/hashes", json={"content_id": f"load-{generator.getrandbits(62)}", **picture})
        counted.value += 1
        due = max(due + 1 / rate, time.monotonic() - 1)
        time.sleep(max(0.0, due - time.monotonic()))


@contextmanager
def under_load(urls: Sequence[str], key: str, rate: float) -> Iterator[Any]:
    """The load runs while this is open; gives the number of its requests."""
    ways = multiprocessing.get_context("spawn")
    stop, counted = ways.Event(), ways.Value("q", 0)
    process = ways.Process(target=load, args=(urls, key, rate, stop, counted))
    process.start()
    try:
        while not counted.value:
            assert process.is_alive(), "the load does not run"
            time.sleep(0.05)
        counted.value = 0
        yield counted
    finally:
        stop.set()
        process.join()


def change(database: Database, md5: bytes, *, add: bool) -> float:
    """Adds or removes one entry; gives the time right before the commit."""
    with database.transaction() as session:
        if add:
            store.import_entries(session, LIST, [EntryDraft(1, md5=md5)], actor=SYSTEM, definition=DEFINITION)
        else:
            entry = session.query(Entry.id).filter(Entry.md5 == md5).scalar()
            store.remove_entry(session, entry, SYSTEM)
        return time.perf_counter()


def samples(database: Database, clients: Sequence[httpx.Client], count: int) -> list[float]:
    """How long each change took until it bound in the last process, in milliseconds."""
    watches = [Watch(client) for client in clients]
    generator = random.Random(2)
    taken = []
    listed: list[bytes] = []
    for number in range(-WARM_UP, count):
        add = number % 2 == 0
        if add:
            listed.append(generator.randbytes(16))
        md5, wanted = listed[-1], "block" if add else "allow"
        ends = [0.0] * len(watches)

        def watch(place: int, md5: str = md5.hex(), wanted: str = wanted, ends: list[float] = ends) -> None:
            ends[place] = watches[place].until(md5, wanted)

        threads = [threading.Thread(target=watch, args=(place,)) for place in range(len(watches))]
        for thread in threads:
            thread.start()
        began = change(database, md5, add=add)
        for thread in threads:
            thread.join()
        if number >= 0:
            taken.append((max(ends) - began) * 1000)
        time.sleep(generator.uniform(*BETWEEN_S))
    for each in watches:
        each.check_same_process()
    return taken


def fill(database: Database, entries: int) -> None:
    """Puts that many random PDQ hashes on the list."""
    hashes = np.random.default_rng(3).integers(0, 256, (entries, 32), dtype=np.uint8)
    drafts = (EntryDraft(n, pdq=row.tobytes(), pdq_quality=100) for n, row in enumerate(hashes, start=1))
    with database.transaction() as session:
        store.import_entries(session, LIST, drafts, actor=SYSTEM, definition=DEFINITION)


def row_of(name: str, taken: list[float], seconds: float, requests: int) -> dict[str, object]:
    """One row of the result."""
    return {
        "what": name,
        "processes": PROCESSES,
        "samples": len(taken),
        "p50_ms": round(float(np.percentile(taken, 50)), 1),
        "p99_ms": round(float(np.percentile(taken, 99)), 1),
        "max_ms": round(max(taken), 1),
        "load_per_s": round(requests / seconds, 1),
    }


def measure(database: Database, home: Path, count: int, rate: float) -> list[dict[str, object]]:
    """Both rows."""
    with database.transaction() as session:
        key = keys.create(session, "benchmark", [Scope.JUDGE], 10_000_000, SYSTEM)
    headers = {"Authorization": f"Bearer {key}"}
    rows = []

    def run(name: str, urls: Sequence[str], clients: Sequence[httpx.Client]) -> None:
        for client in clients:
            client.headers.update(headers)
        with under_load(urls, key, rate) as counted:
            began = time.monotonic()
            taken = samples(database, clients, count)
            rows.append(row_of(name, taken, time.monotonic() - began, counted.value))

    with replicas(PROCESSES, database.url) as servers:
        urls = [server.url for server in servers]
        run("three servers", urls, [httpx.Client(base_url=url, timeout=60) for url in urls])
    more = {"SEAWALL_DATABASE_URL": database.url, "SEAWALL_DATABASE_POOL_SIZE": "8"}
    with Service(home, workers=PROCESSES, **more) as service:
        run("--workers 3", [service.url], service.client_of_each())
    return rows


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description="Measure how soon a change of a list binds everywhere.")
    parser.add_argument("--samples", type=int, default=200, help="changes measured, for each row")
    parser.add_argument("--entries", type=int, default=20_000, help="entries that the list has before")
    parser.add_argument(
        "--rate", type=float, default=60.0, help="requests a second meanwhile, all processes together"
    )
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
        fill(database, arguments.entries)
        rows = measure(database, home / "serve", arguments.samples, arguments.rate)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table(*rows[0], title=f"From commit to every process, {arguments.entries} entries ({machine})")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    first = {name: value for name, value in rows[0].items() if name != "what"}
    result = {**first, "entries": arguments.entries, "machine": machine, "rows": rows}
    (results / "freshness.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
