"""How long `seawall scan` takes for a folder of 10,000 mixed files, beside decoding them and nothing else.

    make bench-scan
    make bench-scan ARGS="--files 1000"

The folder is generated: JPEGs, PNGs, WebPs, GIFs and a few files that are no media, of 0.08 to 2 megapixels, most of
them small; one in twenty is a copy of another. Decoding alone is done by as many processes as there are cores, by the
same decoders as in Seawall (large JPEGs reduced by their own transform), each file once, copies too; without digests,
hashes, regions, a sandbox or lookups. `seawall scan` is the real command in a home with a list, timed from its start
to its end, and once more for a single file, which is what starting costs. They take turns, twice; the shorter counts.
Prints a table and writes benchmarks/results/scan.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seawall.decoding.pictures import prepare  # noqa: E402 - the tests' files are only found from here
from seawall.decoding.process import limits_of  # noqa: E402
from seawall.decoding.reading import Reading  # noqa: E402
from seawall.errors import NotMedia  # noqa: E402
from seawall.settings import Settings  # noqa: E402
from tests.acceptance.conftest import stop_postgres  # noqa: E402
from tests.acceptance.server import environment, seawall  # noqa: E402
from tests.vectors import pictures  # noqa: E402

LIMITS = limits_of(Settings())
SIZES = {(320, 240): 30, (640, 480): 40, (1280, 960): 20, (1632, 1224): 10}
KINDS = {"jpg": 72, "png": 12, "webp": 8, "gif": 4, "txt": 4}
COPIES = 0.05
MAKERS = ("shapes", "landscape")
TURNS = 2


def made(number: int) -> tuple[str, bytes]:
    """The name and the bytes of one file."""
    chance = random.Random(f"seawall scan {number}")
    kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
    name = f"{number:06}.{kind}"
    if kind == "txt":
        return name, f"Notes, {number}\n".encode() * 50
    width, height = chance.choices(list(SIZES), list(SIZES.values()))[0]
    base = Image.fromarray(pictures.make(chance.choice(MAKERS), number % 40, height // 2, width // 2))
    picture = base.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    grain = Image.fromarray(pictures.make("noise", number % 7, height, width)).convert("RGB")
    picture = Image.blend(picture, grain, chance.uniform(0.02, 0.12))
    out = BytesIO()
    if kind == "gif":
        picture.quantize(64).save(out, "GIF")
    elif kind == "png":
        picture.quantize(256).convert("RGB").save(out, "PNG", compress_level=3)
    else:
        picture.save(out, "JPEG" if kind == "jpg" else "WEBP", quality=chance.choice((75, 85, 92)))
    return name, out.getvalue()


def _write(folder: str, numbers: range) -> None:
    for number in numbers:
        name, data = made(number)
        (Path(folder) / name).write_bytes(data)


def fill(folder: Path, files: int) -> None:
    """The folder, on all cores; the last twentieth are copies."""
    originals = round(files * (1 - COPIES))
    step = 100
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        chunks = [range(start, min(originals, start + step)) for start in range(0, originals, step)]
        list(workers.map(_write, [str(folder)] * len(chunks), chunks))
    names = sorted(path.name for path in folder.iterdir())
    chance = random.Random("seawall copies")
    for number in range(originals, files):
        original = folder / chance.choice(names)
        shutil.copyfile(original, folder / f"{chance.randrange(10**6):06}-copy-{number}{original.suffix}")


def _decode(paths: list[str]) -> int:
    prepare(LIMITS)
    views = 0
    for path in paths:
        data = Path(path).read_bytes()
        try:
            views += sum(1 for _ in Reading(data, LIMITS, reduced=True).views())
        except NotMedia:
            continue
    return views


def decode_only(folder: Path) -> float:
    """Seconds for every file, on all cores."""
    paths = sorted(str(path) for path in folder.iterdir())
    started = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        views = sum(workers.map(_decode, [paths[start : start + 50] for start in range(0, len(paths), 50)]))
    took = time.perf_counter() - started
    assert views >= len(paths) * 0.9, "files were not decoded"
    return took


def scanned(home: Path, path: Path, **more: str) -> float:
    """Seconds of the command."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "seawall.cli.main", "scan", str(path), "--json"],
        env=environment(home, **more),
        capture_output=True,
        text=True,
        check=True,
    )
    took = time.perf_counter() - started
    results = [json.loads(line) for line in done.stdout.splitlines()]
    verdicts = Counter(result["verdict"] for result in results)
    assert set(verdicts) <= {"allow", None}, verdicts
    return took


def prepare_home(home: Path, single: Path) -> None:
    """A list of a thousand hashes that nothing meets; and kernels compiled, as after the first use."""
    listed = home / "list.csv"
    listed.write_text("sha256\n" + "".join(f"{number:064x}\n" for number in range(1, 1001)))
    seawall(home, "lists", "import", str(listed), "--name", "Test list", "--trust", "trusted", "--test")
    seawall(home, "scan", str(single))


def measure(home: Path, folder: Path, single: Path) -> dict[str, float]:
    """The shortest of each, taking turns."""
    tasks: dict[str, Callable[[], float]] = {
        "decode_only_s": lambda: decode_only(folder),
        "ours_s": lambda: scanned(home, folder),
        "ours_without_regions_s": lambda: scanned(home, folder, SEAWALL_MAX_REGIONS="0"),
        "start_s": lambda: scanned(home, single),
    }
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(TURNS):
        for name, task in tasks.items():
            taken[name].append(task())
    return {name: round(min(each), 2) for name, each in taken.items()}


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description="`seawall scan` beside decoding alone.")
    parser.add_argument("--files", type=int, default=10_000)
    files = parser.parse_args().files
    home, folder = (Path(tempfile.mkdtemp(prefix="seawall-bench-")) for _ in range(2))
    try:
        fill(folder, files)
        single = next(folder.glob("*.jpg"))
        prepare_home(home, single)
        row: dict[str, float | str] = {"files": files, **measure(home, folder, single)}
        row["megabytes"] = round(sum(path.stat().st_size for path in folder.iterdir()) / 1e6)
    finally:
        stop_postgres(home)
        for each in (home, folder):
            shutil.rmtree(each, ignore_errors=True)
    row["ratio"] = round(float(row["ours_s"]) / float(row["decode_only_s"]), 2)
    row["files_per_s"] = round(files / float(row["ours_s"]))
    row["machine"] = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table("What", "Figure", title=f"seawall scan ({row['machine']})")
    for name, value in row.items():
        if name != "machine":
            table.add_row(name, str(value))
    Console().print(table)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "scan.json").write_text(json.dumps(row, indent=2) + "\n")


if __name__ == "__main__":
    main()
