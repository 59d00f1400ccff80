"""How long it takes from a JPEG to its hash, beside the reference path and the cheapest decoding that is faithful.

    make bench-decode

The reference path is Pillow and the package `pdqhash`, where that is installed (it has wheels for few Pythons): one
hash. Ours gives eight. The floor is decoding alone: grey, reduced by the JPEG's own transform as far as 512 pixels on
the shorter side allow. All three take turns on the same bytes in one run, on one core. `within2` is the share of
pictures of quality 50 and more whose hash is within two bits of that of the whole picture, which equals the
reference's; over pictures of Debian packages (fetched, see corpus.py) and generated ones, as JPEGs of several
qualities. Prints a table and writes benchmarks/results/decode.json.
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
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, ImageFile
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
CACHE = Path(tempfile.gettempdir()) / f"seawall-bench-{os.getuid()}"
os.environ.setdefault("NUMBA_CACHE_DIR", str(CACHE))

from benchmarks import corpus  # noqa: E402 - the cache folder must be named first
from seawall.decoding.jpeg import reduction  # noqa: E402
from seawall.decoding.operations import hashed  # noqa: E402
from seawall.decoding.pictures import prepare  # noqa: E402
from seawall.decoding.process import limits_of  # noqa: E402
from seawall.decoding.reading import Reading  # noqa: E402
from seawall.fingerprints.pdq import PdqResult  # noqa: E402
from seawall.settings import Settings  # noqa: E402
from tests.vectors import pictures  # noqa: E402

SIZES = {"0.3mp": (480, 640), "2mp": (1200, 1667), "12mp": (3000, 4000)}
QUALITIES = (60, 85, 95)
ROUNDS = 15
# What a decoder child is told of; only the pixels matter here.
LIMITS = limits_of(Settings())
MOST_PICTURES = 200
GOOD_QUALITY = 50


def ours(data: bytes, *, reduced: bool = True) -> PdqResult:
    """As a decoder child does it."""
    return hashed(next(Reading(data, LIMITS, reduced=reduced).views()))


def floor(data: bytes) -> object:
    """Decoding alone."""
    header = Image.open(io.BytesIO(data))
    by = reduction(header, turned=False)
    width, height = header.size
    return simplejpeg.decode_jpeg(data, "GRAY", min_height=-(-height // by), min_width=-(-width // by))


def reference() -> Callable[[bytes], object] | None:
    """Pillow and pdqhash."""
    if find_spec("pdqhash") is None:
        return None
    compute = importlib.import_module("pdqhash").compute
    return lambda data: compute(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def jpeg(picture: Image.Image, quality: int) -> bytes:
    """Its bytes."""
    ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, picture.width * picture.height)
    target = io.BytesIO()
    picture.convert("RGB").save(target, "JPEG", quality=quality)
    return target.getvalue()


def photograph(height: int, width: int) -> NDArray[np.uint8]:
    """A landscape with the grain of a photograph, so that its JPEG is about as large as one."""
    grain = pictures.make("noise", 4, height, width).astype(np.int16) // 12 - 11
    return (pictures.make("shapes", 3, height, width) + grain).clip(0, 255).astype(np.uint8)


def medians_ms(tasks: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Of each task, which take turns, after one round to warm up."""
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(ROUNDS + 1):
        for name, task in tasks.items():
            started = time.thread_time()
            task()
            if number:
                taken[name].append((time.thread_time() - started) * 1000)
    return {name: statistics.median(each) for name, each in taken.items()}


def sources() -> Iterator[Image.Image]:
    """What is measured for exactness: at most `MOST_PICTURES` of the fetched, evenly chosen, and generated ones."""
    for maker in ("shapes", "landscape", "grey"):
        yield Image.fromarray(pictures.make(maker, 3, 1100, 1500))
    large = [path for path in corpus.fetched() if min(_size(path)) >= 480]
    for path in large[:: max(1, len(large) // MOST_PICTURES)]:
        with Image.open(path) as picture:
            yield picture.convert("RGB")


def _size(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as picture:
            return picture.size
    except OSError:
        return 0, 0


def exactness(size: tuple[int, int], found: list[Image.Image]) -> tuple[int, float]:
    """Of the pictures, made as large as asked for: how many count, and the share within two bits."""
    apart = list[int]()
    for number, picture in enumerate(found):
        scale = (size[0] * size[1] / (picture.width * picture.height)) ** 0.5
        shape = max(5, round(picture.width * scale)), max(5, round(picture.height * scale))
        data = jpeg(picture.resize(shape, Image.Resampling.BICUBIC), QUALITIES[number % len(QUALITIES)])
        whole = ours(data, reduced=False)
        if whole.quality >= GOOD_QUALITY:
            one, other = (int.from_bytes(each.orientations[0]) for each in (whole, ours(data)))
            apart.append((one ^ other).bit_count())
    return len(apart), sum(bits <= 2 for bits in apart) / max(1, len(apart))


def measure(size: tuple[int, int], found: list[Image.Image]) -> dict[str, float | None]:
    """One row."""
    data = jpeg(Image.fromarray(photograph(*size)), 85)
    tasks: dict[str, Callable[[], object]] = {"ours": lambda: ours(data), "floor": lambda: floor(data)}
    if (other := reference()) is not None:
        tasks["reference"] = lambda: other(data)
    taken = medians_ms(tasks)
    counted, within2 = exactness(size, found)
    peer = taken.get("reference")
    return {
        "ours_ms": round(taken["ours"], 2),
        "reference_ms": None if peer is None else round(peer, 2),
        "floor_ms": round(taken["floor"], 2),
        "speedup": None if peer is None else round(peer / taken["ours"], 1),
        "ratio_to_floor": round(taken["ours"] / taken["floor"], 2),
        "within2": round(within2, 4),
        "pictures": counted,
    }


def main() -> None:
    """Measures, prints and writes."""
    CACHE.mkdir(mode=0o700, exist_ok=True)
    prepare(LIMITS)
    found = list(sources())
    rows: dict[str, dict[str, Any]] = {name: measure(size, found) for name, size in SIZES.items()}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table("", *next(iter(rows.values())), title=f"From a JPEG to its hashes, on one core ({machine})")
    for name, row in rows.items():
        table.add_row(name, *("-" if value is None else str(value) for value in row.values()))
    Console().print(table)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "decode.json").write_text(json.dumps({**rows, "machine": machine}, indent=2) + "\n")


if __name__ == "__main__":
    main()
