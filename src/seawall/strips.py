"""What one look at a film has shown: it passes from decoders to looks and pages."""

from __future__ import annotations

from typing import NamedTuple


class Strip(NamedTuple):
    """Stills of one look: their places (milliseconds of a film, else numbers of frames), and how long the film is."""

    places: tuple[int, ...]
    more: bool
    moving: bool
    length: int | None
