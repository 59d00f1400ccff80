"""Pictures within a picture: what is left when a border is taken off, and what is shown on a page or a screen.

A hash is of a whole picture. Whoever puts a border around a known one, or takes a screenshot of it, has another
picture with another hash. So the parts that look like a picture of their own are hashed too. A part that is none
costs look-ups and finds nothing; so nothing here has to be sure.

All is decided from far away: from every k-th pixel, some 300 on the longer side. A picture that has neither a plain
border nor plain ground costs little more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from seawall.decoding.colours import Pixels
from seawall.decoding.region_kernels import (
    clear_alike,
    count_alike,
    count_flat,
    count_steps,
    count_taken,
    grey_of,
    longest_steps,
)

# Top, left, bottom and right, the last two exclusive.
Box = tuple[int, int, int, int]
Mask = NDArray[np.bool_]
# Before which row (or column) there is a step, and from where to where.
Line = tuple[int, int, int]

MOST = 3
_FAR = 320
# Of 255: what differs less is the same colour, as JPEG leaves it.
_ALIKE = 12
# By how much neighbours differ at most where it is flat.
_FLAT = 2
# The share of a row or column that has the border's colour: of a bare one all but specks, else some may be letters.
_BARE, _PLAIN = 0.98, 0.6
# The share of the side that a part leaves out at least, and keeps at least.
_LEAST_OFF, _LEAST_LEFT = 0.02, 0.2
# The share of all pixels that have one colour where it is a ground that pictures stand on, and how many it may have.
_GROUND, _MOST_GROUNDS = 0.04, 3
# The share of a row or column that is no ground where it is bare all the same, and of a part where it is a picture.
_BARE_GROUND, _SOLID = 0.02, 0.6
_DEEPEST = 6
# Along how much of its weakest side a part stands out at least; what is within a bare border is surer by so much.
_LEAST_FRAMED, _FOR_BARE = 0.4, 0.35
# A line may be broken, and its ends be missed, by so much.
_REACH, _MOST_LINES, _ROWS_LOOKED_AT = 5, 5, 32
_SMALLEST = 16


def regions(pixels: Pixels, most: int = MOST) -> list[Box]:
    """Parts of the picture that may be pictures of their own, the likeliest first.

    Args:
        pixels: (height, width, 3) or (height, width), uint8.
        most: of how many parts; 0 to :data:`MOST`.

    Returns:
        Boxes in pixels, each clearly smaller than the whole.
    """
    if most <= 0:
        return []
    step = max(1, -(-max(pixels.shape[:2]) // _FAR))
    far = _grey(pixels[::step, ::step])
    if min(far.shape) < _SMALLEST:
        return []
    bare = _parts_of(_within_border(far, _BARE), far, ())
    found = [*_within_border(far, _PLAIN), *_between_lines(far)]
    for filled in _off_grounds(far):
        found += _on_ground(filled)
    scored = [(_framed(far, box) + _FOR_BARE, box) for box in bare]
    scored += [(_framed(far, box), box) for box in _parts_of(found, far, bare)]
    scored.sort(key=lambda each: -each[0])
    return [_sharpened(pixels, box, step) for score, box in scored[:most] if score >= _LEAST_FRAMED]


def _parts_of(found: Iterable[Box], far: NDArray[np.int16], known: Sequence[Box]) -> list[Box]:
    """Those that are parts of the picture, each once."""
    kept: list[Box] = []
    for box in found:
        if _is_part(far, box) and not any(_much_the_same(box, other) for other in (*known, *kept)):
            kept.append(box)
    return kept


def _grey(pixels: Pixels) -> NDArray[np.int16]:
    if pixels.ndim == 2:
        return pixels.astype(np.int16)
    grey = np.empty(pixels.shape[:2], dtype=np.int16)
    grey_of(pixels, grey)
    return grey


def _within_border(far: NDArray[np.int16], share: float) -> list[Box]:
    """What is left, if anything, when rows and columns are taken off of which that share has one colour."""
    top, left, bottom, right = 0, 0, far.shape[0], far.shape[1]
    for _ in range(2):
        rows = far[top:bottom, left:right]
        over, under = _plain_from(rows, share), _plain_from(rows[::-1], share)
        top, bottom = top + over, bottom - under
        if bottom <= top:
            return []
        columns = far[top:bottom, left:right].T
        before, behind = _plain_from(columns, share), _plain_from(columns[::-1], share)
        left, right = left + before, right - behind
        if right <= left:
            return []
        if not (over or under or before or behind):
            break
    return [(top, left, bottom, right)]


def _plain_from(lines: NDArray[np.int16], share: float) -> int:
    """How many lines from the first on are of its colour."""
    ordered = np.sort(lines[0])
    colour = (int(ordered[(len(ordered) - 1) // 2]) + int(ordered[len(ordered) // 2])) // 2  # the median
    counts = np.empty(len(lines), dtype=np.int64)
    count_alike(lines[:1], colour, _ALIKE, counts[:1])
    if counts[0] < share * lines.shape[1]:
        return 0  # so it is with most pictures
    count_alike(lines, colour, _ALIKE, counts)
    plain = counts >= share * lines.shape[1]
    return len(lines) if plain.all() else int(np.argmin(plain))


def _on_ground(filled: Mask) -> list[Box]:
    """Parts that stand on a ground, told by which pixels are none of it."""
    height, width = filled.shape
    least = (int(_LEAST_LEFT * height), int(_LEAST_LEFT * width))
    return [
        (top, left, bottom, right)
        for top, left, bottom, right in _cut(filled, (0, 0, height, width), least, _DEEPEST)
        if np.count_nonzero(filled[top:bottom, left:right]) >= _SOLID * (bottom - top) * (right - left)
    ]


def _cut(filled: Mask, box: Box, least: tuple[int, int], depth: int) -> Iterator[Box]:
    """Cuts along rows and columns of bare ground, by turns, until there are none ("X-Y cut", Nagy and Seth 1984)."""
    top, left, bottom, right = box
    part = filled[top:bottom, left:right]
    pieces = [
        (top + first, left + before, top + last, left + behind)
        for first, last in _runs(_taken(part) > _BARE_GROUND * part.shape[1])
        if last - first >= least[0]
        for before, behind in _runs(_taken(part[first:last].T) > _BARE_GROUND * (last - first))
        if behind - before >= least[1]
    ]
    for piece in pieces:
        if piece == box or depth == 0:
            yield piece
        else:
            yield from _cut(filled, piece, least, depth - 1)


def _taken(lines: Mask) -> NDArray[np.int64]:
    """How many pixels of each line are taken."""
    counts = np.empty(len(lines), dtype=np.int64)
    count_taken(lines, counts)
    return counts


def _runs(taken: Mask) -> list[tuple[int, int]]:
    """First and last (exclusive) of each stretch that is taken; a single one that is not does not end it."""
    closed = np.zeros(len(taken) + 2, dtype=np.bool_)  # with one on either side that is not
    closed[1:-1] = taken
    closed[2:-2] |= taken[:-2] & taken[2:]
    steps = np.flatnonzero(closed[1:] != closed[:-1])
    return [(int(first), int(last)) for first, last in steps.reshape(-1, 2)]


def _off_grounds(far: NDArray[np.int16]) -> Iterator[Mask]:
    """Which pixels do not have the commonest colour of what is flat; then neither of the two commonest, and so on.
    It is one mask, changed from time to time: use each before the next."""
    counts = np.empty(256, dtype=np.int64)
    count_flat(far, _FLAT, counts)
    near = np.convolve(counts, np.ones(2 * _ALIKE // 3 + 1), mode="same")
    filled = np.ones(far.shape, dtype=np.bool_)
    for _ in range(_MOST_GROUNDS):
        colour = int(np.argmax(near))
        if near[colour] < _GROUND * far.size:
            break
        clear_alike(far, colour, _ALIKE, filled)
        near[max(0, colour - 2 * _ALIKE) : colour + 2 * _ALIKE + 1] = 0
        yield filled


def _between_lines(far: NDArray[np.int16]) -> list[Box]:
    """Parts with a long straight step on every side that is not that of the picture."""
    height, width = far.shape
    rows = [(0, 0, width), *_lines(far), (height, 0, width)]
    columns = [(0, 0, height), *_lines(far.T), (width, 0, height)]
    return [
        (top[0], left[0], bottom[0], right[0])
        for top, bottom in combinations(rows, 2)
        for left, right in combinations(columns, 2)
        if all(_spans(line, left[0], right[0]) for line in (top, bottom))
        and all(_spans(line, top[0], bottom[0]) for line in (left, right))
    ]


def _spans(line: Line, first: int, last: int) -> bool:
    return line[1] <= first + _REACH and line[2] >= last - _REACH


def _lines(far: NDArray[np.int16]) -> list[Line]:
    """The few longest straight steps from one row to the next, from above."""
    counts = np.empty(len(far) - 1, dtype=np.int64)
    count_steps(far, _ALIKE, counts)
    # Long lines are among the rows with most steps.
    most = np.argpartition(-counts, min(_ROWS_LOOKED_AT, len(counts) - 1))[:_ROWS_LOOKED_AT]
    longest, ends = np.empty(len(most), dtype=np.int64), np.empty(len(most), dtype=np.int64)
    longest_steps(far, most, _ALIKE, _REACH, longest, ends)
    found: list[Line] = []
    for row in np.argsort(-longest, kind="stable")[: 8 * _MOST_LINES]:
        if longest[row] < _LEAST_LEFT * far.shape[1] or len(found) == _MOST_LINES:
            break
        before = int(most[row]) + 1
        if all(abs(before - other[0]) > _REACH for other in found):
            end = int(ends[row]) + 1
            found.append((before, end - int(longest[row]), end))
    return sorted(found)


def _framed(far: NDArray[np.int16], box: Box) -> float:
    """How sharply the box stands out: the share of its weakest side along which there is a step."""
    top, left, bottom, right = box
    sides = [
        _step_along(far[:, left:right], top),
        _step_along(far[:, left:right], bottom),
        _step_along(far[top:bottom].T, left),
        _step_along(far[top:bottom].T, right),
    ]
    return min(side for side in sides if side is not None)


def _step_along(lines: NDArray[np.int16], at: int) -> float | None:
    """Of the line before which the box begins or ends; None at the edge of the picture."""
    if at in (0, len(lines)):
        return None
    strip = lines[max(0, at - 2) : at + 2]
    return float((np.abs(np.diff(strip, axis=0)) > _ALIKE).any(axis=0).mean())


def _is_part(far: NDArray[np.int16], box: Box) -> bool:
    """Whether the box is neither nearly the whole picture nor too little of it."""
    height, width = box[2] - box[0], box[3] - box[1]
    if min(height, width) < _SMALLEST or height < _LEAST_LEFT * far.shape[0] or width < _LEAST_LEFT * far.shape[1]:
        return False
    return bool(max(1 - height / far.shape[0], 1 - width / far.shape[1]) >= _LEAST_OFF)


def _much_the_same(one: Box, other: Box) -> bool:
    # Spelled out, since hundreds of boxes are compared with each other where there are many lines.
    return (
        -2 <= one[0] - other[0] <= 2
        and -2 <= one[1] - other[1] <= 2
        and -2 <= one[2] - other[2] <= 2
        and -2 <= one[3] - other[3] <= 2
    )


def _sharpened(pixels: Pixels, box: Box, step: int) -> Box:
    """The box in pixels: each side where, within what one far pixel stands for, the picture changes most."""
    top, left, bottom, right = (side * step for side in box)
    bottom, right = min(bottom, pixels.shape[0]), min(right, pixels.shape[1])
    columns = pixels.swapaxes(0, 1)
    return (
        _edge(pixels[:, left:right], top, step),
        _edge(columns[:, top:bottom], left, step),
        _edge(pixels[:, left:right], bottom, step),
        _edge(columns[:, top:bottom], right, step),
    )


def _edge(lines: Pixels, at: int, step: int) -> int:
    """Before which line, about `at`, there is the largest step; `at` itself where it is the edge of the picture."""
    first, last = max(0, at - step - 1), min(len(lines), at + step + 1)
    if at in (0, len(lines)) or last - first < 2:
        return at
    strip = _grey(lines[first:last])
    return first + 1 + int(np.argmax(np.abs(np.diff(strip, axis=0)).mean(axis=1)))
