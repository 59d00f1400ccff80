"""Exposure in words and as the bars of a small plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seawall.cases.exposure import Level, Standing
from seawall.console.wording import counted

# In units of the drawing.
STEP = 20
HEIGHT = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: `x` from the left, `top` and `height`."""

    x: int
    top: float
    height: float


def bars(numbers: Sequence[int]) -> tuple[Bar, ...]:
    """One bar a number, the highest as high as the drawing."""
    most = max(numbers, default=0)
    heights = [round(number / most * HEIGHT, 2) if most else 0.0 for number in numbers]
    return tuple(
        Bar(place * STEP, round(HEIGHT - height, 2), height) for place, height in enumerate(heights) if height
    )


def in_words(seconds: int) -> str:
    """``40 s``, ``12 min``."""
    return f"{seconds} s" if seconds < 60 else f"{round(seconds / 60)} min"


def spent_words(standing: Standing) -> str:
    """What a person is told of their day, calmly; empty while it is well within."""
    looked = (
        f"You have looked {counted(standing.seen.looks, 'time')} today, {in_words(standing.seen.seconds)} in all."
    )
    if standing.level is Level.SPENT:
        return f"{looked} That is enough for today. Cases can be decided without looking, or passed to others."
    if standing.level is Level.ENOUGH:
        return f"{looked} A pause would be good now."
    return ""
