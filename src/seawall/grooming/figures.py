"""Figures of detection, with how sure they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seawall.intervals import wilson

RESAMPLES = 400
BETA = 0.5


@dataclass(frozen=True, slots=True)
class Figure:
    """A value and the interval that holds 95 %; `of` is the number of cases that it is from. None: there were
    none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    of: int = 0

    def document(self) -> dict[str, float | int | None]:
        """As JSON says it."""
        return {"value": _short(self.value), "low": _short(self.low), "high": _short(self.high), "of": self.of}

    def __str__(self) -> str:
        if self.value is None:
            return "-"
        return f"{self.value:.3f}" if self.low is None else f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def share(successes: int, of: int) -> Figure:
    """A share with its Wilson interval."""
    if of == 0:
        return Figure(None)
    return Figure(successes / of, *wilson(successes, of), of)


def f_score(right: int, said: int, there: int) -> float:
    """F0.5, in which being right weighs more than missing none."""
    if right == 0:
        return 0.0
    precision, recall = right / said, right / there
    return (1 + BETA**2) * precision * recall / (BETA**2 * precision + recall)


def resampled(
    cases: Sequence[Sequence[float]], statistic: Callable[[NDArray[np.float64]], float | None], seed: int = 1
) -> Figure:
    """A statistic of cases (rows) with its bootstrap interval."""
    table = np.asarray(cases, dtype=np.float64)
    if len(table) == 0 or (value := statistic(table)) is None:
        return Figure(None)
    random = np.random.default_rng(seed)
    drawn = [statistic(table[random.integers(0, len(table), len(table))]) for _ in range(RESAMPLES)]
    values = [one for one in drawn if one is not None]
    low, high = np.quantile(values, [0.025, 0.975]) if values else (value, value)
    return Figure(value, float(low), float(high), len(table))


def threshold_for(benign: Sequence[float], rate: float) -> float:
    """The lowest score such that no more than `rate` of these benign conversations lie at or above it.

    Of fewer than 1 / rate conversations none may: it then lies above the highest, and tells less.
    """
    if not benign:
        return 1.0
    ordered = sorted(benign, reverse=True)
    highest_allowed = ordered[min(int(rate * len(ordered) + 1e-9), len(ordered) - 1)]
    return math.nextafter(highest_allowed, math.inf)
