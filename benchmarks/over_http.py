"""What one upload over HTTP costs the server (the API process and its decoders), and how long it takes when many ask.

    make bench-http

Starts a real `seawall serve` with an empty list of its own and sends generated JPEGs: one after the other, for the
CPU, and then from 16 clients at once, for what each waits and how many are done in a second. The clients are on the
same machine and take their share of it. Prints a table and writes benchmarks/results/http.json. (The file is not
called http.py, which would stand before the standard library's module of that name.)
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import psutil
from PIL import Image, ImageFilter
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.acceptance.conftest import stop_postgres
from tests.acceptance.server import ServerProcess, make_key

SIZES = {0.3: (640, 480), 1.6: (1456, 1092), 2.0: (1632, 1224), 12.0: (4000, 3000)}
ROUNDS = 30
CLIENTS, AT_ONCE = 16, 320


def jpeg(size: tuple[int, int], seed: int) -> bytes:
    """A generated picture with the detail of a photograph, as JPEG of quality 90."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (size[1] // 40, size[0] // 40, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    noise = Image.fromarray(random.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8))
    picture = Image.blend(picture, noise.filter(ImageFilter.GaussianBlur(1)), 0.15)
    out = BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def cpu_seconds(server: psutil.Process) -> float:
    """User and system time of the server and its decoder processes, PostgreSQL left out."""
    total = 0.0
    for process in [server, *server.children(recursive=True)]:
        try:
            if "postgres" not in process.name():
                times = process.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total


class Load:
    """Uploads of pictures of one size."""

    def __init__(self, server: ServerProcess, key: str, megapixels: float, size: tuple[int, int]) -> None:
        self._server = server
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "image/jpeg"}
        self._name = f"{megapixels}"
        self.bodies = [jpeg(size, seed) for seed in range(6)]
        self._mine = threading.local()

    def one(self, number: int) -> float:
        """Sends one on this thread's own connection; how long it took, in milliseconds."""
        if not hasattr(self._mine, "client"):
            self._mine.client = httpx.Client(headers=self._headers, timeout=120)
        started = time.perf_counter()
        answer = self._mine.client.post(
            f"{self._server.url}/v1/media",
            params={"content_id": f"{self._name}-{number}"},
            content=self.bodies[number % len(self.bodies)],
        )
        took = (time.perf_counter() - started) * 1000
        assert answer.json()["verdict"] == "allow", answer.text
        return took


def measure(server: ServerProcess, key: str, megapixels: float, size: tuple[int, int]) -> dict[str, float]:
    """CPU and time of uploads of that size."""
    load = Load(server, key, megapixels, size)
    process = psutil.Process(server.process.pid)
    for number in range(10):
        load.one(number)
    before = cpu_seconds(process)
    walls = [load.one(number) for number in range(10, 10 + ROUNDS)]
    cpu_ms = (cpu_seconds(process) - before) * 1000 / ROUNDS
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(load.one, range(1000, 1000 + 2 * CLIENTS)))
        started = time.perf_counter()
        waits = sorted(clients.map(load.one, range(2000, 2000 + AT_ONCE)))
        per_s = AT_ONCE / (time.perf_counter() - started)
    return {
        "megapixels": megapixels,
        "kilobytes": round(statistics.mean(len(body) for body in load.bodies) / 1024),
        "cpu_ms": round(cpu_ms, 1),
        "wall_median_ms": round(statistics.median(walls), 1),
        "p50_ms": round(waits[len(waits) // 2], 1),
        "p99_ms": round(waits[len(waits) * 99 // 100], 1),
        "pictures_per_s": round(per_s, 1),
    }


def main() -> None:
    """Measures every size and prints the table."""
    home = Path(tempfile.mkdtemp(prefix="seawall-bench-"))
    try:
        with ServerProcess(home) as server:
            key = make_key(home, "benchmark")
            rows = [measure(server, key, megapixels, size) for megapixels, size in SIZES.items()]
    finally:
        stop_postgres(home)
        shutil.rmtree(home, ignore_errors=True)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    heads = ("MP", "KiB", "Server CPU ms", "Wall ms, alone", f"p50 ms of {CLIENTS}", "p99 ms", "A second")
    table = Table(*heads, title=f"Uploads over HTTP ({machine})")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    middle = next(row for row in rows if row["megapixels"] == 1.6)
    document = {**middle, "clients": CLIENTS, "machine": machine, "rows": rows}
    (results / "http.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
