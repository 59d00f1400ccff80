"""Compiled look-ups of digests in sorted tables. Importing this module imports numba, as with `kernels`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# What `binding` says instead of a number of rows.
DAMAGED = -2


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def compared(digests: Any, place: int, digest: Any) -> int:
    """Below zero, zero or above: where a digest of the table stands to another."""
    for byte in range(digest.shape[0]):
        if digests[place, byte] != digest[byte]:
            return -1 if digests[place, byte] < digest[byte] else 1
    return 0


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def find(digests: Any, tops: Any, digest: Any) -> Any:
    """Where in a sorted table a digest begins and ends, two numbers.

    Args:
        digests: (k, length) uint8, ascending.
        tops: (2 ** bits + 1,) uint32, where the digests with these first bits begin; at most 32 bits.
        digest: (length,) uint8.
    """
    first = (
        (np.int64(digest[0]) << 24) | (np.int64(digest[1]) << 16) | (np.int64(digest[2]) << 8) | np.int64(digest[3])
    )
    bits = 0
    while (1 << bits) < tops.shape[0] - 1:
        bits += 1
    top = first >> (32 - bits)
    low, stop = np.int64(tops[top]), min(np.int64(tops[top + 1]), digests.shape[0])
    high = stop
    while low < high:
        middle = (low + high) // 2
        if compared(digests, middle, digest) < 0:
            low = middle + 1
        else:
            high = middle
    begin = low
    high = stop
    while low < high:
        middle = (low + high) // 2
        if compared(digests, middle, digest) <= 0:
            low = middle + 1
        else:
            high = middle
    return begin, low


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def binding(begin: int, end: int, rows: Any, slots: Any, dead: Any, reach: Any, limit: int) -> Any:
    """The live rows of digests `begin` to `end`: the first `limit` of those that bind, and beyond them the first of
    each list. Apart from `find`, since nearly all digests are not there, and handing arrays over costs most.

    Args:
        rows: (k,) int32, the row of each digest; slots, dead, reach: as `kernels.Entries` has them.

    Returns:
        rows (r,) int64; and how many more there were, or DAMAGED.
    """
    chosen = np.empty(max(0, min(end - begin, limit + reach.shape[0])), dtype=np.int64)
    met = np.zeros(reach.shape[0] if end - begin > limit else 0, dtype=np.bool_)
    size = found = 0
    for place in range(begin, end):
        row = np.int64(rows[place])
        if not 0 <= row < slots.shape[0] or not 0 <= slots[row] < reach.shape[0]:
            return chosen[:0], DAMAGED
        slot = slots[row]
        if reach[slot] < 0 or (dead[row >> 6] >> np.uint64(row & 63)) & np.uint64(1):
            continue
        found += 1
        if size < limit or not met[slot]:
            chosen[size] = row
            size += 1
        if met.shape[0]:
            met[slot] = True
    return chosen[:size].copy(), found - size
