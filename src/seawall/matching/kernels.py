"""Compiled loops over PDQ hashes. Importing this module imports numba; only segments do, when they are first asked.

A PDQ hash is four unsigned 64-bit words; a distance is the number of bits in which two differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

# Rows are taken in blocks that stay in the nearest cache while all queries pass over them.
BLOCK = 512
# records.FARTHEST_DISTANCE, written out: compiled code is cached by this file alone, and would not see it change.
FAR = 31


@intrinsic  # type: ignore[untyped-decorator]
def popcount(typing_context: Any, word: Any) -> Any:  # noqa: ARG001 - numba's signature
    """The number of bits set in an unsigned 64-bit word, as one machine instruction."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def before(distance: int, row: int, other_distance: int, other_row: int) -> bool:
    """Whether a hit is nearer than another; of two at one distance the lower row is."""
    return distance < other_distance or (distance == other_distance and row < other_row)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def keep_nearest(distances: Any, rows: Any, size: int, distance: int, row: int) -> int:
    """Puts a hit into a bounded heap whose root is the farthest kept; returns the new size."""
    limit = distances.shape[0]
    if size == limit:
        if not before(distance, row, distances[0], rows[0]):
            return size
        place = 0
        while True:
            child = 2 * place + 1
            if child >= limit:
                break
            if child + 1 < limit and before(distances[child], rows[child], distances[child + 1], rows[child + 1]):
                child += 1
            if not before(distance, row, distances[child], rows[child]):
                break
            distances[place], rows[place] = distances[child], rows[child]
            place = child
        distances[place], rows[place] = distance, row
        return size
    place = size
    while place > 0:
        parent = (place - 1) // 2
        if not before(distances[parent], rows[parent], distance, row):
            break
        distances[place], rows[place] = distances[parent], rows[parent]
        place = parent
    distances[place], rows[place] = distance, row
    return size + 1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def scan(
    hashes: Any,
    rows: Any,
    slots: Any,
    dead: Any,
    reach: Any,
    queries: Any,
    kept_distances: Any,
    kept_rows: Any,
    kept: Any,
    found: Any,
    best_distances: Any,
    best_rows: Any,
) -> None:
    """Compares every query with every hash and keeps the nearest that bind.

    Args:
        hashes: (m, 4) uint64, and rows: (m,) int32 ascending, the row of each.
        slots: (n,) int32, the list of each row; dead: (n,) bool, rows that are no more.
        reach: (lists,) int16, the farthest distance that binds; -1 for none.
        queries: (q, 4) uint64.
        kept_distances, kept_rows: (q, limit) int32, the nearest hits of each query, as a heap; kept: (q,) int64.
        found: (q,) int64, how many hits there were in all.
        best_distances, best_rows: (q, lists) int32, the nearest hit on each list; starts as FAR + 1.
    """
    for start in range(0, hashes.shape[0], BLOCK):
        end = min(start + BLOCK, hashes.shape[0])
        for query in range(queries.shape[0]):
            first, second = queries[query, 0], queries[query, 1]
            third, fourth = queries[query, 2], queries[query, 3]
            for place in range(start, end):
                # Half of the bits settle it for all but one in millions of unrelated hashes.
                distance = popcount(hashes[place, 0] ^ first) + popcount(hashes[place, 1] ^ second)
                if distance > FAR:
                    continue
                distance += popcount(hashes[place, 2] ^ third) + popcount(hashes[place, 3] ^ fourth)
                if distance > FAR:
                    continue
                row = rows[place]
                slot = slots[row]
                bits = np.int32(distance)
                if bits > reach[slot] or dead[row]:
                    continue
                found[query] += 1
                if bits < best_distances[query, slot]:
                    best_distances[query, slot], best_rows[query, slot] = bits, row
                kept[query] = keep_nearest(kept_distances[query], kept_rows[query], kept[query], bits, row)
