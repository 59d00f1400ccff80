"""How long a lookup by PDQ takes: all eight orientations of one picture, against several numbers of hashes.

    make bench-index

Prints medians of processor time and writes benchmarks/results/index.json. The hashes are random, so that nothing is
near, as for nearly every picture.
"""

from __future__ import annotations

import json
import os
import platform
import random
import statistics
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seawall.matching.entries import ENTRY, HAS, NO_CLASSIFICATION, Changes, EntryBatch  # noqa: E402
from seawall.matching.index import HashIndex  # noqa: E402
from seawall.records import Fingerprint, HashKind  # noqa: E402
from tests.unit.matching.model import list_info, print_of  # noqa: E402

COUNTS = (10_000, 100_000, 1_000_000, 4_000_000)
ORIENTATIONS = 8
ROUNDS = 31


def index_of(count: int) -> HashIndex:
    """An index of that many random PDQ hashes on one test list."""
    rows = np.zeros(count, dtype=ENTRY)
    rows["entry_id"] = np.arange(1, count + 1)
    rows["list_id"], rows["classification"], rows["flags"] = 1, NO_CLASSIFICATION, HAS[HashKind.PDQ]
    rows[HashKind.PDQ.value] = np.random.default_rng(count).integers(0, 256, (count, 32), dtype=np.uint8)
    index = HashIndex()
    index.apply(Changes(1, (list_info(1),), EntryBatch(rows), everything=True))
    return index


def picture(seed: int) -> Fingerprint:
    """What a picture with eight different orientations is looked up by."""
    generator = random.Random(seed)
    return print_of(*(generator.randbytes(32) for _ in range(ORIENTATIONS)))


def median_s(index: HashIndex) -> float:
    """The median processor time of a lookup, in seconds, after one to warm up."""
    taken = []
    for seed in range(ROUNDS + 1):
        query = picture(seed)
        started = time.process_time()
        found = index.lookup(query, 0)
        taken.append(time.process_time() - started)
        if found:
            raise SystemExit("A random hash is near another: the benchmark measures something else.")
    return statistics.median(taken[1:])


def main() -> None:
    rows = {}
    for count in COUNTS:
        seconds = median_s(index_of(count))
        nanoseconds = seconds * 1e9 / count / ORIENTATIONS
        rows[count] = {"lookup_ms": round(seconds * 1000, 3), "ns_per_hash_and_query": round(nanoseconds, 2)}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    print(f"Medians of {ROUNDS} lookups of {ORIENTATIONS} orientations, processor time ({machine})\n")
    print("hashes".rjust(10), "ms a lookup".rjust(14), "ns a hash and query".rjust(22))
    for count, row in rows.items():
        print(f"{count:10,}", f"{row['lookup_ms']:14.3f}", f"{row['ns_per_hash_and_query']:22.2f}")
    results = ROOT / "benchmarks" / "results" / "index.json"
    results.write_text(json.dumps({"machine": machine, "rounds": ROUNDS, "by_hashes": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
