"""Whether two keypoint signatures show the same picture: one geometry must carry points of one to those of the other.

Descriptors alone say little: letters, windows and leaves look like each other everywhere. What counts are points that
are each other's nearest, clearly, and that one turn, change of size and slight slant brings onto each other, within a
hundredth of the picture, spread over it. docs/why/keypoints.md measures what that finds, and what it takes for the
same and is not: nothing so far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seawall.fingerprints.keypoints import STEPS, KeypointSignature

# Points that lie on each other, at least, each at a place of its own; and in how many parts of a grid over either.
FEWEST_INLIERS = 15
FEWEST_PARTS = 5
_PARTS = 8
_PLACE = 16.0  # pixels: one corner is found again at several sizes, within so many
_WITHIN = 6.0
_FARTHEST_BITS, _CLEARLY = 64, 0.85
_TRIES = 600
_SMALLEST, _LARGEST, _MOST_SLANT = 1 / 8, 8.0, 1.8
# How far the points must reach across their narrower direction, as a standard deviation, of the longer side: a line
# of text that two pictures share is a line.
_NARROWEST = 0.02
_ROUNDS = 4
_FEWEST_PAIRS = 8

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many places of both pictures lie on each other, and how many in a hundred that is of those that could."""

    inliers: int
    share: int


def agreement(one: KeypointSignature, other: KeypointSignature) -> Agreement | None:
    """How far two signatures show the same picture; None where they do not."""
    from seawall.matching.keypoint_kernels import pairs_of

    pairs = pairs_of(descriptors_of(one), descriptors_of(other), _FARTHEST_BITS, _CLEARLY)
    if len(pairs) < _FEWEST_PAIRS:
        return None
    all_here, all_there = _points(one), _points(other)
    here, there = all_here[pairs[:, 0]], all_there[pairs[:, 1]]
    moved = _fitted(here, there)
    if moved is None or not _is_sane(moved):
        return None
    close = _off_by(moved, here, there) <= _WITHIN
    here, there = here[close], there[close]
    inliers = min(_places(here), _places(there))
    if inliers < FEWEST_INLIERS or not (_is_spread(here, one) and _is_spread(there, other)):
        return None
    could = min(_landing(moved, all_here, other), _landing(_inverse(moved), all_there, one))
    return Agreement(inliers, min(100, round(100 * inliers / max(1, could))))


def descriptors_of(signature: KeypointSignature) -> NDArray[np.uint64]:
    """(points, 4) words of 64 bits."""
    return np.frombuffer(signature.descriptors, dtype=np.uint64).reshape(-1, 4)


def _points(signature: KeypointSignature) -> Points:
    """(points, 2) across and down, in pixels of the picture that was looked at."""
    return np.frombuffer(signature.points, dtype="<u2").reshape(-1, 2).astype(np.float64) / STEPS


def _fitted(here: Points, there: Points) -> Points | None:
    """(2, 3): what moves most of the points onto their fellows, from similar to affine."""
    from seawall.matching.keypoint_kernels import similarity

    moved: Points = similarity(here, there, _TRIES, 1.5 * _WITHIN, _SMALLEST, _LARGEST)
    for _ in range(_ROUNDS):
        close = _off_by(moved, here, there) <= 1.5 * _WITHIN
        if close.sum() < _FEWEST_PAIRS:
            return None
        known = np.column_stack((here[close], np.ones(int(close.sum()))))
        solved, _residuals, rank, _values = np.linalg.lstsq(known, there[close], rcond=None)
        if rank < 3:
            return None
        moved = np.asarray(solved.T, dtype=np.float64)
    return moved


def _is_sane(moved: Points) -> bool:
    """Whether a picture may have been moved so: not turned inside out, nor to a point, nor slanted beyond use."""
    if not np.isfinite(moved).all() or np.linalg.det(moved[:, :2]) <= 0:
        return False
    larger, smaller = np.linalg.svd(moved[:, :2], compute_uv=False)
    return bool(smaller >= _SMALLEST and larger <= _LARGEST and larger <= _MOST_SLANT * smaller)


def _is_spread(points: Points, signature: KeypointSignature) -> bool:
    size = np.array([signature.width, signature.height])
    parts = len(np.unique((points * _PARTS / size).astype(np.int64), axis=0))
    narrow = np.sqrt(max(0.0, float(np.linalg.eigvalsh(np.cov(points.T))[0])))
    return parts >= FEWEST_PARTS and narrow >= _NARROWEST * max(size) * _extent(points, size)


def _extent(points: Points, size: NDArray[np.int64]) -> float:
    """How much of the longer side the points reach over, 0 to 1: a picture may be a small part of a page."""
    return float(np.ptp(points, axis=0).max() / max(size))


def _places(points: Points) -> int:
    return len(np.unique((points // _PLACE).astype(np.int64), axis=0))


def _off_by(moved: Points, here: Points, there: Points) -> NDArray[np.float64]:
    off: Points = np.hypot(*(_applied(moved, here) - there).T)
    return off


def _applied(moved: Points, points: Points) -> Points:
    return points @ moved[:, :2].T + moved[:, 2]


def _inverse(moved: Points) -> Points:
    back = np.linalg.inv(moved[:, :2])
    return np.column_stack((back, -back @ moved[:, 2]))


def _landing(moved: Points, points: Points, signature: KeypointSignature) -> int:
    """How many of the points come to lie within the other picture."""
    landed = _applied(moved, points)
    return int(((landed >= 0) & (landed < [signature.width, signature.height])).all(axis=1).sum())
