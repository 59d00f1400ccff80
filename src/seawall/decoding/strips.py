"""A filmstrip: small stills of a film, or of everything that a file holds, on one sheet. Only in a decoder child.

No sound is ever read. A still is named by its place: in a film its time in milliseconds from the beginning, elsewhere
the number that the frame has within the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image, ImageDraw

from seawall.decoding.colours import Pixels
from seawall.decoding.limits import STRIP_STILLS, Limits
from seawall.decoding.reading import Reading
from seawall.decoding.thumbnails import jpeg, staged
from seawall.decoding.videos import AVAILABLE, Video
from seawall.errors import MediaCorrupt
from seawall.records import RevealStage

_COLUMNS = 4
_CELL = (160, 120)
_GROUND = 40


@dataclass(frozen=True, slots=True)
class _Strip:
    """What was found: the stills with their places, whether there are more after them, and a film's length in ms."""

    stills: list[tuple[int, Pixels]]
    more: bool
    moving: bool
    length: int | None


def make_strip(
    data: bytes, limits: Limits, stage: RevealStage, start: int, step: int, *, may_take_long: bool
) -> tuple[dict[str, Any], bytes]:
    """The places of up to twelve stills, and a sheet of them.

    Args:
        stage: blurred or grey.
        start: of a film the second, else the number of the frame to begin with.
        step: seconds from one still of a film to the next; 0 spreads them over all of it. Elsewhere it means nothing.

    Raises:
        As :meth:`seawall.decoding.reading.Reading.views`; MediaCorrupt also where there is nothing from there on.
    """
    reading = Reading(data, limits, may_take_long=may_take_long)
    moving = reading.kind.demuxer is not None and AVAILABLE
    found = _of_film(reading, data, limits, start, step) if moving else _of_file(reading, start)
    if not found.stills:
        raise MediaCorrupt("There is nothing to see from there on.")
    told = {
        "places": [place for place, _ in found.stills],
        "more": found.more,
        "moving": found.moving,
        "length": found.length,
    }
    return told, jpeg(_sheet([pixels for _, pixels in found.stills], stage))


def make_still(reading: Reading, data: bytes, limits: Limits, place: int) -> Pixels:
    """The still of a film at a place that a strip has named.

    Raises:
        As :meth:`seawall.decoding.reading.Reading.views`; MediaCorrupt also where there is none.
    """
    reading.check_time()
    for at, pixels in _film(reading, data, limits).stills([place], exactly=True):
        if at >= place:
            return pixels
    raise MediaCorrupt("There is nothing to see at that time.")


def _film(reading: Reading, data: bytes, limits: Limits) -> Video:
    return Video(data, reading.kind, replace(limits, video_timeout_s=reading.allowance.left_s))


def _of_film(reading: Reading, data: bytes, limits: Limits, start: int, step: int) -> _Strip:
    reading.check_time()
    film = _film(reading, data, limits)
    length = film.length_ms()
    begin = start * 1000
    spread = max(1, ((length or STRIP_STILLS * 5000) - begin) // STRIP_STILLS)
    every = step * 1000 if step else spread
    wanted = [begin + number * every for number in range(STRIP_STILLS)]
    if length is not None:
        wanted = [each for each in wanted if each < max(length, 1)]
    stills = list(film.stills(wanted, exactly=every <= 5000))
    more = length is not None and bool(step and stills) and begin + STRIP_STILLS * every < length
    return _Strip(stills, more, True, length)


def _of_file(reading: Reading, start: int) -> _Strip:
    stills: list[tuple[int, Pixels]] = []
    for number, pixels in _numbered(reading):
        if number < start:
            continue
        if len(stills) == STRIP_STILLS:
            return _Strip(stills, True, False, None)
        stills.append((number, pixels))
    return _Strip(stills, False, False, None)


def _numbered(reading: Reading) -> Iterator[tuple[int, Pixels]]:
    """Each frame once, as it is seen first."""
    last = -1
    for seen in reading.views():
        if seen.number > last:
            last = seen.number
            yield seen.number, seen.pixels


def _within_cell(pixels: Pixels) -> Image.Image:
    """No larger than a cell of the sheet, in its own proportions."""
    still = Image.fromarray(pixels)
    still.thumbnail(_CELL, Image.Resampling.LANCZOS)
    return still


def _sheet(stills: list[Pixels], stage: RevealStage) -> Image.Image:
    """All of them in rows of four, each with its number in the corner."""
    rows = -(-len(stills) // _COLUMNS)
    sheet = Image.new("L", (_COLUMNS * _CELL[0], rows * _CELL[1]), _GROUND)
    for number, pixels in enumerate(stills):
        still = staged(_within_cell(pixels), stage, max(_CELL))
        left, top = number % _COLUMNS * _CELL[0], number // _COLUMNS * _CELL[1]
        sheet.paste(still, (left + (_CELL[0] - still.width) // 2, top + (_CELL[1] - still.height) // 2))
        ImageDraw.Draw(sheet).text((left + 4, top + 3), str(number + 1), fill=255, stroke_width=1, stroke_fill=0)
    return sheet
