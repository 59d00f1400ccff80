"""The compiled counts of the search for regions, beside the same in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from seawall.decoding import region_kernels as kernels

FEW = settings(max_examples=60, deadline=None)
# Few colours, so that much is alike.
PICTURES = st.tuples(st.integers(2, 24), st.integers(2, 24)).flatmap(
    lambda shape: arrays(np.int16, shape, elements=st.sampled_from((0, 5, 12, 13, 40, 200, 255)))
)
Far = NDArray[np.int16]


def counts(length: int) -> NDArray[np.int64]:
    return np.full(length, -1, dtype=np.int64)


@FEW
@given(PICTURES, st.integers(0, 255), st.integers(0, 30), st.booleans())
def test_alike(far: Far, colour: int, within: int, turned: bool) -> None:
    lines = far.T if turned else far[::-1]
    out = counts(len(lines))
    kernels.count_alike(lines, colour, within, out)
    assert (out == (np.abs(lines - colour) <= within).sum(axis=1)).all()


@FEW
@given(PICTURES, st.integers(0, 255), st.integers(0, 30))
def test_taken_and_cleared(far: Far, colour: int, within: int) -> None:
    mask = far % 2 == 0
    kept = mask & ~(np.abs(far - colour) <= within)
    kernels.clear_alike(far, colour, within, mask)
    assert (mask == kept).all()
    rows, columns = counts(far.shape[0]), counts(far.shape[1])
    kernels.count_taken(mask, rows)
    kernels.count_taken(mask.T, columns)
    assert (rows == kept.sum(axis=1)).all()
    assert (columns == kept.sum(axis=0)).all()


@FEW
@given(PICTURES, st.integers(0, 13))
def test_flat(far: Far, within: int) -> None:
    down, right = np.abs(np.diff(far, axis=0))[:, :-1] <= within, np.abs(np.diff(far, axis=1))[:-1] <= within
    out = counts(256)
    kernels.count_flat(far, within, out)
    assert (out == np.bincount(far[:-1, :-1][down & right], minlength=256)).all()


def stretches(steps: NDArray[np.bool_], reach: int) -> tuple[int, int]:
    """The longest stretch of places that have more than `reach` steps about them, and its last place."""
    mostly = [int(steps[max(0, at - reach) : at + reach + 1].sum()) > reach for at in range(len(steps))]
    best, end, run = 0, 0, 0
    for at, taken in enumerate(mostly):
        run = run + 1 if taken else 0
        if run > best:
            best, end = run, at
    return best, end


@FEW
@given(PICTURES, st.integers(0, 13), st.integers(0, 5), st.booleans())
def test_steps(far: Far, within: int, reach: int, turned: bool) -> None:
    far = far.T if turned else far
    steps = np.abs(np.diff(far, axis=0)) > within
    out = counts(len(steps))
    kernels.count_steps(far, within, out)
    assert (out == steps.sum(axis=1)).all()
    rows = np.arange(len(steps))
    longest, ends = counts(len(rows)), counts(len(rows))
    kernels.longest_steps(far, rows, within, reach, longest, ends)
    assert list(zip(longest.tolist(), ends.tolist(), strict=True)) == [stretches(row, reach) for row in steps]


@pytest.mark.parametrize("step", [1, 3])
def test_grey(step: int) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (40, 31, 3), dtype=np.uint8)[::step, ::step]
    out = np.empty(pixels.shape[:2], dtype=np.int16)
    kernels.grey_of(pixels, out)
    assert (out == (pixels.astype(np.int16) @ np.array([2, 5, 1], dtype=np.int16)) >> 3).all()
