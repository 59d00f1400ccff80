"""Compiled loops that compare a few PDQ hashes with very many: new entries with the whole ledger."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from seawall.matching.kernels import popcount, prefetch

NOBODY = np.int32(-1)
# Rows taken at once: what is asked of memory for one of them arrives while the others are looked at.
BLOCK = 2048


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def compare_all(rows: Any, queries: Any, reach: Any, met: Any) -> None:
    """Compares every row with every query; for few queries.

    Args:
        rows: (n, 4) uint64. queries: (q, 4) uint64, and reach: (q,) int16, how far each goes.
        met: (n,) int32, a query that the row meets; stays as it is where it meets none.
    """
    for row in range(rows.shape[0]):
        if met[row] >= 0:
            continue
        for query in range(queries.shape[0]):
            distance = popcount(rows[row, 0] ^ queries[query, 0]) + popcount(rows[row, 1] ^ queries[query, 1])
            if distance > reach[query]:
                continue
            distance += popcount(rows[row, 2] ^ queries[query, 2]) + popcount(rows[row, 3] ^ queries[query, 3])
            if distance <= reach[query]:
                met[row] = query
                break


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def chunk_value(words: Any, start: int, width: int) -> Any:
    """The `width` bits from bit `start` on of a PDQ hash in four words, as a number."""
    word, offset = start >> 6, np.uint64(start & 63)
    value = words[word] >> offset
    if (start & 63) + width > 64:
        value |= words[word + 1] << (np.uint64(64) - offset)
    return np.int64(value & ((np.uint64(1) << np.uint64(width)) - np.uint64(1)))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def chunk_values(hashes: Any, start: int, width: int, values: Any) -> None:
    """Writes one chunk of every hash, (n, 4), as a number, (n,) int64."""
    for place in range(hashes.shape[0]):
        values[place] = chunk_value(hashes[place], start, width)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def expand(queries: Any, start: int, width: int, flips: Any, bitmap: Any, offsets: Any, postings: Any) -> None:
    """Notes for one chunk which values are near enough to which queries.

    Args:
        flips: (f,) int64, every value with at most as many bits set as the chunk may differ by.
        bitmap: (2^width / 64,) uint64, all zero; gets a bit for each value that some query is near.
        offsets: (2^width + 1,) uint32, all zero; becomes where the queries of a value begin.
        postings: (q * f,) int32; becomes the queries, value after value.
    """
    for query in range(queries.shape[0]):
        value = chunk_value(queries[query], start, width)
        for flip in flips:
            near = value ^ flip
            bitmap[near >> 6] |= np.uint64(1) << np.uint64(near & 63)
            offsets[near + 1] += np.uint32(1)
    total = np.uint32(0)
    for value in range(1, offsets.shape[0]):
        total += offsets[value]
        offsets[value] = total
    for query in range(queries.shape[0]):
        value = chunk_value(queries[query], start, width)
        for flip in flips:
            near = value ^ flip
            offsets[near + 1] -= np.uint32(1)
            postings[offsets[near + 1]] = query
    for value in range(offsets.shape[0] - 1):
        offsets[value] = offsets[value + 1]
    offsets[offsets.shape[0] - 1] = np.uint32(queries.shape[0] * flips.shape[0])


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def compare_near(
    rows: Any, queries: Any, reach: Any, start: int, width: int, bitmap: Any, offsets: Any, postings: Any, met: Any
) -> None:
    """Compares every row with the queries that are near it in one chunk, as `expand` noted them.

    Args:
        rows, queries, reach, met: as for `compare_all`.
    """
    waiting, values = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    begins, ends = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    word, offset = start >> 6, np.uint64(start & 63)
    beyond, rest = (start & 63) + width > 64, np.uint64(64) - offset
    mask = (np.uint64(1) << np.uint64(width)) - np.uint64(1)
    for first in range(0, rows.shape[0], BLOCK):
        # No branch in this loop: one row in some is near a query, which no processor can foresee.
        count = 0
        for row in range(first, min(first + BLOCK, rows.shape[0])):
            bits = rows[row, word] >> offset
            if beyond:
                bits |= rows[row, word + 1] << rest
            value = int(bits & mask)
            waiting[count], values[count] = row, value
            count += int((bitmap[value >> 6] >> np.uint64(value & 63)) & np.uint64(1))
        for place in range(count):
            prefetch(offsets, values[place])
        for place in range(count):
            begins[place] = np.int64(offsets[values[place]])
            ends[place] = np.int64(offsets[values[place] + 1])
            prefetch(postings, begins[place])
        for place in range(count):
            here = int(waiting[place])
            if met[here] >= 0:
                continue
            for posting in range(begins[place], ends[place]):
                query = postings[posting]
                distance = popcount(rows[here, 0] ^ queries[query, 0]) + popcount(rows[here, 1] ^ queries[query, 1])
                if distance > reach[query]:
                    continue
                distance += popcount(rows[here, 2] ^ queries[query, 2]) + popcount(rows[here, 3] ^ queries[query, 3])
                if distance <= reach[query]:
                    met[here] = query
                    break
