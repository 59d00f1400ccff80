"""The loops of keypoint matching, compiled: votes by words, nearest descriptors, and the search for one geometry.

Every loop is bounded by what is passed in, whatever the descriptors say: they were made by a process that has read
what a stranger sent. Chance is a generator that begins alike each time, so that the same pictures always give the
same answer. Importing this module imports numba, as with `kernels`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, uint64

from seawall.matching.kernels import popcount


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def words_of(descriptors: Any, masks: Any) -> Any:
    """(points, tables): the bits of each descriptor that each table looks at, mixed to 32.

    Args:
        descriptors: (points, 4).
        masks: (tables, 4), which bits those are.
    """
    words = np.empty((len(descriptors), len(masks)), dtype=np.uint32)
    for point in range(len(descriptors)):
        for table in range(len(masks)):
            mixed = uint64(table + 1)
            for part in range(4):
                mixed = (mixed ^ (descriptors[point, part] & masks[table, part])) * uint64(0x9E3779B97F4A7C15)
                mixed ^= mixed >> uint64(29)
            words[point, table] = mixed >> uint64(32)
    return words


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def count_votes(asked: Any, words: Any, owners: Any, longest_run: int, votes: Any) -> None:
    """Adds to `votes` (signatures,) how many of the points that ask each signature has a word in common with.

    Args:
        asked: (points, tables).
        words, owners: (words,), in the order of the words: which signature has it.
        longest_run: a word that more have tells nothing, and is passed over.
    """
    last = np.full(len(votes), -1, dtype=np.int32)
    for point in range(asked.shape[0]):
        for table in range(asked.shape[1]):
            word = asked[point, table]
            start = np.searchsorted(words, word)
            end = start
            while end < len(words) and words[end] == word and end - start <= longest_run:
                end += 1
            if end - start > longest_run:
                continue
            for place in range(start, end):
                owner = owners[place]
                if last[owner] != point:  # one point is one witness, by however many words
                    last[owner] = point
                    votes[owner] += 1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def pairs_of(one: Any, other: Any, farthest: int, ratio: float) -> Any:
    """(pairs, 2): points of the two that are each other's nearest, no farther than `farthest` bits, and clearly
    nearer than the next: patterns that repeat have many that are as near.

    Args:
        one, other: (points, 4) descriptors.
    """
    backs = np.full(len(other), -1, dtype=np.int32)
    back_distances = np.full(len(other), 257, dtype=np.int64)
    nearest = np.full(len(one), -1, dtype=np.int32)
    distances = np.full(len(one), 257, dtype=np.int64)
    for here in range(len(one)):
        best, second, place = 257, 257, -1
        for there in range(len(other)):
            distance = 0
            for part in range(4):
                distance += popcount(one[here, part] ^ other[there, part])
            if distance < best:
                second, best, place = best, distance, there
            elif distance < second:
                second = distance
            if distance < back_distances[there]:
                back_distances[there], backs[there] = distance, here
        distances[here] = best
        if best <= farthest and best <= ratio * second:
            nearest[here] = place
    found = np.empty((len(one), 2), dtype=np.int32)
    count = 0
    for here in range(len(one)):
        there = nearest[here]
        if there >= 0 and backs[there] == here:
            found[count, 0], found[count, 1] = here, there
            count += 1
    return found[:count]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def similarity(here: Any, there: Any, tries: int, within: float, lowest: float, highest: float) -> Any:
    """(2, 3): of the similarities that two pairs of points give, the one by which most pairs come to lie on each
    other; all zero where there is none.

    Args:
        here, there: (pairs, 2) places in one picture and in the other.
        within: how far apart they may come to lie.
        lowest, highest: what may be the change of size.
    """
    best = np.zeros((2, 3))
    if len(here) < 2:
        return best
    most, state = 1, uint64(0x2545F4914F6CDD1D)
    for _ in range(tries):
        state ^= state << uint64(13)
        state ^= state >> uint64(7)
        state ^= state << uint64(17)
        first = np.int64((state >> uint64(33)) % uint64(len(here)))
        second = np.int64((state & uint64(0x7FFFFFFF)) % uint64(len(here)))
        dx, dy = here[second, 0] - here[first, 0], here[second, 1] - here[first, 1]
        ex, ey = there[second, 0] - there[first, 0], there[second, 1] - there[first, 1]
        length = dx * dx + dy * dy
        # Two points that lie near each other say little of how the picture was turned.
        if length < 16 * within * within:
            continue
        across, along = (dx * ex + dy * ey) / length, (dx * ey - dy * ex) / length
        size = np.sqrt(across * across + along * along)
        if not lowest <= size <= highest:
            continue
        x = there[first, 0] - across * here[first, 0] + along * here[first, 1]
        y = there[first, 1] - along * here[first, 0] - across * here[first, 1]
        count = 0
        for pair in range(len(here)):
            off_x = across * here[pair, 0] - along * here[pair, 1] + x - there[pair, 0]
            off_y = along * here[pair, 0] + across * here[pair, 1] + y - there[pair, 1]
            if off_x * off_x + off_y * off_y <= within * within:
                count += 1
        if count > most:
            most = count
            best[0, 0], best[0, 1], best[0, 2] = across, -along, x
            best[1, 0], best[1, 1], best[1, 2] = along, across, y
    return best
