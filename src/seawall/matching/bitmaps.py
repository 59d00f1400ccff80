"""Sets of rows as bitmaps: (ceil(rows / 64),) uint64, bit r % 64 of word r // 64 for row r.

A segment of millions of rows has some that are dead, and one more with every removal, for which the set is copied.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

WORD_BITS = 64


def no_rows(rows: int) -> NDArray[np.uint64]:
    """The empty set of a segment with that many rows."""
    return np.zeros(-(-rows // WORD_BITS), dtype=np.uint64)


def with_rows(bitmap: NDArray[np.uint64], places: NDArray[np.integer]) -> NDArray[np.uint64]:
    """A copy with these rows (k,) in it as well."""
    wider = bitmap.copy()
    which = places.astype(np.uint64)
    np.bitwise_or.at(wider, which // WORD_BITS, np.uint64(1) << (which % WORD_BITS))
    return wider


def count_of(bitmap: NDArray[np.uint64]) -> int:
    """How many rows are in the set."""
    return int(np.bitwise_count(bitmap).sum(dtype=np.int64))


def as_bools(bitmap: NDArray[np.uint64], rows: int) -> NDArray[np.bool_]:
    """(rows,) whether each row is in the set."""
    words = bitmap if sys.byteorder == "little" else bitmap.byteswap()
    bools: NDArray[np.bool_] = np.unpackbits(words.view(np.uint8), count=rows, bitorder="little").view(bool)
    return bools
