"""The compiled loop that marks all hashes of a segment that some query meets, however many those are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from seawall.matching.kernels import DAMAGED, DENSE, ROUND, ask_for, bounds_of, popcount, prefetch


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def mark_near(hashes: Any, asked: Any, words: Any, reach: int, met: Any) -> bool:
    """Compares a query with some hashes; returns whether all of them are there.

    Args:
        asked: (k,) int64, the places of the hashes.
        met: (m,) uint8, becomes 1 where a hash is within reach.
    """
    for number in range(asked.shape[0]):
        place = asked[number]
        if place >= hashes.shape[0]:
            return False
        distance = popcount(hashes[place, 0] ^ words[0]) + popcount(hashes[place, 1] ^ words[1])
        if distance > reach:
            continue
        distance += popcount(hashes[place, 2] ^ words[2]) + popcount(hashes[place, 3] ^ words[3])
        if distance <= reach:
            met[place] = 1
    return True


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def mark(
    hashes: Any,
    buckets: Any,
    positions: Any,
    chunks: Any,
    masks: Any,
    order: Any,
    most: int,
    queries: Any,
    reach: Any,
    candidates: Any,
    met: Any,
) -> None:
    """Marks what lies in the buckets near each query and within its reach. As `kernels.probe`, but for:

    Args:
        most: the candidates that are worth it; a query that has more is left for another way.
        reach: (q,) int16, the farthest distance that counts for each query.
        candidates: (q,) int64, how many hashes were compared; DENSE where that would be too many and none was,
            DAMAGED where the buckets point out of the segment.
        met: (m,) uint8, becomes 1 where a hash is within reach of some query.
    """
    begins, ends = np.empty(masks.shape[0], np.int64), np.empty(masks.shape[0], np.int64)
    asked = np.empty(ROUND, np.int64)
    for query in range(queries.shape[0]):
        words = queries[query]
        bounds_of(words, buckets, chunks, masks, order, begins, ends)
        total = ask_for(positions, chunks, begins, ends)
        candidates[query] = DAMAGED if total < 0 else DENSE if total > most else total
        if candidates[query] < 0:
            continue
        at = waiting = 0
        whole = True
        for chunk in range(chunks.shape[0]):
            inside = positions[chunk]
            while at < chunks[chunk, 4]:
                for position in range(begins[at], ends[at]):
                    place = np.int64(inside[position])
                    prefetch(hashes, place)
                    asked[waiting] = place
                    waiting += 1
                    if waiting == ROUND:
                        whole &= mark_near(hashes, asked, words, reach[query], met)
                        waiting = 0
                at += 1
        whole &= mark_near(hashes, asked[:waiting], words, reach[query], met)
        if not whole:
            candidates[query] = DAMAGED
