"""What the index tells whoever counts, without knowing who that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Told of each look-up: how many fingerprints, how many seconds for all of them, how many hashes were compared.
LookedUp = Callable[[int, float, int], None]


def nobody(_count: int, _seconds: float, _candidates: int) -> None:
    """Counts nothing."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the index is. Cheap to ask for.

    Args:
        rows: of all segments, dead ones included; dead_rows: those that count no more.
        delta_rows: those that are in no file yet.
    """

    segments: int
    rows: int
    dead_rows: int
    delta_rows: int
