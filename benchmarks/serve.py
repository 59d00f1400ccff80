"""What hashes and views cost the server: CPU of the API process, and of PostgreSQL in a column of its own.

    make bench-serve
    make bench-serve ARGS="--entries 20000 --requests 1000"

Starts a real `seawall serve` with a test list of random PDQ hashes, and drives it from another process over
keep-alive connections. Every hash is new to the ledger and on no list, which is what nearly all uploads are. CPU is
user and system time of the API process with all of its threads; PostgreSQL's processes are counted apart. What both
use while nobody asks is measured first; columns of their own say what a request costs without it, which is an
estimate, and tells more only where other programs make each request wait. For views
the service (PostgreSQL included) is held to one core and the client to another. Prints a table and writes
benchmarks/results/serve.json: `hash_cpu_ms` and `batch_hash_cpu_ms` are the API process for one PDQ hash, alone and
in a batch of 1,000.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seawall.access import keys  # noqa: E402
from seawall.database.migrate import upgrade  # noqa: E402
from seawall.database.sessions import Database  # noqa: E402
from seawall.engines import postgres  # noqa: E402
from seawall.hashlists import store  # noqa: E402
from seawall.hashlists.store import ListDefinition  # noqa: E402
from seawall.matching.keeper import FEWEST_ROWS  # noqa: E402
from seawall.records import SYSTEM, EntryDraft, HarmClass, Scope, Trust  # noqa: E402
from seawall.settings import Settings  # noqa: E402
from tests.acceptance.server import ServerProcess  # noqa: E402

LIST = "Test list"
DEFINITION = ListDefinition(trust=Trust.TRUSTED, harm_class=HarmClass.CSAM, is_test=True)
BATCH = 1000
PATIENCE_S = 600
IDLE_S = 10
# It is idle when it has used no more than this share of one core for so long.
QUIET_S, QUIET_SHARE = 3, 0.1
# What each content is sent with, by the name of its row.
KINDS = {"pdq": ("pdq",), "sha256": ("sha256",), "pdq and sha256": ("pdq", "sha256")}


@dataclass(frozen=True)
class Cost:
    """CPU seconds used so far."""

    api: float
    database: float

    def since(self, before: Cost) -> Cost:
        """What was used in between."""
        return Cost(self.api - before.api, self.database - before.database)


class Client(asyncio.Protocol):
    """One keep-alive connection that sends the next request when the last was answered, and looks at little."""

    def __init__(self, requests: list[bytes], done: asyncio.Future[None]) -> None:
        self._requests = requests
        self._done = done
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def _next(self) -> None:
        if self._requests:
            self._transport.write(self._requests.pop())
        else:
            self._transport.close()
            self._done.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head = self._got.find(b"\r\n\r\n")
        if head < 0:
            return
        if not self._got.startswith(b"HTTP/1.1 200"):
            self._fail(self._got.decode(errors="replace"))
            return
        place = self._got.lower().index(b"content-length:", 0, head) + 15
        length = int(self._got[place : self._got.index(b"\r\n", place)])
        if len(self._got) < head + 4 + length:
            return
        if b'"verdict":"allow"' not in self._got:
            self._fail(self._got[head:].decode(errors="replace"))
            return
        self._got = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection was closed: {exc}")

    def _fail(self, why: str) -> None:
        if not self._done.done():
            self._done.set_exception(AssertionError(why[:2000]))
            self._transport.close()


def drive(url: str, requests: Sequence[bytes], connections: int, core: int | None) -> float:
    """Sends the requests over so many connections; returns the seconds that it took."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 0

    async def run() -> float:
        loop = asyncio.get_running_loop()
        started = time.perf_counter()
        ends = []
        for number in range(connections):
            done: asyncio.Future[None] = loop.create_future()
            client = Client(list(requests[number::connections]), done)
            await loop.create_connection(partial(_given, client), host, port)
            ends.append(done)
        await asyncio.gather(*ends)
        return time.perf_counter() - started

    return asyncio.run(run())


def _given(client: Client) -> Client:
    return client


class Stand:
    """A running server, and requests to it."""

    def __init__(self, server: ServerProcess, home: Path, key: str) -> None:
        self.server = server
        self._key = key
        self._api = psutil.Process(server.process.pid)
        postmaster = (home / "postgresql" / "postmaster.pid").read_text().splitlines()[0]
        self._postmaster = psutil.Process(int(postmaster))
        self._random = random.Random(5)
        self._sent = 0
        self.idling = Cost(0, 0)
        self._others = multiprocessing.get_context("spawn").Pool(1)

    def close(self) -> None:
        """Ends the client's process."""
        self._others.terminate()
        self._others.join()

    def cost(self) -> Cost:
        """What has been used so far. The time of PostgreSQL's processes that have ended is with the first of them."""
        own = self._api.cpu_times()
        first = self._postmaster.cpu_times()
        database = first.user + first.system + first.children_user + first.children_system
        for process in self._postmaster.children(recursive=True):
            try:
                times = process.cpu_times()
                database += times.user + times.system
            except psutil.NoSuchProcess:
                continue
        return Cost(own.user + own.system, database)

    def measure_idling(self) -> Cost:
        """What a second costs in which nobody asks."""
        before = self.cost()
        time.sleep(IDLE_S)
        cost = self.cost().since(before)
        self.idling = Cost(cost.api / IDLE_S, cost.database / IDLE_S)
        return self.idling

    def drive(self, requests: Sequence[bytes], connections: int, core: int | None = None) -> tuple[float, Cost]:
        """Sends them from another process; returns the seconds, and what it cost."""
        before = self.cost()
        seconds: float = self._others.apply(drive, (self.server.url, requests, connections, core))
        return seconds, self.cost().since(before)

    def items(self, count: int, kinds: Sequence[str]) -> list[dict[str, object]]:
        """Contents that were never sent, with hashes that are on no list."""
        made = []
        for _ in range(count):
            self._sent += 1
            item: dict[str, object] = {
                "content_id": f"content-{self._sent}",
                "account_id": f"test-{self._sent % 997}",
            }
            for kind in kinds:
                item[kind] = self._random.randbytes(32).hex()
            if "pdq" in kinds:
                item["pdq_quality"] = 100
            made.append(item)
        return made

    def post(self, document: object) -> bytes:
        """A whole request."""
        body = json.dumps(document).encode()
        return (
            self._head("POST", "/v1/hashes", f"Content-Type: application/json\r\nContent-Length: {len(body)}") + body
        )

    def get(self, content_id: str) -> bytes:
        """A whole request."""
        return self._head("GET", f"/v1/content/{content_id}", "Accept: */*")

    def _head(self, method: str, path: str, more: str) -> bytes:
        return (
            f"{method} {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {self._key}\r\n{more}\r\n\r\n".encode()
        )

    def hold_to(self, core: int | None) -> None:
        """Holds every thread of the service and of PostgreSQL to one core, or lets them all go."""
        cores = set(range(os.cpu_count() or 1)) if core is None else {core}
        processes = [self._api, *self._api.children(recursive=True)]
        processes += [self._postmaster, *self._postmaster.children(recursive=True)]
        for process in processes:
            try:
                for thread in process.threads():
                    os.sched_setaffinity(thread.id, cores)
            except (psutil.NoSuchProcess, ProcessLookupError):
                continue

    def wait_until_idle(self, with_file: bool) -> None:
        """Waits until the index has been written to its file and read again, and the list has walked through the
        ledger, which costs CPU that is not meant."""
        limit = time.monotonic() + PATIENCE_S
        while with_file and "index.file_built" not in self.server.output:
            assert time.monotonic() < limit, "the index was not built"
            time.sleep(1)
        while True:
            before = self.cost()
            time.sleep(QUIET_S)
            if self.cost().since(before).api < QUIET_S * QUIET_SHARE:
                return
            assert time.monotonic() < limit, "the service is never idle"


def fill(database: Database, entries: int) -> str:
    """Puts that many random PDQ hashes on the list, and makes a key."""
    hashes = np.random.default_rng(3).integers(0, 256, (entries, 32), dtype=np.uint8)
    drafts = (EntryDraft(n, pdq=row.tobytes(), pdq_quality=100) for n, row in enumerate(hashes, start=1))
    with database.transaction() as session:
        store.import_entries(session, LIST, drafts, actor=SYSTEM, definition=DEFINITION)
        return keys.create(session, "benchmark", [Scope.JUDGE], keys.HIGHEST_RATE, SYSTEM)


def row_of(name: str, count: int, seconds: float, cost: Cost, idling: Cost) -> dict[str, object]:
    """One row of the result: milliseconds of CPU for each hash or view, with and without what idling costs."""
    own = cost.since(Cost(idling.api * seconds, idling.database * seconds))
    return {
        "what": name,
        "count": count,
        "api_cpu_ms": round(cost.api * 1000 / count, 4),
        "postgres_cpu_ms": round(cost.database * 1000 / count, 4),
        "api_cpu_ms_without_idling": round(max(0.0, own.api) * 1000 / count, 4),
        "postgres_cpu_ms_without_idling": round(max(0.0, own.database) * 1000 / count, 4),
        "per_s": round(count / seconds, 1),
    }


def measure(stand: Stand, requests: int, batches: int, views: int, connections: int) -> list[dict[str, object]]:
    """Every row."""
    rows = [row_of("idling, for a second", 1, 1, stand.measure_idling(), Cost(0, 0))]
    for name, kinds in KINDS.items():
        stand.drive([stand.post(item) for item in stand.items(200, kinds)], connections)
        bodies = [stand.post(item) for item in stand.items(requests, kinds)]
        rows.append(row_of(f"one hash: {name}", requests, *stand.drive(bodies, connections), stand.idling))
    for name, kinds in KINDS.items():
        stand.drive([stand.post({"items": stand.items(BATCH, kinds)})], 1)
        bodies = [stand.post({"items": stand.items(BATCH, kinds)}) for _ in range(batches)]
        rows.append(row_of(f"batches of {BATCH}: {name}", BATCH * batches, *stand.drive(bodies, 1), stand.idling))
    draw = random.Random(6)
    bodies = [stand.get(f"content-{draw.randrange(1, 1 + requests)}") for _ in range(views)]
    stand.drive(bodies[: views // 4], connections)
    stand.hold_to(0)
    rows.append(row_of("views, one core", views, *stand.drive(bodies, connections, core=1), stand.idling))
    stand.hold_to(None)
    return rows


def private_folder(name: str) -> Path:
    """A folder of this user's own that stays between runs."""
    folder = Path(tempfile.gettempdir()) / name
    folder.mkdir(mode=0o700, exist_ok=True)
    assert folder.stat().st_uid == os.getuid(), f"{folder} belongs to somebody else"
    return folder


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description="Measure what hashes and views cost the server.")
    parser.add_argument("--entries", type=int, default=1_000_000, help="PDQ hashes that the list has")
    parser.add_argument("--requests", type=int, default=3000, help="single hashes of each kind")
    parser.add_argument("--batches", type=int, default=10, help=f"batches of {BATCH} of each kind")
    parser.add_argument("--views", type=int, default=30_000, help="content reads")
    parser.add_argument("--connections", type=int, default=4, help="keep-alive connections")
    arguments = parser.parse_args()
    # Compiling anew for each home would take minutes on a busy machine.
    os.environ.setdefault("NUMBA_CACHE_DIR", str(private_folder(f"seawall-bench-{os.getuid()}")))
    home = Path(tempfile.mkdtemp(prefix="seawall-bench-"))
    settings = Settings(home=home)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        home.chmod(0o755)
        database = Database(postgres.embedded(settings))
        stack.callback(postgres.stop, settings)
        stack.callback(database.close)
        upgrade(database)
        key = fill(database, arguments.entries)
        stand = Stand(stack.enter_context(ServerProcess(home)), home, key)
        stack.callback(stand.close)
        stand.wait_until_idle(with_file=arguments.entries >= FEWEST_ROWS)
        rows = measure(stand, arguments.requests, arguments.batches, arguments.views, arguments.connections)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table(
        *("", "Count", "API process CPU ms", "PostgreSQL CPU ms", "(but idling)", "(but idling)", "A second"),
        title=f"CPU for each hash or view, list of {arguments.entries} ({machine})",
    )
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)
    by_name = {str(row["what"]): row for row in rows}
    result = {
        "content_reads_per_s": by_name["views, one core"]["per_s"],
        "hash_cpu_ms": by_name["one hash: pdq"]["api_cpu_ms"],
        "batch_hash_cpu_ms": by_name[f"batches of {BATCH}: pdq"]["api_cpu_ms"],
        "entries": arguments.entries,
        "machine": machine,
        "rows": rows,
    }
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "serve.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
