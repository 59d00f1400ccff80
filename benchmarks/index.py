"""How a large index is built, opened and searched, side by side with faiss, the way most would take.

    make bench-index N=17000000

Builds one segment file of N random PDQ hashes, and one of correlated ones; looks up queries that are planted at
every distance 0 to 31 and just beyond, through the mapped file; and searches the same hashes with faiss
(IndexBinaryFlat, one thread) in the same process. What faiss finds is the truth: every answer must be exactly the
nearest of it. Entries have a SHA-256 as well, whose look-up is measured too. Each is measured in rounds, in turn with
the others, and the quietest round of each is told: what else happens on a machine, or on the one that it is a part
of, only ever adds. `rounds_p50_ms` has the medians of all. Prints a table and writes benchmarks/results/index.json.

Correlated hashes are made to be harder than those of pictures. The bits of neighbouring frequencies have a
correlation of about 0.09 in hashes of random crops of photographs and 0.04 in those of generated scenes; here it is
0.17, in both directions. And half of them lie in groups, whose members differ from the group's centre in 1/16, 1/8 or
1/4 of their bits: of 17 million, the largest group has some 40,000, so that queries meet more than are kept.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]

from seawall.matching.bitmaps import no_rows  # noqa: E402
from seawall.matching.columns import Source, merged_columns, plain_columns, read_only  # noqa: E402
from seawall.matching.entries import ENTRY, HAS, NO_CLASSIFICATION, EntryBatch  # noqa: E402
from seawall.matching.segment_files import SegmentWriter, open_file  # noqa: E402
from seawall.matching.segments import ColumnSegment, Hits  # noqa: E402
from seawall.records import FARTHEST_DISTANCE, HashKind  # noqa: E402

PART = 1 << 20
QUERIES = 1000
# Far enough beyond the limit to see that nothing is found that should not be.
DISTANCES = FARTHEST_DISTANCE + 4
FAISS_QUERIES = 20
ROUNDS = 7
LIMIT = 64
# Of 256: how often a bit is that of the frequency beside it, and how often that of the one above it.
TAKEN_OVER = 45
# Of the correlated hashes, this share lies in groups, of so many on average.
IN_GROUPS, GROUP = 1 / 2, 200


def pictures(count: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """(count, 32) hashes whose neighbouring bits go together."""
    chance = random.integers(0, 256, (16, 16, count), dtype=np.uint8)
    bits = chance & 1
    for row, column in np.ndindex(16, 16):
        beside, above = chance[row, column] < TAKEN_OVER, chance[row, column] >= 256 - TAKEN_OVER
        if column:
            np.copyto(bits[row, column], bits[row, column - 1], where=beside)
        if row:
            np.copyto(bits[row, column], bits[row - 1, column], where=above)
    # The highest frequency's bit comes first.
    packed: NDArray[np.uint8] = np.packbits(bits.reshape(256, count)[::-1], axis=0).T
    return packed


def hashes(data: str, count: int, total: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """(count, 32) of the total."""
    if data == "uniform":
        return random.integers(0, 256, (count, 32), dtype=np.uint8)
    made = pictures(count, random)
    groups = max(1, int(total * IN_GROUPS / GROUP))
    centres = pictures(groups, np.random.default_rng(7))
    members = np.flatnonzero(random.random(count) < IN_GROUPS)
    flips = random.integers(0, 256, (4, len(members), 32), dtype=np.uint8)
    quarter, eighth = flips[0] & flips[1], flips[0] & flips[1] & flips[2]
    kind = random.integers(0, 3, (len(members), 1))
    flipped = np.where(kind == 0, quarter, np.where(kind == 1, eighth, eighth & flips[3]))
    # The square makes the groups unequal: a few are very large.
    made[members] = centres[(groups * random.random(len(members)) ** 2).astype(np.int64)] ^ flipped
    return made


def build(path: Path, data: str, count: int) -> float:
    """Writes the segment file; returns the seconds that building took, without making the data."""
    random = np.random.default_rng(count)
    sources = []
    for start in range(0, count, PART):
        rows = np.zeros(min(PART, count - start), dtype=ENTRY)
        rows["entry_id"] = np.arange(start + 1, start + len(rows) + 1)
        rows["list_id"], rows["classification"] = 1, NO_CLASSIFICATION
        rows["flags"] = HAS[HashKind.PDQ] | HAS[HashKind.SHA256]
        rows["pdq"] = hashes(data, len(rows), count, random)
        rows["sha256"] = random.integers(0, 256, (len(rows), 32), dtype=np.uint8)
        sources.append(Source(*plain_columns(EntryBatch(rows))))
    started = time.perf_counter()
    writer = SegmentWriter(path)
    _, meta = merged_columns(sources, writer.allocate)
    writer.finish(meta)
    return time.perf_counter() - started


def planted(words: NDArray[np.uint64], number: int, random: np.random.Generator) -> tuple[int, NDArray[np.uint64]]:
    """A place, and what its hash becomes when as many bits differ as the query's number says."""
    place = int(random.integers(len(words)))
    bits = np.unpackbits(np.array(words[place]).view(np.uint8))
    bits[random.choice(256, number % DISTANCES, replace=False)] ^= 1
    return place, np.packbits(bits).view(np.uint64).reshape(1, 4)


def measure(folder: Path, data: str, count: int) -> dict[str, Any]:
    """All figures for one kind of data."""
    path = folder / f"{data}.segment"
    build(folder / "small.segment", data, 20_000)  # compiles
    build_s = build(path, data, count)
    started = time.perf_counter()
    opened = open_file(path)
    segment = ColumnSegment(opened.columns, opened.meta)
    open_ms = (time.perf_counter() - started) * 1000
    words = opened.columns["pdq"]
    random = np.random.default_rng(1)
    queries = np.concatenate([planted(words, number, random)[1] for number in range(QUERIES)])
    answers = look_up(segment, queries)[1]  # brings the file into memory
    flat = Flat(words)
    rounds = [(look_up(segment, queries)[0], digest_us(segment), flat.search_ms(queries)) for _ in range(ROUNDS)]
    medians = [float(np.median(taken)) for taken, _, _ in rounds]
    p50 = min(medians)
    p99 = float(np.percentile(rounds[medians.index(p50)][0], 99))
    faiss_ms = min(each for _, _, each in rounds)
    compared = [hits.candidates for hits in answers]
    return {
        "n": count,
        "data": data,
        "recall": recall(answers, flat.truth(queries)),
        "p50_ms": round(p50, 3),
        "p99_ms": round(p99, 3),
        "compared_p50": int(np.percentile(compared, 50)),
        "compared_p99": int(np.percentile(compared, 99)),
        "bytes": path.stat().st_size,
        "build_s": round(build_s, 1),
        "open_ms": round(open_ms, 2),
        "digest_us": round(min(each for _, each, _ in rounds), 2),
        "faiss_p50_ms": round(faiss_ms, 1),
        "speedup": round(faiss_ms / p50, 1),
        "rounds_p50_ms": [round(each, 3) for each in medians],
        "rounds_faiss_p50_ms": [round(each, 1) for _, _, each in rounds],
    }


def everything(segment: ColumnSegment) -> tuple[NDArray[np.uint64], NDArray[np.int16]]:
    """No row is dead, and the one list reaches as far as lists may; as the index holds both."""
    reach = np.array([FARTHEST_DISTANCE], dtype=np.int16)
    return read_only(no_rows(len(segment.entry_ids))), read_only(reach)


def look_up(segment: ColumnSegment, queries: NDArray[np.uint64]) -> tuple[list[float], list[Hits]]:
    """Milliseconds and hits of each query."""
    dead, reach = everything(segment)
    taken, answers = [], []
    for number in range(len(queries)):
        started = time.perf_counter()
        hits = segment.near(queries[number : number + 1], reach, dead, LIMIT)
        taken.append((time.perf_counter() - started) * 1000)
        answers.append(hits)
    return taken, answers


class Flat:
    """All hashes in faiss, which compares each query with all of them, on one thread. Here row and place are the
    same, since every entry has a PDQ hash."""

    def __init__(self, words: NDArray[np.uint64]) -> None:
        faiss.omp_set_num_threads(1)
        self._index = faiss.IndexBinaryFlat(256)
        self._index.add(words.view(np.uint8).reshape(-1, 32))

    def search_ms(self, queries: NDArray[np.uint64]) -> float:
        """Median milliseconds of a range search."""
        asked = queries.view(np.uint8).reshape(-1, 32)
        taken = []
        for number in range(FAISS_QUERIES):
            started = time.perf_counter()
            self._index.range_search(asked[number : number + 1], FARTHEST_DISTANCE + 1)
            taken.append((time.perf_counter() - started) * 1000)
        return float(np.median(taken))

    def truth(self, queries: NDArray[np.uint64]) -> list[list[tuple[int, int]]]:
        """(distance, row) of all that is within reach of each query, nearest first."""
        asked = queries.view(np.uint8).reshape(-1, 32)
        bounds, distances, rows = self._index.range_search(asked, FARTHEST_DISTANCE + 1)
        return [
            sorted(zip(distances[begin:end].astype(int).tolist(), rows[begin:end].tolist(), strict=True))
            for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
        ]


def recall(answers: list[Hits], truth: list[list[tuple[int, int]]]) -> float:
    """The share that was found of what should have been: the nearest, up to the limit. What was found and should not
    have been, or was not said to be more, ends the measuring."""
    wanted = found = 0
    for hits, near in zip(answers, truth, strict=True):
        given = set(zip(hits.distances.tolist(), hits.rows.tolist(), strict=True))
        expected = set(near[:LIMIT])
        if given - expected or (len(hits.truncated) > 0) != (len(near) > LIMIT):
            raise SystemExit("An answer is not what comparing all gives.")
        wanted += len(expected)
        found += len(given)
    return found / wanted


def digest_us(segment: ColumnSegment) -> float:
    """Median microseconds of looking a SHA-256 up, every other one of which is there."""
    dead, reach = everything(segment)
    known, taken = segment.columns["sha256"], []
    for place in np.random.default_rng(3).integers(0, len(known), 4 * QUERIES).tolist():
        digest = known[place].tobytes()
        asked = digest if place % 2 else digest[::-1]
        started = time.perf_counter()
        hits = segment.same(HashKind.SHA256, asked, reach, dead, LIMIT)
        taken.append((time.perf_counter() - started) * 1e6)
        if len(hits.rows) != place % 2:
            raise SystemExit("A digest was not found, or one that is not there was.")
    return float(np.median(taken))


def main() -> None:
    """Measures both kinds of data and prints the table."""
    count = int(os.environ.get("N", sys.argv[1] if len(sys.argv) > 1 else "1000000"))
    folder = Path(tempfile.mkdtemp(prefix="seawall-bench-"))
    try:
        results = []
        for data in ("uniform", "correlated"):
            results.append(measure(folder, data, count))
            (folder / f"{data}.segment").unlink()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    shown = [name for name in results[0] if not name.startswith("rounds_")]
    table = Table(*shown, title=f"One index in a mapped file ({machine})")
    for result in results:
        table.add_row(*(str(result[name]) for name in shown))
    Console(width=180).print(table)
    written = ROOT / "benchmarks" / "results" / "index.json"
    written.parent.mkdir(exist_ok=True)
    written.write_text(json.dumps({**results[0], "correlated": results[1], "machine": machine}, indent=1) + "\n")


if __name__ == "__main__":
    main()
