"""Damaged files by the hundred thousand: whether any costs more than its own answer.

    make bench-fuzz                      100,000 inputs
    make fuzz-nightly                    a million
    make bench-fuzz ARGS="--inputs 5000 --seed 7"

Starts from a small file of each kind that is read (pictures, animations, archives, documents, videos; all generated)
and damages it: flips, cuts, insertions, pieces of other kinds. A damaged file whose answer nobody has seen before, by
its error or by how many frames and parts it has, becomes a start of its own, so that the damage goes deeper into what
is read; that takes the place of coverage, which is not to be had of the C libraries beneath. All go through a real
decoder pool in this process, and every fiftieth through `POST /v1/media` of a real `seawall serve` too.

    crashes        inputs that ended a decoder child or cost it its time limit, also when tried anew; they are kept in
                   benchmarks/results/fuzz/, by their digest
    server_errors  answers of the server with status 500 and above
    leaked         what is there afterwards and was not there after the warm-up: descriptors and children of this
                   process, descriptors of the server beyond its pools of connections, files in the temporary folder

Prints a table and writes benchmarks/results/fuzz.json; ends with status 1 where any of the three is not nought.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import random
import re
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seawall.decoding.pool import DecoderPool  # noqa: E402 - the tests' files are only found from here
from seawall.records import DecodedMedia  # noqa: E402
from seawall.settings import Settings  # noqa: E402
from tests.acceptance.conftest import stop_postgres  # noqa: E402
from tests.acceptance.server import ServerProcess, make_key  # noqa: E402
from tests.fuzz.mutations import CRASHES, answered, mutated  # noqa: E402
from tests.vectors.files import archive_files, carrying_files, document_files, mutable_files  # noqa: E402
from tests.vectors.heic import heic_files  # noqa: E402
from tests.vectors.videos import small_videos  # noqa: E402

RESULTS = Path(__file__).parent / "results"
OVER_HTTP = 50  # every so many
STARTS_OF_A_KIND = 200
LARGEST_START = 64 * 1024
CONNECTIONS = 40  # of the server to its database, and from its clients
CHUNK = 2000
DECODERS = 2


@dataclass
class Starts:
    """What is damaged, by kind, and which answers have been seen of it."""

    files: dict[str, list[bytes]]
    seen: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def generated(cls) -> Starts:
        """One small file of each kind."""
        made = mutable_files() | carrying_files() | archive_files() | document_files() | small_videos() | heic_files()
        return cls({name: [data] for name, data in made.items()})

    def damaged(self, chance: random.Random) -> tuple[str, bytes]:
        """A kind, and a file of it that was damaged."""
        kind, other = chance.choices(list(self.files), k=2)
        return kind, mutated(chance.choice(self.files[kind]), chance.choice(self.files[other]), chance)

    def learn(self, kind: str, data: bytes, said: str) -> None:
        """Keeps what was answered as nothing of this kind was."""
        if (kind, said) not in self.seen:
            self.seen.add((kind, said))
            if len(self.files[kind]) < STARTS_OF_A_KIND and 0 < len(data) <= LARGEST_START:
                self.files[kind].append(data)


@dataclass(frozen=True)
class Held:
    """What processes hold at rest."""

    descriptors: int
    children: int
    server_descriptors: int
    files: frozenset[str]
    memory_mb: float

    @classmethod
    def now(cls, pool: DecoderPool, server: ServerProcess) -> Held:
        """Looks, once the pool is at rest: a worn child serves on while the one that replaces it starts."""
        me, deadline = psutil.Process(), time.monotonic() + 60
        while (pool.ready, len(me.children())) != (DECODERS, DECODERS + 1) and time.monotonic() < deadline:
            time.sleep(0.1)  # the server is a child too
        time.sleep(1)
        return cls(
            me.num_fds(),
            len(me.children()),
            psutil.Process(server.process.pid).num_fds(),
            frozenset(os.listdir(tempfile.gettempdir())),
            me.memory_info().rss / 1e6,
        )

    def leaked_until(self, later: Held) -> int:
        """How much of it is too much."""
        return (
            max(0, later.descriptors - self.descriptors)
            + max(0, later.children - self.children)
            + max(0, later.server_descriptors - self.server_descriptors - CONNECTIONS)
            + len({name for name in later.files - self.files if name.startswith(("seawall", "tmp"))})
        )


def said_of(pool: DecoderPool, data: bytes) -> tuple[str, str]:
    """The answer as a word, and with what tells it from others of that word."""
    media = answered(pool, data)
    if not isinstance(media, DecodedMedia):
        return media.code, f"{media.code}: {re.sub('[0-9]+', '#', media.message)}"
    kinds = sorted({owed.code for owed in media.owed} | {noted.code for noted in media.noted})
    return "decoded", f"{media.media_type} {min(9, len(media.frames))} {min(9, len(media.parts))} {kinds}"


class Fuzzing:
    """The inputs, their answers and what they cost."""

    def __init__(self, pool: DecoderPool, server: ServerProcess, key: str, seed: int) -> None:
        self._pool = pool
        self._starts = Starts.generated()
        self._seed = seed
        self._lock = threading.Lock()
        self._client = httpx.Client(
            base_url=server.url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=120,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),  # none is held when descriptors are counted
        )
        self.answers: Counter[str] = Counter()
        self.over_http: Counter[int] = Counter()

    def run(self, numbers: range) -> None:
        """Makes and sends those inputs, three at a time."""
        with ThreadPoolExecutor(3) as threads:
            for start in range(numbers.start, numbers.stop, CHUNK):
                for _ in threads.map(self._one, range(start, min(numbers.stop, start + CHUNK))):
                    pass
                total = sum(self.answers.values())
                print(f"{total} inputs, {len(self._starts.seen)} kinds of answer", end="\r", file=sys.stderr)

    def _one(self, number: int) -> None:
        chance = random.Random(f"seawall {self._seed} {number}")
        with self._lock:
            kind, data = self._starts.damaged(chance)
        word, said = said_of(self._pool, data)
        with self._lock:
            self.answers[word] += 1
            self._starts.learn(kind, data, said)
        if word in CRASHES:
            _keep(data)
        if number % OVER_HTTP == 0 and data:
            self._send(number, data)

    def _send(self, number: int, data: bytes) -> None:
        answer = self._client.post(
            "/v1/media",
            params={"content_id": f"fuzz-{self._seed}-{number}", "surface": "upload"},
            content=data,
            headers={"Content-Type": "application/octet-stream"},
        )
        with self._lock:
            self.over_http[answer.status_code] += 1
        if answer.status_code >= 500:
            _keep(data)

    @property
    def kinds_of_answer(self) -> int:
        """How many different answers there were."""
        return len(self._starts.seen)

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()


def _keep(data: bytes) -> None:
    folder = RESULTS / "fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha256(data).hexdigest()).write_bytes(data)


def fuzz(pool: DecoderPool, server: ServerProcess, key: str, wanted: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    """Yields the figures, by name."""
    fuzzing = Fuzzing(pool, server, key, wanted.seed)
    warm = min(2000, wanted.inputs // 2)
    fuzzing.run(range(warm))
    before = Held.now(pool, server)
    started = time.perf_counter()
    fuzzing.run(range(warm, wanted.inputs))
    took = time.perf_counter() - started
    after = Held.now(pool, server)
    fuzzing.close()
    yield "inputs", sum(fuzzing.answers.values())
    yield "crashes", sum(fuzzing.answers[word] for word in CRASHES)
    yield "server_errors", sum(count for status, count in fuzzing.over_http.items() if status >= 500)
    yield "leaked", before.leaked_until(after)
    yield "over_http", sum(fuzzing.over_http.values())
    yield "kinds_of_answer", fuzzing.kinds_of_answer
    yield "inputs_per_s", round((wanted.inputs - warm) / took)
    yield "parent_growth_mb", round(after.memory_mb - before.memory_mb, 1)
    yield "answers", dict(fuzzing.answers.most_common())


def main() -> None:
    """Sends all, prints and writes."""
    parser = argparse.ArgumentParser(description="Damaged files by the hundred thousand.")
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    home, other = (Path(tempfile.mkdtemp(prefix="seawall-fuzz-")) for _ in range(2))
    settings = Settings(home=other, decoder_processes=DECODERS, decoder_timeout_s=20, decoder_queue_s=120)
    rate = {"SEAWALL_KEY_RATE_PER_MINUTE": "1000000", "SEAWALL_DECODER_QUEUE_S": "120"}
    try:
        with ServerProcess(home, SEAWALL_DECODER_PROCESSES="1", **rate) as server, DecoderPool(settings) as pool:
            key = make_key(home, "benchmark")
            figures = dict(fuzz(pool, server, key, wanted))
    finally:
        stop_postgres(home)
        for folder in (home, other):
            shutil.rmtree(folder, ignore_errors=True)
    figures["machine"] = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table("What", "Figure", title=f"Damaged files ({figures['machine']})")
    for name, value in figures.items():
        if name not in {"machine", "answers"}:
            table.add_row(name, str(value))
    for word, count in figures["answers"].items():
        table.add_row(f"answered {word}", str(count))
    Console().print(table)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "fuzz.json").write_text(json.dumps(figures, indent=2) + "\n")
    if figures["crashes"] or figures["server_errors"] or figures["leaked"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
