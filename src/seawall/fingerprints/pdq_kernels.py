"""The loops of PDQ, compiled by numba. Import this module only when a hash is about to be computed.

The signatures are explicit, so that importing compiles everything (or loads it from ``NUMBA_CACHE_DIR``): a decoder
process must not need the disk any more once it has begun to read untrusted bytes.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

_F32 = types.float32
_F64 = types.float64
_BYTES_2D = types.Array(types.uint8, 2, "C", readonly=True)
_INDICES = types.Array(types.int64, 1, "C", readonly=True)
_WEIGHTS = types.Array(_F32, 1, "C", readonly=True)
_MATRIX = types.Array(_F32, 2, "C", readonly=True)
_ROWS = types.Array(_F64, 2, "C")
_GRIDS = types.Array(_F32, 3, "C")


@njit(  # type: ignore[untyped-decorator]
    types.void(_BYTES_2D, _INDICES, _INDICES, _WEIGHTS, types.float64, types.int64, types.int64, _ROWS),
    nogil=True,
    cache=True,
)
def sample_rows(
    rows: NDArray[np.uint8],
    starts: NDArray[np.int64],
    offsets: NDArray[np.int64],
    weights: NDArray[np.float32],
    scale: float,
    channels: int,
    column: int,
    out: NDArray[np.float64],
) -> None:
    """Reduce the picture's rows to 64 sampled rows of luma, written as 64 columns of ``out``.

    Args:
        rows: (height, width * channels), interleaved.
        starts: first picture row of each sample.
        offsets: (65,) where each sample's weights begin in ``weights``.
        weights: the weights times the square of the window, whole numbers but at the edges: a sum of whole
            numbers below 2**24 is exact in float32.
        scale: one over the square of the window.
        channels: 1 (luma already) or 3 (red, green, blue).
        column: first column of ``out`` to write.
        out: (width, columns), transposed so that the next step runs along memory.
    """
    width = rows.shape[1] // channels
    total = np.empty(rows.shape[1], dtype=np.float32)
    for sample in range(64):
        total[:] = np.float32(0)
        first = starts[sample]
        base = offsets[sample]
        count = offsets[sample + 1] - base
        done = 0
        while done + 4 <= count:  # four rows at a time: the running total is read and written a quarter as often
            w0, w1 = weights[base + done], weights[base + done + 1]
            w2, w3 = weights[base + done + 2], weights[base + done + 3]
            r0, r1 = rows[first + done], rows[first + done + 1]
            r2, r3 = rows[first + done + 2], rows[first + done + 3]
            for x in range(rows.shape[1]):
                total[x] += (
                    w0 * np.float32(r0[x]) + w1 * np.float32(r1[x]) + w2 * np.float32(r2[x]) + w3 * np.float32(r3[x])
                )
            done += 4
        while done < count:
            weight = weights[base + done]
            row = rows[first + done]
            for x in range(rows.shape[1]):
                total[x] += weight * np.float32(row[x])
            done += 1
        if channels == 1:
            for x in range(width):
                out[x, column + sample] = total[x] * scale
        else:
            for x in range(width):
                luma = 0.299 * total[3 * x] + 0.587 * total[3 * x + 1] + 0.114 * total[3 * x + 2]
                out[x, column + sample] = luma * scale


@njit(  # type: ignore[untyped-decorator]
    types.void(_ROWS, _INDICES, _INDICES, _WEIGHTS, types.float64, _ROWS), nogil=True, cache=True
)
def sample_columns(
    rows: NDArray[np.float64],
    starts: NDArray[np.int64],
    offsets: NDArray[np.int64],
    weights: NDArray[np.float32],
    scale: float,
    out: NDArray[np.float64],
) -> None:
    """Reduce (width, columns) to (64, columns) by the same kind of weights along the other axis."""
    for sample in range(64):
        out[sample, :] = 0.0
        base = offsets[sample]
        for k in range(offsets[sample + 1] - base):
            weight = weights[base + k] * scale
            row = rows[starts[sample] + k]
            for lane in range(rows.shape[1]):
                out[sample, lane] += weight * row[lane]


@njit(types.void(_GRIDS, _MATRIX, _GRIDS), nogil=True, cache=True)  # type: ignore[untyped-decorator]
def transform(grids: NDArray[np.float32], basis: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """The 16x16 lowest non-constant DCT coefficients of each 64x64 grid.

    Each sum runs in ascending order in float32, as the reference's does, so that it rounds alike.

    Args:
        grids: (n, 64, 64).
        basis: (16, 64).
        out: (n, 16, 16).
    """
    half = np.empty((16, 64), dtype=np.float32)
    for n in range(grids.shape[0]):
        half[:, :] = np.float32(0)
        for i in range(16):
            for k in range(64):
                for j in range(64):
                    half[i, j] += basis[i, k] * grids[n, k, j]
        for i in range(16):
            for j in range(16):
                total = np.float32(0)
                for k in range(64):
                    total += half[i, k] * basis[j, k]
                out[n, i, j] = total


@njit(types.int64(_MATRIX), nogil=True, cache=True)  # type: ignore[untyped-decorator]
def gradient_sum(grid: NDArray[np.float32]) -> int:
    """The sum of the significant steps between neighbours of a 64x64 grid, each in whole percent of full range."""
    hundred, full = np.float32(100), np.float32(255)
    total = 0
    for i in range(64):
        for j in range(64):
            if i < 63:
                total += abs(int((grid[i, j] - grid[i + 1, j]) * hundred / full))
            if j < 63:
                total += abs(int((grid[i, j] - grid[i, j + 1]) * hundred / full))
    return total


@njit(types.float64(_MATRIX, _MATRIX, _MATRIX), nogil=True, cache=True)  # type: ignore[untyped-decorator]
def information(samples: NDArray[np.float32], coefficients: NDArray[np.float32], basis: NDArray[np.float32]) -> float:
    """The variance at the frequencies of the hash, of that and all that is finer, 0 to 1; 1 where there is none.

    The transform keeps sums of squares (Parseval), so that what is finer need not be transformed. What varies along
    one axis alone, no finer than the hash (frequency nought along the other), is neither.

    Args:
        samples: (64, 64); coefficients: (16, 16), of the same; basis: (16, 64).
    """
    down, across, mean = np.zeros(64), np.zeros(64), 0.0
    for i in range(64):
        for j in range(64):
            value = float(samples[i, j])
            down[i] += value / 64
            across[j] += value / 64
            mean += value / 4096
    finer = 0.0
    for i in range(64):
        for j in range(64):
            finer += (samples[i, j] - mean) ** 2
    hashed = 0.0
    for i in range(16):
        vertical = horizontal = 0.0
        for k in range(64):
            vertical += basis[i, k] * (down[k] - mean)
            horizontal += basis[i, k] * (across[k] - mean)
        finer -= 64 * (vertical**2 + horizontal**2)
        for j in range(16):
            hashed += float(coefficients[i, j]) ** 2
    finer = max(0.0, finer - hashed)
    # What is left of a flat picture is rounding.
    return hashed / (hashed + finer) if hashed + finer > 0.4 else 1.0
