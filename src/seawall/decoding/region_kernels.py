"""The compiled parts of :mod:`seawall.decoding.regions`: counting over pictures seen from far away.

Each is a sum over all pixels, of which numpy needs several passes and copies; together they were most of what looking
for regions cost.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

_FAR = types.Array(types.int16, 2, "A", readonly=True)
_FAR_WRITTEN = types.Array(types.int16, 2, "C")
_PIXELS = types.Array(types.uint8, 3, "A", readonly=True)
_MASK = types.Array(types.boolean, 2, "A", readonly=True)
_NEW_MASK = types.Array(types.boolean, 2, "C")
_COUNTS = types.Array(types.int64, 1, "C")


@njit(types.void(_FAR, types.int64, types.int64, _COUNTS), nogil=True, cache=True)  # type: ignore[untyped-decorator]
def count_alike(lines: NDArray[np.int16], colour: int, within: int, out: NDArray[np.int64]) -> None:
    """How many pixels of each line are at most `within` from that colour.

    Args:
        lines: (lines, pixels).
        out: (lines,), written.
    """
    for line in range(lines.shape[0]):
        count = 0
        for place in range(lines.shape[1]):
            if abs(np.int64(lines[line, place]) - colour) <= within:
                count += 1
        out[line] = count


@njit(types.void(_MASK, _COUNTS), nogil=True, cache=True)  # type: ignore[untyped-decorator]
def count_taken(lines: NDArray[np.bool_], out: NDArray[np.int64]) -> None:
    """How many pixels of each line are taken.

    Args:
        lines: (lines, pixels).
        out: (lines,), written.
    """
    for line in range(lines.shape[0]):
        count = 0
        for place in range(lines.shape[1]):
            if lines[line, place]:
                count += 1
        out[line] = count


@njit(types.void(_FAR, types.int64, _COUNTS), nogil=True, cache=True)  # type: ignore[untyped-decorator]
def count_flat(far: NDArray[np.int16], within: int, out: NDArray[np.int64]) -> None:
    """How many pixels have each colour, of those that the next below and the next to the right differ from by at most
    `within`.

    Args:
        far: (height, width), of 0 to 255.
        out: (256,), written.
    """
    out[:] = 0
    for row in range(far.shape[0] - 1):
        for column in range(far.shape[1] - 1):
            here = np.int64(far[row, column])
            flat = abs(np.int64(far[row + 1, column]) - here) <= within
            if flat and abs(np.int64(far[row, column + 1]) - here) <= within:
                out[here] += 1


@njit(types.void(_FAR, types.int64, types.int64, _NEW_MASK), nogil=True, cache=True)  # type: ignore[untyped-decorator]
def clear_alike(far: NDArray[np.int16], colour: int, within: int, mask: NDArray[np.bool_]) -> None:
    """Takes the pixels that are at most `within` from that colour out of the mask.

    Args:
        far: (height, width).
        mask: (height, width), changed.
    """
    for row in range(far.shape[0]):
        for column in range(far.shape[1]):
            mask[row, column] &= abs(np.int64(far[row, column]) - colour) > within


@njit(types.void(_FAR, types.int64, _COUNTS), nogil=True, cache=True)  # type: ignore[untyped-decorator]
def count_steps(far: NDArray[np.int16], within: int, out: NDArray[np.int64]) -> None:
    """In how many columns each row differs by more than `within` from the next.

    Args:
        far: (height, width).
        out: (height - 1,), written.
    """
    for row in range(far.shape[0] - 1):
        count = 0
        for column in range(far.shape[1]):
            if abs(np.int64(far[row + 1, column]) - np.int64(far[row, column])) > within:
                count += 1
        out[row] = count


@njit(types.void(_FAR, _COUNTS, types.int64, types.int64, _COUNTS, _COUNTS), nogil=True, cache=True)  # type: ignore[untyped-decorator]
def longest_steps(
    far: NDArray[np.int16],
    rows: NDArray[np.int64],
    within: int,
    reach: int,
    longest: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> None:
    """The longest stretch along which a row differs from the next by more than `within`: of which each place has more
    than `reach` such columns among itself and the `reach` on either side.

    Args:
        far: (height, width).
        rows: which rows, at most height - 2.
        longest: (rows,), written: how long the first of the longest is.
        ends: (rows,), written: its last column; 0 where there is none.
    """
    width = far.shape[1]
    for number in range(len(rows)):
        row = rows[number]
        around, run, best, end = 0, 0, 0, 0
        for place in range(-reach, width):
            ahead = place + reach
            if ahead < width and abs(np.int64(far[row + 1, ahead]) - np.int64(far[row, ahead])) > within:
                around += 1
            behind = place - reach - 1
            if behind >= 0 and abs(np.int64(far[row + 1, behind]) - np.int64(far[row, behind])) > within:
                around -= 1
            if place < 0:
                continue
            run = run + 1 if around > reach else 0
            if run > best:
                best, end = run, place
        longest[number], ends[number] = best, end


@njit(types.void(_PIXELS, _FAR_WRITTEN), nogil=True, cache=True)  # type: ignore[untyped-decorator]
def grey_of(pixels: NDArray[np.uint8], out: NDArray[np.int16]) -> None:
    """Brightness, roughly: two parts of red, five of green and one of blue.

    Args:
        pixels: (height, width, 3).
        out: (height, width), written.
    """
    for row in range(pixels.shape[0]):
        for column in range(pixels.shape[1]):
            red, green, blue = pixels[row, column, 0], pixels[row, column, 1], pixels[row, column, 2]
            out[row, column] = (2 * np.int64(red) + 5 * np.int64(green) + np.int64(blue)) >> 3
