"""Keypoint signatures, where Seawall's extra `keypoints` (OpenCV; Apache 2) is installed. Only in a decoder child.

ORB (Rublee, Rabaud, Konolige and Bradski, 2011) finds corners that are found again when a picture was made smaller
or turned, and describes what is around each by 256 bits. They are taken from all over the picture, as many from each
part of a grid: else a line of text over it would have them all, and nothing of the picture would be left.
OpenCV is handed pixels that were decoded here; none of its own readers is ever called.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seawall.decoding.colours import Pixels
from seawall.fingerprints.keypoints import LONGEST_SIDE, MOST_KEYPOINTS, STEPS

try:
    import cv2
except ImportError:
    AVAILABLE = False
else:
    AVAILABLE = True
    cv2.setNumThreads(0)  # a confined child can start no thread

_CELLS, _IN_A_CELL = 5, 45
assert MOST_KEYPOINTS == _CELLS * _CELLS * _IN_A_CELL
# Found before the grid chooses among them. A page of text has some ten thousand.
_MOST_CORNERS = 20_000
_LEVELS, _SMALLER_BY = 8, 1.2
_LEAST_STEP = 10  # grey levels
_PATCH = 31
_EDGE = 16
# A picture with a smaller side has no place for a grid.
_SHORTEST_SIDE = 64


@dataclass(frozen=True, slots=True)
class Described:
    """What :class:`seawall.fingerprints.keypoints.KeypointSignature` says of one picture."""

    width: int
    height: int
    points: bytes
    descriptors: bytes


def describe(pixels: Pixels, *, mirrored: bool = False) -> Described | None:
    """The keypoints of a picture, or of its mirror image; None where it has none, or the extra is not installed.

    Args:
        pixels: (height, width, 3) or (height, width).
    """
    if not AVAILABLE or min(pixels.shape[:2]) < _SHORTEST_SIDE:
        return None
    grey = _grey(pixels)
    height, width = grey.shape
    if min(height, width) < _SHORTEST_SIDE:
        return None
    if mirrored:
        grey = np.ascontiguousarray(grey[:, ::-1])
    orb = cv2.ORB.create(
        nfeatures=_MOST_CORNERS,
        scaleFactor=_SMALLER_BY,
        nlevels=_LEVELS,
        edgeThreshold=_EDGE,
        patchSize=_PATCH,
        fastThreshold=_LEAST_STEP,
    )
    corners = orb.detect(grey, None)
    if not corners:
        return None
    places = np.array([corner.pt for corner in corners])
    strength = np.array([corner.response for corner in corners])
    chosen = [corners[place] for place in _spread(places, strength, width, height)]
    kept, descriptors = orb.compute(grey, chosen)
    if descriptors is None or not kept:
        return None
    points = np.array([corner.pt for corner in kept]) * STEPS
    whole = np.clip(np.rint(points), 0, [width * STEPS - 1, height * STEPS - 1]).astype("<u2")
    return Described(width, height, whole.tobytes(), np.ascontiguousarray(descriptors, dtype=np.uint8).tobytes())


def _grey(pixels: Pixels) -> NDArray[np.uint8]:
    """The picture in grey, no side longer than is looked at."""
    height, width = pixels.shape[:2]
    share = LONGEST_SIDE / max(height, width)
    small = np.ascontiguousarray(pixels)
    if share < 1:
        size = (max(1, round(width * share)), max(1, round(height * share)))
        small = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    grey: NDArray[np.uint8] = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return grey


def _spread(places: NDArray[np.float64], strength: NDArray[np.float64], width: int, height: int) -> NDArray[np.intp]:
    """(kept,): the strongest of each part of the grid."""
    columns = np.minimum(places[:, 0] * _CELLS // width, _CELLS - 1)
    rows = np.minimum(places[:, 1] * _CELLS // height, _CELLS - 1)
    cells = (rows * _CELLS + columns).astype(np.int64)
    order = np.lexsort((-strength, cells))
    in_order = cells[order]
    rank = np.arange(len(order)) - np.searchsorted(in_order, in_order, side="left")
    return order[rank < _IN_A_CELL]
