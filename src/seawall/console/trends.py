"""How a list did over the last ninety days, as shapes that a template draws and as numbers that all can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from seawall.console.wording import counted
from seawall.hashlists.counts import Day

DAYS = 90
# In units of the drawing: a day's width, and the height in which everything is drawn.
STEP = 4
HEIGHT = 72


@dataclass(frozen=True, slots=True)
class Bar:
    """A day's matches: `x` from the left, `top` and `height` of what arrived, and the same of what was there already,
    which stands on top of it."""

    x: int
    top: float
    height: float
    late_top: float
    late_height: float


@dataclass(frozen=True, slots=True)
class Trend:
    """One list. `line` and `area` are paths of an SVG of `width` by `height`; empty when nothing is known yet."""

    first: date
    last: date
    line: str
    area: str
    bars: tuple[Bar, ...]
    growth: str
    met: str
    most_entries: int
    most_matches: int
    days: tuple[Day, ...]
    width: int = DAYS * STEP
    height: int = HEIGHT


def first_day(today: date) -> date:
    """The first of the days that are shown."""
    return today - timedelta(days=DAYS - 1)


def trend(days: Sequence[Day], today: date) -> Trend:
    """The ninety days up to today, of days as `counts.days` gives them: the last change before them comes first."""
    first = first_day(today)
    sizes = _sizes(days, first)
    by_day = {day.day: day for day in days if day.day >= first}
    met = [(day.matches, day.late_matches) if (day := by_day.get(at)) else (0, 0) for at in _each(first)]
    most = max((arrived + late for arrived, late in met), default=0)
    known = [size for size in sizes if size is not None]
    line = _line(sizes, max(known, default=0))
    return Trend(
        first=first,
        last=today,
        line=line,
        area=_area(line, sizes),
        bars=tuple(_bar(index, *pair, most) for index, pair in enumerate(met) if sum(pair)),
        growth=_growth(known, since_before=sizes[0] is not None),
        met=_met(met),
        most_entries=max(known, default=0),
        most_matches=most,
        days=tuple(sorted(by_day.values(), key=lambda day: day.day, reverse=True)),
    )


def _each(first: date) -> list[date]:
    return [first + timedelta(days=number) for number in range(DAYS)]


def _sizes(days: Sequence[Day], first: date) -> list[int | None]:
    """The size at the end of each day; it stays what it was until it changes."""
    size = next((day.entries for day in reversed(days) if day.day < first and day.entries is not None), None)
    changed = {day.day: day.entries for day in days}
    sizes = []
    for at in _each(first):
        told = changed.get(at)
        size = size if told is None else told
        sizes.append(size)
    return sizes


def _line(sizes: Sequence[int | None], most: int) -> str:
    """Steps: a list grows at once and then stays."""
    parts: list[str] = []
    for index, size in enumerate(sizes):
        if size is None:
            continue
        y = f"{HEIGHT - (size / most * (HEIGHT - 4) if most else 0):g}"
        parts.append(f"{'V' if parts else f'M{index * STEP} '}{y}H{(index + 1) * STEP}")
    return "".join(parts)


def _area(line: str, sizes: Sequence[int | None]) -> str:
    if not line:
        return ""
    start = next(index for index, size in enumerate(sizes) if size is not None) * STEP
    return f"{line}V{HEIGHT}H{start}Z"


def _bar(index: int, arrived: int, late: int, most: int) -> Bar:
    unit = (HEIGHT - 4) / most
    height, late_height = round(arrived * unit, 2), round(late * unit, 2)
    top = HEIGHT - height
    return Bar(index * STEP, round(top, 2), height, round(top - late_height, 2), late_height)


def _growth(known: Sequence[int], *, since_before: bool) -> str:
    if not known:
        return "Nothing is known of its size in these days"
    now = counted(known[-1], "entry", "entries")
    by = known[-1] - known[0]
    if not since_before:
        return f"{now}; the list is younger than {DAYS} days"
    if not by:
        return f"{now}, as many as {DAYS} days ago"
    return f"{now}, {abs(by):,} {'more' if by > 0 else 'fewer'} than {DAYS} days ago"


def _met(met: Sequence[tuple[int, int]]) -> str:
    arrived, late = (sum(pair[part] for pair in met) for part in (0, 1))
    if not arrived and not late:
        return f"No match in {DAYS} days"
    said = counted(arrived + late, "match", "matches")
    return f"{said}, {late:,} of what was there already" if late else said
