"""The shapes of a plot over ninety days, for a template to draw as SVG. Numbers that all can read stand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

DAYS = 90
# In units of the drawing: a day's width, and the height in which everything is drawn.
STEP = 4
HEIGHT = 72
WIDTH = DAYS * STEP
# What is left free above the largest value.
_AIR = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: `x` from the left, `top` and `height` of the first number, and the same of the second, which stands on
    top of it."""

    x: int
    top: float
    height: float
    late_top: float
    late_height: float


@dataclass(frozen=True, slots=True)
class Line:
    """Paths of an SVG of `WIDTH` by `HEIGHT`; both empty where nothing is known."""

    path: str
    area: str


NO_LINE = Line("", "")


def first_day(today: date) -> date:
    """The first of the days that are shown."""
    return today - timedelta(days=DAYS - 1)


def each_day(today: date) -> list[date]:
    """The ninety days up to today, oldest first."""
    return [first_day(today) + timedelta(days=number) for number in range(DAYS)]


def bars(days: Sequence[tuple[int, int]]) -> tuple[Bar, ...]:
    """Of each day two numbers, the second on top of the first; days of nought are left out."""
    most = max((sum(pair) for pair in days), default=0)
    return tuple(_bar(index, *pair, most) for index, pair in enumerate(days) if sum(pair))


def steps(values: Sequence[float | None]) -> Line:
    """A line of steps with the area under it: a value stays until the next day's. What is not known is left out."""
    known = [value for value in values if value is not None]
    if not known:
        return NO_LINE
    path = _steps(values, max(known))
    start = next(index for index, value in enumerate(values) if value is not None) * STEP
    return Line(path, f"{path}V{HEIGHT}H{start}Z")


def _steps(values: Sequence[float | None], most: float) -> str:
    parts: list[str] = []
    for index, value in enumerate(values):
        if value is None:
            continue
        y = f"{HEIGHT - (value / most * (HEIGHT - _AIR) if most else 0):g}"
        parts.append(f"{'V' if parts else f'M{index * STEP} '}{y}H{(index + 1) * STEP}")
    return "".join(parts)


def _bar(index: int, first: int, second: int, most: int) -> Bar:
    unit = (HEIGHT - _AIR) / most
    height, late_height = round(first * unit, 2), round(second * unit, 2)
    top = HEIGHT - height
    return Bar(index * STEP, round(top, 2), height, round(top - late_height, 2), late_height)
