"""Which of very many PDQ hashes meet any of a few: the index turned round, for new entries and the whole ledger.

Exact for any data. Of eleven chunks that make up the 256 bits, two hashes within 31 bits must be within two bits in
one of the ten wider ones, or within one in the last: 10 x (2 + 1) + 1 x (1 + 1) = 32. So for each chunk all values
near some query are noted in a bitmap that stays in the cache, and a row is compared only where its value is noted.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Widths in bits and how many of them may differ.
CHUNKS = (*((24, 2),) * 6, *((23, 2),) * 4, (20, 1))
# With fewer queries it is quicker to compare them all.
FEW_QUERIES = 24
# Up to so many comparisons take less time than making the tables would.
FEW_COMPARISONS = 500_000_000
# Rows that tell how crowded the chunks are.
SAMPLED = 4096
# With more at once too many values are noted for the bitmap to spare much.
MOST_QUERIES = 10_000


@dataclass(frozen=True, slots=True)
class Queries:
    """What the rows are compared with.

    Args:
        words: (q, 4) uint64, PDQ hashes; reach: (q,) int16, the farthest distance that counts for each, -1 for none.
    """

    words: NDArray[np.uint64]
    reach: NDArray[np.int16]

    def binding(self) -> Queries:
        """Those that bind at all, each hash once with the farthest reach."""
        bound = self.reach >= 0
        order = np.lexsort((-self.reach[bound], *self.words[bound].T))
        words, reach = self.words[bound][order], self.reach[bound][order]
        first = np.ones(len(words), dtype=bool)
        first[1:] = (words[1:] != words[:-1]).any(axis=1)
        return Queries(np.ascontiguousarray(words[first]), np.ascontiguousarray(reach[first]))

    def parts(self) -> list[Queries]:
        """The same in groups of at most `MOST_QUERIES`."""
        starts = range(0, len(self.words), MOST_QUERIES)
        return [Queries(self.words[at : at + MOST_QUERIES], self.reach[at : at + MOST_QUERIES]) for at in starts]


def meeting(rows: NDArray[np.uint64], queries: Queries) -> NDArray[np.bool_]:
    """(n,) which of the rows ((n, 4) uint64) are within reach of some query.

    The tables for one group of queries take some 80 MiB; give many rows at once, since they are made for each call.
    """
    from seawall.matching import join_kernels

    met = np.full(len(rows), join_kernels.NOBODY, dtype=np.int32)
    rows = np.ascontiguousarray(rows)
    for group in queries.binding().parts():
        if len(group.words) <= FEW_QUERIES or _is_quicker(rows, group):
            join_kernels.compare_all(rows, group.words, group.reach, met)
        else:
            _through_chunks(rows, group, met)
    found: NDArray[np.bool_] = met >= 0
    return found


def _through_chunks(rows: NDArray[np.uint64], group: Queries, met: NDArray[np.int32]) -> None:
    from seawall.matching import join_kernels

    start = 0
    for width, radius in CHUNKS:
        flips = _flips(width, radius)
        bitmap = np.zeros((1 << width) // 64, dtype=np.uint64)
        offsets = np.zeros((1 << width) + 1, dtype=np.uint32)
        postings = np.empty(len(group.words) * len(flips), dtype=np.int32)
        join_kernels.expand(group.words, start, width, flips, bitmap, offsets, postings)
        join_kernels.compare_near(rows, group.words, group.reach, start, width, bitmap, offsets, postings, met)
        start += width


def _is_quicker(rows: NDArray[np.uint64], group: Queries) -> bool:
    """Whether comparing all takes no longer: there are few rows, or so many queries share chunks with so many rows. A
    sample tells."""
    if len(rows) * len(group.words) <= FEW_COMPARISONS:
        return True
    if len(rows) < SAMPLED:
        return False
    from seawall.matching import join_kernels

    sample = rows[:: len(rows) // SAMPLED]
    shared, start = 0.0, 0
    for width, _ in CHUNKS:
        of_rows, of_queries = np.empty(len(sample), np.int64), np.empty(len(group.words), np.int64)
        join_kernels.chunk_values(sample, start, width, of_rows)
        join_kernels.chunk_values(group.words, start, width, of_queries)
        # Neighbours are left out: where there is a crowd, much of it has the same value.
        values, counts = np.unique(of_queries, return_counts=True)
        places = np.minimum(np.searchsorted(values, of_rows), len(values) - 1)
        shared += float(np.where(values[places] == of_rows, counts[places], 0).mean())
        start += width
    return shared > len(group.words) / 2


def _flips(width: int, radius: int) -> NDArray[np.int64]:
    """Every value of that many bits of which at most `radius` are set."""
    values = [
        sum(1 << bit for bit in bits)
        for number in range(radius + 1)
        for bits in itertools.combinations(range(width), number)
    ]
    return np.array(values, dtype=np.int64)
