"""How long a fingerprint takes: PDQ alone, and a whole JPEG through a decoder child.

    make bench-pdq

Prints a table of medians in milliseconds and writes benchmarks/results/pdq.json. The reference is measured too where
the package `pdqhash` is installed.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
CACHE = Path(tempfile.gettempdir()) / f"seawall-bench-{os.getuid()}"
os.environ.setdefault("NUMBA_CACHE_DIR", str(CACHE))

from seawall.decoding.pool import DecoderPool  # noqa: E402 - the cache folder must be named first
from seawall.fingerprints.exact import digest  # noqa: E402
from seawall.fingerprints.pdq import hash_picture  # noqa: E402
from seawall.settings import Settings  # noqa: E402
from tests.vectors import pictures  # noqa: E402

SIZES = {"0.3 MP": (480, 640), "2 MP": (1200, 1667), "12 MP": (3000, 4000)}
ROUNDS = 15


def median_ms(task: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> float:
    """The median of some rounds, after one to warm up."""
    task()
    taken = []
    for _ in range(ROUNDS):
        started = clock()
        task()
        taken.append((clock() - started) * 1000)
    return round(statistics.median(taken), 2)


def decode_with_pillow(data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    with Image.open(io.BytesIO(data)) as picture:
        return np.array(picture.convert("RGB"))


def measure(size: tuple[int, int], pool: DecoderPool) -> dict[str, float | None]:
    """All columns of one row of the table."""
    pixels = pictures.make("shapes", 3, *size)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=90)
    data = target.getvalue()
    reference = importlib.import_module("pdqhash") if find_spec("pdqhash") else None
    return {
        "ours: PDQ, 8 orientations": median_ms(lambda: hash_picture(pixels)),
        "reference: PDQ, 1 orientation": median_ms(lambda: reference.compute(pixels)) if reference else None,
        "Pillow: JPEG to pixels": median_ms(lambda: decode_with_pillow(data)),
        "ours: JPEG to hashes in a child, wall": median_ms(lambda: pool.fingerprint(data), time.perf_counter),
        "ours: MD5, SHA-1, SHA-256": median_ms(lambda: digest(data)),
    }


def main() -> None:
    CACHE.mkdir(mode=0o700, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        DecoderPool(Settings(home=Path(home), decoder_processes=1)) as pool,
    ):
        rows = {name: measure(size, pool) for name, size in SIZES.items()}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    print(f"Medians of {ROUNDS} rounds in ms of processor time ({machine})\n")
    print("".ljust(40), *(name.rjust(9) for name in rows))
    for column in next(iter(rows.values())):
        values = (row[column] for row in rows.values())
        print(column.ljust(40), *(("-" if value is None else f"{value:.2f}").rjust(9) for value in values))
    results = ROOT / "benchmarks" / "results" / "pdq.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps({"machine": machine, "rounds": ROUNDS, "medians_ms": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
