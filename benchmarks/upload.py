"""What one upload costs the server: CPU of the API process and its decoders, and of PostgreSQL apart.

Starts a real `seawall serve` with an empty list of its own, sends generated JPEGs one after the other over HTTP, and
prints a table. Run as `make bench-upload`; results also go to benchmarks/results/upload.json.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
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

SIZES = {"0.3 MP": (640, 480), "2 MP": (1632, 1224), "12 MP": (4000, 3000)}
ROUNDS = 30


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


def measure(server: ServerProcess, key: str, name: str, size: tuple[int, int]) -> dict[str, float | str]:
    """CPU and wall time of one upload of that size, in milliseconds."""
    bodies = [jpeg(size, seed) for seed in range(6)]
    process = psutil.Process(server.process.pid)
    walls = []
    with httpx.Client(headers={"Authorization": f"Bearer {key}", "Content-Type": "image/jpeg"}, timeout=60) as client:
        for number in range(-10, ROUNDS):
            if number == 0:
                before = cpu_seconds(process)
            started = time.perf_counter()
            answer = client.post(
                f"{server.url}/v1/media",
                params={"content_id": f"{name}-{number}"},
                content=bodies[number % len(bodies)],
            )
            walls.append((time.perf_counter() - started) * 1000)
            assert answer.json()["verdict"] == "allow", answer.text
    cpu_ms = (cpu_seconds(process) - before) * 1000 / ROUNDS
    return {
        "picture": name,
        "kilobytes": round(statistics.mean(len(body) for body in bodies) / 1024),
        "cpu_ms": round(cpu_ms, 1),
        "wall_median_ms": round(statistics.median(walls[10:]), 1),
    }


def main() -> None:
    """Measures every size and prints the table."""
    home = Path(tempfile.mkdtemp(prefix="seawall-bench-"))
    try:
        with ServerProcess(home) as server:
            key = make_key(home, "benchmark")
            rows = [measure(server, key, name, size) for name, size in SIZES.items()]
    finally:
        stop_postgres(home)
        shutil.rmtree(home, ignore_errors=True)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table("Picture", "KiB", "Server CPU ms", "Wall ms (median)", title=f"One upload ({machine})")
    for row in rows:
        table.add_row(*(str(row[column]) for column in ("picture", "kilobytes", "cpu_ms", "wall_median_ms")))
    Console().print(table)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "upload.json").write_text(json.dumps({"machine": machine, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
