"""The compiled comparison of all frames with all frames. Importing this module imports numba, as with `kernels`."""

from __future__ import annotations

from typing import Any

from numba import njit

from seawall.matching.kernels import popcount


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def mark_near(asked: Any, frames: Any, listed: Any, reach: int, of_frames: Any, of_listed: Any) -> None:
    """Marks every frame that is asked about of which a hash is near a listed one, and every listed one that is near.

    Args:
        asked: (n, 4) uint64, the hashes; frames: (n,) int64, to which frame each belongs, counted from 0.
        listed: (m, 4) uint64.
        reach: the largest distance in bits that is near.
        of_frames: (frames,) bool; of_listed: (m,) bool. Both are added to.
    """
    for number in range(asked.shape[0]):
        first, second, third, fourth = asked[number, 0], asked[number, 1], asked[number, 2], asked[number, 3]
        frame = frames[number]
        for place in range(listed.shape[0]):
            if of_frames[frame] and of_listed[place]:
                continue
            distance = popcount(listed[place, 0] ^ first) + popcount(listed[place, 1] ^ second)
            if distance > reach:  # so it is with nearly all
                continue
            distance += popcount(listed[place, 2] ^ third) + popcount(listed[place, 3] ^ fourth)
            if distance <= reach:
                of_frames[frame] = True
                of_listed[place] = True
