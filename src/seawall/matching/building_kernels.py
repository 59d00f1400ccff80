"""Compiled loops that build the columns of a segment. Each reads and writes what it is given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# Hashes that stay in the nearest cache while they are passed over again and again.
BLOCK = 512
# Up to this many, sorting by insertion is quickest.
FEW = 16


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def rank_kept(keep: Any, ranks: Any) -> int:
    """Numbers the rows to keep from 0 on, -1 for the others; returns how many are kept."""
    kept = 0
    for row in range(keep.shape[0]):
        ranks[row] = kept if keep[row] else -1
        kept += 1 if keep[row] else 0
    return kept


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def rank_among(entry_ids: Any, ranks: Any, other_ids: Any, other_keep: Any) -> bool:
    """Adds to each rank the kept entries of another source that come before; both are ascending by entry id.

    Returns whether no entry is kept in both.
    """
    other = before = 0
    for row in range(entry_ids.shape[0]):
        if ranks[row] < 0:
            continue
        while other < other_ids.shape[0] and other_ids[other] < entry_ids[row]:
            before += 1 if other_keep[other] else 0
            other += 1
        if other < other_ids.shape[0] and other_ids[other] == entry_ids[row] and other_keep[other]:
            return False
        ranks[row] += before
    return True


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def count_slots(slots: Any, ranks: Any, counts: Any) -> None:
    """Counts the kept rows of each slot."""
    for row in range(slots.shape[0]):
        if ranks[row] >= 0:
            counts[slots[row]] += 1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def place_values(values: Any, ranks: Any, out: Any) -> None:
    """Writes the values of the kept rows where they belong."""
    for row in range(values.shape[0]):
        if ranks[row] >= 0:
            out[ranks[row]] = values[row]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def place_numbers(values: Any, numbers: Any, ranks: Any, out: Any) -> None:
    """The same of values that are numbered anew; the last of the numbers is for -1."""
    for row in range(values.shape[0]):
        if ranks[row] >= 0:
            out[ranks[row]] = numbers[values[row]]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def rank_flagged(flags: Any, flag: int, ranks: Any) -> int:
    """Numbers the rows that have the flag; returns how many have it."""
    flagged = 0
    for row in range(flags.shape[0]):
        ranks[row] = flagged
        flagged += 1 if flags[row] & flag else 0
    return flagged


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def place_hashes(hashes: Any, rows: Any, ranks: Any, places: Any, out: Any, out_rows: Any) -> None:
    """Writes PDQ hashes of kept rows, and their rows, ascending; `places` says the place of each new row."""
    for number in range(hashes.shape[0]):
        row = ranks[rows[number]]
        if row >= 0:
            for word in range(4):
                out[places[row], word] = hashes[number, word]
            out_rows[places[row]] = row


# --------------------------------------------------------------------------------------------------- digests


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def top_of(digest: Any, bits: int) -> Any:
    """The first bits of a digest, at most 32, as a number."""
    first = (
        (np.int64(digest[0]) << 24) | (np.int64(digest[1]) << 16) | (np.int64(digest[2]) << 8) | np.int64(digest[3])
    )
    return first >> (32 - bits)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def count_digests(digests: Any, rows: Any, ranks: Any, bits: int, tops: Any) -> None:
    """Counts, one place further on, the digests of kept rows by their first bits."""
    for number in range(digests.shape[0]):
        if ranks[rows[number]] >= 0:
            tops[top_of(digests[number], bits) + 1] += 1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def place_digests(digests: Any, rows: Any, ranks: Any, bits: int, tops: Any, out: Any, out_rows: Any) -> None:
    """Writes digests of kept rows to where `tops` says for their first bits, and moves that on."""
    for number in range(digests.shape[0]):
        row = ranks[rows[number]]
        if row >= 0:
            top = top_of(digests[number], bits) + 1
            place = tops[top]
            tops[top] += 1
            for byte in range(digests.shape[1]):
                out[place, byte] = digests[number, byte]
            out_rows[place] = row


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def sort_digests(digests: Any, rows: Any, tops: Any) -> None:
    """Sorts what shares its first bits, by digest and then by row."""
    spare = np.empty(digests.shape[1], dtype=np.uint8)
    for top in range(tops.shape[0] - 1):
        begin, end = np.int64(tops[top]), np.int64(tops[top + 1])
        if end - begin > FEW:
            _sort_many(digests[begin:end], rows[begin:end])
            continue
        for number in range(begin + 1, end):
            place = number
            spare[:] = digests[number]
            row = rows[number]
            while place > begin and _is_before(spare, row, digests[place - 1], rows[place - 1]):
                digests[place] = digests[place - 1]
                rows[place] = rows[place - 1]
                place -= 1
            digests[place] = spare
            rows[place] = row


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _is_before(digest: Any, row: int, other: Any, other_row: int) -> bool:
    for byte in range(digest.shape[0]):
        if digest[byte] != other[byte]:
            return bool(digest[byte] < other[byte])
    return row < other_row


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _sort_many(digests: Any, rows: Any) -> None:
    """Heap sort: in place, and never slow."""
    size = rows.shape[0]
    for root in range(size // 2 - 1, -1, -1):
        _sink(digests, rows, root, size)
    for last in range(size - 1, 0, -1):
        _swap(digests, rows, 0, last)
        _sink(digests, rows, 0, last)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _sink(digests: Any, rows: Any, root: int, size: int) -> None:
    while 2 * root + 1 < size:
        child = 2 * root + 1
        if child + 1 < size and _is_before(digests[child], rows[child], digests[child + 1], rows[child + 1]):
            child += 1
        if not _is_before(digests[root], rows[root], digests[child], rows[child]):
            return
        _swap(digests, rows, root, child)
        root = child


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _swap(digests: Any, rows: Any, one: int, other: int) -> None:
    for byte in range(digests.shape[1]):
        digests[one, byte], digests[other, byte] = digests[other, byte], digests[one, byte]
    rows[one], rows[other] = rows[other], rows[one]


# --------------------------------------------------------------------------------------------------- buckets


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def add_up(counts: Any) -> None:
    """Turns counts (from place 1 on) into where each bucket begins, one place further on: `counts[k + 1]` is where
    bucket k begins. Whoever fills the buckets moves it on, and in the end it is where k ends and k + 1 begins."""
    total = 0
    for place in range(1, counts.shape[0]):
        count = counts[place]
        counts[place] = total
        total += count


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def values_of(hashes: Any, bits: Any, values: Any) -> None:
    """Writes one chunk of every hash, the same as `kernels.value_of`.

    Args:
        hashes: (m, 4) uint64; bits: (w,) uint8, the bits of the chunk; values: (m,) uint32, written.
    """
    for start in range(0, hashes.shape[0], BLOCK):
        end = min(start + BLOCK, hashes.shape[0])
        for place in range(start, end):
            values[place] = 0
        # Bit after bit over hashes that stay in the nearest cache, so that the inner loop does the same for many.
        for at in range(bits.shape[0]):
            word, shift, to = bits[at] >> 6, np.uint64(bits[at] & 63), np.uint64(at)
            for place in range(start, end):
                values[place] |= np.uint32(((hashes[place, word] >> shift) & np.uint64(1)) << to)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def sort_roughly(values: Any, shift: int, sorted_values: Any, places: Any) -> None:
    """Sorts values and their places by all but the last bits, so that what is done to them next stays close together.

    Args:
        values, sorted_values, places: (m,) uint32; the last two are written.
    """
    highest = np.int64(0)
    for place in range(values.shape[0]):
        if values[place] > highest:
            highest = np.int64(values[place])
    bounds = np.zeros((highest >> shift) + 2, dtype=np.uint32)
    for place in range(values.shape[0]):
        bounds[(np.int64(values[place]) >> shift) + 1] += np.uint32(1)
    add_up(bounds)
    for place in range(values.shape[0]):
        part = (np.int64(values[place]) >> shift) + 1
        to = bounds[part]
        sorted_values[to], places[to] = values[place], place
        bounds[part] = to + np.uint32(1)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def fill_buckets(values: Any, places: Any, bounds: Any, positions: Any) -> None:
    """Sorts places by their values; those with the same value stay in their order.

    Args:
        values, places, positions: (m,) uint32, the last is written.
        bounds: (2 ** width + 1,) uint32 of zeros: becomes where the bucket of each value begins.
    """
    for number in range(values.shape[0]):
        bounds[np.int64(values[number]) + 1] += np.uint32(1)
    add_up(bounds)
    for number in range(values.shape[0]):
        bucket = np.int64(values[number]) + 1
        to = bounds[bucket]
        positions[to] = places[number]
        bounds[bucket] = to + np.uint32(1)
