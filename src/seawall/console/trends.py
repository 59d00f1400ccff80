"""How a list did over the last ninety days, as shapes that a template draws and as numbers that all can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from seawall.console import plots
from seawall.console.plots import DAYS, HEIGHT, WIDTH, Bar, each_day, first_day
from seawall.console.wording import counted
from seawall.hashlists.counts import Day


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
    width: int = WIDTH
    height: int = HEIGHT


def trend(days: Sequence[Day], today: date) -> Trend:
    """The ninety days up to today, of days as `counts.days` gives them: the last change before them comes first."""
    first = first_day(today)
    sizes = _sizes(days, today)
    by_day = {day.day: day for day in days if day.day >= first}
    met = [(day.matches, day.late_matches) if (day := by_day.get(at)) else (0, 0) for at in each_day(today)]
    most = max((arrived + late for arrived, late in met), default=0)
    known = [size for size in sizes if size is not None]
    line = plots.steps(sizes)
    return Trend(
        first=first,
        last=today,
        line=line.path,
        area=line.area,
        bars=plots.bars(met),
        growth=_growth(known, since_before=sizes[0] is not None),
        met=_met(met),
        most_entries=max(known, default=0),
        most_matches=most,
        days=tuple(sorted(by_day.values(), key=lambda day: day.day, reverse=True)),
    )


def _sizes(days: Sequence[Day], today: date) -> list[int | None]:
    """The size at the end of each day; it stays what it was until it changes."""
    first = first_day(today)
    size = next((day.entries for day in reversed(days) if day.day < first and day.entries is not None), None)
    changed = {day.day: day.entries for day in days}
    sizes = []
    for at in each_day(today):
        told = changed.get(at)
        size = size if told is None else told
        sizes.append(size)
    return sizes


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
