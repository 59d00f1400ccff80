"""The other seven orientations of a PDQ hash, from the hash alone.

A PDQ hash says of 16 x 16 frequencies of a picture which ones exceed their median (see `fingerprints.pdq`). Mirroring
a picture turns the sign of every odd frequency along one axis and changes nothing else, turning it swaps the axes as
well, and the median of the coefficients lies near zero: so a bit of an odd frequency is turned over. That is not
exact, since the median is not zero and a mirrored picture is sampled half a step off; docs/why/late-matches.md says
how far it is off. Where the picture itself is at hand its eight hashes are computed from the pixels instead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seawall.records import Fingerprint, Frame, HashKind, Orientation

_SIDE = 16


def orientations_of(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """What pictures with these hashes would hash to, were they turned back from each orientation.

    Args:
        words: (n, 4), PDQ hashes as `matching.entries` holds them.

    Returns:
        (n, 8, 4), in the order of :class:`seawall.records.Orientation`: the same meaning as in `Frame.orientations`.
    """
    upright = np.ascontiguousarray(words).reshape(-1, 4)
    odd = np.arange(1, _SIDE + 1) % 2 == 1
    columns = _packed(np.broadcast_to(odd[None, :], (1, _SIDE, _SIDE)))
    rows = _packed(np.broadcast_to(odd[:, None], (1, _SIDE, _SIDE)))
    swapped = _packed(_bits(upright).swapaxes(1, 2))
    # As in `fingerprints.pdq.hash_picture`. Swapping axes after mirroring is mirroring the other axis after swapping.
    turned_back = (
        upright,
        swapped ^ rows,
        upright ^ columns ^ rows,
        swapped ^ columns,
        upright ^ rows,
        upright ^ columns,
        swapped,
        swapped ^ columns ^ rows,
    )
    return np.stack(turned_back, axis=1)


def _bits(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """(n, 16, 16), lowest frequencies first. The highest frequency's bit comes first in the bytes of a hash."""
    packed = words.view(np.uint8).reshape(-1, HashKind.PDQ.length)
    return np.unpackbits(packed, axis=1)[:, ::-1].reshape(-1, _SIDE, _SIDE)


def _packed(bits: NDArray[Any]) -> NDArray[np.uint64]:
    """(n, 4), the other way round."""
    flat = bits.reshape(-1, _SIDE * _SIDE)[:, ::-1]
    return np.packbits(flat, axis=1).view(np.uint64)


def with_orientations(fingerprint: Fingerprint) -> Fingerprint:
    """The fingerprint with all orientations of each frame: those that are missing are taken from the upright hash."""
    missing = [frame for frame in fingerprint.frames if len(frame.orientations) < len(Orientation)]
    if not missing:
        return fingerprint
    words = np.frombuffer(b"".join(frame.pdq for frame in missing), dtype=np.uint64).reshape(-1, 4)
    derived = iter(orientations_of(words))
    frames = tuple(frame if frame not in missing else _turned(frame, next(derived)) for frame in fingerprint.frames)
    return replace(fingerprint, frames=frames)


def _turned(frame: Frame, words: NDArray[np.uint64]) -> Frame:
    return replace(frame, orientations=tuple(row.tobytes() for row in words))
