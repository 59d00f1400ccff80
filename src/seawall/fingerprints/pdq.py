"""PDQ, the perceptual hash that hash lists exchange: 256 bits and a quality, of one picture.

The algorithm is Meta's ("The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", 2019; reference
code in ThreatExchange). The reference blurs the whole picture twice along each axis with a running box and then keeps
64x64 samples of it. Both together are one fixed linear map per axis, so only the samples are computed here; see
docs/why/pdq.md for what that gives and where the two differ.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_SAMPLES = 64
# Below this many pixels on a side the reference gives no hash.
_SMALLEST_SIDE = 5
# The reference divides the gradient sum by this and stops at 100.
_QUALITY_DIVISOR = 90
# A wider picture is turned first, so that the 64 sampled rows stay small in memory whatever its shape.
_WIDEST = 16_384
_NO_HASH = bytes(32)
# Reducing a photograph moves nine of ten coefficients by less than about this; they reach into the hundreds.
_DOUBTFUL = 0.1
# Of text, lattices and stripes less than a tenth of what is to be seen is in the hash; of photographs a quarter.
_LITTLE_INFORMATION = 0.1


@dataclass(frozen=True, slots=True)
class PdqResult:
    """The eight hashes of a picture, 32 bytes each in the order of :class:`seawall.records.Orientation`, and its
    quality, 0-100. `doubtful` is how many bits of the upright one hang on less than what reducing a picture may
    change; `information` the share (0-1) of what is to be seen in the picture that the hash is made of, lines and
    columns as wholes left out: the rest is too fine for it."""

    orientations: tuple[bytes, ...]
    quality: int
    doubtful: int = field(default=0, compare=False)
    information: float = field(default=1.0, compare=False)

    @property
    def low_information(self) -> bool:
        """Whether the hash says so little of the picture that another may well have it: a page of text, a lattice,
        stripes. Its quality may be 100 all the same, since that counts edges."""
        return self.information < _LITTLE_INFORMATION


@dataclass(frozen=True, slots=True)
class _AxisMap:
    """Which pixels of one axis make each of the 64 samples. Sample i is the sum over k of
    ``pixels[starts[i] + k] * weights[offsets[i] + k] * scale``."""

    starts: NDArray[np.int64]
    offsets: NDArray[np.int64]
    weights: NDArray[np.float32]
    scale: float


def _box(at: NDArray[np.int64], length: int, window: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last pixel that the box filter averages around each place; the box is cut off at the edges."""
    reach = (window + 2) // 2 - 1
    return np.maximum(at - (window - 1 - reach), 0), np.minimum(at + reach, length - 1)


def _sample_weights(place: int, length: int, window: int) -> tuple[int, NDArray[np.float64]]:
    """First pixel and weights (times the square of the window) of the twice blurred picture at one place."""
    middle_first, middle_last = (int(edge[0]) for edge in _box(np.array([place]), length, window))
    middle = np.arange(middle_first, middle_last + 1)
    first, last = _box(middle, length, window)
    gains = np.concatenate(([0.0], np.cumsum(window / (last - first + 1))))
    pixels = np.arange(first[0], last[-1] + 1)
    from_middle = np.searchsorted(last, pixels, side="left")
    to_middle = np.searchsorted(first, pixels, side="right")
    return int(first[0]), (gains[to_middle] - gains[from_middle]) * (window / middle.size)


def _on_reduced(first: int, weights: NDArray[np.float64], reduced_by: int) -> tuple[int, NDArray[np.float64]]:
    """The same where each pixel stands for that many of the axis in a row: they all have its value."""
    blocks = np.arange(first, first + weights.size) // reduced_by
    starts = np.flatnonzero(np.diff(blocks, prepend=-1))
    return int(blocks[0]), np.add.reduceat(weights, starts)


def _axis_map(samples: Iterable[tuple[int, NDArray[np.float64]]], window: int, reduced_by: int) -> _AxisMap:
    """The map of an axis of which the array has one pixel in `reduced_by`."""
    reduced = [_on_reduced(first, weights, reduced_by) for first, weights in samples]
    starts = np.array([start for start, _ in reduced], dtype=np.int64)
    offsets = np.cumsum([0, *(weights.size for _, weights in reduced)], dtype=np.int64)
    weights = np.concatenate([weights for _, weights in reduced]).astype(np.float32)
    return _AxisMap(starts, offsets, weights, 1.0 / window**2)


def _both_ways(length: int, reduced_by: int) -> tuple[_AxisMap, _AxisMap]:
    """The map of an axis with this many pixels, and the map that takes the samples as if it ran the other way."""
    window = -(-length // 128)
    samples = [_sample_weights((2 * i + 1) * length // 128, length, window) for i in range(_SAMPLES)]
    backward = [(length - first - weights.size, weights[::-1]) for first, weights in samples]
    return _axis_map(samples, window, reduced_by), _axis_map(backward, window, reduced_by)


_cached_both_ways = functools.lru_cache(maxsize=256)(_both_ways)


def _maps(length: int, reduced_by: int) -> tuple[_AxisMap, _AxisMap]:
    """Forward and reversed map of an axis. Those of usual lengths are kept; one takes about six bytes a pixel."""
    return _cached_both_ways(length, reduced_by) if length <= _WIDEST else _both_ways(length, reduced_by)


@functools.cache
def _basis() -> NDArray[np.float32]:
    """(16, 64): the cosines of frequencies 1 to 16, rounded as the reference rounds them."""
    scale = float(np.float32(math.sqrt(2.0 / _SAMPLES)))
    step = math.pi / 2.0 / _SAMPLES
    return np.array(
        [[scale * math.cos(step * (i + 1) * (2 * j + 1)) for j in range(_SAMPLES)] for i in range(16)],
        dtype=np.float32,
    )


def _sample(pixels: NDArray[np.uint8], size: tuple[int, int], reduced_by: int) -> NDArray[np.float32]:
    """(2, 2, 64, 64): the luma samples, read downwards or upwards, then to the right or to the left."""
    from seawall.fingerprints import pdq_kernels

    height, width = pixels.shape[:2]
    if width > _WIDEST and width > height:
        return _sample(pixels.swapaxes(0, 1), size[::-1], reduced_by).transpose(1, 0, 3, 2)
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    rows = np.ascontiguousarray(pixels).reshape(height, width * channels)
    sampled_rows = np.empty((width, 2 * _SAMPLES), dtype=np.float64)
    for number, axis in enumerate(_maps(size[0], reduced_by)):
        pdq_kernels.sample_rows(
            rows,
            axis.starts,
            axis.offsets,
            axis.weights,
            axis.scale,
            channels,
            number * _SAMPLES,
            sampled_rows,
        )
    grids = np.empty((2, 2, _SAMPLES, _SAMPLES), dtype=np.float32)
    sampled = np.empty((_SAMPLES, 2 * _SAMPLES), dtype=np.float64)
    for number, axis in enumerate(_maps(size[1], reduced_by)):
        pdq_kernels.sample_columns(sampled_rows, axis.starts, axis.offsets, axis.weights, axis.scale, sampled)
        grids[0, number] = sampled[:, :_SAMPLES].T
        grids[1, number] = sampled[:, _SAMPLES:].T
    return grids


def _hashes(coefficients: NDArray[np.float32]) -> tuple[bytes, ...]:
    """One hash for each (16, 16): a bit is set where a coefficient exceeds the lower median. The highest frequency's
    bit comes first, as in the hexadecimal form that lists use."""
    flat = coefficients.reshape(len(coefficients), 256)
    median = np.partition(flat, 127, axis=1)[:, 127:128]
    packed = np.packbits((flat > median)[:, ::-1], axis=1)
    return tuple(row.tobytes() for row in packed)


def hash_picture(pixels: NDArray[np.uint8], size: tuple[int, int] | None = None, reduced_by: int = 1) -> PdqResult:
    """The eight PDQ hashes of a picture, and its quality.

    ``orientations[ROTATED_90]`` is what a picture hashes to that becomes this one when it is turned by 90 degrees
    clockwise, and so on: the hash that the listed picture has, if someone has turned it so. ``rotated-...`` is
    clockwise, ``flipped`` is upside down, ``mirrored`` is left to right, ``transposed`` is along the falling and
    ``transversed`` along the rising diagonal.

    Args:
        pixels: (height, width, 3) red, green, blue, or (height, width) luma; uint8, upright as a person sees it.
        size: height and width of the whole picture, where `pixels` are the means of squares of it (those at the right
            and lower edge may be cut off). The samples are taken where they lie in the whole picture.
        reduced_by: the side of such a square.

    Returns:
        Eight hashes of zeros and quality 0 for a picture with fewer than five pixels on a side, as the reference.

    Raises:
        ValueError: the array is of another shape or type, or not a picture of that size reduced so.
    """
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)):
        raise ValueError(f"Pixels must be uint8 of (h, w) or (h, w, 3), not {pixels.dtype} of {pixels.shape}.")
    height, width = pixels.shape[:2] if size is None else size
    if pixels.shape[:2] != (-(-height // reduced_by), -(-width // reduced_by)):
        raise ValueError(f"{pixels.shape[:2]} pixels are not {height} x {width} of them reduced by {reduced_by}.")
    if min(height, width) < _SMALLEST_SIDE:
        return PdqResult((_NO_HASH,) * 8, 0)
    from seawall.fingerprints import pdq_kernels

    grids = _sample(pixels, (height, width), reduced_by)
    upright, mirrored = grids[0, 0], grids[0, 1]
    flipped, rotated_180 = grids[1, 0], grids[1, 1]
    turned_back = np.stack(
        [
            upright,
            mirrored.T,  # turned anticlockwise, which undoes rotated-90
            rotated_180,
            flipped.T,
            flipped,
            mirrored,
            upright.T,
            rotated_180.T,
        ]
    )
    coefficients = np.empty((8, 16, 16), dtype=np.float32)
    pdq_kernels.transform(turned_back, _basis(), coefficients)
    gradient = pdq_kernels.gradient_sum(np.ascontiguousarray(upright))
    return PdqResult(
        _hashes(coefficients),
        min(100, gradient // _QUALITY_DIVISOR),
        _doubtful(coefficients[0]),
        pdq_kernels.information(np.ascontiguousarray(upright), coefficients[0], _basis()),
    )


def _doubtful(coefficients: NDArray[np.float32]) -> int:
    flat = coefficients.ravel()
    return int(np.count_nonzero(np.abs(flat - np.partition(flat, 127)[127]) < _DOUBTFUL)) - 1  # the median's own
